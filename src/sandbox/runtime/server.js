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
    const bytesOf = (chunk, encoding) => {
      if (chunk === undefined || chunk === null) return null;
      if (chunk instanceof rt.Buffer) return chunk;
      if (typeof chunk === 'string') return rt.Buffer.from(chunk, encoding);
      if (ArrayBuffer.isView(chunk)) return rt.Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      throw rt.invalidArgument('"chunk"', 'of type string or an instance of Buffer, TypedArray, or DataView', chunk);
    };
    // With its answer a request is over, and its connection given back.
    function close() {
      rt.nextTick(() => {
        const state = this._writableState;
        if (state.destroyed) return;
        state.destroyed = state.closed = state.closeEmitted = true;
        this.emit('close');
      });
    }
    class ServerResponse extends parts.OutgoingMessage {
      #socket;
      constructor(req) {
        super();
        this.req = req;
      }
      // A request makes its socket when it is looked at, which few do.
      get socket() { return this.#socket === undefined ? this.req?.socket ?? null : this.#socket; }
      set socket(socket) { this.#socket = socket; }
      get connection() { return this.socket; }
      set connection(socket) { this.socket = socket; }
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
        const all = [];
        for (const [name, value] of this[parts.headersOf].values()) {
          if (Array.isArray(value)) for (const each of value) all.push([name, each]);
          else all.push([name, String(value)]);
        }
        return all;
      }
      #open() {
        if (!this.headersSent) this._implicitHeader();
      }
      write(chunk, ...rest) {
        this.#open();
        return super.write(chunk, ...rest);
      }
      end(chunk, encoding, call) {
        if (typeof chunk === 'function') [chunk, encoding, call] = [undefined, undefined, chunk];
        else if (typeof encoding === 'function') [encoding, call] = [undefined, encoding];
        if (this.writableEnded) {
          if (call) rt.nextTick(call);
          return this;
        }
        // What cannot be sent is refused before anything is: another answer can still be given.
        const bytes = bytesOf(chunk, encoding);
        this.#open();
        this.finished = true;
        this.once('finish', close);
        if (!this.#begun && !this.writableLength && !this.destroyed && !this.errored) this.#endWhole(bytes, call);
        else super.end(bytes ?? undefined, undefined, call);
        return this;
      }
      // Most answers are given in one piece: it need not pass through the stream.
      #endWhole(bytes, call) {
        const state = this._writableState;
        state.ending = state.ended = state.prefinished = true;
        if (call) this.once('finish', call);
        this[outlet].whole(this.statusCode, this.#headers(), bodiless(this) || !bytes?.length ? null : bytes, (error) => {
          if (error) return void this.destroy(error);
          rt.nextTick(() => {
            if (state.destroyed) return;
            state.finished = true;
            this.emit('prefinish');
            this.emit('finish');
          });
        });
      }
      #begun = false;
      #begin() {
        if (!this.#begun) this[outlet].head(this.statusCode, this.#headers());
        this.#begun = true;
      }
      _write(chunk, encoding, done) {
        this.#begin();
        if (bodiless(this)) done();
        else this[outlet].data(chunk, done);
      }
      _final(done) {
        this.#begin();
        this[outlet].end(done);
      }
      _destroy(error, done) {
        if (this.socket) this.socket.destroyed = true;
        done(error);
      }
      flushHeaders() {
        this.#open();
        this.#begin();
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
    Object.assign(ServerResponse.prototype, { statusCode: 200, statusMessage: '', sendDate: true, shouldKeepAlive: true, chunkedEncoding: false });
    return { ServerResponse, outlet };
  });
})(globalThis.__emu);
