// Timers, microtasks and process.nextTick, each of which carries the asynchronous scope (AsyncLocalStorage) along.
((emu) => {
  'use strict';
  const { rt } = emu;
  const { start, cancel, later, setScope } = emu;

  // The scope is an immutable Map of AsyncLocalStorage → store, or undefined. The engine carries it over promises' reactions.
  rt.scope = () => { const scope = emu.scope(); return scope instanceof Map ? scope : undefined; };
  rt.inScope = (scope, call, self, args) => {
    const before = rt.scope();
    setScope(scope);
    try {
      return Reflect.apply(call, self, args);
    } finally {
      setScope(before);
    }
  };
  rt.setScope = setScope;
  const guarded = (scope, call, args) => {
    const before = rt.scope();
    if (before !== scope) setScope(scope);
    try {
      call(...args);
    } catch (error) {
      rt.report(error);
    } finally {
      if (rt.scope() !== before) setScope(before);
    }
  };

  /** Operations that the host has begun, by id. */
  const pending = new Map();
  rt.pending = pending;
  rt.begin = (op, meta, data, done) => {
    const id = start(op, meta, data);
    pending.set(id, { op, done, scope: rt.scope() });
    return id;
  };
  rt.cancel = (id) => {
    if (pending.delete(id)) cancel(id);
  };
  emu.complete = (id, ok, meta, data) => {
    const operation = pending.get(id);
    if (!operation) return;
    pending.delete(id);
    guarded(operation.scope, operation.done, [ok, meta, data]);
  };

  let lastTimer = 0;
  const timers = new Map();
  class Timeout {
    #ref = true;
    constructor(call, ms, args, repeat) {
      ms = Number(ms);
      this._idleTimeout = ms >= 1 && ms <= 0x7fffffff ? Math.trunc(ms) : 1;
      this._repeat = repeat ? this._idleTimeout : null;
      this._onTimeout = call;
      this._args = args;
      this._id = ++lastTimer;
      this._operation = 0;
      this._destroyed = false;
      timers.set(this._id, this);
      this._arm();
    }
    _arm() {
      this._operation = rt.begin('sleep', String(this._idleTimeout), null, () => {
        if (this._destroyed) return;
        if (this._repeat === null) this._end();
        this._onTimeout.apply(this, this._args);
        if (this._repeat !== null && !this._destroyed) this._arm();
      });
    }
    _end() {
      this._destroyed = true;
      timers.delete(this._id);
    }
    close() {
      if (!this._destroyed) rt.cancel(this._operation);
      this._end();
      return this;
    }
    refresh() {
      if (!this._destroyed) rt.cancel(this._operation);
      else timers.set(this._id, this);
      this._destroyed = false;
      this._arm();
      return this;
    }
    ref() {
      this.#ref = true;
      return this;
    }
    unref() {
      this.#ref = false;
      return this;
    }
    hasRef() {
      return this.#ref;
    }
    [Symbol.toPrimitive]() {
      return this._id;
    }
    [Symbol.dispose ?? Symbol.for('dispose')]() {
      this.close();
    }
  }
  class Immediate {
    #ref = true;
    constructor(call, args) {
      this._operation = rt.begin('sleep', '0', null, () => {
        this._operation = 0;
        call(...args);
      });
    }
    ref() {
      this.#ref = true;
      return this;
    }
    unref() {
      this.#ref = false;
      return this;
    }
    hasRef() {
      return this.#ref;
    }
    [Symbol.dispose ?? Symbol.for('dispose')]() {
      clearImmediate(this);
    }
  }
  const check = (call) => {
    if (typeof call !== 'function') throw rt.error(TypeError, 'ERR_INVALID_ARG_TYPE', `The "callback" argument must be of type function. Received ${call === null ? 'null' : typeof call}`);
  };
  function setTimeout(call, ms, ...args) {
    check(call);
    return new Timeout(call, ms, args, false);
  }
  function setInterval(call, ms, ...args) {
    check(call);
    return new Timeout(call, ms, args, true);
  }
  function setImmediate(call, ...args) {
    check(call);
    return new Immediate(call, args);
  }
  function clearTimeout(timer) {
    if (timer === null || timer === undefined) return;
    if (typeof timer === 'number' || typeof timer === 'string') timer = timers.get(Number(timer));
    if (timer instanceof Timeout) timer.close();
    else if (timer instanceof Immediate) clearImmediate(timer);
  }
  function clearImmediate(immediate) {
    if (immediate instanceof Immediate) rt.cancel(immediate._operation);
    else if (immediate instanceof Timeout) immediate.close();
  }
  function queueMicrotask(call) {
    check(call);
    later(call, []);
  }
  rt.nextTick = (call, ...args) => {
    check(call);
    later(call, args);
  };
  /** Stops every timer: between invocations of one sandbox nothing of the former may run on. */
  rt.hasTimers = () => timers.size > 0;
  for (const call of [setTimeout, setInterval, setImmediate, clearTimeout, clearImmediate, queueMicrotask]) rt.global(call.name, call);
  function clearInterval(timer) {
    clearTimeout(timer);
  }
  rt.global('clearInterval', clearInterval);
  rt.define('timers', () => {
    const promises = rt.require('timers/promises');
    return { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate, promises };
  });
  rt.define('timers/promises', () => {
    const aborted = (signal) => {
      const error = new Error('The operation was aborted', { cause: signal.reason });
      error.name = 'AbortError';
      error.code = 'ABORT_ERR';
      return error;
    };
    const wait = (begin, end) => (value, options) =>
      new Promise((resolve, reject) => {
        const signal = options?.signal;
        if (signal?.aborted) return reject(aborted(signal));
        const timer = begin(() => {
          signal?.removeEventListener('abort', stop);
          resolve(value);
        });
        const stop = () => {
          end(timer);
          reject(aborted(signal));
        };
        signal?.addEventListener('abort', stop, { once: true });
      });
    const after = (ms, value, options) => wait((done) => setTimeout(done, ms), clearTimeout)(value, options);
    return {
      setTimeout: after,
      setImmediate: (value, options) => wait((done) => setImmediate(done), clearImmediate)(value, options),
      async *setInterval(ms, value, options) {
        for (;;) yield await after(ms, value, options);
      },
      scheduler: { wait: (ms, options) => after(ms, undefined, options), yield: () => wait((done) => setImmediate(done), clearImmediate)() },
    };
  });
  const symbol = Symbol.for('nodejs.util.promisify.custom');
  Object.defineProperty(setTimeout, symbol, { get: () => rt.require('timers/promises').setTimeout });
  Object.defineProperty(setImmediate, symbol, { get: () => rt.require('timers/promises').setImmediate });
})(globalThis.__emu);
