// node:http and node:https: clients over the door. Servers are refused by name.
((emu) => {
  'use strict';
  const { rt } = emu;
  const methodNames = ['ACL', 'BIND', 'CHECKOUT', 'CONNECT', 'COPY', 'DELETE', 'GET', 'HEAD', 'LINK', 'LOCK', 'M-SEARCH', 'MERGE', 'MKACTIVITY', 'MKCALENDAR', 'MKCOL', 'MOVE', 'NOTIFY', 'OPTIONS', 'PATCH', 'POST', 'PROPFIND', 'PROPPATCH', 'PURGE', 'PUT', 'REBIND', 'REPORT', 'SEARCH', 'SOURCE', 'SUBSCRIBE', 'TRACE', 'UNBIND', 'UNLINK', 'UNLOCK', 'UNSUBSCRIBE'];
  const texts = { 100: 'Continue', 101: 'Switching Protocols', 102: 'Processing', 103: 'Early Hints', 200: 'OK', 201: 'Created', 202: 'Accepted', 203: 'Non-Authoritative Information', 204: 'No Content', 205: 'Reset Content', 206: 'Partial Content', 207: 'Multi-Status', 208: 'Already Reported', 226: 'IM Used', 300: 'Multiple Choices', 301: 'Moved Permanently', 302: 'Found', 303: 'See Other', 304: 'Not Modified', 305: 'Use Proxy', 307: 'Temporary Redirect', 308: 'Permanent Redirect', 400: 'Bad Request', 401: 'Unauthorized', 402: 'Payment Required', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed', 406: 'Not Acceptable', 407: 'Proxy Authentication Required', 408: 'Request Timeout', 409: 'Conflict', 410: 'Gone', 411: 'Length Required', 412: 'Precondition Failed', 413: 'Payload Too Large', 414: 'URI Too Long', 415: 'Unsupported Media Type', 416: 'Range Not Satisfiable', 417: 'Expectation Failed', 418: "I'm a Teapot", 421: 'Misdirected Request', 422: 'Unprocessable Entity', 423: 'Locked', 424: 'Failed Dependency', 425: 'Too Early', 426: 'Upgrade Required', 428: 'Precondition Required', 429: 'Too Many Requests', 431: 'Request Header Fields Too Large', 451: 'Unavailable For Legal Reasons', 500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway', 503: 'Service Unavailable', 504: 'Gateway Timeout', 505: 'HTTP Version Not Supported', 506: 'Variant Also Negotiates', 507: 'Insufficient Storage', 508: 'Loop Detected', 509: 'Bandwidth Limit Exceeded', 510: 'Not Extended', 511: 'Network Authentication Required' };
  const { isHeaderName, isHeaderValue } = emu;
  const validateHeaderName = (name) => {
    if (typeof name !== 'string' || !isHeaderName(name)) throw rt.error(TypeError, 'ERR_INVALID_HTTP_TOKEN', `Header name must be a valid HTTP token ["${name}"]`);
  };
  const validateHeaderValue = (name, value) => {
    if (value === undefined) throw rt.error(TypeError, 'ERR_HTTP_INVALID_HEADER_VALUE', `Invalid value "undefined" for header "${name}"`);
    if (Array.isArray(value) ? !value.every((each) => isHeaderValue(each)) : !isHeaderValue(value)) throw rt.error(TypeError, 'ERR_INVALID_CHAR', `Invalid character in header content ["${name}"]`);
  };
  const single = new Set(['age', 'authorization', 'content-length', 'content-type', 'etag', 'expires', 'from', 'host', 'if-modified-since', 'if-unmodified-since', 'last-modified', 'location', 'max-forwards', 'proxy-authorization', 'referer', 'retry-after', 'server', 'user-agent']);
  rt.define('http', () => make('http:'));
  rt.define('https', () => make('https:'));
  rt.internal.add('http-parts');
  rt.define('http-parts', () => {
    const { Readable, Writable } = rt.require('stream');
    // What packages look at on a connection. There is none: the door has no sockets.
    class Socket extends rt.EventEmitter {
      constructor(secure) {
        super();
        this.encrypted = this.authorized = secure;
        this.remotePort = secure ? 443 : 80;
      }
      setTimeout(ms, call) {
        this.timeout = ms;
        if (call) this.once('timeout', call);
        return this;
      }
      setNoDelay() { return this; }
      setKeepAlive() { return this; }
      ref() { return this; }
      unref() { return this; }
      address() { return { address: '127.0.0.1', family: 'IPv4', port: 0 }; }
      getPeerCertificate() { return {}; }
      cork() {}
      uncork() {}
      end() {}
      destroy(error) {
        this.destroyed = true;
        if (error) this.emit('error', error);
        return this;
      }
    }
    Object.assign(Socket.prototype, { connecting: false, destroyed: false, readable: true, writable: true, remoteAddress: '127.0.0.1', remoteFamily: 'IPv4', localAddress: '127.0.0.1', localPort: 0, bytesRead: 0, bytesWritten: 0, timeout: 0 });
    const incoming = { highWaterMark: 65536 };
    class IncomingMessage extends Readable {
      constructor(socket) {
        super(incoming);
        if (socket) this.socket = socket;
        this.rawHeaders = [];
        this.headers = {};
      }
      get connection() { return this.socket; }
      set connection(socket) { this.socket = socket; }
      _read() {}
      _setHeaders(list) {
        const { headers, rawHeaders } = this;
        for (const [name, value] of list) {
          rawHeaders.push(name, value);
          const key = name.toLowerCase();
          if (key === 'set-cookie') (headers[key] ??= []).push(value);
          else if (headers[key] === undefined) headers[key] = value;
          else if (!single.has(key)) headers[key] += `${key === 'cookie' ? '; ' : ', '}${value}`;
        }
        this.complete = true;
      }
      _fill(answer, bytes) {
        this.statusCode = answer.status;
        this.statusMessage = answer.statusText || texts[answer.status] || '';
        this._setHeaders(answer.headers);
        const size = 65536;
        if (bytes) for (let at = 0; at < bytes.length; at += size) this.push(rt.wrapBuffer(new Uint8Array(bytes.buffer, bytes.byteOffset + at, Math.min(size, bytes.length - at))));
        this.push(null);
      }
      setTimeout(ms, call) {
        if (call) this.once('timeout', call);
        return this;
      }
    }
    Object.assign(IncomingMessage.prototype, { socket: null, httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1, complete: false, aborted: false, url: '', method: null, statusCode: null, statusMessage: null, upgrade: false });
    // Few look at these.
    for (const [name, make] of Object.entries({
      rawTrailers: () => [], trailers: () => ({}), trailersDistinct: () => ({}),
      headersDistinct({ rawHeaders }) {
        const out = {};
        for (let at = 0; at < rawHeaders.length; at += 2) (out[rawHeaders[at].toLowerCase()] ??= []).push(rawHeaders[at + 1]);
        return out;
      },
    })) {
      Object.defineProperty(IncomingMessage.prototype, name, {
        configurable: true,
        get() { return (this[name] = make(this)); },
        set(value) { Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true }); },
      });
    }
    const headersOf = Symbol('headers');
    const outgoing = { autoDestroy: false };
    class OutgoingMessage extends Writable {
      constructor() {
        super(outgoing);
        Object.defineProperty(this, headersOf, { value: new Map() });
      }
      setHeader(name, value) {
        if (this.headersSent) throw rt.error(Error, 'ERR_HTTP_HEADERS_SENT', 'Cannot set headers after they are sent to the client');
        validateHeaderName(name);
        validateHeaderValue(name, value);
        this[headersOf].set(name.toLowerCase(), [name, Array.isArray(value) ? value.map(String) : typeof value === 'number' ? value : String(value)]);
        return this;
      }
      setHeaders(headers) {
        for (const [name, value] of headers) this.setHeader(name, value);
        return this;
      }
      appendHeader(name, value) {
        const had = this.getHeader(name);
        return this.setHeader(name, had === undefined ? value : [had, value].flat());
      }
      getHeader(name) { return this[headersOf].get(String(name).toLowerCase())?.[1]; }
      getHeaders() { return Object.assign(Object.create(null), Object.fromEntries([...this[headersOf]].map(([key, [, value]]) => [key, value]))); }
      getHeaderNames() { return [...this[headersOf].keys()]; }
      getRawHeaderNames() { return [...this[headersOf].values()].map(([name]) => name); }
      hasHeader(name) { return this[headersOf].has(String(name).toLowerCase()); }
      removeHeader(name) { this[headersOf].delete(String(name).toLowerCase()); }
      flushHeaders() {}
      addTrailers() { throw rt.missing('addTrailers', 'node:http'); }
    }
    Object.assign(OutgoingMessage.prototype, { headersSent: false, finished: false });
    class ClientRequest extends OutgoingMessage {
      #chunks = [];
      #operation = 0;
      #timer = null;
      #ms = 0;
      constructor(protocol, input, options, call) {
        super();
        if (typeof input === 'string') input = rt.require('url').urlToHttpOptions(new URL(input));
        else if (input instanceof URL) input = rt.require('url').urlToHttpOptions(input);
        else {
          call = options;
          options = input ?? {};
          input = {};
        }
        if (typeof options === 'function') {
          call = options;
          options = {};
        }
        options = { ...input, ...options };
        this.protocol = options.protocol ?? options.agent?.protocol ?? protocol;
        if (this.protocol !== 'http:' && this.protocol !== 'https:') throw rt.error(TypeError, 'ERR_INVALID_PROTOCOL', `Protocol "${this.protocol}" not supported. Expected "${protocol}"`);
        if (options.socketPath) throw rt.missing('request({ socketPath })', `node:${protocol.slice(0, -1)}`, 'the sandbox has no raw sockets');
        this.method = String(options.method ?? 'GET').toUpperCase();
        if (!isHeaderName(this.method)) throw rt.error(TypeError, 'ERR_INVALID_HTTP_TOKEN', `Method must be a valid HTTP token ["${this.method}"]`);
        this.path = options.path || '/';
        if (/[\u0000-\u0020]/.test(this.path)) throw rt.error(TypeError, 'ERR_UNESCAPED_CHARACTERS', 'Request path contains unescaped characters');
        this.host = options.hostname || options.host || 'localhost';
        const port = options.port || options.defaultPort || options.agent?.defaultPort;
        this.port = port ? Number(port) : undefined;
        this.agent = options.agent;
        this.reusedSocket = false;
        this.maxHeadersCount = null;
        this.aborted = false;
        this.res = null;
        if (Array.isArray(options.headers)) for (let at = 0; at < options.headers.length; at += 2) this.setHeader(options.headers[at], options.headers[at + 1]);
        else if (options.headers) for (const name of Object.keys(options.headers)) if (options.headers[name] !== undefined) this.setHeader(name, options.headers[name]);
        if (options.auth && !this.hasHeader('authorization')) this.setHeader('Authorization', `Basic ${rt.Buffer.from(options.auth).toString('base64')}`);
        this.socket = this.connection = new Socket(this.protocol === 'https:');
        if (call) this.once('response', call);
        if (options.timeout) this.setTimeout(options.timeout);
        if (options.signal) {
          if (options.signal.aborted) rt.nextTick(() => this.destroy(rt.aborted(options.signal)));
          else rt.onAbort(options.signal, () => this.destroy(rt.aborted(options.signal)));
        }
        rt.nextTick(() => {
          if (this.destroyed) return;
          this.emit('socket', this.socket);
          this.socket.emit('connect');
          if (this.protocol === 'https:') this.socket.emit('secureConnect');
        });
      }
      _write(chunk, encoding, done) {
        this.#chunks.push(chunk);
        this.socket.bytesWritten += chunk.length;
        done();
      }
      _writev(entries, done) {
        for (const { chunk } of entries) this.#chunks.push(chunk);
        done();
      }
      _final(done) {
        this.#send();
        done();
      }
      end(...args) {
        this.finished = true;
        return super.end(...args);
      }
      #send() {
        this.headersSent = true;
        const standard = this.protocol === 'https:' ? 443 : 80;
        const host = this.host.includes(':') && !this.host.startsWith('[') ? `[${this.host}]` : this.host;
        const base = `${this.protocol}//${host}${this.port && this.port !== standard ? `:${this.port}` : ''}`;
        const url = this.path.startsWith('/') ? base + this.path : /^https?:\/\//.test(this.path) ? this.path : `${base}/${this.path}`;
        const headers = [];
        for (const [key, [name, value]] of this[headersOf]) {
          if (key === 'transfer-encoding' || key === 'connection' || key === 'keep-alive' || key === 'expect' || key === 'content-length') continue;
          if (key === 'host' && String(value) === base.slice(base.indexOf('//') + 2)) continue;
          if (Array.isArray(value)) for (const each of value) headers.push([name, each]);
          else headers.push([name, String(value)]);
        }
        const data = this.#chunks.length ? rt.Buffer.concat(this.#chunks) : null;
        this.#chunks = [];
        if (this.#ms) this.#arm();
        this.#operation = rt.begin('fetch', JSON.stringify({ method: this.method, url, headers }), data && new Uint8Array(data.buffer, data.byteOffset, data.byteLength), (ok, meta, bytes) => {
          this.#operation = 0;
          clearTimeout(this.#timer);
          if (this.destroyed) return;
          const answer = JSON.parse(meta || '{}');
          if (!ok) {
            const code = answer.code ?? (answer.name === 'Denied' ? 'EACCES' : 'ECONNREFUSED');
            this.destroy(Object.assign(new Error(answer.message ?? `connect ${code}`), { code, syscall: 'connect', hostname: this.host }));
            return;
          }
          const message = (this.res = new IncomingMessage(this.socket));
          message.req = this;
          this.socket.bytesRead += bytes?.length ?? 0;
          message._fill(answer, this.method === 'HEAD' ? null : bytes);
          message.once('close', () => this.destroy());
          if (!this.emit('response', message)) message.resume();
        });
      }
      #arm() {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => {
          this.emit('timeout');
          this.socket.emit('timeout');
        }, this.#ms);
      }
      _destroy(error, done) {
        clearTimeout(this.#timer);
        if (this.#operation) rt.cancel(this.#operation);
        if (!this.res && !error && !this.aborted) error = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
        this.#operation = 0;
        this.socket.destroyed = true;
        if (this.res && !this.res.complete) this.res.destroy(error);
        done(error);
      }
      abort() {
        if (this.aborted) return;
        this.aborted = true;
        rt.nextTick(() => this.emit('abort'));
        this.destroy();
      }
      setTimeout(ms, call) {
        this.#ms = Number(ms) || 0;
        if (call) this.once('timeout', call);
        if (this.#operation && this.#ms) this.#arm();
        else if (!this.#ms) clearTimeout(this.#timer);
        return this;
      }
      setNoDelay() {}
      setSocketKeepAlive() {}
      onSocket() {}
    }
    return { Socket, IncomingMessage, OutgoingMessage, ClientRequest, headersOf };
  });
  function make(protocol) {
    const module = `node:${protocol.slice(0, -1)}`;
    const parts = rt.require('http-parts');
    class Agent extends rt.EventEmitter {
      constructor(options) {
        super();
        this.options = { ...options };
        Object.assign(this, { protocol, defaultPort: protocol === 'https:' ? 443 : 80, maxSockets: options?.maxSockets ?? Infinity, maxFreeSockets: options?.maxFreeSockets ?? 256, maxTotalSockets: Infinity, keepAlive: options?.keepAlive ?? false, keepAliveMsecs: options?.keepAliveMsecs ?? 1000, scheduling: 'lifo', requests: {}, sockets: {}, freeSockets: {}, totalSocketCount: 0 });
      }
      getName(options) { return `${options?.host ?? 'localhost'}:${options?.port ?? ''}:${options?.localAddress ?? ''}`; }
      createConnection() { throw rt.missing('Agent.createConnection', module, 'the sandbox has no raw sockets'); }
      destroy() {}
    }
    class ClientRequest extends parts.ClientRequest {
      constructor(input, options, call) {
        super(protocol, input, options, call);
      }
    }
    const request = (...args) => new parts.ClientRequest(protocol, ...args);
    const refuse = (name) => function () {
      throw rt.missing(name, module, 'a function is called, it does not listen');
    };
    return {
      request,
      get(...args) {
        const made = request(...args);
        made.end();
        return made;
      },
      Agent, globalAgent: new Agent({ keepAlive: true }), ClientRequest, IncomingMessage: parts.IncomingMessage, OutgoingMessage: parts.OutgoingMessage, get ServerResponse() { return rt.require('http-server').ServerResponse; }, METHODS: methodNames, STATUS_CODES: texts, maxHeaderSize: 16384,
      validateHeaderName, validateHeaderValue, createServer: refuse('createServer'), Server: refuse('Server'), setMaxIdleHTTPParsers() {},
    };
  }
})(globalThis.__emu);
