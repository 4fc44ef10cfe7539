// Requests and answers as functions over HTTP know them: Node's own, with the methods and parsed bodies of the framework that they run in.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('firebase-functions-http');
  rt.define('firebase-functions-http', () => {
    const { IncomingMessage, Socket } = rt.require('http-parts');
    const { STATUS_CODES } = rt.require('http');
    const { ServerResponse, outlet } = rt.require('http-server');
    const PARAMETERS_MAX = 1000;
    const DEPTH_MAX = 5;

    // `a=1&b[]=2&c[d]=3` as the framework reads queries and forms.
    const parseForm = (text) => {
      const out = {};
      let left = PARAMETERS_MAX;
      for (const [name, value] of new URLSearchParams(text)) {
        if (left-- === 0) break;
        const head = name.indexOf('[') > 0 ? name.slice(0, name.indexOf('[')) : name;
        const keys = [head];
        const inner = /\[([^[\]]*)\]/g;
        inner.lastIndex = head.length;
        if (head !== name) for (let found; keys.length <= DEPTH_MAX && (found = inner.exec(name)); ) keys.push(found[1]);
        put(out, keys, value);
      }
      return out;
    };
    const put = (into, keys, value) => {
      let at = into;
      for (let n = 0; n < keys.length; n++) {
        const last = n === keys.length - 1;
        let key = keys[n];
        if (key === '__proto__' || key === 'constructor' || key === 'prototype') return;
        if (Array.isArray(at)) {
          if (key === '') key = at.length;
          else if (!/^\d{1,2}$/.test(key)) return;
        }
        if (last) {
          if (Object.hasOwn(at, key)) at[key] = [at[key], value].flat();
          else at[key] = value;
          return;
        }
        const next = keys[n + 1];
        if (!Object.hasOwn(at, key) || typeof at[key] !== 'object') at[key] = next === '' || /^\d{1,2}$/.test(next) ? [] : {};
        at = at[key];
      }
    };

    const mediaType = (header) => String(header ?? '').split(';', 1)[0].trim().toLowerCase();
    const charsetOf = (header) => /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(header ?? '')?.[1];
    const shorthand = { json: 'application/json', html: 'text/html', text: 'text/plain', txt: 'text/plain', xml: 'application/xml', urlencoded: 'application/x-www-form-urlencoded', multipart: 'multipart/*', form: 'application/x-www-form-urlencoded', js: 'text/javascript', css: 'text/css', csv: 'text/csv', png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', svg: 'image/svg+xml', webp: 'image/webp', ico: 'image/x-icon', pdf: 'application/pdf', zip: 'application/zip', bin: 'application/octet-stream', mp3: 'audio/mpeg', mp4: 'video/mp4', md: 'text/markdown' };
    const expand = (type) => (type.includes('/') ? type : shorthand[type.replace(/^\./, '')] ?? 'application/octet-stream');
    const fits = (pattern, type) => {
      const [a, b] = [pattern.split('/'), type.split('/')];
      return (a[0] === '*' || a[0] === b[0]) && (a[1] === '*' || a[1] === b[1] || (a[1]?.startsWith('*+') && b[1]?.endsWith(a[1].slice(1))));
    };
    // What of `offered` an `Accept…` header likes best; false where nothing.
    const negotiate = (header, offered, matches) => {
      if (offered.length === 0) return String(header ?? '*').split(',').map((each) => each.split(';')[0].trim());
      if (header === undefined) return offered[0];
      const wanted = String(header).split(',').map((each, order) => {
        const [name, ...rest] = each.split(';').map((part) => part.trim());
        const q = Number(rest.find((part) => part.startsWith('q='))?.slice(2) ?? 1);
        return { name: name.toLowerCase(), q, order };
      });
      let best = false;
      let rank = null;
      for (const each of offered) {
        const found = wanted.filter(({ name }) => name === '*' || matches(name, each)).sort((x, y) => Number(x.name.includes('*')) - Number(y.name.includes('*')))[0];
        if (!found || found.q === 0) continue;
        if (!rank || found.q > rank.q || (found.q === rank.q && found.order < rank.order)) [best, rank] = [each, found];
      }
      return best;
    };

    class Request extends IncomingMessage {
      get(name) {
        const key = String(name).toLowerCase();
        return key === 'referer' || key === 'referrer' ? this.headers.referrer ?? this.headers.referer : this.headers[key];
      }
      header(name) { return this.get(name); }
      get protocol() { return (this.headers['x-forwarded-proto'] ?? 'http').split(',')[0].trim(); }
      get secure() { return this.protocol === 'https'; }
      get ips() { return (this.headers['x-forwarded-for'] ?? '').split(',').map((each) => each.trim()).filter(Boolean); }
      get ip() { return this.ips[0] ?? this.socket.remoteAddress; }
      get host() { return (this.headers['x-forwarded-host'] ?? this.headers.host ?? '').split(',')[0].trim() || undefined; }
      get hostname() { return this.host?.replace(/:\d+$/, ''); }
      get subdomains() { return (this.hostname ?? '').split('.').reverse().slice(2); }
      get path() { return this.url.split('?', 1)[0]; }
      get xhr() { return String(this.get('x-requested-with') ?? '').toLowerCase() === 'xmlhttprequest'; }
      get fresh() { return false; }
      get stale() { return true; }
      is(...types) {
        const own = mediaType(this.headers['content-type']);
        if (!own || this.rawBody?.length === 0) return null;
        return types.flat().find((type) => fits(expand(type), own)) ?? false;
      }
      accepts(...types) { return negotiate(this.headers.accept, types.flat(), (name, type) => fits(name, expand(type))); }
      acceptsCharsets(...names) { return negotiate(this.headers['accept-charset'], names.flat(), (a, b) => a === b.toLowerCase()); }
      acceptsEncodings(...names) { return negotiate(this.headers['accept-encoding'], names.flat(), (a, b) => a === b.toLowerCase()); }
      acceptsLanguages(...names) { return negotiate(this.headers['accept-language'], names.flat(), (a, b) => a === b.toLowerCase() || b.toLowerCase().startsWith(`${a}-`) || a.startsWith(`${b.toLowerCase()}-`)); }
      param(name, fallback) { return this.params?.[name] ?? this.body?.[name] ?? this.query?.[name] ?? fallback; }
    }

    const cookieText = (name, value, options = {}) => {
      let text = `${name}=${encodeURIComponent(typeof value === 'object' ? `j:${JSON.stringify(value)}` : String(value))}`;
      if (options.maxAge !== undefined && options.maxAge !== null) {
        text += `; Max-Age=${Math.floor(options.maxAge / 1000)}`;
        options = { expires: new Date(Date.now() + Number(options.maxAge)), ...options };
      }
      if (options.domain) text += `; Domain=${options.domain}`;
      text += `; Path=${options.path ?? '/'}`;
      if (options.expires) text += `; Expires=${new Date(options.expires).toUTCString()}`;
      if (options.httpOnly) text += '; HttpOnly';
      if (options.secure) text += '; Secure';
      if (options.partitioned) text += '; Partitioned';
      if (options.sameSite) text += `; SameSite=${options.sameSite === true ? 'Strict' : options.sameSite[0].toUpperCase() + options.sameSite.slice(1).toLowerCase()}`;
      return text;
    };
    class Response extends ServerResponse {
      locals = Object.create(null);
      status(code) {
        this.statusCode = code;
        return this;
      }
      sendStatus(code) {
        return this.status(code).type('txt').send(STATUS_CODES[code] ?? String(code));
      }
      set(name, value) {
        if (typeof name === 'object') {
          for (const key of Object.keys(name)) this.set(key, name[key]);
          return this;
        }
        let text = Array.isArray(value) ? value.map(String) : String(value);
        if (String(name).toLowerCase() === 'content-type' && typeof text === 'string' && !charsetOf(text) && /^(text\/|application\/(json|javascript|xml)$)/.test(text)) text += '; charset=utf-8';
        this.setHeader(name, text);
        return this;
      }
      header(name, value) { return this.set(name, value); }
      get(name) { return this.getHeader(name); }
      append(name, value) { return this.set(name, [this.get(name) ?? [], value].flat()); }
      type(type) { return this.set('Content-Type', expand(type)); }
      contentType(type) { return this.type(type); }
      vary(field) {
        const had = this.get('Vary');
        if (had === '*' || String(had ?? '').toLowerCase().split(/\s*,\s*/).includes(String(field).toLowerCase())) return this;
        return this.set('Vary', had ? `${had}, ${field}` : field);
      }
      links(links) { return this.set('Link', [this.get('Link'), ...Object.entries(links).map(([rel, to]) => `<${to}>; rel="${rel}"`)].filter(Boolean).join(', ')); }
      location(url) { return this.set('Location', encodeURI(url === 'back' ? this.req.get('referrer') ?? '/' : url).replaceAll('%25', '%')); }
      redirect(status, url) {
        if (url === undefined) [status, url] = [302, status];
        this.location(url).status(status);
        const to = this.get('Location');
        const text = `${STATUS_CODES[status]}. Redirecting to ${to}`;
        return this.req.accepts('text', 'html') === 'html' ? this.type('html').send(`<p>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</p>`) : this.type('text').send(text);
      }
      cookie(name, value, options) { return this.append('Set-Cookie', cookieText(name, value, options)); }
      clearCookie(name, options) { return this.cookie(name, '', { path: '/', ...options, expires: new Date(1), maxAge: undefined }); }
      attachment(name) {
        if (name) this.type(name.includes('.') ? name.slice(name.lastIndexOf('.') + 1) : 'bin');
        return this.set('Content-Disposition', name ? `attachment; filename="${name.replaceAll('"', '\\"')}"` : 'attachment');
      }
      format(choices) {
        const keys = Object.keys(choices).filter((key) => key !== 'default');
        const best = keys.length ? this.req.accepts(keys) : false;
        this.vary('Accept');
        if (best) {
          this.type(best);
          choices[best](this.req, this, () => {});
        } else if (choices.default) choices.default(this.req, this, () => {});
        else this.sendStatus(406);
        return this;
      }
      json(value) {
        const text = JSON.stringify(value);
        if (!this.hasHeader('Content-Type')) this.setHeader('Content-Type', 'application/json; charset=utf-8');
        return this.send(text ?? '');
      }
      jsonp(value) {
        const name = this.req.query?.callback;
        if (typeof name !== 'string') return this.json(value);
        return this.type('js').send(`/**/ typeof ${name.replace(/[^[\]\w$.]/g, '')} === 'function' && ${name.replace(/[^[\]\w$.]/g, '')}(${JSON.stringify(value)});`);
      }
      send(body) {
        if (typeof body === 'object' && body !== null && !ArrayBuffer.isView(body)) return this.json(body);
        if (typeof body === 'number' || typeof body === 'boolean') return this.json(body);
        if (typeof body === 'string') {
          const type = this.get('Content-Type');
          if (!type) this.setHeader('Content-Type', 'text/html; charset=utf-8');
          else if (!charsetOf(type) && /^(text\/|application\/(json|javascript))/.test(type)) this.set('Content-Type', `${type}; charset=utf-8`);
          body = rt.Buffer.from(body);
        } else if (ArrayBuffer.isView(body)) {
          if (!this.get('Content-Type')) this.type('bin');
          body = rt.Buffer.from(body.buffer, body.byteOffset, body.byteLength);
        }
        if (body !== undefined && body !== null) this.setHeader('Content-Length', body.length);
        if (this.statusCode === 204 || this.statusCode === 304) for (const name of ['Content-Type', 'Content-Length', 'Transfer-Encoding']) this.removeHeader(name);
        this.end(body ?? undefined);
        return this;
      }
      sendFile() { throw rt.missing('res.sendFile', 'the answer', 'read the file with node:fs and send what is in it'); }
      download() { throw rt.missing('res.download', 'the answer', 'read the file with node:fs and send what is in it'); }
      render() { throw rt.missing('res.render', 'the answer', 'an app of express has views'); }
    }

    class Malformed extends Error {}
    const openers = { gzip: 'gunzipSync', deflate: 'inflateSync', br: 'brotliDecompressSync' };
    const inflate = (bytes, encoding) => {
      const opener = encoding === undefined ? undefined : openers[encoding.toLowerCase()];
      return opener ? rt.require('zlib')[opener](bytes) : bytes;
    };
    // What the framework's parsers make of a body: by its type, nothing where there is none.
    const parseBody = (req) => {
      const header = req.headers['content-type'];
      const type = mediaType(header);
      if (!type || req.rawBody.length === 0) return {};
      let bytes = req.rawBody;
      try {
        bytes = inflate(bytes, req.headers['content-encoding']);
        if (type === 'application/json' || type === 'application/cloudevents+json') return JSON.parse(rt.fromUtf8(bytes));
      } catch (error) {
        throw new Malformed(error.message);
      }
      if (type === 'application/x-www-form-urlencoded') return parseForm(rt.fromUtf8(bytes));
      if (type.startsWith('text/')) {
        try {
          return new TextDecoder(charsetOf(header) ?? 'utf-8').decode(bytes);
        } catch {
          return rt.fromUtf8(bytes);
        }
      }
      return bytes;
    };

    /** The request of an event, its body read and parsed. Throws `Malformed`. */
    const makeRequest = (event) => {
      const req = new Request();
      // Of its own, so that it is there whatever prototype a framework gives it.
      rt.lazyProperty(req, 'socket', () => Object.assign(new Socket(false), { readable: false }, event.ip ? { remoteAddress: event.ip } : {}));
      req.method = event.method;
      req.url = req.originalUrl = event.url;
      req.baseUrl = '';
      req._setHeaders(event.headers);
      req.rawBody = event.body === undefined ? rt.Buffer.alloc(0) : rt.Buffer.from(event.body, event.base64 ? 'base64' : 'utf8');
      const at = req.url.indexOf('?');
      const path = at < 0 ? req.url : req.url.slice(0, at);
      req.params = { 0: path.startsWith('/') ? path.slice(1) : path };
      req.query = at < 0 ? {} : parseForm(req.url.slice(at + 1));
      req.body = parseBody(req);
      // Parsers further in look at this, or at a stream that was read to its end. One without a body was not read.
      req._body = true;
      const state = req._readableState;
      state.ended = true;
      if (req.rawBody.length) {
        state.flowing = state.dataEmitted = state.endEmitted = true;
        rt.nextTick(() => {
          state.destroyed = state.closed = state.closeEmitted = true;
          req.emit('close');
        });
      }
      return req;
    };
    return { Request, Response, Malformed, makeRequest, outlet };
  });
})(globalThis.__emu);
