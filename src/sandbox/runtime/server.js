// The answering side of node:http: a request that came, and the answer that goes out piece by piece. A function does not listen; it is
// handed both.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('http-server');
  rt.define('http-server', () => {
    const parts = rt.require('http-parts');
    const { STATUS_CODES } = rt.require('http');
    // Where the parts of an answer go: `head(status, headers)`, `data(bytes, done)`, `end(done)`, or `whole(status, headers, bytes, done)`.
    const outlet = Symbol('outlet');
    const bodiless = (response) => response.statusCode === 204 || response.statusCode === 304 || response.req?.method === 'HEAD';
    class ServerResponse extends parts.OutgoingMessage {
      #chunks = [];
      #isWhole = false;
      constructor(req) {
        super();
        this.req = req;
        this.statusCode = 200;
        this.statusMessage = '';
        this.sendDate = true;
        this.shouldKeepAlive = true;
        this.chunkedEncoding = false;
        this.socket = this.connection = req?.socket ?? null;
      }
      get _header() { return this.headersSent ? `HTTP/1.1 ${this.statusCode}\r\n` : null; }
      _implicitHeader() { this.writeHead(this.statusCode); }
      writeHead(status, message, headers) {
        if (this.headersSent) throw rt.error(Error, 'ERR_HTTP_HEADERS_SENT', 'Cannot write headers after they are sent to the client');
        if (typeof message !== 'string') [message, headers] = [undefined, message];
        status |= 0;
        if (status < 100 || status > 999) throw rt.error(RangeError, 'ERR_HTTP_INVALID_STATUS_CODE', `Invalid status code: ${status}`);
        this.statusCode = status;
        this.statusMessage = message ?? this.statusMessage ?? STATUS_CODES[status] ?? '';
        if (Array.isArray(headers)) {
          const flat = headers.flat();
          for (let at = 0; at + 1 < flat.length; at += 2) this.appendHeader(flat[at], flat[at + 1]);
        } else if (headers) for (const name of Object.keys(headers)) if (headers[name] !== undefined) this.setHeader(name, headers[name]);
        this.headersSent = true;
        return this;
      }
      #headers() {
        return this.getRawHeaderNames().flatMap((name) => [this.getHeader(name)].flat().map((value) => [name, String(value)]));
      }
      #open() {
        if (!this.headersSent) this._implicitHeader();
      }
      write(chunk, ...rest) {
        this.#open();
        return super.write(chunk, ...rest);
      }
      end(chunk, ...rest) {
        if (this.writableEnded) return typeof chunk === 'function' ? (rt.nextTick(chunk), this) : this;
        if (!this.writableLength && !this.#begun) this.#isWhole = true;
        this.#open();
        this.finished = true;
        return super.end(chunk, ...rest);
      }
      #begun = false;
      _write(chunk, encoding, done) {
        if (this.#isWhole) {
          this.#chunks.push(chunk);
          done();
          return;
        }
        if (!this.#begun) this[outlet].head(this.statusCode, this.#headers());
        this.#begun = true;
        if (bodiless(this)) done();
        else this[outlet].data(chunk, done);
      }
      _final(done) {
        if (this.#begun) {
          this[outlet].end(done);
          return;
        }
        const bytes = bodiless(this) || !this.#chunks.length ? null : rt.Buffer.concat(this.#chunks);
        this.#chunks = [];
        this[outlet].whole(this.statusCode, this.#headers(), bytes, done);
      }
      _destroy(error, done) {
        if (this.socket) this.socket.destroyed = true;
        done(error);
      }
      flushHeaders() {
        this.#open();
        if (!this.#begun) this[outlet].head(this.statusCode, this.#headers());
        this.#begun = true;
      }
      setTimeout(ms, call) {
        if (call) this.once('timeout', call);
        return this;
      }
      writeContinue() {}
      writeProcessing() {}
      writeEarlyHints() {}
      assignSocket(socket) { this.socket = this.connection = socket; }
      detachSocket() { this.socket = this.connection = null; }
    }
    return { ServerResponse, outlet };
  });
})(globalThis.__emu);
