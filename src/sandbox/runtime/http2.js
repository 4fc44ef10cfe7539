// node:http2, the client's side: what a session is asked goes out as any other request. There are no frames: pings come back at once,
// settings are the defaults, and nobody pushes. Servers are refused by name.
((emu) => {
  'use strict';
  const { rt } = emu;
  const constants = {
    NGHTTP2_NO_ERROR: 0, NGHTTP2_PROTOCOL_ERROR: 1, NGHTTP2_INTERNAL_ERROR: 2, NGHTTP2_FLOW_CONTROL_ERROR: 3, NGHTTP2_SETTINGS_TIMEOUT: 4, NGHTTP2_STREAM_CLOSED: 5, NGHTTP2_FRAME_SIZE_ERROR: 6, NGHTTP2_REFUSED_STREAM: 7, NGHTTP2_CANCEL: 8, NGHTTP2_COMPRESSION_ERROR: 9, NGHTTP2_CONNECT_ERROR: 10, NGHTTP2_ENHANCE_YOUR_CALM: 11, NGHTTP2_INADEQUATE_SECURITY: 12, NGHTTP2_HTTP_1_1_REQUIRED: 13,
    NGHTTP2_SESSION_SERVER: 0, NGHTTP2_SESSION_CLIENT: 1, NGHTTP2_FLAG_NONE: 0, NGHTTP2_FLAG_END_STREAM: 1, NGHTTP2_FLAG_END_HEADERS: 4, DEFAULT_SETTINGS_MAX_FRAME_SIZE: 16384, HTTP2_METHOD_GET: 'GET', HTTP2_METHOD_POST: 'POST', HTTP2_METHOD_PUT: 'PUT', HTTP2_METHOD_DELETE: 'DELETE', HTTP2_METHOD_HEAD: 'HEAD', HTTP2_METHOD_PATCH: 'PATCH', HTTP2_METHOD_OPTIONS: 'OPTIONS', HTTP_STATUS_OK: 200, HTTP_STATUS_NO_CONTENT: 204, HTTP_STATUS_BAD_REQUEST: 400, HTTP_STATUS_UNAUTHORIZED: 401, HTTP_STATUS_FORBIDDEN: 403, HTTP_STATUS_NOT_FOUND: 404, HTTP_STATUS_TOO_MANY_REQUESTS: 429, HTTP_STATUS_INTERNAL_SERVER_ERROR: 500, HTTP_STATUS_SERVICE_UNAVAILABLE: 503,
  };
  for (const name of [':authority', ':method', ':path', ':scheme', ':status', ':protocol', 'accept', 'accept-encoding', 'authorization', 'cache-control', 'connection', 'content-encoding', 'content-length', 'content-type', 'cookie', 'date', 'etag', 'host', 'if-none-match', 'last-modified', 'location', 'retry-after', 'set-cookie', 'te', 'transfer-encoding', 'user-agent']) {
    constants[`HTTP2_HEADER_${name.replace(':', '').replaceAll('-', '_').toUpperCase()}`] = name;
  }
  const settings = { headerTableSize: 4096, enablePush: false, initialWindowSize: 65535, maxFrameSize: 16384, maxConcurrentStreams: 4294967295, maxHeaderSize: 65535, maxHeaderListSize: 65535, enableConnectProtocol: false };
  rt.define('http2', () => {
    const { Duplex } = rt.require('stream');
    const { ClientRequest } = rt.require('http-parts');
    class ClientHttp2Stream extends Duplex {
      #request;
      #answer;
      constructor(session, id, url, headers, endStream) {
        super({ decodeStrings: true, autoDestroy: true });
        Object.assign(this, { session, id, sentHeaders: headers, pending: true, aborted: false, rstCode: 0 });
        const own = Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':')));
        this.#request = new ClientRequest(url.protocol, url, { method: headers[':method'], headers: own });
        this.#request.on('error', (error) => this.destroy(error));
        this.#request.on('response', (answer) => this.#take(answer));
        rt.nextTick(() => {
          if (this.destroyed) return;
          this.pending = false;
          this.emit('ready');
        });
        if (endStream) this.end();
      }
      get closed() { return this.destroyed; }
      get endAfterHeaders() { return false; }
      #take(answer) {
        this.#answer = answer;
        this.emit('response', { ':status': answer.statusCode, ...answer.headers }, 0);
        answer.on('data', (chunk) => { if (!this.push(chunk)) answer.pause(); });
        answer.on('end', () => this.push(null));
        answer.on('error', (error) => this.destroy(error));
        // Who listens to nothing is told that it is over, all the same.
        if (this.listenerCount('response') === 0) this.resume();
      }
      _read() { this.#answer?.resume(); }
      _write(chunk, encoding, done) { this.#request.write(chunk, encoding, done); }
      _final(done) { this.#request.end(done); }
      _destroy(error, done) {
        if (!this.#answer?.complete) {
          this.aborted = true;
          this.#request.destroy();
          this.emit('aborted');
        }
        done(error);
      }
      close(code = 0, call) {
        this.rstCode = code;
        if (call) this.once('close', call);
        this.destroy();
      }
      priority() {}
      setTimeout(ms, call) {
        this.#request.setTimeout(ms, () => this.emit('timeout'));
        if (call) this.once('timeout', call);
        return this;
      }
    }
    class ClientHttp2Session extends rt.EventEmitter {
      #authority;
      #streams = new Set();
      #next = 1;
      constructor(authority, options, listener) {
        super();
        this.#authority = typeof authority === 'string' ? new URL(authority) : new URL(`${authority.protocol ?? options?.protocol ?? 'https:'}//${authority.host ?? `${authority.hostname ?? 'localhost'}${authority.port ? `:${authority.port}` : ''}`}`);
        const encrypted = this.#authority.protocol === 'https:';
        Object.assign(this, { type: constants.NGHTTP2_SESSION_CLIENT, closed: false, destroyed: false, connecting: true, encrypted, alpnProtocol: encrypted ? 'h2' : 'h2c', originSet: encrypted ? [this.#authority.origin] : undefined, localSettings: { ...settings, ...options?.settings }, remoteSettings: { ...settings }, pendingSettingsAck: false, state: {}, socket: null });
        if (typeof listener === 'function') this.once('connect', listener);
        rt.nextTick(() => {
          this.connecting = false;
          if (this.destroyed) return;
          this.emit('connect', this, this.socket);
          this.emit('remoteSettings', this.remoteSettings);
        });
      }
      request(headers = {}, options = {}) {
        if (this.destroyed) throw rt.error(Error, 'ERR_HTTP2_INVALID_SESSION', 'The session has been destroyed');
        if (this.closed) throw rt.error(Error, 'ERR_HTTP2_GOAWAY_SESSION', 'New streams cannot be created after receiving a GOAWAY');
        const all = { ':method': 'GET', ':path': '/', ':scheme': this.#authority.protocol.slice(0, -1), ':authority': this.#authority.host };
        for (const [name, value] of Object.entries(headers)) if (value !== undefined && value !== null) all[name.toLowerCase()] = value;
        const url = new URL(`${this.#authority.protocol}//${all[':authority']}${all[':path']}`);
        const bodiless = ['GET', 'HEAD', 'DELETE'].includes(all[':method']);
        const stream = new ClientHttp2Stream(this, this.#next, url, all, options.endStream ?? bodiless);
        this.#next += 2;
        this.#streams.add(stream);
        stream.once('close', () => {
          this.#streams.delete(stream);
          if (this.closed) this.#leave();
        });
        if (options.signal) {
          if (options.signal.aborted) rt.nextTick(() => stream.destroy(rt.aborted(options.signal)));
          else rt.onAbort(options.signal, () => stream.destroy(rt.aborted(options.signal)));
        }
        return stream;
      }
      #leave(error) {
        if (this.destroyed || this.#streams.size) return;
        this.destroyed = true;
        rt.nextTick(() => {
          if (error) this.emit('error', error);
          this.emit('close');
        });
      }
      close(call) {
        if (call) this.once('close', call);
        this.closed = true;
        this.#leave();
      }
      destroy(error) {
        this.closed = true;
        const streams = [...this.#streams];
        this.#streams.clear();
        for (const stream of streams) stream.destroy(typeof error === 'number' ? undefined : error);
        this.#leave(typeof error === 'number' ? undefined : error);
      }
      goaway() {}
      ping(payload, call) {
        const done = typeof payload === 'function' ? payload : call;
        const sent = typeof payload === 'function' ? undefined : payload;
        rt.nextTick(() => done?.(null, 0, rt.Buffer.from(sent ?? new Uint8Array(8))));
        return !this.destroyed;
      }
      settings(changed, call) {
        Object.assign(this.localSettings, changed);
        rt.nextTick(() => call?.(null, this.localSettings, 0));
      }
      setLocalWindowSize() {}
      setTimeout() { return this; }
      ref() {}
      unref() {}
    }
    const refuse = (name) => function () {
      throw rt.missing(name, 'node:http2', 'a function is called, it does not listen');
    };
    const servers = ['createServer', 'createSecureServer', 'performServerHandshake', 'Http2ServerRequest', 'Http2ServerResponse'];
    return {
      connect: (authority, options, listener) => new ClientHttp2Session(authority, typeof options === 'function' ? {} : options, typeof options === 'function' ? options : listener),
      constants, ClientHttp2Session, ClientHttp2Stream, getDefaultSettings: () => ({ ...settings }), sensitiveHeaders: Symbol('nodejs.http2.sensitiveHeaders'),
      getPackedSettings: refuse('getPackedSettings'), getUnpackedSettings: refuse('getUnpackedSettings'), ...Object.fromEntries(servers.map((name) => [name, refuse(name)])),
    };
  });
})(globalThis.__emu);
