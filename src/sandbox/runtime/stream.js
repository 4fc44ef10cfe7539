// node:stream: Readable, Writable, Duplex, Transform, PassThrough, pipeline, finished, compose with web streams.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.define('stream', () => {
    const { EventEmitter, Buffer, nextTick } = rt;
    const { StringDecoder } = rt.require('string_decoder');
    let highBytes = 16384;
    let highObjects = 16;
    const premature = () => rt.error(Error, 'ERR_STREAM_PREMATURE_CLOSE', 'Premature close');
    const mark = (options, objects, own) => {
      const value = own ?? options?.highWaterMark;
      if (value === undefined || value === null) return objects ? highObjects : highBytes;
      if (!Number.isInteger(value) || value < 0) throw rt.error(TypeError, 'ERR_INVALID_ARG_VALUE', `The property 'options.highWaterMark' is invalid. Received ${rt.inspect(value)}`);
      return value;
    };
    function Stream(options) {
      EventEmitter.call(this, options);
    }
    Object.setPrototypeOf(Stream.prototype, EventEmitter.prototype);
    Object.setPrototypeOf(Stream, EventEmitter);

    // ---- destroying, shared by all
    function destroy(error, done) {
      const r = this._readableState;
      const w = this._writableState;
      if (typeof error === 'function') {
        done = error;
        error = null;
      }
      if (r?.destroyed || w?.destroyed) {
        if (typeof done === 'function') done();
        return this;
      }
      for (const s of [r, w]) {
        if (!s) continue;
        s.destroyed = true;
        if (error && !s.errored) s.errored = error;
      }
      const begun = (w ?? r).constructed;
      const go = () => {
        let called = false;
        const end = (failure) => {
          if (called) return;
          called = true;
          failure ??= null;
          for (const s of [r, w]) {
            if (!s) continue;
            s.closed = true;
            if (failure && !s.errored) s.errored = failure;
          }
          if (typeof done === 'function') done(failure);
          nextTick(() => {
            if (failure && !(r?.errorEmitted || w?.errorEmitted)) {
              if (r) r.errorEmitted = true;
              if (w) w.errorEmitted = true;
              try {
                this.emit('error', failure);
              } catch (thrown) {
                emitClose(this);
                throw thrown;
              }
            }
            emitClose(this);
          });
        };
        try {
          const result = this._destroy(error ?? null, end);
          if (result && typeof result.then === 'function') result.then(() => nextTick(end, error ?? null), (failure) => nextTick(end, failure));
        } catch (failure) {
          end(failure);
        }
      };
      if (w) failWaiting(this, error);
      if (begun) go();
      else this.once(constructed, go);
      return this;
    }
    const constructed = Symbol('constructed');
    function emitClose(stream) {
      const r = stream._readableState;
      const w = stream._writableState;
      if (r) r.closeEmitted = true;
      if (w) w.closeEmitted = true;
      if ((r?.emitClose ?? true) && (w?.emitClose ?? true)) stream.emit('close');
    }
    function failWaiting(stream, error) {
      const w = stream._writableState;
      if (w.buffered.length === 0) return;
      const waiting = w.buffered.splice(0);
      const failure = error ?? w.errored ?? rt.error(Error, 'ERR_STREAM_DESTROYED', 'Cannot call write after a stream was destroyed');
      for (const entry of waiting) {
        w.length -= entry.size;
        if (entry.done) nextTick(entry.done, failure);
      }
    }
    const errorOrDestroy = (stream, error) => {
      const r = stream._readableState;
      const w = stream._writableState;
      if (r?.destroyed || w?.destroyed) return;
      if (r?.autoDestroy ?? w?.autoDestroy) stream.destroy(error);
      else if (error) {
        for (const s of [r, w]) if (s && !s.errored) s.errored = error;
        nextTick(() => stream.emit('error', error));
      }
    };
    const begin = (stream, then) => {
      const states = [stream._readableState, stream._writableState].filter(Boolean);
      for (const s of states) s.constructed = false;
      nextTick(() => {
        const end = (error) => {
          for (const s of states) s.constructed = true;
          if (states[0].destroyed) return stream.emit(constructed);
          if (error) return errorOrDestroy(stream, error);
          stream.emit(constructed);
          then();
        };
        try {
          stream._construct((error) => nextTick(end, error));
        } catch (error) {
          end(error);
        }
      });
    };
    const hookAbort = (stream, signal) => {
      if (signal) rt.onAbort(signal, () => stream.destroy(rt.aborted(signal)));
    };

    // ---- Readable
    class ReadableState {
      constructor(options, stream, duplex) {
        this.objectMode = Boolean(options?.objectMode || (duplex && options?.readableObjectMode));
        this.highWaterMark = mark(options, this.objectMode, duplex ? options?.readableHighWaterMark : undefined);
        this.buffer = [];
        this.pipes = [];
        if (!options) return;
        if (options.emitClose === false) this.emitClose = false;
        if (options.autoDestroy === false) this.autoDestroy = false;
        if (options.defaultEncoding) this.defaultEncoding = options.defaultEncoding;
        if (options.encoding) {
          this.decoder = new StringDecoder(options.encoding);
          this.encoding = options.encoding;
        }
      }
    }
    // What most streams never change is not written into each: making one costs less.
    Object.assign(ReadableState.prototype, {
      length: 0, flowing: null, ended: false, endEmitted: false, reading: false, sync: true, needReadable: false, emittedReadable: false, readableListening: false,
      resumeScheduled: false, errorEmitted: false, emitClose: true, autoDestroy: true, destroyed: false, errored: null, closed: false, closeEmitted: false,
      defaultEncoding: 'utf8', awaitDrain: null, readingMore: false, dataEmitted: false, decoder: null, encoding: null, constructed: true, paused: false,
    });
    function Readable(options) {
      if (!(this instanceof Readable)) return new Readable(options);
      this._readableState = new ReadableState(options, this, this instanceof Duplex);
      if (options) {
        if (typeof options.read === 'function') this._read = options.read;
        if (typeof options.destroy === 'function') this._destroy = options.destroy;
        if (typeof options.construct === 'function') this._construct = options.construct;
      }
      Stream.call(this, options);
      if (!(this instanceof Duplex)) {
        hookAbort(this, options?.signal);
        if (typeof this._construct === 'function') begin(this, () => { if (this._readableState.needReadable) maybeReadMore(this); });
      }
    }
    Object.setPrototypeOf(Readable.prototype, Stream.prototype);
    Object.setPrototypeOf(Readable, Stream);
    const methods = (target, list) => {
      for (const name of Reflect.ownKeys(list)) {
        const own = Object.getOwnPropertyDescriptor(list, name);
        Object.defineProperty(target, name, own.get || own.set ? { ...own, configurable: true, enumerable: false } : { value: own.value, writable: true, configurable: true, enumerable: false });
      }
    };
    function put(stream, chunk, encoding, first) {
      const state = stream._readableState;
      let error;
      if (!state.objectMode && chunk !== null) {
        if (typeof chunk === 'string') {
          encoding ||= state.defaultEncoding;
          if (state.encoding !== encoding) {
            if (first && state.encoding) chunk = Buffer.from(chunk, encoding).toString(state.encoding);
            else chunk = Buffer.from(chunk, encoding);
          }
        } else if (chunk instanceof Uint8Array) {
          if (!(chunk instanceof Buffer)) chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
        } else if (ArrayBuffer.isView(chunk)) chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
        else if (chunk !== undefined) error = rt.invalidArgument('"chunk"', 'of type string or an instance of Buffer, TypedArray, or DataView', chunk);
      }
      if (error) errorOrDestroy(stream, error);
      else if (chunk === null || (chunk === undefined && !state.objectMode)) {
        if (chunk === null) {
          state.reading = false;
          onEnd(stream);
        }
      } else if (state.objectMode || chunk.length > 0) {
        if (first) {
          if (state.endEmitted) errorOrDestroy(stream, rt.error(Error, 'ERR_STREAM_UNSHIFT_AFTER_END_EVENT', 'stream.unshift() after end event'));
          else if (!state.destroyed && !state.errored) keep(stream, chunk, true);
        } else if (state.ended) errorOrDestroy(stream, rt.error(Error, 'ERR_STREAM_PUSH_AFTER_EOF', 'stream.push() after EOF'));
        else if (state.destroyed || state.errored) return false;
        else {
          state.reading = false;
          if (state.decoder && typeof chunk !== 'string') {
            chunk = state.decoder.write(chunk);
            if (chunk.length === 0) maybeReadMore(stream);
            else keep(stream, chunk, false);
          } else keep(stream, chunk, false);
        }
      } else if (!first) {
        state.reading = false;
        maybeReadMore(stream);
      }
      return !state.ended && (state.length < state.highWaterMark || state.length === 0);
    }
    function keep(stream, chunk, first) {
      const state = stream._readableState;
      if (state.flowing && state.length === 0 && !state.sync && stream.listenerCount('data') > 0) {
        state.awaitDrain?.clear();
        state.dataEmitted = true;
        stream.emit('data', chunk);
      } else {
        state.length += state.objectMode ? 1 : chunk.length;
        if (first) state.buffer.unshift(chunk);
        else state.buffer.push(chunk);
        if (state.needReadable) emitReadable(stream);
      }
      maybeReadMore(stream);
    }
    function onEnd(stream) {
      const state = stream._readableState;
      if (state.ended) return;
      if (state.decoder) {
        const rest = state.decoder.end();
        if (rest?.length) {
          state.buffer.push(rest);
          state.length += state.objectMode ? 1 : rest.length;
        }
      }
      state.ended = true;
      if (state.sync) emitReadable(stream);
      else {
        state.needReadable = false;
        state.emittedReadable = true;
        emitReadableNow(stream);
      }
    }
    function emitReadable(stream) {
      const state = stream._readableState;
      state.needReadable = false;
      if (!state.emittedReadable) {
        state.emittedReadable = true;
        nextTick(emitReadableNow, stream);
      }
    }
    function emitReadableNow(stream) {
      const state = stream._readableState;
      if (!state.destroyed && !state.errored && (state.length || state.ended)) {
        stream.emit('readable');
        state.emittedReadable = false;
      }
      state.needReadable = !state.flowing && !state.ended && state.length <= state.highWaterMark;
      flow(stream);
    }
    function maybeReadMore(stream) {
      const state = stream._readableState;
      if (state.readingMore || !state.constructed) return;
      state.readingMore = true;
      nextTick(() => {
        while (!state.reading && !state.ended && (state.length < state.highWaterMark || (state.flowing && state.length === 0))) {
          const length = state.length;
          stream.read(0);
          if (length === state.length) break;
        }
        state.readingMore = false;
      });
    }
    function endReadable(stream) {
      const state = stream._readableState;
      if (state.endEmitted || state.endScheduled) return;
      state.ended = true;
      state.endScheduled = true;
      nextTick(() => {
        state.endScheduled = false;
        if (state.errored || state.closeEmitted || state.endEmitted || state.length > 0) return;
        state.endEmitted = true;
        stream.emit('end');
        const w = stream._writableState;
        if (w && stream.allowHalfOpen === false) nextTick(() => { if (!w.ending && !w.destroyed) stream.end(); });
        else if (state.autoDestroy && (!w || (w.autoDestroy && (w.finished || w.writable === false)))) stream.destroy();
      });
    }
    function take(state, size) {
      if (state.length === 0) return null;
      if (state.objectMode) return state.buffer.shift();
      if (!size || size >= state.length) {
        const all = state.decoder ? state.buffer.join('') : state.buffer.length === 1 ? state.buffer[0] : Buffer.concat(state.buffer);
        state.buffer = [];
        return all;
      }
      const parts = [];
      let left = size;
      while (left > 0) {
        const chunk = state.buffer[0];
        if (chunk.length <= left) {
          parts.push(state.buffer.shift());
          left -= chunk.length;
        } else {
          parts.push(chunk.slice(0, left));
          state.buffer[0] = chunk.slice(left);
          left = 0;
        }
      }
      return state.decoder ? parts.join('') : Buffer.concat(parts);
    }
    function flow(stream) {
      const state = stream._readableState;
      while (state.flowing && stream.read() !== null);
    }
    function updateReadableListening(stream) {
      const state = stream._readableState;
      state.readableListening = stream.listenerCount('readable') > 0;
      if (state.resumeScheduled && !state.paused) state.flowing = true;
      else if (stream.listenerCount('data') > 0) stream.resume();
      else if (!state.readableListening) state.flowing = null;
    }
    methods(Readable.prototype, {
      destroy,
      _destroy(error, done) { done(error); },
      _undestroy() {},
      [EventEmitter.captureRejectionSymbol](error) { this.destroy(error); },
      _read() { throw rt.error(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _read() method is not implemented'); },
      push(chunk, encoding) { return put(this, chunk, encoding, false); },
      unshift(chunk, encoding) { return put(this, chunk, encoding, true); },
      isPaused() { return this._readableState.paused === true || this._readableState.flowing === false; },
      setEncoding(encoding) {
        const state = this._readableState;
        state.decoder = new StringDecoder(encoding);
        state.encoding = state.decoder.encoding;
        let text = '';
        for (const chunk of state.buffer) text += state.decoder.write(chunk);
        state.buffer = text === '' ? [] : [text];
        state.length = text.length;
        return this;
      },
      read(size) {
        const state = this._readableState;
        if (size === undefined) size = NaN;
        else size = Math.trunc(Number(size));
        const asked = size;
        if (size > state.highWaterMark && !state.objectMode) state.highWaterMark = Math.min(2 ** 30, 2 ** Math.ceil(Math.log2(size)));
        if (size !== 0) state.emittedReadable = false;
        if (size === 0 && state.needReadable && ((state.highWaterMark !== 0 ? state.length >= state.highWaterMark : state.length > 0) || state.ended)) {
          if (state.length === 0 && state.ended) endReadable(this);
          else emitReadable(this);
          return null;
        }
        const much = () => {
          if (!(asked > 0) && !Number.isNaN(asked)) return 0;
          if (state.length === 0 && state.ended) return 0;
          if (state.objectMode) return 1;
          if (Number.isNaN(asked)) return state.flowing && state.length ? state.buffer[0].length : state.length;
          return asked <= state.length ? asked : state.ended ? state.length : 0;
        };
        size = much();
        if (size === 0 && state.ended) {
          if (state.length === 0) endReadable(this);
          return null;
        }
        let want = state.needReadable;
        if (state.length === 0 || state.length - size < state.highWaterMark) want = true;
        if (state.ended || state.reading || state.destroyed || state.errored || !state.constructed) want = false;
        else if (want) {
          state.reading = true;
          state.sync = true;
          if (state.length === 0) state.needReadable = true;
          try {
            this._read(state.highWaterMark);
          } catch (error) {
            errorOrDestroy(this, error);
          }
          state.sync = false;
          if (!state.reading) size = much();
        }
        let result = size > 0 ? take(state, size) : null;
        if (result === null) {
          state.needReadable = state.length <= state.highWaterMark;
          size = 0;
        } else {
          state.length -= state.objectMode ? 1 : result.length;
          state.awaitDrain?.clear();
        }
        if (state.length === 0) {
          if (!state.ended) state.needReadable = true;
          if (asked !== size && state.ended) endReadable(this);
        }
        if (result !== null && !state.errored && !state.closeEmitted) {
          state.dataEmitted = true;
          this.emit('data', result);
        }
        return result;
      },
      on(type, listener) {
        const result = Stream.prototype.on.call(this, type, listener);
        const state = this._readableState;
        if (type === 'data') {
          state.readableListening = this.listenerCount('readable') > 0;
          if (state.flowing !== false) this.resume();
        } else if (type === 'readable' && !state.endEmitted && !state.readableListening) {
          state.readableListening = state.needReadable = true;
          state.flowing = false;
          state.emittedReadable = false;
          if (state.length) emitReadable(this);
          else if (!state.reading) nextTick(() => this.read(0));
        }
        return result;
      },
      removeListener(type, listener) {
        const result = Stream.prototype.removeListener.call(this, type, listener);
        if (type === 'readable') nextTick(updateReadableListening, this);
        return result;
      },
      removeAllListeners(type) {
        const result = Reflect.apply(Stream.prototype.removeAllListeners, this, arguments.length ? [type] : []);
        if (type === 'readable' || type === undefined) nextTick(updateReadableListening, this);
        return result;
      },
      resume() {
        const state = this._readableState;
        if (!state.flowing) {
          state.flowing = !state.readableListening;
          if (!state.resumeScheduled) {
            state.resumeScheduled = true;
            nextTick(() => {
              if (!state.reading) this.read(0);
              state.resumeScheduled = false;
              this.emit('resume');
              flow(this);
              if (state.flowing && !state.reading) this.read(0);
            });
          }
        }
        state.paused = false;
        return this;
      },
      pause() {
        const state = this._readableState;
        if (state.flowing !== false) {
          state.flowing = false;
          this.emit('pause');
        }
        state.paused = true;
        return this;
      },
      pipe(target, options) {
        const source = this;
        const state = this._readableState;
        state.pipes.push(target);
        const ends = options?.end !== false && target !== rt.process.stdout && target !== rt.process.stderr;
        const onend = () => target.end();
        const drain = () => {
          state.awaitDrain?.delete(target);
          if (!state.awaitDrain?.size && source.listenerCount('data') > 0) source.resume();
        };
        const ondata = (chunk) => {
          if (target.write(chunk) === false) {
            if (state.pipes.includes(target)) (state.awaitDrain ??= new Set()).add(target);
            source.pause();
            target.once('drain', drain);
          }
        };
        const unpipe = (from) => { if (from === source) clean(); };
        const onerror = (error) => {
          source.unpipe(target);
          if (target.listenerCount('error') === 0) {
            const w = target._writableState ?? target._readableState;
            if (w && !w.errorEmitted) errorOrDestroy(target, error);
            else target.emit('error', error);
          }
        };
        const gone = () => source.unpipe(target);
        const clean = () => {
          source.removeListener('data', ondata);
          source.removeListener('end', onend);
          source.removeListener('end', gone);
          target.removeListener('drain', drain);
          target.removeListener('error', onerror);
          target.removeListener('close', gone);
          target.removeListener('finish', gone);
          target.removeListener('unpipe', unpipe);
        };
        if (state.endEmitted) nextTick(ends ? onend : gone);
        else source.once('end', ends ? onend : gone);
        target.on('unpipe', unpipe);
        target.prependListener('error', onerror);
        target.once('close', gone);
        target.once('finish', gone);
        source.on('data', ondata);
        target.emit('pipe', source);
        if (target.writableNeedDrain === true) source.pause();
        else if (!state.flowing) source.resume();
        return target;
      },
      unpipe(target) {
        const state = this._readableState;
        if (state.pipes.length === 0) return this;
        if (!target) {
          const all = state.pipes.splice(0);
          this.pause();
          for (const each of all) each.emit('unpipe', this, { hasUnpiped: false });
          return this;
        }
        const at = state.pipes.indexOf(target);
        if (at < 0) return this;
        state.pipes.splice(at, 1);
        if (state.pipes.length === 0) this.pause();
        target.emit('unpipe', this, { hasUnpiped: false });
        return this;
      },
      wrap(old) {
        let paused = false;
        old.on('data', (chunk) => {
          if (!this.push(chunk) && old.pause) {
            paused = true;
            old.pause();
          }
        });
        old.on('end', () => this.push(null));
        old.on('error', (error) => errorOrDestroy(this, error));
        old.on('close', () => this.destroy());
        this._read = () => {
          if (paused && old.resume) {
            paused = false;
            old.resume();
          }
        };
        return this;
      },
      [Symbol.asyncIterator]() { return iterate(this); },
      iterator(options) { return iterate(this, options); },
      async *_mapped(call, options) {
        for await (const chunk of this) yield await call(chunk, { signal: options?.signal });
      },
      map(call, options) { return Readable.from(this._mapped(call, options)); },
      filter(call, options) {
        const source = this;
        return Readable.from((async function* () { for await (const chunk of source) if (await call(chunk, options ?? {})) yield chunk; })());
      },
      flatMap(call, options) {
        const source = this;
        return Readable.from((async function* () { for await (const chunk of source) yield* await call(chunk, options ?? {}); })());
      },
      take(count) {
        const source = this;
        return Readable.from((async function* () {
          if (count <= 0) return;
          for await (const chunk of source) {
            yield chunk;
            if (--count <= 0) return;
          }
        })());
      },
      drop(count) {
        const source = this;
        return Readable.from((async function* () { for await (const chunk of source) if (count-- <= 0) yield chunk; })());
      },
      async forEach(call) { for await (const chunk of this) await call(chunk, {}); },
      async toArray() {
        const all = [];
        for await (const chunk of this) all.push(chunk);
        return all;
      },
      async some(call) {
        for await (const chunk of this) if (await call(chunk, {})) return true;
        return false;
      },
      async every(call) {
        for await (const chunk of this) if (!(await call(chunk, {}))) return false;
        return true;
      },
      async find(call) { for await (const chunk of this) if (await call(chunk, {})) return chunk; },
      async reduce(call, ...initial) {
        let has = initial.length > 0;
        let value = initial[0];
        for await (const chunk of this) {
          value = has ? await call(value, chunk, {}) : chunk;
          has = true;
        }
        if (!has) throw new TypeError('Reduce of an empty stream requires an initial value');
        return value;
      },
      compose(stream) { return compose(this, stream); },
      get readable() {
        const state = this._readableState;
        return Boolean(state) && state.readable !== false && !state.destroyed && !state.errorEmitted && !state.endEmitted;
      },
      set readable(value) { if (this._readableState) this._readableState.readable = Boolean(value); },
      get readableDidRead() { return this._readableState.dataEmitted; },
      get readableAborted() { return (this._readableState.destroyed || Boolean(this._readableState.errored)) && !this._readableState.endEmitted; },
      get readableHighWaterMark() { return this._readableState.highWaterMark; },
      get readableBuffer() { return this._readableState.buffer; },
      get readableFlowing() { return this._readableState.flowing; },
      set readableFlowing(value) { this._readableState.flowing = value; },
      get readableLength() { return this._readableState.length; },
      get readableObjectMode() { return this._readableState.objectMode; },
      get readableEncoding() { return this._readableState.encoding; },
      get readableEnded() { return this._readableState.endEmitted; },
      get errored() { return this._readableState?.errored ?? this._writableState?.errored ?? null; },
      get closed() { return this._readableState?.closed ?? false; },
      get destroyed() { return this._readableState?.destroyed ?? false; },
      set destroyed(value) { if (this._readableState) this._readableState.destroyed = value; },
      [Symbol.asyncDispose ?? Symbol.for('asyncDispose')]() {
        const error = this.readableEnded ? null : rt.error(Error, 'ABORT_ERR', 'The operation was aborted');
        this.destroy(error);
        return new Promise((resolve) => finished(this, () => resolve()));
      },
    });
    Readable.prototype.addListener = Readable.prototype.on;
    Readable.prototype.off = Readable.prototype.removeListener;
    async function* iterate(stream, options) {
      let wake;
      const woken = () => wake?.();
      stream.on('readable', woken);
      let failure;
      let over = false;
      const clean = finished(stream, { writable: false }, (error) => {
        failure = error;
        over = true;
        woken();
      });
      let normal = false;
      try {
        for (;;) {
          const chunk = stream.destroyed ? null : stream.read();
          if (chunk !== null) yield chunk;
          else if (over) {
            if (failure) throw failure;
            normal = true;
            return;
          } else await new Promise((resolve) => { wake = resolve; });
        }
      } finally {
        clean();
        stream.removeListener('readable', woken);
        if (!normal && !stream.destroyed && options?.destroyOnReturn !== false) stream.destroy();
        else if (normal && stream._readableState.autoDestroy && !stream._writableState) stream.destroy();
      }
    }
    Readable.ReadableState = ReadableState;
    Readable.from = (iterable, options) => {
      if (typeof iterable === 'string' || iterable instanceof Uint8Array) {
        return new Readable({ objectMode: true, ...options, read() { this.push(iterable); this.push(null); } });
      }
      const iterator = iterable?.[Symbol.asyncIterator]?.() ?? iterable?.[Symbol.iterator]?.();
      if (!iterator) throw rt.invalidArgument('"iterable"', 'an instance of Iterable', iterable);
      let reading = false;
      const stream = new Readable({ objectMode: true, highWaterMark: 1, ...options });
      stream._read = () => {
        if (reading) return;
        reading = true;
        (async () => {
          try {
            for (;;) {
              const { value, done } = await iterator.next();
              if (done) {
                stream.push(null);
                return;
              }
              const chunk = await value;
              if (chunk === null) throw rt.error(TypeError, 'ERR_STREAM_NULL_VALUES', 'May not write null values to stream');
              if (!stream.push(chunk)) break;
            }
          } catch (error) {
            stream.destroy(error);
          } finally {
            reading = false;
          }
        })();
      };
      stream._destroy = (error, done) => {
        Promise.resolve((async () => {
          if (error && typeof iterator.throw === 'function') await Promise.resolve(iterator.throw(error)).catch(() => {});
          else await iterator.return?.();
        })()).then(() => nextTick(done, error), (failure) => nextTick(done, failure ?? error));
      };
      return stream;
    };
    Readable.fromWeb = (web, options) => {
      const reader = web.getReader();
      return new Readable({
        ...options,
        read() {
          reader.read().then(({ done, value }) => this.push(done ? null : value), (error) => this.destroy(error));
        },
        destroy(error, done) {
          if (this._readableState.endEmitted) return done(error);
          reader.cancel(error).then(() => done(error), () => done(error));
        },
      });
    };
    Readable.toWeb = (stream, options) => {
      const objects = stream.readableObjectMode;
      stream.pause();
      return new ReadableStream({
        start(controller) {
          stream.on('data', (chunk) => {
            if (chunk instanceof Buffer && !objects) chunk = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
            controller.enqueue(chunk);
            if (controller.desiredSize <= 0) stream.pause();
          });
          stream.pause();
          finished(stream, { writable: false }, (error) => {
            if (error) controller.error(error);
            else try { controller.close(); } catch {}
          });
        },
        pull() { stream.resume(); },
        cancel(reason) { stream.destroy(reason instanceof Error ? reason : undefined); },
      }, options?.strategy ?? (objects ? new CountQueuingStrategy({ highWaterMark: stream.readableHighWaterMark }) : { highWaterMark: stream.readableHighWaterMark, size: (chunk) => chunk?.byteLength ?? chunk?.length ?? 1 }));
    };
    Readable.wrap = (source, options) => new Readable({ objectMode: source.readableObjectMode ?? source.objectMode ?? true, ...options }).wrap(source);

    // ---- Writable
    class WritableState {
      constructor(options, stream, duplex) {
        this.objectMode = Boolean(options?.objectMode || (duplex && options?.writableObjectMode));
        this.highWaterMark = mark(options, this.objectMode, duplex ? options?.writableHighWaterMark : undefined);
        this.buffered = [];
        this.endDone = [];
        if (!options) return;
        if (options.decodeStrings === false) this.decodeStrings = false;
        if (options.emitClose === false) this.emitClose = false;
        if (options.autoDestroy === false) this.autoDestroy = false;
        if (options.defaultEncoding) this.defaultEncoding = options.defaultEncoding;
      }
      getBuffer() { return this.buffered; }
      get bufferedRequestCount() { return this.buffered.length; }
    }
    Object.assign(WritableState.prototype, {
      finalCalled: false, needDrain: false, ending: false, ended: false, finished: false, destroyed: false, decodeStrings: true, defaultEncoding: 'utf8', length: 0, writing: false, corked: 0, sync: true,
      pendingcb: 0, prefinished: false, errorEmitted: false, emitClose: true, autoDestroy: true, errored: null, closed: false, closeEmitted: false, constructed: true,
    });
    function Writable(options) {
      const duplex = this instanceof Duplex;
      if (!duplex && !(this instanceof Writable)) return new Writable(options);
      this._writableState = new WritableState(options, this, duplex);
      if (options) {
        if (typeof options.write === 'function') this._write = options.write;
        if (typeof options.writev === 'function') this._writev = options.writev;
        if (typeof options.destroy === 'function') this._destroy = options.destroy;
        if (typeof options.final === 'function') this._final = options.final;
        if (typeof options.construct === 'function') this._construct = options.construct;
      }
      Stream.call(this, options);
      hookAbort(this, options?.signal);
      if (typeof this._construct === 'function') {
        begin(this, () => {
          if (this._readableState?.needReadable || this._readableState?.flowing) maybeReadMore(this);
          drainBuffer(this);
          maybeFinish(this);
        });
      }
    }
    Object.setPrototypeOf(Writable.prototype, Stream.prototype);
    Object.setPrototypeOf(Writable, Stream);
    Object.defineProperty(Writable, Symbol.hasInstance, {
      value(object) { return Function.prototype[Symbol.hasInstance].call(this, object) || (this === Writable && Boolean(object) && object._writableState instanceof WritableState); },
    });
    function write(stream, chunk, encoding, done) {
      const state = stream._writableState;
      if (typeof encoding === 'function') {
        done = encoding;
        encoding = state.defaultEncoding;
      } else {
        encoding ||= state.defaultEncoding;
        if (encoding !== 'buffer' && !Buffer.isEncoding(encoding)) throw rt.error(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
      }
      if (chunk === null) throw rt.error(TypeError, 'ERR_STREAM_NULL_VALUES', 'May not write null values to stream');
      if (!state.objectMode) {
        if (typeof chunk === 'string') {
          if (state.decodeStrings) {
            chunk = Buffer.from(chunk, encoding);
            encoding = 'buffer';
          }
        } else if (chunk instanceof Buffer) encoding = 'buffer';
        else if (ArrayBuffer.isView(chunk)) {
          chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
          encoding = 'buffer';
        } else throw rt.invalidArgument('"chunk"', 'of type string or an instance of Buffer, TypedArray, or DataView', chunk);
      }
      let error;
      if (state.ending) error = rt.error(Error, 'ERR_STREAM_WRITE_AFTER_END', 'write after end');
      else if (state.destroyed) error = rt.error(Error, 'ERR_STREAM_DESTROYED', 'Cannot call write after a stream was destroyed');
      if (error) {
        if (done) nextTick(done, error);
        errorOrDestroy(stream, error);
        return error;
      }
      const size = state.objectMode ? 1 : chunk.length;
      state.length += size;
      state.pendingcb++;
      const room = state.length < state.highWaterMark;
      if (!room) state.needDrain = true;
      if (state.writing || state.corked || state.errored || !state.constructed) state.buffered.push({ chunk, encoding, size, done });
      else send(stream, [{ chunk, encoding, size, done }]);
      return room && !state.errored && !state.destroyed;
    }
    function send(stream, entries) {
      const state = stream._writableState;
      state.writing = true;
      state.sync = true;
      let called = false;
      const done = (error) => {
        if (called) {
          errorOrDestroy(stream, rt.error(Error, 'ERR_MULTIPLE_CALLBACK', 'Callback called multiple times'));
          return;
        }
        called = true;
        const { sync } = state;
        state.writing = false;
        for (const entry of entries) state.length -= entry.size;
        const after = () => {
          const need = !state.ending && !stream.destroyed && state.length === 0 && state.needDrain;
          if (need) {
            state.needDrain = false;
            stream.emit('drain');
          }
          for (const entry of entries) {
            state.pendingcb--;
            entry.done?.(null);
          }
          if (state.destroyed) failWaiting(stream);
          maybeFinish(stream);
        };
        if (error) {
          if (!state.errored) state.errored = error;
          if (stream._readableState && !stream._readableState.errored) stream._readableState.errored = error;
          const fail = () => {
            for (const entry of entries) {
              state.pendingcb--;
              entry.done?.(error);
            }
            failWaiting(stream, error);
            errorOrDestroy(stream, error);
          };
          if (sync) nextTick(fail);
          else fail();
          return;
        }
        drainBuffer(stream);
        if (sync) nextTick(after);
        else after();
      };
      try {
        if (state.destroyed) done(rt.error(Error, 'ERR_STREAM_DESTROYED', 'Cannot call write after a stream was destroyed'));
        else if (entries.length > 1 || (stream._writev && !stream._write_own && entries.length > 1)) stream._writev(entries.map(({ chunk, encoding }) => ({ chunk, encoding })), done);
        else stream._write(entries[0].chunk, entries[0].encoding, done);
      } catch (error) {
        done(error);
      }
      state.sync = false;
    }
    function drainBuffer(stream) {
      const state = stream._writableState;
      if (state.corked || state.writing || state.destroyed || !state.constructed || state.buffered.length === 0) return;
      if (state.buffered.length > 1 && typeof stream._writev === 'function') send(stream, state.buffered.splice(0));
      else send(stream, [state.buffered.shift()]);
    }
    const needFinish = (state) => state.ending && !state.destroyed && state.constructed && state.length === 0 && !state.errored && state.buffered.length === 0 && !state.finished && !state.writing && !state.errorEmitted && !state.closeEmitted;
    function maybeFinish(stream) {
      const state = stream._writableState;
      if (!needFinish(state)) return;
      if (!state.prefinished && !state.finalCalled) {
        if (typeof stream._final === 'function' && !state.destroyed) {
          state.finalCalled = true;
          state.pendingcb++;
          let called = false;
          const done = (error) => {
            if (called) return;
            called = true;
            state.pendingcb--;
            if (error) {
              for (const each of state.endDone.splice(0)) each(error);
              errorOrDestroy(stream, error);
            } else if (needFinish(state)) {
              prefinish(stream);
              state.pendingcb++;
              nextTick(finish, stream);
            }
          };
          nextTick(() => {
            try {
              const result = stream._final(done);
              if (result && typeof result.then === 'function') result.then(() => nextTick(done, null), (error) => nextTick(done, error));
            } catch (error) {
              done(error);
            }
          });
          return;
        }
        prefinish(stream);
      }
      if (state.prefinished && state.pendingcb === 0) {
        state.pendingcb++;
        nextTick(finish, stream);
      }
    }
    function prefinish(stream) {
      stream._writableState.prefinished = true;
      // What is read of a Transform ends, also where its own `_final` did not call the one that it replaces.
      if (waiting in stream && stream._final !== Transform.prototype._final) Transform.prototype._final.call(stream, (error) => error && stream.destroy(error));
      stream.emit('prefinish');
    }
    function finish(stream) {
      const state = stream._writableState;
      state.pendingcb--;
      if (state.finished || state.destroyed || state.errored) return;
      state.finished = true;
      for (const each of state.endDone.splice(0)) each(null);
      stream.emit('finish');
      const r = stream._readableState;
      if (state.autoDestroy && (!r || (r.autoDestroy && (r.endEmitted || r.readable === false)))) stream.destroy();
    }
    const writableMethods = {
      destroy,
      _destroy(error, done) { done(error); },
      _write(chunk, encoding, done) {
        if (this._writev) this._writev([{ chunk, encoding }], done);
        else throw rt.error(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _write() method is not implemented');
      },
      _writev: null,
      write(chunk, encoding, done) { return write(this, chunk, encoding, done) === true; },
      pipe() { errorOrDestroy(this, rt.error(Error, 'ERR_STREAM_CANNOT_PIPE', 'Cannot pipe, not readable')); },
      cork() { this._writableState.corked++; },
      uncork() {
        const state = this._writableState;
        if (state.corked) {
          state.corked--;
          if (!state.writing) drainBuffer(this);
        }
      },
      setDefaultEncoding(encoding) {
        if (!Buffer.isEncoding(encoding)) throw rt.error(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
        this._writableState.defaultEncoding = encoding;
        return this;
      },
      end(chunk, encoding, done) {
        const state = this._writableState;
        if (typeof chunk === 'function') {
          done = chunk;
          chunk = undefined;
        } else if (typeof encoding === 'function') {
          done = encoding;
          encoding = undefined;
        }
        let error;
        if (chunk !== undefined && chunk !== null) {
          const result = write(this, chunk, encoding);
          if (result instanceof Error) error = result;
        }
        if (state.corked) {
          state.corked = 1;
          this.uncork();
        }
        if (!error) {
          if (!state.errored && !state.ending) {
            state.ending = true;
            maybeFinish(this);
            state.ended = true;
          } else if (state.finished) error = rt.error(Error, 'ERR_STREAM_ALREADY_FINISHED', 'Cannot call end after a stream was finished');
          else if (state.destroyed) error = rt.error(Error, 'ERR_STREAM_DESTROYED', 'Cannot call end after a stream was destroyed');
        }
        if (typeof done === 'function') {
          if (error || state.finished) nextTick(done, error ?? null);
          else state.endDone.push(done);
        }
        return this;
      },
      get writable() {
        const state = this._writableState;
        return Boolean(state) && state.writable !== false && !state.destroyed && !state.errored && !state.ending && !state.ended;
      },
      set writable(value) { if (this._writableState) this._writableState.writable = Boolean(value); },
      get writableFinished() { return this._writableState?.finished ?? false; },
      get writableObjectMode() { return this._writableState?.objectMode ?? false; },
      get writableBuffer() { return this._writableState?.buffered; },
      get writableEnded() { return this._writableState?.ending ?? false; },
      get writableNeedDrain() { return Boolean(this._writableState) && !this._writableState.destroyed && !this._writableState.ending && this._writableState.needDrain; },
      get writableHighWaterMark() { return this._writableState?.highWaterMark; },
      get writableCorked() { return this._writableState?.corked ?? 0; },
      get writableLength() { return this._writableState?.length; },
      get writableAborted() { return (this._writableState.destroyed || Boolean(this._writableState.errored)) && !this._writableState.finished; },
      get errored() { return this._writableState?.errored ?? null; },
      get closed() { return this._writableState?.closed ?? false; },
      get destroyed() { return this._writableState?.destroyed ?? false; },
      set destroyed(value) { if (this._writableState) this._writableState.destroyed = value; },
    };
    methods(Writable.prototype, writableMethods);
    Writable.WritableState = WritableState;
    Writable.fromWeb = (web, options) => {
      const writer = web.getWriter();
      return new Writable({
        ...options,
        write(chunk, encoding, done) { writer.ready.then(() => writer.write(chunk)).then(() => done(), done); },
        final(done) { writer.close().then(() => done(), done); },
        destroy(error, done) {
          if (error) writer.abort(error).then(() => done(error), () => done(error));
          else done(null);
        },
      });
    };
    Writable.toWeb = (stream) => new WritableStream({
      write: (chunk) => new Promise((resolve, reject) => stream.write(chunk, (error) => (error ? reject(error) : resolve()))),
      close: () => new Promise((resolve, reject) => stream.end((error) => (error ? reject(error) : resolve()))),
      abort: (reason) => { stream.destroy(reason instanceof Error ? reason : undefined); },
    });

    // ---- Duplex, Transform
    function Duplex(options) {
      if (!(this instanceof Duplex)) return new Duplex(options);
      Readable.call(this, options);
      Writable.call(this, options);
      this.allowHalfOpen = options?.allowHalfOpen !== false;
      if (options?.readable === false) {
        this._readableState.readable = false;
        this._readableState.ended = true;
        this._readableState.endEmitted = true;
      }
      if (options?.writable === false) {
        this._writableState.writable = false;
        this._writableState.ending = true;
        this._writableState.ended = true;
        this._writableState.finished = true;
      }
    }
    Object.setPrototypeOf(Duplex.prototype, Readable.prototype);
    Object.setPrototypeOf(Duplex, Readable);
    for (const name of Reflect.ownKeys(writableMethods)) {
      if (['pipe', 'destroy', 'errored', 'closed', 'destroyed', '_destroy'].includes(name)) continue;
      Object.defineProperty(Duplex.prototype, name, Object.getOwnPropertyDescriptor(Writable.prototype, name));
    }
    Object.defineProperty(Duplex.prototype, 'closed', { configurable: true, get() { return Boolean(this._readableState?.closed && this._writableState?.closed); } });
    Object.defineProperty(Duplex.prototype, 'destroyed', {
      configurable: true,
      get() { return Boolean(this._readableState?.destroyed && this._writableState?.destroyed); },
      set(value) {
        if (this._readableState && this._writableState) this._readableState.destroyed = this._writableState.destroyed = value;
      },
    });
    Duplex.from = (body) => {
      if (body instanceof Duplex) return body;
      if (body?.readable !== undefined && body?.writable !== undefined && typeof body.readable === 'object') return pair(body.writable, body.readable);
      if (typeof body === 'function') {
        const through = new PassThrough({ objectMode: true });
        const out = body(through);
        if (out && typeof out[Symbol.asyncIterator] === 'function') return pair(through, Readable.from(out));
        return through;
      }
      if (body && typeof body.then === 'function') return Readable.from((async function* () { yield await body; })());
      return Readable.from(body);
    };
    Duplex.fromWeb = ({ readable, writable }, options) => pair(Writable.fromWeb(writable, options), Readable.fromWeb(readable, options));
    Duplex.toWeb = (duplex) => ({ readable: Readable.toWeb(duplex), writable: Writable.toWeb(duplex) });
    function pair(input, output) {
      if (rt.isReadableStream(output)) output = Readable.fromWeb(output);
      const duplex = new Duplex({
        readableObjectMode: output.readableObjectMode, writableObjectMode: input.writableObjectMode,
        read() { output.resume(); },
        write(chunk, encoding, done) {
          if (input.write(chunk, encoding)) done();
          else input.once('drain', done);
        },
        final(done) { input.end(done); },
        destroy(error, done) {
          input.destroy(error);
          output.destroy(error);
          done(error);
        },
      });
      output.on('data', (chunk) => { if (!duplex.push(chunk)) output.pause(); });
      output.on('end', () => duplex.push(null));
      for (const each of new Set([input, output])) each.on('error', (error) => duplex.destroy(error));
      output.pause();
      return duplex;
    }
    function compose(...streams) {
      streams = streams.map((stream) => (typeof stream === 'function' ? Duplex.from(stream) : stream));
      if (streams.length === 1) return streams[0];
      const last = streams.at(-1);
      pipeline(streams, () => {});
      return streams[0].writable !== undefined && streams[0]._writableState ? pair(streams[0], last) : last;
    }
    const waiting = Symbol('waiting');
    function Transform(options) {
      if (!(this instanceof Transform)) return new Transform(options);
      const high = options?.readableHighWaterMark ?? undefined;
      Duplex.call(this, high === 0 ? { ...options, highWaterMark: null, readableHighWaterMark: 0 } : options);
      this._readableState.sync = false;
      Object.defineProperty(this, waiting, { value: null, writable: true });
      if (options) {
        if (typeof options.transform === 'function') this._transform = options.transform;
        if (typeof options.flush === 'function') this._flush = options.flush;
      }
    }
    Object.setPrototypeOf(Transform.prototype, Duplex.prototype);
    Object.setPrototypeOf(Transform, Duplex);
    methods(Transform.prototype, {
      _transform() { throw rt.error(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _transform() method is not implemented'); },
      _final(done) {
        const end = (error, chunk) => {
          if (error) {
            done(error);
            return;
          }
          if (chunk !== undefined && chunk !== null) this.push(chunk);
          this.push(null);
          done();
        };
        if (typeof this._flush === 'function' && !this.destroyed) this._flush(end);
        else end();
      },
      _write(chunk, encoding, done) {
        const r = this._readableState;
        const w = this._writableState;
        const length = r.length;
        this._transform(chunk, encoding, (error, value) => {
          if (error) return done(error);
          if (value !== undefined && value !== null) this.push(value);
          if (w.ended || length === r.length || r.length < r.highWaterMark) done();
          else this[waiting] = done;
        });
      },
      _read() {
        const done = this[waiting];
        if (done) {
          this[waiting] = null;
          done();
        }
      },
    });
    function PassThrough(options) {
      if (!(this instanceof PassThrough)) return new PassThrough(options);
      Transform.call(this, options);
    }
    Object.setPrototypeOf(PassThrough.prototype, Transform.prototype);
    Object.setPrototypeOf(PassThrough, Transform);
    methods(PassThrough.prototype, { _transform(chunk, encoding, done) { done(null, chunk); } });

    // ---- finished, pipeline
    function finished(stream, options, done) {
      if (typeof options === 'function') {
        done = options;
        options = {};
      }
      options ??= {};
      let called = false;
      const call = (error) => {
        if (called) return;
        called = true;
        done.call(stream, error);
      };
      if (rt.isReadableStream(stream) || typeof stream?.getWriter === 'function') {
        const watch = stream.locked ? Promise.resolve() : (stream.getReader ?? stream.getWriter).call(stream);
        Promise.resolve(watch.closed ?? watch).then(() => call(), call);
        return () => {};
      }
      const r = stream._readableState;
      const w = stream._writableState;
      const readable = options.readable ?? (r ? r.readable !== false : stream.readable === true && !w);
      const writable = options.writable ?? (w ? w.writable !== false : stream.writable === true && !r);
      let readDone = !readable || Boolean(r?.endEmitted);
      let writeDone = !writable || Boolean(w?.finished);
      const maybe = () => { if (readDone && writeDone) call(); };
      const onend = () => {
        readDone = true;
        maybe();
      };
      const onfinish = () => {
        writeDone = true;
        maybe();
      };
      const onerror = (error) => call(error);
      const onclose = () => {
        const error = w?.errored ?? r?.errored;
        if (error && typeof error !== 'boolean') return call(error);
        if ((readable && !readDone && !r?.endEmitted) || (writable && !writeDone && !w?.finished)) return call(premature());
        call();
      };
      stream.on('end', onend);
      stream.on('finish', onfinish);
      if (options.error !== false) stream.on('error', onerror);
      stream.on('close', onclose);
      const closed = r?.closed || w?.closed || stream.closed === true;
      if (closed) nextTick(onclose);
      else if (w?.errorEmitted || r?.errorEmitted) nextTick(onclose);
      else if (readDone && writeDone && (r || w)) nextTick(call);
      const clean = () => {
        called = true;
        stream.removeListener('end', onend);
        stream.removeListener('finish', onfinish);
        stream.removeListener('error', onerror);
        stream.removeListener('close', onclose);
      };
      if (options.signal) rt.onAbort(options.signal, () => {
        const was = called;
        clean();
        if (!was) done.call(stream, rt.aborted(options.signal));
      });
      return clean;
    }
    const isStream = (value) => value !== null && typeof value === 'object' && typeof value.on === 'function';
    function pipeline(...streams) {
      const done = typeof streams.at(-1) === 'function' && !(streams.length > 1 && streams.at(-1).constructor?.name === 'AsyncGeneratorFunction') ? streams.pop() : null;
      if (streams.length === 1 && Array.isArray(streams[0])) streams = streams[0];
      if (!done) throw rt.invalidArgument('"streams[stream.length - 1]"', 'of type function', undefined);
      return pipe(streams, {}, done);
    }
    function pipe(streams, options, done) {
      if (streams.length < 2) throw rt.error(TypeError, 'ERR_MISSING_ARGS', 'The "streams" argument must be specified');
      const all = [];
      let failure;
      let ended = false;
      let open = 0;
      let result;
      const end = (error) => {
        if (ended) return;
        ended = true;
        release();
        if (error) for (const stream of all) {
          stream.on('error', () => {});
          stream.destroy(error);
        }
        nextTick(done, error ?? undefined, result);
      };
      let release = () => {};
      if (options.signal) release = rt.onAbort(options.signal, () => end(rt.aborted(options.signal)));
      const watch = (stream, side) => {
        open++;
        finished(stream, side, (error) => {
          if (error && !(error.code === 'ERR_STREAM_PREMATURE_CLOSE' && side.readable && all.at(-1)?._writableState?.finished)) {
            failure ??= error;
            end(failure);
          } else if (--open === 0) end(failure);
        });
      };
      let current;
      for (const [index, given] of streams.entries()) {
        const lastOne = index === streams.length - 1;
        let stream = given;
        if (rt.isReadableStream(stream)) stream = Readable.fromWeb(stream, { objectMode: true });
        else if (typeof stream?.getWriter === 'function') stream = Writable.fromWeb(stream, { objectMode: true });
        else if (stream?.readable && typeof stream.readable === 'object' && rt.isReadableStream(stream.readable)) stream = Duplex.fromWeb(stream, { objectMode: true });
        if (isStream(stream)) {
          all.push(stream);
          if (index === 0) watch(stream, { readable: true, writable: false });
          else {
            if (!isStream(current)) current = Readable.from(current);
            current.pipe(stream, { end: !(lastOne && options.end === false) });
            watch(stream, { readable: !lastOne, writable: true });
          }
          current = stream;
        } else if (typeof stream === 'function') {
          const input = index === 0 ? undefined : isStream(current) ? current : current;
          const output = index === 0 ? stream({ signal: options.signal }) : stream(input, { signal: options.signal });
          if (output && typeof output[Symbol.asyncIterator] === 'function' && !lastOne) {
            current = Readable.from(output);
            all.push(current);
            watch(current, { readable: true, writable: false });
          } else {
            open++;
            const all = output && typeof output[Symbol.asyncIterator] === 'function' ? (async () => { for await (const _ of output); })() : Promise.resolve(output);
            all.then((value) => {
              result = value;
              if (--open === 0) end(failure);
            }, end);
          }
        } else if (index === 0 && stream && (typeof stream[Symbol.asyncIterator] === 'function' || typeof stream[Symbol.iterator] === 'function')) {
          current = Readable.from(stream);
          all.push(current);
          watch(current, { readable: true, writable: false });
        } else throw rt.invalidArgument(`"streams[${index}]"`, 'a stream, an iterable or a function', stream);
      }
      return current;
    }
    const promises = {
      finished: (stream, options) => new Promise((resolve, reject) => finished(stream, options ?? {}, (error) => (error ? reject(error) : resolve()))),
      pipeline: (...streams) => new Promise((resolve, reject) => {
        const last = streams.at(-1);
        const options = last && typeof last === 'object' && !isStream(last) && !rt.isReadableStream(last) && typeof last[Symbol.asyncIterator] !== 'function' && !last.getWriter && !last.readable ? streams.pop() : {};
        if (streams.length === 1 && Array.isArray(streams[0])) streams = streams[0];
        pipe(streams, options, (error, value) => (error ? reject(error) : resolve(value)));
      }),
    };
    const custom = Symbol.for('nodejs.util.promisify.custom');
    Object.defineProperty(finished, custom, { value: promises.finished });
    Object.defineProperty(pipeline, custom, { value: promises.pipeline });
    Object.assign(Stream, {
      Stream, Readable, Writable, Duplex, Transform, PassThrough, finished, pipeline, compose, promises, destroy: (stream, error) => stream.destroy(error),
      addAbortSignal(signal, stream) {
        hookAbort(stream, signal);
        return stream;
      },
      getDefaultHighWaterMark: (objects) => (objects ? highObjects : highBytes),
      setDefaultHighWaterMark(objects, value) {
        if (objects) highObjects = value;
        else highBytes = value;
      },
      isReadable: (stream) => stream?.readable ?? null, isWritable: (stream) => stream?.writable ?? null, isErrored: (stream) => Boolean(stream?.errored), isDisturbed: (stream) => Boolean(stream?.readableDidRead ?? rt.disturbed(stream)),
      _uint8ArrayToBuffer: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), _isUint8Array: (value) => value instanceof Uint8Array,
    });
    // The oldest interface: `pipe` on a bare Stream.
    Stream.prototype.pipe = function (target, options) {
      this.on('data', (chunk) => { if (target.write(chunk) === false) this.pause?.(); });
      target.on('drain', () => this.resume?.());
      if (options?.end !== false) this.on('end', () => target.end());
      target.emit('pipe', this);
      return target;
    };
    return Stream;
  });
  rt.define('stream/promises', () => rt.require('stream').promises);
  rt.define('stream/consumers', () => {
    const all = async (stream) => {
      const chunks = [];
      for await (const chunk of stream) chunks.push(typeof chunk === 'string' ? rt.Buffer.from(chunk) : rt.bytes(chunk));
      return rt.Buffer.concat(chunks);
    };
    const text = async (stream) => (await all(stream)).toString();
    return {
      buffer: all, text, json: async (stream) => JSON.parse(await text(stream)), blob: async (stream) => new Blob([await all(stream)]),
      arrayBuffer: async (stream) => {
        const bytes = await all(stream);
        return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
      },
    };
  });
  rt.define('string_decoder', () => {
    class StringDecoder {
      constructor(encoding) {
        const name = rt.normalEncoding(encoding);
        if (!name) throw rt.error(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
        this.encoding = name;
        this.rest = new Uint8Array(0);
      }
      get lastNeed() { return this.rest.length ? 1 : 0; }
      #keep(bytes) {
        const length = bytes.length;
        switch (this.encoding) {
          case 'utf8':
            for (let back = 1; back <= Math.min(3, length); back++) {
              const byte = bytes[length - back];
              if ((byte & 0xc0) === 0x80) continue;
              const want = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
              return want > back ? back : 0;
            }
            return 0;
          case 'utf16le': {
            const odd = length % 2;
            const high = length - odd >= 2 ? bytes[length - odd - 1] : 0;
            return odd + (high >= 0xd8 && high <= 0xdb ? 2 : 0);
          }
          case 'base64': case 'base64url': return length % 3;
          default: return 0;
        }
      }
      write(chunk) {
        if (typeof chunk === 'string') return chunk;
        let bytes = rt.bytes(chunk);
        if (this.rest.length) bytes = rt.Buffer.concat([this.rest, bytes]);
        const keep = this.#keep(bytes);
        this.rest = bytes.slice(bytes.length - keep);
        return rt.toText(bytes.subarray(0, bytes.length - keep), this.encoding);
      }
      end(chunk) {
        let text = chunk === undefined ? '' : this.write(chunk);
        if (this.rest.length) text += this.encoding === 'utf8' ? '\ufffd' : rt.toText(this.rest, this.encoding);
        this.rest = new Uint8Array(0);
        return text;
      }
      text(bytes, offset = 0) { return this.write(rt.bytes(bytes).subarray(offset)); }
    }
    return { StringDecoder };
  });
})(globalThis.__emu);
