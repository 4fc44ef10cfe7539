// node:events: EventEmitter and its static helpers.
((emu) => {
  'use strict';
  const { rt } = emu;
  const errorMonitor = Symbol('events.errorMonitor');
  const capture = Symbol.for('nodejs.rejection');
  const captures = Symbol('kCapture');
  function EventEmitter(options) {
    EventEmitter.init.call(this, options);
  }
  const check = (listener) => {
    if (typeof listener !== 'function') throw rt.invalidArgument('"listener"', 'of type function', listener);
  };
  Object.assign(EventEmitter, {
    defaultMaxListeners: 10,
    errorMonitor,
    captureRejectionSymbol: capture,
    captureRejections: false,
    usingDomains: false,
    init(options) {
      if (this._events === undefined || this._events === Object.getPrototypeOf(this)._events) {
        this._events = Object.create(null);
        this._eventsCount = 0;
      }
      this._maxListeners ||= undefined;
      if (options?.captureRejections) this[captures] = true;
    },
  });
  const proto = EventEmitter.prototype;
  proto._events = undefined;
  proto._eventsCount = 0;
  proto._maxListeners = undefined;
  const limit = (emitter) => emitter._maxListeners ?? EventEmitter.defaultMaxListeners;
  function add(emitter, type, listener, first) {
    check(listener);
    if (emitter._events === undefined) {
      emitter._events = Object.create(null);
      emitter._eventsCount = 0;
    } else if (emitter._events.newListener !== undefined) emitter.emit('newListener', type, listener.listener ?? listener);
    const events = emitter._events;
    const had = events[type];
    if (had === undefined) {
      events[type] = listener;
      emitter._eventsCount++;
      return emitter;
    }
    let list = had;
    if (typeof had === 'function') list = events[type] = first ? [listener, had] : [had, listener];
    else if (first) had.unshift(listener);
    else had.push(listener);
    const max = limit(emitter);
    if (max > 0 && list.length > max && !list.warned) {
      list.warned = true;
      emu.log(3, `(node) MaxListenersExceededWarning: Possible EventEmitter memory leak detected. ${list.length} ${String(type)} listeners added to ${rt.inspect(emitter, { depth: -1 })}. Use emitter.setMaxListeners() to increase limit`);
    }
    return emitter;
  }
  function onceOf(emitter, type, listener) {
    const state = { fired: false };
    const wrapped = function (...args) {
      if (state.fired) return undefined;
      emitter.removeListener(type, wrapped);
      state.fired = true;
      return listener.apply(emitter, args);
    };
    wrapped.listener = listener;
    return wrapped;
  }
  const { apply } = Reflect;
  // What a listener's promise was rejected with, where the emitter captures rejections.
  const heed = (emitter, result, type, args) => {
    if (result === undefined || result === null || typeof result.then !== 'function') return;
    result.then(undefined, (error) => rt.nextTick(() => {
      if (typeof emitter[capture] === 'function') emitter[capture](error, type, ...args);
      else emitter.emit('error', error);
    }));
  };
  const methods = {
    emit(type, ...args) {
      const events = this._events;
      if (type === 'error') {
        if (events?.[errorMonitor] !== undefined) this.emit(errorMonitor, ...args);
        if (events?.error === undefined) {
          const error = args[0];
          if (error instanceof Error) throw error;
          throw rt.error(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${typeof error === 'string' ? error : rt.inspect(error)})`, { context: error });
        }
      }
      const handler = events?.[type];
      if (handler === undefined) return false;
      const captured = this[captures] || EventEmitter.captureRejections;
      if (typeof handler === 'function') {
        const result = apply(handler, this, args);
        if (captured) heed(this, result, type, args);
        return true;
      }
      for (const listener of handler.slice()) {
        const result = apply(listener, this, args);
        if (captured) heed(this, result, type, args);
      }
      return true;
    },
    addListener(type, listener) { return add(this, type, listener, false); },
    on(type, listener) { return add(this, type, listener, false); },
    prependListener(type, listener) { return add(this, type, listener, true); },
    once(type, listener) {
      check(listener);
      return this.on(type, onceOf(this, type, listener));
    },
    prependOnceListener(type, listener) {
      check(listener);
      return this.prependListener(type, onceOf(this, type, listener));
    },
    removeListener(type, listener) {
      check(listener);
      const events = this._events;
      const list = events?.[type];
      if (list === undefined) return this;
      if (list === listener || list.listener === listener) {
        delete events[type];
        this._eventsCount--;
        if (events.removeListener) this.emit('removeListener', type, list.listener ?? listener);
      } else if (typeof list !== 'function') {
        const at = list.findLastIndex((each) => each === listener || each.listener === listener);
        if (at < 0) return this;
        list.splice(at, 1);
        if (list.length === 1) events[type] = list[0];
        if (events.removeListener !== undefined) this.emit('removeListener', type, listener);
      }
      return this;
    },
    off(type, listener) { return this.removeListener(type, listener); },
    removeAllListeners(type) {
      const events = this._events;
      if (events === undefined) return this;
      if (arguments.length === 0) {
        if (events.removeListener !== undefined) for (const key of Reflect.ownKeys(events)) if (key !== 'removeListener') this.removeAllListeners(key);
        this._events = Object.create(null);
        this._eventsCount = 0;
        return this;
      }
      const list = events[type];
      if (list === undefined) return this;
      if (events.removeListener !== undefined) for (const listener of [list].flat().reverse()) this.removeListener(type, listener);
      else {
        delete events[type];
        this._eventsCount--;
      }
      return this;
    },
    listeners(type) {
      const list = this._events?.[type];
      return list === undefined ? [] : [list].flat().map((listener) => listener.listener ?? listener);
    },
    rawListeners(type) {
      const list = this._events?.[type];
      return list === undefined ? [] : [list].flat();
    },
    listenerCount(type, listener) {
      const list = this._events?.[type];
      if (list === undefined) return 0;
      if (listener !== undefined) return [list].flat().filter((each) => each === listener || each.listener === listener).length;
      return typeof list === 'function' ? 1 : list.length;
    },
    eventNames() { return this._eventsCount > 0 ? Reflect.ownKeys(this._events) : []; },
    setMaxListeners(count) {
      if (typeof count !== 'number' || count < 0 || Number.isNaN(count)) throw rt.error(RangeError, 'ERR_OUT_OF_RANGE', `The value of "n" is out of range. It must be a non-negative number. Received ${rt.inspect(count)}`);
      this._maxListeners = count;
      return this;
    },
    getMaxListeners() { return limit(this); },
  };
  for (const name of Object.keys(methods)) Object.defineProperty(proto, name, { value: methods[name], writable: true, configurable: true, enumerable: true });
  const aborted = (signal) => {
    const error = new Error('The operation was aborted', { cause: signal.reason });
    error.name = 'AbortError';
    error.code = 'ABORT_ERR';
    return error;
  };
  rt.aborted = aborted;
  Object.assign(EventEmitter, {
    EventEmitter,
    once(emitter, name, options) {
      return new Promise((resolve, reject) => {
        const signal = options?.signal;
        if (signal?.aborted) return reject(aborted(signal));
        const target = typeof emitter.addEventListener === 'function' && typeof emitter.on !== 'function';
        const end = () => {
          if (target) emitter.removeEventListener(name, done);
          else {
            emitter.removeListener(name, done);
            emitter.removeListener('error', fail);
          }
          signal?.removeEventListener('abort', stop);
        };
        const done = (...args) => {
          end();
          resolve(args);
        };
        const fail = (error) => {
          end();
          reject(error);
        };
        const stop = () => fail(aborted(signal));
        if (target) emitter.addEventListener(name, done, { once: true });
        else {
          emitter.once(name, done);
          if (name !== 'error') emitter.once('error', fail);
        }
        signal?.addEventListener('abort', stop, { once: true });
      });
    },
    on(emitter, name, options) {
      const signal = options?.signal;
      if (signal?.aborted) throw aborted(signal);
      const queue = [];
      const waiting = [];
      let failure;
      let ended = false;
      const push = (...args) => (waiting.length ? waiting.shift().resolve({ value: args, done: false }) : queue.push(args));
      const fail = (error) => {
        if (waiting.length) waiting.shift().reject(error);
        else failure = error;
        end();
      };
      const end = () => {
        emitter.removeListener(name, push);
        emitter.removeListener('error', fail);
        ended = true;
        for (const wait of waiting.splice(0)) wait.resolve({ value: undefined, done: true });
        return Promise.resolve({ value: undefined, done: true });
      };
      emitter.on(name, push);
      if (name !== 'error') emitter.on('error', fail);
      for (const close of options?.close ?? []) emitter.on(close, end);
      signal?.addEventListener('abort', () => fail(aborted(signal)), { once: true });
      return {
        next() {
          if (queue.length) return Promise.resolve({ value: queue.shift(), done: false });
          if (failure) {
            const error = failure;
            failure = undefined;
            return Promise.reject(error);
          }
          if (ended) return Promise.resolve({ value: undefined, done: true });
          return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
        },
        return: end,
        throw(error) {
          fail(error);
          return Promise.reject(error);
        },
        [Symbol.asyncIterator]() { return this; },
      };
    },
    listenerCount: (emitter, type) => (typeof emitter.listenerCount === 'function' ? emitter.listenerCount(type) : rt.listenerCount(emitter, type)),
    getEventListeners: (emitter, type) => (typeof emitter.listeners === 'function' ? emitter.listeners(type) : []),
    getMaxListeners: (emitter) => (typeof emitter.getMaxListeners === 'function' ? emitter.getMaxListeners() : 0),
    setMaxListeners(count = EventEmitter.defaultMaxListeners, ...targets) {
      if (targets.length === 0) EventEmitter.defaultMaxListeners = count;
      for (const target of targets) target.setMaxListeners?.(count);
    },
    addAbortListener(signal, listener) {
      const release = rt.onAbort(signal, () => listener(new Event('abort')));
      return { [Symbol.dispose ?? Symbol.for('dispose')]: release };
    },
  });
  class EventEmitterAsyncResource extends EventEmitter {
    constructor(options) {
      super(typeof options === 'object' ? options : undefined);
      this.scope = rt.scope();
    }
    emit(...args) { return rt.inScope(this.scope, super.emit, this, args); }
    emitDestroy() {}
  }
  EventEmitter.EventEmitterAsyncResource = EventEmitterAsyncResource;
  rt.EventEmitter = EventEmitter;
  rt.define('events', () => EventEmitter);
})(globalThis.__emu);
