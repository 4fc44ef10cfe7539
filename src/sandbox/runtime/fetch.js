// fetch, Headers, Request, Response.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.define('fetch', () => {
    const { Blob, FormData, encodeForm, decodeForm, bytesOf } = rt.require('blob');
    const tokens = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
    const checkName = (name) => {
      name = String(name);
      if (!tokens.test(name)) throw new TypeError(`Headers: "${name}" is an invalid header name.`);
      return name.toLowerCase();
    };
    const checkValue = (value) => {
      value = String(value).replace(/^[\t\r\n ]+|[\t\r\n ]+$/g, '');
      if (/[\0\r\n]/.test(value)) throw new TypeError('Headers: an invalid header value.');
      return value;
    };
    class Headers {
      #map = new Map();
      #cookies = [];
      #fixed = false;
      constructor(init) {
        if (init === undefined) return;
        if (init === null || (typeof init !== 'object' && typeof init !== 'function')) throw new TypeError("Failed to construct 'Headers': the provided value is not a record or a sequence");
        if (init instanceof Headers) {
          this.#map = new Map(init.#map);
          this.#cookies = [...init.#cookies];
        } else if (typeof init[Symbol.iterator] === 'function') {
          for (const pair of init) {
            const both = [...pair];
            if (both.length !== 2) throw new TypeError('Headers: each pair must have a name and a value');
            this.append(both[0], both[1]);
          }
        } else for (const name of Reflect.ownKeys(init)) this.append(name, init[name]);
      }
      #guard() { if (this.#fixed) throw new TypeError('immutable'); }
      append(name, value) {
        this.#guard();
        name = checkName(name);
        value = checkValue(value);
        if (name === 'set-cookie') this.#cookies.push(value);
        else this.#map.set(name, this.#map.has(name) ? `${this.#map.get(name)}${name === 'cookie' ? '; ' : ', '}${value}` : value);
      }
      delete(name) {
        this.#guard();
        name = checkName(name);
        if (name === 'set-cookie') this.#cookies = [];
        else this.#map.delete(name);
      }
      get(name) {
        name = checkName(name);
        if (name === 'set-cookie') return this.#cookies.length ? this.#cookies.join(', ') : null;
        return this.#map.get(name) ?? null;
      }
      getSetCookie() { return [...this.#cookies]; }
      has(name) {
        name = checkName(name);
        return name === 'set-cookie' ? this.#cookies.length > 0 : this.#map.has(name);
      }
      set(name, value) {
        this.#guard();
        name = checkName(name);
        value = checkValue(value);
        if (name === 'set-cookie') this.#cookies = [value];
        else this.#map.set(name, value);
      }
      forEach(call, self) { for (const [name, value] of this) call.call(self, value, name, this); }
      *entries() {
        const names = [...this.#map.keys()];
        if (this.#cookies.length) names.push('set-cookie');
        for (const name of names.sort()) {
          if (name === 'set-cookie') for (const cookie of this.#cookies) yield [name, cookie];
          else yield [name, this.#map.get(name)];
        }
      }
      *keys() { for (const [name] of this.entries()) yield name; }
      *values() { for (const [, value] of this.entries()) yield value; }
      [Symbol.iterator]() { return this.entries(); }
      [rt.customInspect](depth, options, inspect) { return `Headers ${inspect(Object.fromEntries(this), options)}`; }
      static _fix = (headers) => { headers.#fixed = true; };
    }
    const fix = Headers._fix;
    delete Headers._fix;
    rt.tag(Headers, 'Headers');

    /** What may be a body → {bytes | stream, type}. */
    const extract = (body) => {
      if (typeof body === 'string') return { bytes: rt.utf8(body), type: 'text/plain;charset=UTF-8' };
      if (body instanceof URLSearchParams) return { bytes: rt.utf8(body.toString()), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
      if (body instanceof Blob) return { bytes: body[bytesOf], type: body.type || null };
      if (body instanceof FormData) return encodeForm(body);
      if (rt.isBytes(body)) return { bytes: rt.bytes(body).slice(), type: null };
      if (rt.isReadableStream(body)) {
        if (rt.disturbed(body) || body.locked) throw new TypeError('Response body object should not be disturbed or locked');
        return { stream: body, type: null };
      }
      if (typeof body === 'object' && typeof body[Symbol.asyncIterator] === 'function') return { stream: ReadableStream.from(body), type: null };
      return { bytes: rt.utf8(String(body)), type: 'text/plain;charset=UTF-8' };
    };
    const readAll = async (stream) => {
      const chunks = [];
      for await (const chunk of stream) {
        if (!(chunk instanceof Uint8Array)) throw new TypeError('Received non-Uint8Array chunk');
        chunks.push(chunk);
      }
      return rt.Buffer.concat(chunks);
    };
    const content = Symbol('content');
    class Body {
      get body() {
        const its = this[content];
        if (its.empty) return null;
        if (!its.stream) {
          const { bytes } = its;
          let sent = false;
          its.stream = new ReadableStream({
            type: 'bytes',
            pull(controller) {
              if (!sent && bytes.length > 0) controller.enqueue(bytes.slice());
              sent = true;
              controller.close();
              controller.byobRequest?.respond(0);
            },
          });
          its.bytes = null;
        }
        return its.stream;
      }
      get bodyUsed() {
        const its = this[content];
        return its.used || (its.stream ? rt.disturbed(its.stream) : false);
      }
      async #take() {
        const its = this[content];
        if (this.bodyUsed || its.stream?.locked) throw new TypeError('Body is unusable: Body has already been read');
        if (its.empty) return new Uint8Array(0);
        its.used = true;
        if (its.failure) throw its.failure;
        return its.stream ? readAll(its.stream) : its.bytes;
      }
      async text() {
        const text = rt.fromUtf8(await this.#take());
        return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
      }
      async json() { return JSON.parse(await this.text()); }
      async arrayBuffer() {
        const bytes = await this.#take();
        return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
      }
      async bytes() { return new Uint8Array(await this.arrayBuffer()); }
      async blob() { return new Blob([await this.#take()], { type: this.headers.get('content-type') ?? '' }); }
      async formData() {
        const type = this.headers.get('content-type') ?? '';
        return decodeForm(await this.#take(), type);
      }
      static _share(from) {
        const its = from[content];
        if (from.bodyUsed || its.stream?.locked) throw new TypeError('Response.clone: Body has already been consumed.');
        if (its.empty || its.bytes) return { ...its };
        const [a, b] = its.stream.tee();
        its.stream = a;
        return { ...its, stream: b };
      }
    }
    const { _share: share } = Body;
    delete Body._share;
    const put = (object, body) => {
      if (body === null || body === undefined) {
        Object.defineProperty(object, content, { value: { empty: true }, writable: true });
        return null;
      }
      const made = extract(body);
      Object.defineProperty(object, content, { value: { bytes: made.bytes, stream: made.stream, used: false, empty: false }, writable: true });
      return made.type;
    };
    const upper = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH']);
    class Request extends Body {
      #url; #method = 'GET'; #headers; #signal; #redirect = 'follow'; #cache = 'default'; #credentials = 'same-origin'; #mode = 'cors'; #referrer = 'about:client'; #referrerPolicy = ''; #integrity = ''; #keepalive = false;
      constructor(input, init = {}) {
        super();
        init ??= {};
        let from = null;
        if (input instanceof Request) {
          from = input;
          this.#url = input.url;
          this.#method = input.method;
          this.#redirect = input.redirect;
          this.#cache = input.cache;
          this.#credentials = input.credentials;
          this.#mode = input.mode;
        } else {
          let url;
          try {
            url = new URL(String(input?.href ?? input));
          } catch (error) {
            throw new TypeError(`Failed to parse URL from ${input}`, { cause: error });
          }
          if (url.username || url.password) throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${input}`);
          this.#url = url.href;
        }
        if (init.method !== undefined) {
          const method = String(init.method);
          if (!tokens.test(method)) throw new TypeError(`'${method}' is not a valid HTTP method.`);
          const big = method.toUpperCase();
          if (['CONNECT', 'TRACE', 'TRACK'].includes(big)) throw new TypeError(`'${method}' HTTP method is unsupported.`);
          this.#method = upper.has(big) && big !== 'PATCH' ? big : method;
        }
        this.#headers = new Headers(init.headers ?? from?.headers);
        this.#signal = init.signal !== undefined ? init.signal : from?.signal ?? null;
        for (const key of ['redirect', 'cache', 'credentials', 'mode', 'referrer', 'referrerPolicy', 'integrity', 'keepalive']) if (init[key] !== undefined) this.#option(key, init[key]);
        const body = init.body;
        if (body !== undefined && body !== null) {
          if (this.#method === 'GET' || this.#method === 'HEAD') throw new TypeError('Request with GET/HEAD method cannot have body.');
          const type = put(this, body);
          if (rt.isReadableStream(body) && init.duplex === undefined) throw new TypeError('RequestInit: duplex option is required when sending a body.');
          if (type && !this.#headers.has('content-type')) this.#headers.set('content-type', type);
        } else if (from && body === undefined && !from[content].empty) {
          if (from.bodyUsed) throw new TypeError('Cannot construct a Request with a Request object that has already been used.');
          Object.defineProperty(this, content, { value: { ...from[content] }, writable: true });
          from[content].used = true;
        } else put(this, null);
      }
      #option(key, value) {
        switch (key) {
          case 'redirect':
            if (!['follow', 'error', 'manual'].includes(value)) throw new TypeError(`Request: invalid redirect ${value}`);
            this.#redirect = value;
            break;
          case 'cache': this.#cache = value; break;
          case 'credentials': this.#credentials = value; break;
          case 'mode': this.#mode = value; break;
          case 'referrer': this.#referrer = String(value); break;
          case 'referrerPolicy': this.#referrerPolicy = value; break;
          case 'integrity': this.#integrity = String(value); break;
          default: this.#keepalive = Boolean(value);
        }
      }
      get url() { return this.#url; }
      get method() { return this.#method; }
      get headers() { return this.#headers; }
      get signal() { return (this.#signal ??= new AbortController().signal); }
      get redirect() { return this.#redirect; }
      get cache() { return this.#cache; }
      get credentials() { return this.#credentials; }
      get mode() { return this.#mode; }
      get referrer() { return this.#referrer; }
      get referrerPolicy() { return this.#referrerPolicy; }
      get integrity() { return this.#integrity; }
      get keepalive() { return this.#keepalive; }
      get destination() { return ''; }
      get duplex() { return 'half'; }
      clone() {
        const shared = share(this);
        const copy = new Request(this.#url, { method: this.#method, headers: this.#headers, signal: this.#signal ?? undefined, redirect: this.#redirect });
        copy[content] = shared;
        return copy;
      }
      [rt.customInspect](depth, options, inspect) { return `Request ${inspect({ method: this.method, url: this.url, headers: this.headers }, options)}`; }
    }
    rt.tag(Request, 'Request');
    const empty = new Set([101, 103, 204, 205, 304]);
    class Response extends Body {
      #status; #statusText; #headers; #url = ''; #type = 'default'; #redirected = false;
      constructor(body = null, init = {}) {
        super();
        init ??= {};
        const status = init.status === undefined ? 200 : Number(init.status);
        if (!(Number.isInteger(status) && status >= 200 && status <= 599)) throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
        this.#status = status;
        this.#statusText = init.statusText === undefined ? '' : String(init.statusText);
        this.#headers = new Headers(init.headers);
        if (body !== null && body !== undefined && empty.has(status)) throw new TypeError(`Response constructor: Invalid response status code ${status}`);
        const type = put(this, body);
        if (type && !this.#headers.has('content-type')) this.#headers.set('content-type', type);
      }
      get status() { return this.#status; }
      get statusText() { return this.#statusText; }
      get ok() { return this.#status >= 200 && this.#status <= 299; }
      get headers() { return this.#headers; }
      get url() { return this.#url; }
      get type() { return this.#type; }
      get redirected() { return this.#redirected; }
      clone() {
        const copy = new Response(null, { status: this.#status === 0 ? 200 : this.#status, statusText: this.#statusText, headers: this.#headers });
        copy[content] = share(this);
        copy.#url = this.#url;
        copy.#type = this.#type;
        copy.#status = this.#status;
        copy.#redirected = this.#redirected;
        return copy;
      }
      static error() {
        const response = new Response(null);
        response.#status = 0;
        response.#type = 'error';
        fix(response.#headers);
        return response;
      }
      static redirect(url, status = 302) {
        if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError(`Invalid status code ${status}`);
        const response = new Response(null, { status, headers: { location: new URL(String(url)).href } });
        fix(response.#headers);
        return response;
      }
      static json(data, init = {}) {
        const text = JSON.stringify(data);
        if (text === undefined) throw new TypeError('The data is not JSON serializable');
        const headers = new Headers(init.headers);
        if (!headers.has('content-type')) headers.set('content-type', 'application/json');
        return new Response(text, { ...init, headers });
      }
      static _answer(answer, data, url, redirected) {
        const response = new Response(null, { headers: answer.headers });
        response.#status = answer.status;
        response.#statusText = answer.statusText ?? '';
        response.#url = url;
        response.#type = 'basic';
        response.#redirected = redirected;
        response[content] = empty.has(answer.status) ? { empty: true } : { bytes: data ?? new Uint8Array(0), used: false, empty: false };
        fix(response.#headers);
        return response;
      }
      [rt.customInspect](depth, options, inspect) {
        const { status, statusText, headers, ok, redirected, type, url, bodyUsed } = this;
        return `Response ${inspect({ status, statusText, headers, bodyUsed, ok, redirected, type, url }, options)}`;
      }
    }
    const answered = Response._answer;
    delete Response._answer;
    rt.tag(Response, 'Response');

    /** One exchange through the door. `signal` cancels it. */
    const send = (meta, data, signal) =>
      new Promise((resolve, reject) => {
        let release = () => {};
        const id = rt.begin('fetch', JSON.stringify(meta), data, (ok, text, bytes) => {
          release();
          if (ok) resolve([JSON.parse(text), bytes]);
          else {
            const { name, message, code } = JSON.parse(text || '{}');
            const cause = new Error(message ?? 'the request failed');
            cause.name = name ?? 'Error';
            cause.code = code ?? { Denied: 'EACCES' }[name] ?? 'ECONNREFUSED';
            const error = new TypeError('fetch failed', { cause });
            if (message) error.message = `fetch failed: ${message}`;
            reject(error);
          }
        });
        if (signal) release = rt.onAbort(signal, (reason) => {
          rt.cancel(id);
          reject(reason);
        });
      });
    rt.send = send;
    async function fetch(input, init) {
      const request = new Request(input, init);
      const signal = init?.signal ?? (input instanceof Request ? input.signal : null);
      signal?.throwIfAborted();
      const headers = new Headers(request.headers);
      if (!headers.has('accept')) headers.set('accept', '*/*');
      if (!headers.has('user-agent')) headers.set('user-agent', 'node');
      let { url, method } = request;
      const { protocol } = new URL(url);
      if (protocol === 'data:') return dataUrl(url);
      if (protocol === 'blob:') {
        const blob = rt.require('blob').resolveObjectURL(url);
        if (!blob) throw new TypeError('fetch failed');
        return new Response(blob, { headers: { 'content-type': blob.type, 'content-length': String(blob.size) } });
      }
      if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError('fetch failed', { cause: new Error(`unknown scheme ${protocol}`) });
      let data = null;
      const its = request[content];
      if (!its.empty) {
        data = its.stream ? await readAll(its.stream) : its.bytes;
        its.used = true;
        if (input instanceof Request && input[content] && !input[content].empty) input[content].used = true;
      }
      let redirects = 0;
      for (;;) {
        const [answer, bytes] = await send({ method, url, headers: [...headers] }, data, signal);
        const location = answer.headers.find(([name]) => name.toLowerCase() === 'location')?.[1];
        if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined || request.redirect === 'manual') return answered(answer, bytes, answer.url ?? url, redirects > 0);
        if (request.redirect === 'error') throw new TypeError('fetch failed', { cause: new Error('unexpected redirect') });
        if (++redirects > 20) throw new TypeError('fetch failed', { cause: new Error('redirect count exceeded') });
        const next = new URL(location, url);
        if (next.origin !== new URL(url).origin) for (const name of ['authorization', 'cookie', 'proxy-authorization', 'host']) headers.delete(name);
        if ((answer.status === 303 && method !== 'GET' && method !== 'HEAD') || ((answer.status === 301 || answer.status === 302) && method === 'POST')) {
          method = 'GET';
          data = null;
          for (const name of ['content-type', 'content-length', 'content-encoding', 'content-language', 'content-location']) headers.delete(name);
        }
        url = next.href;
      }
    }
    const dataUrl = (url) => {
      const comma = url.indexOf(',');
      if (comma < 0) throw new TypeError('fetch failed', { cause: new Error('invalid data: URL') });
      let type = url.slice(5, comma);
      const base64 = /;\s*base64$/i.test(type);
      if (base64) type = type.replace(/;\s*base64$/i, '');
      const text = decodeURIComponent(url.slice(comma + 1).replace(/#.*$/, ''));
      return new Response(base64 ? rt.toBytes(text, 'base64') : text, { headers: { 'content-type': type || 'text/plain;charset=US-ASCII' } });
    };
    return { fetch, Headers, Request, Response };
  });
  for (const name of ['Headers', 'Request', 'Response']) rt.lazyGlobal(name, () => rt.require('fetch')[name]);
  rt.global('fetch', async function fetch(input, init) {
    return rt.require('fetch').fetch(input, init);
  });
})(globalThis.__emu);
