// Event, EventTarget, CustomEvent, AbortController, AbortSignal, structuredClone, performance, navigator.
((emu) => {
  'use strict';
  const { rt } = emu;
  const stopped = Symbol('stopped');
  class Event {
    #type; #bubbles; #cancelable; #composed; #prevented = false; #stop = false;
    #time = globalThis.performance?.now() ?? 0;
    constructor(type, options) {
      if (arguments.length === 0) throw new TypeError('The "type" argument must be specified');
      this.#type = String(type);
      this.#bubbles = Boolean(options?.bubbles);
      this.#cancelable = Boolean(options?.cancelable);
      this.#composed = Boolean(options?.composed);
      this[state] = { target: null, current: null, phase: 0, passive: false };
      Object.defineProperty(this, state, { enumerable: false });
    }
    get type() { return this.#type; }
    get target() { return this[state].target; }
    get srcElement() { return this[state].target; }
    get currentTarget() { return this[state].current; }
    get eventPhase() { return this[state].phase; }
    get bubbles() { return this.#bubbles; }
    get cancelable() { return this.#cancelable; }
    get composed() { return this.#composed; }
    get defaultPrevented() { return this.#prevented; }
    get returnValue() { return !this.#prevented; }
    get timeStamp() { return this.#time; }
    get isTrusted() { return false; }
    get cancelBubble() { return this.#stop; }
    set cancelBubble(value) { if (value) this.#stop = true; }
    composedPath() { return this[state].current ? [this[state].current] : []; }
    preventDefault() { if (this.#cancelable && !this[state].passive) this.#prevented = true; }
    stopPropagation() { this.#stop = true; }
    stopImmediatePropagation() {
      this.#stop = true;
      this[stopped] = true;
    }
    static NONE = 0; static CAPTURING_PHASE = 1; static AT_TARGET = 2; static BUBBLING_PHASE = 3;
  }
  const state = Symbol('state');
  rt.tag(Event, 'Event');
  class CustomEvent extends Event {
    #detail;
    constructor(type, options) {
      super(type, options);
      this.#detail = options?.detail ?? null;
    }
    get detail() { return this.#detail; }
  }
  rt.tag(CustomEvent, 'CustomEvent');
  class ErrorEvent extends Event {
    constructor(type, options) {
      super(type, options);
      this.message = options?.message ?? '';
      this.filename = options?.filename ?? '';
      this.lineno = options?.lineno ?? 0;
      this.colno = options?.colno ?? 0;
      this.error = options?.error;
    }
  }
  class MessageEvent extends Event {
    constructor(type, options) {
      super(type, options);
      this.data = options?.data ?? null;
      this.origin = options?.origin ?? '';
      this.lastEventId = options?.lastEventId ?? '';
      this.source = options?.source ?? null;
      this.ports = options?.ports ?? [];
    }
  }
  const listeners = Symbol('listeners');
  class EventTarget {
    constructor() {
      Object.defineProperty(this, listeners, { value: new Map(), enumerable: false });
    }
    addEventListener(type, listener, options) {
      if (listener === null || listener === undefined) return;
      type = String(type);
      const capture = typeof options === 'boolean' ? options : Boolean(options?.capture);
      const signal = options?.signal;
      if (signal?.aborted) return;
      let list = this[listeners].get(type);
      if (!list) this[listeners].set(type, (list = []));
      if (list.some((each) => each.listener === listener && each.capture === capture)) return;
      const entry = { listener, capture, once: Boolean(options?.once), passive: Boolean(options?.passive), removed: false };
      list.push(entry);
      signal?.addEventListener('abort', () => this.removeEventListener(type, listener, { capture }), { once: true });
    }
    removeEventListener(type, listener, options) {
      const capture = typeof options === 'boolean' ? options : Boolean(options?.capture);
      const list = this[listeners].get(String(type));
      const at = list?.findIndex((each) => each.listener === listener && each.capture === capture) ?? -1;
      if (at >= 0) list.splice(at, 1)[0].removed = true;
    }
    dispatchEvent(event) {
      if (!(event instanceof Event)) throw rt.error(TypeError, 'ERR_INVALID_ARG_TYPE', 'The "event" argument must be an instance of Event');
      const its = event[state];
      if (its.phase !== 0) throw new DOMException('The event is already being dispatched', 'InvalidStateError');
      its.target = its.current = this;
      its.phase = 2;
      for (const entry of [...(this[listeners].get(event.type) ?? [])]) {
        if (entry.removed) continue;
        if (entry.once) this.removeEventListener(event.type, entry.listener, { capture: entry.capture });
        its.passive = entry.passive;
        try {
          if (typeof entry.listener === 'function') entry.listener.call(this, event);
          else entry.listener.handleEvent?.(event);
        } catch (error) {
          rt.report(error);
        }
        if (event[stopped]) break;
      }
      its.passive = false;
      its.current = null;
      its.phase = 0;
      return !event.defaultPrevented;
    }
  }
  rt.tag(EventTarget, 'EventTarget');
  rt.listenerCount = (target, type) => target[listeners]?.get(type)?.length ?? 0;
  /** Defines `onabort`-like attributes. */
  rt.handlerAttribute = (Class, type) => {
    const handlers = new WeakMap();
    Object.defineProperty(Class.prototype, `on${type}`, {
      configurable: true,
      enumerable: true,
      get() { return handlers.get(this)?.call ?? null; },
      set(call) {
        const before = handlers.get(this);
        if (before) this.removeEventListener(type, before.listener);
        handlers.delete(this);
        if (typeof call !== 'function') return;
        const listener = (event) => call.call(this, event);
        handlers.set(this, { call, listener });
        this.addEventListener(type, listener);
      },
    });
  };

  const key = Symbol('construct');
  class AbortSignal extends EventTarget {
    #aborted = false; #reason; #sources; #steps = new Set();
    constructor(secret) {
      if (secret !== key) throw rt.error(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
      super();
    }
    get aborted() { return this.#aborted; }
    get reason() { return this.#reason; }
    throwIfAborted() { if (this.#aborted) throw this.#reason; }
    static _abort(signal, reason) {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
      const steps = [...signal.#steps];
      signal.#steps.clear();
      for (const step of steps) step(signal.#reason);
      signal.dispatchEvent(new Event('abort'));
    }
    static _onAbort(signal, step) {
      if (signal.#aborted) step(signal.#reason);
      else signal.#steps.add(step);
      return () => signal.#steps.delete(step);
    }
    static _make() { return new AbortSignal(key); }
    static abort(reason) {
      const signal = new AbortSignal(key);
      AbortSignal._abort(signal, reason);
      return signal;
    }
    static timeout(ms) {
      const signal = new AbortSignal(key);
      setTimeout(() => AbortSignal._abort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')), ms);
      return signal;
    }
    static any(signals) {
      const signal = new AbortSignal(key);
      for (const source of signals) {
        if (!(source instanceof AbortSignal)) throw new TypeError('AbortSignal.any wants AbortSignals');
        if (source.aborted) {
          AbortSignal._abort(signal, source.reason);
          return signal;
        }
      }
      for (const source of signals) source.#steps.add((reason) => AbortSignal._abort(signal, reason));
      return signal;
    }
  }
  rt.tag(AbortSignal, 'AbortSignal');
  rt.handlerAttribute(AbortSignal, 'abort');
  const { _abort: abort, _onAbort: onAbort, _make: make } = AbortSignal;
  delete AbortSignal._abort;
  delete AbortSignal._onAbort;
  delete AbortSignal._make;
  /** Calls `step(reason)` when the signal aborts (at once when it has); returns what takes it back. */
  rt.onAbort = (signal, step) => {
    if (signal instanceof AbortSignal) return onAbort(signal, step);
    if (signal.aborted) {
      step(signal.reason);
      return () => {};
    }
    const listener = () => step(signal.reason);
    signal.addEventListener('abort', listener, { once: true });
    return () => signal.removeEventListener('abort', listener);
  };
  class AbortController {
    #signal = make();
    get signal() { return this.#signal; }
    abort(reason) { abort(this.#signal, reason); }
  }
  rt.tag(AbortController, 'AbortController');
  for (const Class of [Event, CustomEvent, ErrorEvent, MessageEvent, EventTarget, AbortSignal, AbortController]) rt.global(Class.name, Class);

  // What the structured clone algorithm knows, and nothing else: functions and symbols are refused.
  function structuredClone(value, options) {
    const seen = new Map();
    const transfer = new Set(options?.transfer ?? []);
    const refuse = (what) => { throw new DOMException(`${what} could not be cloned.`, 'DataCloneError'); };
    const copy = (from) => {
      if (typeof from === 'symbol' || typeof from === 'function') refuse(typeof from === 'symbol' ? from.toString() : String(from).slice(0, 60));
      if (typeof from !== 'object' || from === null) return from;
      if (seen.has(from)) return seen.get(from);
      const keep = (to) => {
        seen.set(from, to);
        return to;
      };
      if (from instanceof ArrayBuffer) return keep(transfer.has(from) ? from.transfer() : from.slice(0));
      if (ArrayBuffer.isView(from)) {
        const buffer = copy(from.buffer);
        if (from instanceof DataView) return keep(new DataView(buffer, from.byteOffset, from.byteLength));
        const Kind = globalThis[Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get.call(from)];
        return keep(new Kind(buffer, from.byteOffset, from.length));
      }
      if (from instanceof Date) return keep(new Date(from.getTime()));
      if (from instanceof RegExp) return keep(new RegExp(from.source, from.flags));
      if (from instanceof Map) {
        const to = keep(new Map());
        for (const [key, item] of [...from]) to.set(copy(key), copy(item));
        return to;
      }
      if (from instanceof Set) {
        const to = keep(new Set());
        for (const item of [...from]) to.add(copy(item));
        return to;
      }
      if (from instanceof Error) {
        const Kind = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError }[from.name] ?? Error;
        const to = keep(Object.create(Kind.prototype));
        for (const key of ['message', 'stack']) if (Object.hasOwn(from, key)) Object.defineProperty(to, key, { value: String(from[key]), writable: true, configurable: true });
        if (Object.hasOwn(from, 'cause')) Object.defineProperty(to, 'cause', { value: copy(from.cause), writable: true, configurable: true });
        return to;
      }
      if (from instanceof Number || from instanceof String || from instanceof Boolean || from instanceof BigInt) return keep(Object(from.valueOf()));
      if (from instanceof Promise || from instanceof WeakMap || from instanceof WeakSet || from instanceof WeakRef) refuse(`#<${from.constructor.name}>`);
      if (typeof globalThis.Blob === 'function' && from instanceof globalThis.Blob) return keep(from);
      const to = keep(Array.isArray(from) ? new Array(from.length) : {});
      for (const key of Object.keys(from)) to[key] = copy(from[key]);
      return to;
    };
    return copy(value);
  }
  rt.global('structuredClone', structuredClone);

  // performance counts from the beginning of this sandbox, not from the making of its image.
  let origin = emu.now();
  let entries = [];
  rt.startedAt = () => origin;
  rt.restartClock = () => {
    origin = emu.now();
    entries = [];
  };
  class PerformanceEntry {
    constructor(name, entryType, startTime, duration, detail = null) {
      Object.assign(this, { name, entryType, startTime, duration, detail });
    }
    toJSON() { return { ...this }; }
  }
  const at = (mark) => {
    if (typeof mark === 'number') return mark;
    const found = entries.findLast((entry) => entry.entryType === 'mark' && entry.name === mark);
    if (!found) throw new DOMException(`The "${mark}" performance mark has not been set`, 'SyntaxError');
    return found.startTime;
  };
  class Performance extends EventTarget {
    get timeOrigin() { return origin; }
    now() { return emu.now() - origin; }
    mark(name, options) {
      const entry = new PerformanceEntry(String(name), 'mark', options?.startTime ?? this.now(), 0, options?.detail ?? null);
      if (entries.length < 10000) entries.push(entry);
      return entry;
    }
    measure(name, from, to) {
      let detail = null;
      let end;
      let start;
      if (from !== null && typeof from === 'object') {
        detail = from.detail ?? null;
        end = from.end !== undefined ? at(from.end) : from.duration !== undefined && from.start !== undefined ? at(from.start) + from.duration : this.now();
        start = from.start !== undefined ? at(from.start) : from.duration !== undefined ? end - from.duration : 0;
      } else {
        end = to === undefined ? this.now() : at(to);
        start = from === undefined ? 0 : at(from);
      }
      const entry = new PerformanceEntry(String(name), 'measure', start, end - start, detail);
      if (entries.length < 10000) entries.push(entry);
      return entry;
    }
    getEntries() { return [...entries]; }
    getEntriesByName(name, type) { return entries.filter((entry) => entry.name === name && (!type || entry.entryType === type)); }
    getEntriesByType(type) { return entries.filter((entry) => entry.entryType === type); }
    clearMarks(name) { entries = entries.filter((entry) => entry.entryType !== 'mark' || (name !== undefined && entry.name !== name)); }
    clearMeasures(name) { entries = entries.filter((entry) => entry.entryType !== 'measure' || (name !== undefined && entry.name !== name)); }
    clearResourceTimings() {}
    setResourceTimingBufferSize() {}
    eventLoopUtilization() { return { idle: 0, active: 0, utilization: 0 }; }
    timerify(call) { return call; }
    get nodeTiming() { return { name: 'node', entryType: 'node', startTime: 0, duration: this.now() }; }
    toJSON() { return { timeOrigin: origin, nodeTiming: this.nodeTiming }; }
  }
  rt.tag(Performance, 'Performance');
  rt.global('Performance', Performance);
  rt.global('PerformanceEntry', PerformanceEntry);
  rt.global('performance', new Performance());
  rt.define('perf_hooks', () => {
    class PerformanceObserver {
      static supportedEntryTypes = [];
      observe() { throw rt.missing('PerformanceObserver.observe', 'node:perf_hooks'); }
      disconnect() {}
      takeRecords() { return []; }
    }
    return {
      performance: globalThis.performance, Performance, PerformanceEntry, PerformanceObserver, constants: {},
      createHistogram() { throw rt.missing('createHistogram', 'node:perf_hooks'); },
      monitorEventLoopDelay() { throw rt.missing('monitorEventLoopDelay', 'node:perf_hooks', 'there is no event loop to watch'); },
    };
  });
  rt.global('navigator', Object.freeze({ userAgent: 'Node.js/20', hardwareConcurrency: 1, language: 'en-US', languages: Object.freeze(['en-US']), platform: 'linux' }));
  rt.global('reportError', (error) => rt.report(error));
})(globalThis.__emu);
