// ReadableStream (default and byte), WritableStream, TransformStream and their queuing strategies.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.define('webstreams', () => {
    const later = () => {
      const all = Promise.withResolvers();
      all.promise.catch(() => {});
      return all;
    };
    const illegal = () => rt.error(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
    const locked = (what) => rt.error(TypeError, 'ERR_INVALID_STATE', `Invalid state: ${what} is locked`);
    const secret = Symbol('construct');
    class CountQueuingStrategy {
      constructor({ highWaterMark }) { this.highWaterMark = highWaterMark; }
      get size() { return () => 1; }
    }
    class ByteLengthQueuingStrategy {
      constructor({ highWaterMark }) { this.highWaterMark = highWaterMark; }
      get size() { return (chunk) => chunk.byteLength; }
    }
    const mark = (strategy, fallback) => {
      const value = strategy?.highWaterMark;
      if (value === undefined) return fallback;
      const number = Number(value);
      if (Number.isNaN(number) || number < 0) throw new RangeError('Invalid highWaterMark');
      return number;
    };
    const method = (object, name) => {
      const call = object?.[name];
      if (call === undefined) return undefined;
      if (typeof call !== 'function') throw new TypeError(`${name} must be a function`);
      return (...args) => call.apply(object, args);
    };
    const attempt = (call, ...args) => {
      try {
        return Promise.resolve(call?.(...args));
      } catch (error) {
        return Promise.reject(error);
      }
    };

    // ---- reading
    /** What a stream's chunks come from: begun, asked for more when there is room, and cancelled. */
    class Source {
      #controller; #start; #pull; #cancel; #wanted; #started = false; #pulling = false; #again = false;
      constructor(controller, source, wanted) {
        this.#controller = controller;
        this.#pull = method(source, 'pull');
        this.#cancel = method(source, 'cancel');
        this.#start = method(source, 'start');
        this.#wanted = wanted;
      }
      /** Only once the controller knows its source, for a `start` that enqueues at once. */
      start() {
        const begun = this.#start?.(this.#controller);
        Promise.resolve(begun).then(() => {
          this.#started = true;
          this.want();
        }, (error) => this.#controller.error(error));
      }
      want() {
        if (!this.#started || !this.#pull || !this.#wanted()) return;
        if (this.#pulling) {
          this.#again = true;
          return;
        }
        this.#pulling = true;
        attempt(this.#pull, this.#controller).then(() => {
          this.#pulling = false;
          if (this.#again) {
            this.#again = false;
            this.want();
          }
        }, (error) => this.#controller.error(error));
      }
      cancel(reason) { return attempt(this.#cancel, reason); }
    }
    const desired = (stream, room) => (stream[state].state === 'errored' ? null : stream[state].state === 'closed' ? 0 : room);
    /** Whether somebody waits for a chunk, or there is room for one. */
    const hungry = (stream, room) => {
      const its = stream[state];
      return its.state === 'readable' && ((its.reader && its.requests.length > 0) || room > 0);
    };
    class ReadableStreamDefaultController {
      #stream; #queue = []; #size = 0; #high; #measure; #source; #closing = false;
      constructor(key, stream, source, strategy) {
        if (key !== secret) throw illegal();
        this.#stream = stream;
        this.#high = mark(strategy, 1);
        this.#measure = strategy?.size ?? (() => 1);
        this.#source = new Source(this, source, () => !this.#closing && hungry(stream, this.#high - this.#size));
        this.#source.start();
      }
      get desiredSize() { return desired(this.#stream, this.#high - this.#size); }
      close() {
        if (this.#closing || this.#stream[state].state !== 'readable') throw rt.error(TypeError, 'ERR_INVALID_STATE', 'Invalid state: Controller is already closed');
        this.#closing = true;
        if (this.#queue.length === 0) finish(this.#stream);
      }
      enqueue(chunk) {
        const its = this.#stream[state];
        if (this.#closing || its.state !== 'readable') throw rt.error(TypeError, 'ERR_INVALID_STATE', 'Invalid state: Controller is already closed');
        if (its.reader && its.requests.length > 0) its.requests.shift().chunk(chunk);
        else {
          let size;
          try {
            size = Number(this.#measure(chunk));
            if (!(size >= 0) || size === Infinity) throw new RangeError('Invalid chunk size');
          } catch (error) {
            this.error(error);
            throw error;
          }
          this.#queue.push([chunk, size]);
          this.#size += size;
        }
        this.#source.want();
      }
      error(error) {
        if (this.#stream[state].state !== 'readable') return;
        this.#queue = [];
        this.#size = 0;
        fail(this.#stream, error);
      }
      static {
        internals.read = (controller, request) => {
          if (controller.#queue.length > 0) {
            const [chunk, size] = controller.#queue.shift();
            controller.#size = Math.max(0, controller.#size - size);
            if (controller.#closing && controller.#queue.length === 0) finish(controller.#stream);
            else controller.#source.want();
            request.chunk(chunk);
          } else {
            controller.#stream[state].requests.push(request);
            controller.#source.want();
          }
        };
        internals.cancel = (controller, reason) => {
          controller.#queue = [];
          controller.#size = 0;
          return controller.#source.cancel(reason);
        };
      }
    }
    class ReadableStreamBYOBRequest {
      #controller; #view;
      constructor(key, controller, view) {
        if (key !== secret) throw illegal();
        this.#controller = controller;
        this.#view = view;
      }
      get view() { return this.#view; }
      respond(written) {
        if (!this.#view) throw new TypeError('This BYOB request has been invalidated');
        if (written > this.#view.byteLength) throw new RangeError('bytesWritten is larger than the view');
        const view = this.#view;
        this.#view = null;
        byteInternals.respond(this.#controller, new Uint8Array(view.buffer, view.byteOffset, written));
      }
      respondWithNewView(view) {
        this.#view = null;
        byteInternals.respond(this.#controller, new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
      }
    }
    class ReadableByteStreamController {
      #stream; #queue = []; #size = 0; #high; #auto; #source; #closing = false; #request = null; #into = [];
      constructor(key, stream, source, strategy) {
        if (key !== secret) throw illegal();
        this.#stream = stream;
        this.#high = mark(strategy, 0);
        this.#auto = source.autoAllocateChunkSize;
        if (this.#auto === 0) throw new TypeError('autoAllocateChunkSize must be greater than 0');
        this.#source = new Source(this, source, () => !this.#closing && hungry(stream, this.#high - this.#size));
        this.#source.start();
      }
      get byobRequest() {
        if (!this.#request && this.#into.length > 0) {
          const first = this.#into[0];
          this.#request = new ReadableStreamBYOBRequest(secret, this, new Uint8Array(first.buffer, first.offset + first.filled, first.length - first.filled));
        }
        return this.#request;
      }
      get desiredSize() { return desired(this.#stream, this.#high - this.#size); }
      close() {
        if (this.#closing || this.#stream[state].state !== 'readable') throw rt.error(TypeError, 'ERR_INVALID_STATE', 'Invalid state: Controller is already closed');
        this.#closing = true;
        if (this.#size > 0) return;
        if (this.#into[0]?.filled % this.#into[0]?.width) {
          const error = new TypeError('Insufficient bytes to fill elements in the given buffer');
          this.error(error);
          throw error;
        }
        finish(this.#stream);
      }
      enqueue(view) {
        if (!ArrayBuffer.isView(view)) throw new TypeError('A byte stream takes views of buffers');
        if (view.byteLength === 0) throw rt.error(TypeError, 'ERR_INVALID_STATE', 'chunk must have non-zero length');
        const its = this.#stream[state];
        if (this.#closing || its.state !== 'readable') throw rt.error(TypeError, 'ERR_INVALID_STATE', 'Invalid state: Controller is already closed');
        this.#request = null;
        this.#push(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
        this.#serve();
        this.#source.want();
      }
      error(error) {
        if (this.#stream[state].state !== 'readable') return;
        this.#queue = [];
        this.#size = 0;
        this.#into = [];
        fail(this.#stream, error);
      }
      #push(bytes) {
        this.#queue.push(bytes);
        this.#size += bytes.length;
      }
      /** Answers waiting reads, in order, from what is queued. */
      #serve() {
        const its = this.#stream[state];
        while (this.#size > 0 && its.requests.length > 0) {
          const request = its.requests[0];
          if (request.into) {
            const into = request.into;
            this.#fill(into);
            if (into.filled < into.min) return;
            its.requests.shift();
            this.#into.shift();
            const keep = into.filled % into.width;
            if (keep) {
              const rest = new Uint8Array(into.buffer, into.offset + into.filled - keep, keep).slice();
              this.#queue.unshift(rest);
              this.#size += keep;
              into.filled -= keep;
            }
            request.chunk(new into.Kind(into.buffer, into.offset, into.filled / into.width));
          } else {
            its.requests.shift();
            if (request.auto) this.#into.shift();
            const bytes = this.#queue.shift();
            this.#size -= bytes.length;
            request.chunk(bytes);
          }
        }
        if (this.#closing && this.#size === 0 && its.state === 'readable') finish(this.#stream);
      }
      #fill(into) {
        while (this.#size > 0 && into.filled < into.length) {
          const bytes = this.#queue[0];
          const count = Math.min(bytes.length, into.length - into.filled);
          new Uint8Array(into.buffer, into.offset + into.filled, count).set(bytes.subarray(0, count));
          into.filled += count;
          this.#size -= count;
          if (count === bytes.length) this.#queue.shift();
          else this.#queue[0] = bytes.subarray(count);
        }
      }
      static {
        internals.readBytes = (controller, request) => {
          const its = controller.#stream[state];
          its.requests.push(request);
          if (request.into) controller.#into.push(request.into);
          else if (controller.#auto && controller.#size === 0) {
            request.auto = true;
            controller.#into.push({ buffer: new ArrayBuffer(controller.#auto), offset: 0, length: controller.#auto, filled: 0, width: 1, min: 1, Kind: Uint8Array });
          }
          controller.#serve();
          controller.#source.want();
        };
        internals.cancelBytes = (controller, reason) => {
          controller.#queue = [];
          controller.#size = 0;
          controller.#into = [];
          return controller.#source.cancel(reason);
        };
        byteInternals.respond = (controller, bytes) => {
          controller.#request = null;
          const its = controller.#stream[state];
          if (its.state !== 'readable') {
            controller.#into.shift();
            return;
          }
          if (bytes.length === 0) {
            if (!controller.#closing) throw rt.error(TypeError, 'ERR_INVALID_STATE', 'bytesWritten must be greater than 0 on a readable stream');
            return;
          }
          controller.#push(bytes.slice());
          controller.#serve();
          controller.#source.want();
        };
      }
    }
    function finish(stream) {
      const its = stream[state];
      if (its.state !== 'readable') return;
      its.state = 'closed';
      const requests = its.requests.splice(0);
      for (const request of requests) request.close();
      its.closed.resolve();
    }
    function fail(stream, error) {
      const its = stream[state];
      if (its.state !== 'readable') return;
      its.state = 'errored';
      its.error = error;
      const requests = its.requests.splice(0);
      for (const request of requests) request.error(error);
      its.closed.reject(error);
    }
    function read(stream, request) {
      const its = stream[state];
      its.disturbed = true;
      if (its.state === 'closed') request.close();
      else if (its.state === 'errored') request.error(its.error);
      else if (its.bytes) internals.readBytes(its.controller, request);
      else internals.read(its.controller, request);
    }
    function cancel(stream, reason) {
      const its = stream[state];
      its.disturbed = true;
      if (its.state === 'closed') return Promise.resolve();
      if (its.state === 'errored') return Promise.reject(its.error);
      const { controller, bytes } = its;
      finish(stream);
      return (bytes ? internals.cancelBytes(controller, reason) : internals.cancel(controller, reason)).then(() => undefined);
    }
    class ReadableStream {
      constructor(source = {}, strategy = {}) {
        if (source === null) throw rt.error(TypeError, 'ERR_INVALID_ARG_TYPE', 'The "source" argument must be of type object. Received null');
        const its = { state: 'readable', reader: null, requests: [], closed: later(), disturbed: false, controller: null, error: undefined, bytes: source.type === 'bytes' };
        Object.defineProperty(this, state, { value: its });
        if (source.type !== undefined && `${source.type}` !== 'bytes') throw new TypeError(`Invalid source type ${source.type}`);
        const Controller = its.bytes ? ReadableByteStreamController : ReadableStreamDefaultController;
        let begun;
        const given = source.start;
        const self = this;
        // The controller must be known before `start` runs, for a `start` that enqueues at once.
        const shim = { pull: source.pull && ((...args) => source.pull(...args)), cancel: source.cancel && ((...args) => source.cancel(...args)), autoAllocateChunkSize: source.autoAllocateChunkSize };
        if (given !== undefined) {
          if (typeof given !== 'function') throw new TypeError('start must be a function');
          shim.start = (controller) => {
            self[state].controller = controller;
            begun = given.call(source, controller);
            return begun;
          };
        }
        its.controller = new Controller(secret, this, shim, strategy);
      }
      get locked() { return this[state].reader !== null; }
      cancel(reason) { return this.locked ? Promise.reject(locked('ReadableStream')) : cancel(this, reason); }
      getReader(options) {
        const mode = options?.mode;
        if (mode === undefined) return new ReadableStreamDefaultReader(this);
        if (`${mode}` !== 'byob') throw new TypeError(`Invalid reader mode ${mode}`);
        return new ReadableStreamBYOBReader(this);
      }
      pipeThrough(pair, options) {
        if (this.locked) throw locked('The ReadableStream');
        if (pair.writable.locked) throw locked('The WritableStream');
        const done = this.pipeTo(pair.writable, options);
        done.catch(() => {});
        return pair.readable;
      }
      async pipeTo(destination, options) {
        if (this.locked) throw locked('The ReadableStream');
        if (destination.locked) throw locked('The WritableStream');
        const { preventClose, preventAbort, preventCancel, signal } = options ?? {};
        const reader = this.getReader();
        const writer = destination.getWriter();
        this[state].disturbed = true;
        let stop;
        const stopped = new Promise((resolve, reject) => {
          stop = signal ? rt.onAbort(signal, reject) : () => {};
        });
        stopped.catch(() => {});
        let last = Promise.resolve();
        try {
          for (;;) {
            await Promise.race([writer.ready, stopped]);
            const { done, value } = await Promise.race([reader.read(), stopped, writer.closed.then(() => { throw rt.error(TypeError, 'ERR_INVALID_STATE', 'The destination is closed'); })]);
            if (done) break;
            last = writer.write(value);
            last.catch(() => {});
          }
          await last;
          if (!preventClose) await writer.close();
        } catch (error) {
          const from = this[state].state === 'errored';
          const work = [];
          if (!preventAbort && destination[state].state === 'writable') work.push(writer.abort(error));
          if (!preventCancel && !from && this[state].state === 'readable') work.push(reader.cancel(error));
          await Promise.allSettled(work);
          throw error;
        } finally {
          stop();
          reader.releaseLock();
          writer.releaseLock();
        }
      }
      tee() {
        const reader = this.getReader();
        const bytes = this[state].bytes;
        const branches = [];
        const cancelled = [false, false];
        const reasons = [];
        const ended = later();
        let reading = false;
        let again = false;
        const pull = () => {
          if (reading) {
            again = true;
            return Promise.resolve();
          }
          reading = true;
          return reader.read().then(({ done, value }) => {
            reading = false;
            if (done) {
              branches.forEach((branch, at) => { if (!cancelled[at]) branch.close(); });
              ended.resolve();
              return;
            }
            branches.forEach((branch, at) => { if (!cancelled[at]) branch.enqueue(bytes && at === 1 ? value.slice() : value); });
            if (again) {
              again = false;
              return pull();
            }
          }, (error) => {
            branches.forEach((branch) => branch.error(error));
            ended.resolve();
          });
        };
        const make = (at) => new ReadableStream({
          type: bytes ? 'bytes' : undefined,
          start(controller) { branches[at] = controller; },
          pull,
          cancel(reason) {
            cancelled[at] = true;
            reasons[at] = reason;
            if (cancelled[1 - at]) ended.resolve(reader.cancel(reasons));
            return ended.promise;
          },
        }, bytes ? undefined : { highWaterMark: 0 });
        return [make(0), make(1)];
      }
      async *values(options) {
        const reader = this.getReader();
        let ended = false;
        try {
          for (;;) {
            let next;
            try {
              next = await reader.read();
            } catch (error) {
              ended = true;
              throw error;
            }
            if (next.done) {
              ended = true;
              return;
            }
            yield next.value;
          }
        } finally {
          if (!ended && !options?.preventCancel) await reader.cancel();
          reader.releaseLock();
        }
      }
      [Symbol.asyncIterator](options) { return this.values(options); }
      static from(iterable) {
        const iterator = iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]?.();
        if (!iterator) throw rt.error(TypeError, 'ERR_ARG_NOT_ITERABLE', `${typeof iterable} is not iterable`);
        return new ReadableStream({
          async pull(controller) {
            const { done, value } = await iterator.next();
            if (done) controller.close();
            else controller.enqueue(await value);
          },
          async cancel(reason) { await iterator.return?.(reason); },
        }, { highWaterMark: 0 });
      }
      [rt.customInspect](depth, options, inspect) {
        return `ReadableStream ${inspect({ locked: this.locked, state: this[state].state, supportsBYOB: this[state].bytes }, options)}`;
      }
    }
    class Reader {
      #stream; #closed;
      constructor(stream) {
        if (!stream?.[state]) throw new TypeError('A reader wants a ReadableStream');
        if (stream.locked) throw locked('ReadableStream');
        this.#stream = stream;
        this.#closed = stream[state].closed.promise;
        stream[state].reader = this;
      }
      get closed() { return this.#closed; }
      cancel(reason) { return this.#stream ? cancel(this.#stream, reason) : Promise.reject(released()); }
      releaseLock() {
        const stream = this.#stream;
        if (!stream) return;
        const its = stream[state];
        const error = released();
        for (const request of its.requests.splice(0)) request.error(error);
        if (its.state === 'readable') {
          const gone = Promise.reject(error);
          gone.catch(() => {});
          this.#closed = gone;
        }
        its.reader = null;
        this.#stream = null;
      }
      static _stream = (reader) => reader.#stream;
    }
    const streamOf = Reader._stream;
    const released = () => rt.error(TypeError, 'ERR_INVALID_STATE', 'Invalid state: The reader is not attached to a stream');
    const asking = (resolve, reject, into) => ({
      into,
      chunk: (value) => resolve({ done: false, value }),
      close: () => resolve({ done: true, value: into ? new into.Kind(into.buffer, into.offset, 0) : undefined }),
      error: reject,
    });
    class ReadableStreamDefaultReader extends Reader {
      read() {
        const stream = streamOf(this);
        if (!stream) return Promise.reject(released());
        return new Promise((resolve, reject) => read(stream, asking(resolve, reject)));
      }
    }
    class ReadableStreamBYOBReader extends Reader {
      constructor(stream) {
        if (stream?.[state] && !stream[state].bytes) throw new TypeError('Cannot get a BYOB reader of a stream that is not of bytes');
        super(stream);
      }
      read(view, options) {
        if (!ArrayBuffer.isView(view)) return Promise.reject(new TypeError('read wants a view of a buffer'));
        if (view.byteLength === 0) return Promise.reject(new TypeError('read wants a view that is not empty'));
        const stream = streamOf(this);
        if (!stream) return Promise.reject(released());
        const width = view.BYTES_PER_ELEMENT ?? 1;
        const min = (options?.min ?? 1) * width;
        // The place is read first: after the transfer the caller's view is empty.
        const into = { buffer: null, offset: view.byteOffset, length: view.byteLength, filled: 0, width, min, Kind: view.constructor === rt.Buffer ? Uint8Array : view.constructor };
        into.buffer = view.buffer.transfer();
        return new Promise((resolve, reject) => read(stream, asking(resolve, reject, into)));
      }
    }

    // ---- writing
    class WritableStreamDefaultController {
      #abort = new AbortController();
      constructor(key, stream) {
        if (key !== secret) throw illegal();
        this[state] = stream;
        Object.defineProperty(this, state, { enumerable: false });
      }
      get signal() { return this.#abort.signal; }
      error(error) { if (this[state][state].state === 'writable') breakDown(this[state], error); }
      static _abort = (controller, reason) => controller.#abort.abort(reason);
    }
    const abortSignal = WritableStreamDefaultController._abort;
    delete WritableStreamDefaultController._abort;
    class WritableStream {
      constructor(sink = {}, strategy = {}) {
        if (sink?.type !== undefined) throw new RangeError('Invalid sink type');
        const its = {
          state: 'writable', error: undefined, writer: null, queue: [], size: 0, high: mark(strategy, 1), measure: strategy?.size ?? (() => 1), busy: true, closing: null, aborting: null,
          ready: later(), closed: later(), sink: { write: method(sink, 'write'), close: method(sink, 'close'), abort: method(sink, 'abort') }, controller: null,
        };
        Object.defineProperty(this, state, { value: its });
        its.controller = new WritableStreamDefaultController(secret, this);
        if (its.high > 0) its.ready.resolve();
        const start = method(sink, 'start');
        Promise.resolve(start ? start(its.controller) : undefined).then(() => {
          its.busy = false;
          advance(this);
        }, (error) => {
          its.busy = false;
          breakDown(this, error);
        });
      }
      get locked() { return this[state].writer !== null; }
      abort(reason) { return this.locked ? Promise.reject(locked('WritableStream')) : abort(this, reason); }
      close() { return this.locked ? Promise.reject(locked('WritableStream')) : close(this); }
      getWriter() { return new WritableStreamDefaultWriter(this); }
    }
    function advance(stream) {
      const its = stream[state];
      if (its.busy || its.state !== 'writable') {
        if (!its.busy && its.state === 'erroring') settle(stream);
        return;
      }
      if (its.queue.length === 0) {
        if (!its.closing || its.closing.begun) return;
        its.closing.begun = true;
        its.busy = true;
        attempt(its.sink.close).then(() => {
          its.busy = false;
          its.state = 'closed';
          its.closing.resolve();
          its.aborting?.resolve();
          its.closed.resolve();
        }, (error) => {
          its.busy = false;
          its.closing.reject(error);
          breakDown(stream, error);
        });
        return;
      }
      const entry = its.queue[0];
      its.busy = true;
      attempt(its.sink.write, entry.chunk, its.controller).then(() => {
        its.queue.shift();
        its.size -= entry.size;
        its.busy = false;
        entry.resolve();
        pressure(its);
        advance(stream);
      }, (error) => {
        its.queue.shift();
        its.busy = false;
        entry.reject(error);
        breakDown(stream, error);
      });
    }
    function pressure(its) {
      const full = its.high - its.size <= 0;
      if (!full || its.closing) its.ready.resolve();
      else if (!its.waiting) {
        its.ready = later();
        its.waiting = true;
        its.ready.promise.then(() => { its.waiting = false; }, () => {});
      }
      if (full && !its.waiting && !its.closing) its.ready = later();
    }
    function breakDown(stream, error) {
      const its = stream[state];
      if (its.state !== 'writable') return;
      its.state = 'erroring';
      its.error = error;
      its.ready.reject(error);
      if (its.waiting !== true) {
        its.ready = later();
        its.ready.reject(error);
      }
      if (!its.busy) settle(stream);
    }
    function settle(stream) {
      const its = stream[state];
      if (its.state !== 'erroring') return;
      its.state = 'errored';
      for (const entry of its.queue.splice(0)) entry.reject(its.error);
      its.closing?.reject(its.error);
      const end = () => its.closed.reject(its.error);
      if (its.aborting && !its.aborting.begun) {
        its.aborting.begun = true;
        attempt(its.sink.abort, its.aborting.reason).then(its.aborting.resolve, its.aborting.reject).then(end, end);
      } else end();
    }
    function abort(stream, reason) {
      const its = stream[state];
      if (its.state === 'closed' || its.state === 'errored') return Promise.resolve();
      abortSignal(its.controller, reason);
      if (its.aborting) return its.aborting.promise;
      its.aborting = Object.assign(later(), { reason, begun: false });
      if (its.state === 'writable') breakDown(stream, reason);
      return its.aborting.promise;
    }
    function close(stream) {
      const its = stream[state];
      if (its.state === 'closed' || its.state === 'errored' || its.closing) return Promise.reject(rt.error(TypeError, 'ERR_INVALID_STATE', 'Invalid state: WritableStream is closed'));
      its.closing = later();
      its.ready.resolve();
      advance(stream);
      return its.closing.promise;
    }
    class WritableStreamDefaultWriter {
      #stream; #ready; #closed;
      constructor(stream) {
        if (stream.locked) throw locked('WritableStream');
        this.#stream = stream;
        stream[state].writer = this;
      }
      #its() {
        if (!this.#stream) throw rt.error(TypeError, 'ERR_INVALID_STATE', 'Invalid state: Writer is not bound to a WritableStream');
        return this.#stream[state];
      }
      get closed() { return this.#stream ? this.#stream[state].closed.promise : this.#closed; }
      get ready() { return this.#stream ? this.#stream[state].ready.promise : this.#ready; }
      get desiredSize() {
        const its = this.#its();
        return its.state === 'errored' || its.state === 'erroring' ? null : its.state === 'closed' ? 0 : its.high - its.size;
      }
      write(chunk) {
        let its;
        try {
          its = this.#its();
        } catch (error) {
          return Promise.reject(error);
        }
        if (its.state === 'errored' || its.state === 'erroring') return Promise.reject(its.error);
        if (its.closing || its.state === 'closed') return Promise.reject(rt.error(TypeError, 'ERR_INVALID_STATE', 'Invalid state: WritableStream is closed'));
        let size;
        try {
          size = Number(its.measure(chunk));
        } catch (error) {
          breakDown(this.#stream, error);
          return Promise.reject(error);
        }
        const entry = { chunk, size, ...later() };
        its.queue.push(entry);
        its.size += size;
        pressure(its);
        advance(this.#stream);
        return entry.promise;
      }
      close() { return this.#stream ? close(this.#stream) : Promise.reject(released()); }
      abort(reason) { return this.#stream ? abort(this.#stream, reason) : Promise.reject(released()); }
      releaseLock() {
        if (!this.#stream) return;
        this.#stream[state].writer = null;
        this.#ready = this.#closed = Promise.reject(released());
        this.#closed.catch(() => {});
        this.#stream = null;
      }
    }

    // ---- transforming
    class TransformStreamDefaultController {
      constructor(key, its) {
        if (key !== secret) throw illegal();
        Object.defineProperty(this, state, { value: its });
      }
      get desiredSize() { return this[state].out.desiredSize; }
      enqueue(chunk) {
        if (this[state].ended) throw rt.error(TypeError, 'ERR_INVALID_STATE', 'Invalid state: Controller is already closed');
        this[state].out.enqueue(chunk);
        if (this[state].out.desiredSize <= 0) this[state].block();
      }
      error(error) { this[state].fail(error); }
      terminate() {
        if (!this[state].ended) this[state].out.close();
        this[state].ended = true;
        this[state].failIn(rt.error(TypeError, 'ERR_INVALID_STATE', 'The transform stream was terminated'));
      }
    }
    class TransformStream {
      constructor(transformer = {}, writableStrategy = {}, readableStrategy = {}) {
        const its = { out: null, ended: false, room: later(), blocked: true, input: null };
        its.block = () => {
          if (!its.blocked) {
            its.blocked = true;
            its.room = later();
          }
        };
        its.open = () => {
          its.blocked = false;
          its.room.resolve();
        };
        its.failIn = (error) => {
          if (its.input) its.input.error(error);
          its.room.resolve();
        };
        its.fail = (error) => {
          its.ended = true;
          its.out.error(error);
          its.failIn(error);
        };
        const controller = new TransformStreamDefaultController(secret, its);
        const transform = method(transformer, 'transform') ?? ((chunk, control) => control.enqueue(chunk));
        const flush = method(transformer, 'flush');
        const cancelled = method(transformer, 'cancel');
        const begun = later();
        const readable = new ReadableStream({
          start: (control) => {
            its.out = control;
            return begun.promise;
          },
          pull: () => its.open(),
          cancel: async (reason) => {
            its.ended = true;
            await cancelled?.(reason);
            its.failIn(reason);
          },
        }, { highWaterMark: 0, ...readableStrategy });
        const writable = new WritableStream({
          start: (control) => {
            its.input = control;
            return begun.promise;
          },
          write: async (chunk) => {
            if (its.blocked) await its.room.promise;
            if (its.ended) return;
            try {
              await transform(chunk, controller);
            } catch (error) {
              its.fail(error);
              throw error;
            }
          },
          close: async () => {
            try {
              await flush?.(controller);
            } catch (error) {
              its.fail(error);
              throw error;
            }
            if (!its.ended) {
              its.ended = true;
              its.out.close();
            }
          },
          abort: async (reason) => {
            its.ended = true;
            try {
              await cancelled?.(reason);
            } finally {
              its.out.error(reason);
            }
          },
        }, { highWaterMark: 1, ...writableStrategy });
        Object.defineProperty(this, 'readable', { value: readable, enumerable: true });
        Object.defineProperty(this, 'writable', { value: writable, enumerable: true });
        begun.resolve(method(transformer, 'start')?.(controller));
        begun.promise.catch((error) => its.fail(error));
      }
    }
    const zlibStream = (name, kinds) => class {
      #pair;
      constructor(format) {
        const kind = kinds[format];
        if (!kind) throw rt.error(TypeError, 'ERR_INVALID_ARG_VALUE', `${name}: unsupported format ${format}`);
        const chunks = [];
        this.#pair = new TransformStream({
          transform(chunk) { chunks.push(rt.bytes(chunk).slice()); },
          flush(controller) {
            let out;
            try {
              out = emu.call('zlib', JSON.stringify({ kind }), rt.Buffer.concat(chunks))[1];
            } catch (error) {
              throw new TypeError(error.message);
            }
            if (out?.length) controller.enqueue(new Uint8Array(out.buffer, out.byteOffset, out.byteLength));
          },
        });
      }
      get readable() { return this.#pair.readable; }
      get writable() { return this.#pair.writable; }
    };
    const CompressionStream = zlibStream('CompressionStream', { gzip: 'gzip', deflate: 'deflate', 'deflate-raw': 'deflateRaw' });
    const DecompressionStream = zlibStream('DecompressionStream', { gzip: 'gunzip', deflate: 'inflate', 'deflate-raw': 'inflateRaw' });
    Object.defineProperty(CompressionStream, 'name', { value: 'CompressionStream' });
    Object.defineProperty(DecompressionStream, 'name', { value: 'DecompressionStream' });
    const all = {
      ReadableStream, ReadableStreamDefaultReader, ReadableStreamBYOBReader, ReadableStreamBYOBRequest, ReadableByteStreamController, ReadableStreamDefaultController,
      WritableStream, WritableStreamDefaultWriter, WritableStreamDefaultController, TransformStream, TransformStreamDefaultController,
      ByteLengthQueuingStrategy, CountQueuingStrategy, CompressionStream, DecompressionStream,
    };
    for (const [name, Class] of Object.entries(all)) rt.tag(Class, name);
    return all;
  });
  const state = Symbol('state');
  const internals = {};
  const byteInternals = {};
  /** Whether anything was read of a stream. */
  rt.disturbed = (stream) => stream[state]?.disturbed ?? false;
  rt.isReadableStream = (value) => typeof value === 'object' && value !== null && value[state] !== undefined && typeof value.getReader === 'function';
  for (const name of ['ReadableStream', 'ReadableStreamDefaultReader', 'ReadableStreamBYOBReader', 'ReadableStreamBYOBRequest', 'ReadableByteStreamController', 'ReadableStreamDefaultController', 'WritableStream', 'WritableStreamDefaultWriter', 'WritableStreamDefaultController', 'TransformStream', 'TransformStreamDefaultController', 'ByteLengthQueuingStrategy', 'CountQueuingStrategy', 'CompressionStream', 'DecompressionStream']) {
    rt.lazyGlobal(name, () => rt.require('webstreams')[name]);
  }
  rt.define('stream/web', () => ({ ...rt.require('webstreams'), TextEncoderStream: globalThis.TextEncoderStream, TextDecoderStream: globalThis.TextDecoderStream }));
})(globalThis.__emu);
