// node:util, node:assert, node:diagnostics_channel.
((emu) => {
  'use strict';
  const { rt } = emu;
  const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1);
  const typedTag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;
  rt.define('util/types', () => {
    const types = {
      isAnyArrayBuffer: (v) => v instanceof ArrayBuffer || tagOf(v) === 'SharedArrayBuffer', isArrayBuffer: (v) => v instanceof ArrayBuffer, isSharedArrayBuffer: (v) => tagOf(v) === 'SharedArrayBuffer',
      isArrayBufferView: (v) => ArrayBuffer.isView(v), isTypedArray: (v) => typedTag.call(v) !== undefined, isDataView: (v) => v instanceof DataView,
      isArgumentsObject: (v) => tagOf(v) === 'Arguments', isAsyncFunction: (v) => typeof v === 'function' && /^Async(Generator)?Function$/.test(tagOf(v)), isGeneratorFunction: (v) => typeof v === 'function' && /GeneratorFunction$/.test(tagOf(v)), isGeneratorObject: (v) => tagOf(v) === 'Generator',
      isBigIntObject: (v) => typeof v === 'object' && v instanceof BigInt, isBooleanObject: (v) => typeof v === 'object' && v instanceof Boolean, isNumberObject: (v) => typeof v === 'object' && v instanceof Number, isStringObject: (v) => typeof v === 'object' && v instanceof String, isSymbolObject: (v) => typeof v === 'object' && v instanceof Symbol,
      isBoxedPrimitive: (v) => typeof v === 'object' && (v instanceof BigInt || v instanceof Boolean || v instanceof Number || v instanceof String || v instanceof Symbol),
      isDate: (v) => v instanceof Date, isRegExp: (v) => v instanceof RegExp, isMap: (v) => v instanceof Map, isSet: (v) => v instanceof Set, isWeakMap: (v) => v instanceof WeakMap, isWeakSet: (v) => v instanceof WeakSet,
      isMapIterator: (v) => tagOf(v) === 'Map Iterator', isSetIterator: (v) => tagOf(v) === 'Set Iterator', isNativeError: (v) => (typeof Error.isError === 'function' ? Error.isError(v) : v instanceof Error), isPromise: (v) => v instanceof Promise, isProxy: () => false,
      isModuleNamespaceObject: (v) => tagOf(v) === 'Module', isExternal: () => false, isCryptoKey: (v) => v instanceof globalThis.CryptoKey, isKeyObject: (v) => v instanceof rt.require('crypto').KeyObject,
    };
    for (const name of ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array']) types[`is${name}`] = (v) => typedTag.call(v) === name;
    return types;
  });
  const same = (a, b, strict) => (strict ? Object.is(a, b) : a == b || (a !== a && b !== b)); // eslint-disable-line eqeqeq
  function equal(a, b, strict, seen) {
    if (same(a, b, strict)) return true;
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
      if (strict || typeof a !== 'function' || typeof b !== 'function') return false;
      return a === b;
    }
    if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
    if (tagOf(a) !== tagOf(b) || Array.isArray(a) !== Array.isArray(b)) return false;
    if (a instanceof Date && (!(b instanceof Date) || a.getTime() !== b.getTime())) return false;
    if (a instanceof RegExp && (String(a) !== String(b) || a.lastIndex !== b.lastIndex)) return false;
    if (a instanceof Error && (a.message !== b.message || a.name !== b.name)) return false;
    if ((a instanceof Number || a instanceof String || a instanceof Boolean || a instanceof BigInt || a instanceof Symbol) && !Object.is(a.valueOf(), b.valueOf())) return false;
    if (a instanceof ArrayBuffer) return equal(new Uint8Array(a), new Uint8Array(b), strict, seen);
    if (ArrayBuffer.isView(a)) {
      if (a.byteLength !== b.byteLength) return false;
      const x = rt.bytes(a);
      const y = rt.bytes(b);
      for (let at = 0; at < x.length; at++) if (x[at] !== y[at]) return false;
      return true;
    }
    if (Array.isArray(a) && a.length !== b.length) return false;
    for (const [x, y] of seen) if (x === a && y === b) return true;
    seen.push([a, b]);
    try {
      if (a instanceof Set) {
        if (a.size !== b.size) return false;
        const rest = [...b];
        for (const item of a) {
          if (b.has(item)) {
            const at = rest.findIndex((each) => Object.is(each, item));
            if (at >= 0) rest.splice(at, 1);
            continue;
          }
          const at = rest.findIndex((each) => (!strict || typeof item === 'object') && equal(item, each, strict, seen));
          if (at < 0) return false;
          rest.splice(at, 1);
        }
      } else if (a instanceof Map) {
        if (a.size !== b.size) return false;
        const rest = [...b];
        for (const [key, value] of a) {
          const at = rest.findIndex(([k, v]) => (Object.is(k, key) || equal(k, key, strict, seen)) && equal(value, v, strict, seen));
          if (at < 0) return false;
          rest.splice(at, 1);
        }
      }
      const keys = Object.keys(a);
      if (keys.length !== Object.keys(b).length) return false;
      for (const key of keys) if (!Object.hasOwn(b, key) || !equal(a[key], b[key], strict, seen)) return false;
      if (strict) {
        const symbols = (v) => Object.getOwnPropertySymbols(v).filter((s) => Object.prototype.propertyIsEnumerable.call(v, s));
        const list = symbols(a);
        if (list.length !== symbols(b).length) return false;
        for (const key of list) if (!equal(a[key], b[key], strict, seen)) return false;
      }
      return true;
    } finally {
      seen.pop();
    }
  }
  rt.deepEqual = (a, b, strict) => equal(a, b, strict, []);
  rt.define('util', () => {
    const custom = Symbol.for('nodejs.util.promisify.custom');
    function promisify(original) {
      if (typeof original !== 'function') throw rt.invalidArgument('"original"', 'of type function', original);
      if (original[custom]) return original[custom];
      function made(...args) {
        return new Promise((resolve, reject) => {
          Reflect.apply(original, this, [...args, (error, ...values) => {
            if (error) return reject(error);
            const names = original[multiple];
            if (names) return resolve(Object.fromEntries(names.map((name, at) => [name, values[at]])));
            return resolve(values[0]);
          }]);
        });
      }
      Object.setPrototypeOf(made, Object.getPrototypeOf(original));
      Object.defineProperty(made, custom, { value: made, configurable: true });
      return Object.defineProperties(made, Object.getOwnPropertyDescriptors(original));
    }
    promisify.custom = custom;
    const multiple = Symbol('customPromisifyArgs');
    rt.promisifyArgs = multiple;
    function callbackify(original) {
      if (typeof original !== 'function') throw rt.invalidArgument('"original"', 'of type function', original);
      function made(...args) {
        const done = args.pop();
        if (typeof done !== 'function') throw rt.invalidArgument('The last argument', 'of type function', done);
        Reflect.apply(original, this, args).then((value) => rt.nextTick(done, null, value), (reason) => {
          if (!reason) reason = rt.error(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value', { reason });
          rt.nextTick(done, reason);
        });
      }
      Object.setPrototypeOf(made, Object.getPrototypeOf(original));
      return made;
    }
    function deprecate(call, message, code) {
      let warned = false;
      function made(...args) {
        if (!warned) {
          warned = true;
          rt.process.emitWarning(message, 'DeprecationWarning', code);
        }
        return new.target ? Reflect.construct(call, args, new.target) : Reflect.apply(call, this, args);
      }
      Object.setPrototypeOf(made, call);
      if (call.prototype) made.prototype = call.prototype;
      return made;
    }
    const debuglog = (section) => {
      const on = new RegExp(`(^|,)(${section}|\\*)(,|$)`, 'i').test(rt.process.env.NODE_DEBUG ?? '');
      const log = (...args) => { if (on) emu.log(1, `${section.toUpperCase()} 8: ${rt.format(...args)}`); };
      Object.defineProperty(log, 'enabled', { get: () => on });
      return log;
    };
    const ansi = /[\u001b\u009b][[\]()#;?]*(?:(?:(?:(?:;[-a-zA-Z\d/#&.:=?%@~_]+)*|[a-zA-Z\d]+(?:;[-a-zA-Z\d/#&.:=?%@~_]*)*)?\u0007)|(?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-ntqry=><~]))/g;
    function parseArgs({ args = rt.process.argv.slice(2), options = {}, strict = true, allowPositionals = !strict, tokens } = {}) {
      const values = Object.create(null);
      const positionals = [];
      const list = [...args];
      const fail = (code, message) => { throw rt.error(TypeError, code, message); };
      const long = (letter) => Object.keys(options).find((name) => options[name].short === letter);
      const store = (name, value) => {
        if (options[name]?.multiple) (values[name] ??= []).push(value);
        else values[name] = value;
      };
      const take = (name, value, shown) => {
        const option = options[name];
        if (!option && strict) fail('ERR_PARSE_ARGS_UNKNOWN_OPTION', `Unknown option '${shown}'`);
        if (option?.type === 'string') {
          if (value === undefined) {
            if (list.length === 0 || (strict && list[0].startsWith('-') && list[0].length > 1)) fail('ERR_PARSE_ARGS_INVALID_OPTION_VALUE', `Option '${shown} <value>' argument missing`);
            value = list.shift();
          }
          store(name, value);
        } else {
          if (value !== undefined && option && strict) fail('ERR_PARSE_ARGS_INVALID_OPTION_VALUE', `Option '${shown}' does not take an argument`);
          store(name, value ?? true);
        }
      };
      while (list.length) {
        const word = list.shift();
        if (word === '--') {
          positionals.push(...list.splice(0));
        } else if (word.startsWith('--')) {
          const at = word.indexOf('=');
          const name = at < 0 ? word.slice(2) : word.slice(2, at);
          take(name, at < 0 ? undefined : word.slice(at + 1), `--${name}`);
        } else if (word.startsWith('-') && word.length > 1) {
          for (let at = 1; at < word.length; at++) {
            const name = long(word[at]) ?? word[at];
            if (options[name]?.type === 'string') {
              take(name, at + 1 < word.length ? word.slice(at + 1) : undefined, `-${word[at]}`);
              break;
            }
            take(name, undefined, `-${word[at]}`);
          }
        } else {
          if (!allowPositionals) fail('ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL', `Unexpected argument '${word}'. This command does not take positional arguments`);
          positionals.push(word);
        }
      }
      for (const [name, option] of Object.entries(options)) if (option.default !== undefined && values[name] === undefined) values[name] = option.default;
      if (tokens) throw rt.missing('parseArgs({ tokens: true })', 'node:util');
      return { values, positionals };
    }
    const { inspect } = rt;
    const is = (kind) => (value) => typeof value === kind;
    return {
      inspect, format: rt.format, formatWithOptions: rt.formatWithOptions, promisify, callbackify, deprecate, debuglog, debug: debuglog, parseArgs, types: rt.require('util/types'),
      inherits(child, parent) {
        if (typeof child !== 'function') throw rt.invalidArgument('"ctor"', 'of type function', child);
        if (typeof parent !== 'function') throw rt.invalidArgument('"superCtor"', 'of type function', parent);
        Object.defineProperty(child, 'super_', { value: parent, writable: true, configurable: true });
        Object.setPrototypeOf(child.prototype, parent.prototype);
      },
      isDeepStrictEqual: (a, b) => rt.deepEqual(a, b, true), stripVTControlCharacters: (text) => String(text).replace(ansi, ''), toUSVString: (text) => String(text).toWellFormed(),
      styleText(format, text) {
        let out = String(text);
        for (const name of [format].flat().reverse()) {
          const code = inspect.colors[name];
          if (!code) throw rt.error(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'format' must be one of the known styles. Received ${inspect(name)}`);
          out = `\u001b[${code[0]}m${out}\u001b[${code[1]}m`;
        }
        return out;
      },
      TextEncoder: globalThis.TextEncoder, TextDecoder: globalThis.TextDecoder, aborted: (signal) => new Promise((resolve) => rt.onAbort(signal, () => resolve())),
      MIMEType: undefined, getSystemErrorName: (code) => ({ '-2': 'ENOENT', '-13': 'EACCES', '-17': 'EEXIST', '-111': 'ECONNREFUSED' })[code] ?? `Unknown system error ${code}`, getSystemErrorMap: () => new Map([[-2, ['ENOENT', 'no such file or directory']]]),
      isArray: Array.isArray, isBoolean: is('boolean'), isNull: (v) => v === null, isNullOrUndefined: (v) => v === null || v === undefined, isNumber: is('number'), isString: is('string'), isSymbol: is('symbol'), isUndefined: is('undefined'), isFunction: is('function'),
      isRegExp: (v) => v instanceof RegExp, isObject: (v) => v !== null && typeof v === 'object', isDate: (v) => v instanceof Date, isError: (v) => v instanceof Error, isPrimitive: (v) => v === null || (typeof v !== 'object' && typeof v !== 'function'), isBuffer: (v) => v instanceof rt.Buffer,
      log: (...args) => console.log(...args), _extend: (target, source) => (source && typeof source === 'object' ? Object.assign(target, source) : target),
      transferableAbortController: () => new AbortController(), transferableAbortSignal: (signal) => signal,
    };
  });
  rt.define('sys', () => rt.require('util'));

  rt.define('assert', () => {
    class AssertionError extends Error {
      constructor({ message, actual, expected, operator }) {
        super(message ?? `${rt.inspect(actual)} ${operator} ${rt.inspect(expected)}`);
        this.name = 'AssertionError';
        this.code = 'ERR_ASSERTION';
        this.generatedMessage = message === undefined;
        this.actual = actual;
        this.expected = expected;
        this.operator = operator;
      }
    }
    const titles = {
      strictEqual: 'Expected values to be strictly equal:', deepStrictEqual: 'Expected values to be strictly deep-equal:', deepEqual: 'Expected values to be loosely deep-equal:', equal: 'Expected values to be loosely equal:',
      notStrictEqual: 'Expected "actual" to be strictly unequal to:', notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:', notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:', notEqual: 'Expected "actual" to be loosely unequal to:',
    };
    const fail = (actual, expected, message, operator) => {
      if (message instanceof Error) throw message;
      const text = message ?? `${titles[operator]}\n\n${operator.startsWith('not') ? rt.inspect(actual) : `${rt.inspect(actual)} !== ${rt.inspect(expected)}`}\n`;
      const error = new AssertionError({ message: text, actual, expected, operator });
      error.generatedMessage = message === undefined;
      throw error;
    };
    function assert(...args) {
      const [value, message] = args;
      if (value) return;
      if (message instanceof Error) throw message;
      const error = new AssertionError({ message: args.length === 0 ? 'No value argument passed to `assert.ok()`' : message ?? 'The expression evaluated to a falsy value', actual: value, expected: true, operator: '==' });
      error.generatedMessage = message === undefined;
      throw error;
    }
    const check = (operator, test) => (actual, expected, message) => { if (!test(actual, expected)) fail(actual, expected, message, operator); };
    const matches = (error, expected, message) => {
      if (expected === undefined) return;
      if (typeof expected === 'function') {
        if (expected.prototype !== undefined && error instanceof expected) return;
        if (Error.isPrototypeOf(expected)) throw error;
        if (expected.call({}, error) === true) return;
        throw new AssertionError({ message: message ?? 'The validation function is expected to return "true".', actual: error, expected, operator: 'throws' });
      }
      if (expected instanceof RegExp) {
        if (expected.test(String(error))) return;
        throw new AssertionError({ message: message ?? `The input did not match the regular expression ${expected}. Input:\n\n${rt.inspect(String(error))}\n`, actual: error, expected, operator: 'throws' });
      }
      const keys = Object.keys(expected);
      if (expected instanceof Error) keys.push('name', 'message');
      for (const key of keys) {
        const wanted = expected[key];
        if (wanted instanceof RegExp && typeof error?.[key] === 'string' ? wanted.test(error[key]) : rt.deepEqual(error?.[key], wanted, true)) continue;
        throw new AssertionError({ message: message ?? `Expected values to be strictly deep-equal:\n\n${key}: ${rt.inspect(error?.[key])} !== ${rt.inspect(wanted)}\n`, actual: error, expected, operator: 'throws' });
      }
    };
    const none = Symbol('none');
    const caught = (call) => {
      try {
        call();
      } catch (error) {
        return error;
      }
      return none;
    };
    const caughtLater = async (call) => {
      try {
        await (typeof call === 'function' ? call() : call);
      } catch (error) {
        return error;
      }
      return none;
    };
    const expects = (error, expected, message, operator) => {
      if (typeof expected === 'string') {
        message = expected;
        expected = undefined;
      }
      if (error === none) throw message instanceof Error ? message : new AssertionError({ message: `Missing expected ${operator === 'rejects' ? 'rejection' : 'exception'}${expected?.name ? ` (${expected.name})` : ''}${message ? `: ${message}` : '.'}`, actual: undefined, expected, operator });
      matches(error, expected, message);
    };
    const refuses = (error, message, operator) => {
      if (error !== none) throw new AssertionError({ message: `Got unwanted ${operator === 'doesNotReject' ? 'rejection' : 'exception'}${typeof message === 'string' ? `: ${message}` : '.'}\nActual message: "${error?.message}"`, actual: error, operator });
    };
    const strictEqual = check('strictEqual', Object.is);
    const deepStrictEqual = check('deepStrictEqual', (a, b) => rt.deepEqual(a, b, true));
    const loose = {
      equal: check('equal', (a, b) => same(a, b, false)), notEqual: check('notEqual', (a, b) => !same(a, b, false)), deepEqual: check('deepEqual', (a, b) => rt.deepEqual(a, b, false)), notDeepEqual: check('notDeepEqual', (a, b) => !rt.deepEqual(a, b, false)),
    };
    Object.assign(assert, {
      ok: (...args) => assert(...args), AssertionError, ...loose, strictEqual, notStrictEqual: check('notStrictEqual', (a, b) => !Object.is(a, b)), deepStrictEqual, notDeepStrictEqual: check('notDeepStrictEqual', (a, b) => !rt.deepEqual(a, b, true)),
      fail(message) {
        if (message instanceof Error) throw message;
        throw new AssertionError({ message: message ?? 'Failed', operator: 'fail' });
      },
      throws: (call, expected, message) => expects(caught(call), expected, message, 'throws'),
      doesNotThrow: (call, expected, message) => refuses(caught(call), message ?? expected, 'doesNotThrow'),
      rejects: async (call, expected, message) => expects(await caughtLater(call), expected, message, 'rejects'),
      doesNotReject: async (call, expected, message) => refuses(await caughtLater(call), message ?? expected, 'doesNotReject'),
      ifError(value) {
        if (value !== null && value !== undefined) throw new AssertionError({ message: `ifError got unwanted exception: ${value?.message ?? rt.inspect(value)}`, actual: value, expected: null, operator: 'ifError' });
      },
      match(text, pattern, message) {
        if (typeof text !== 'string' || !pattern.test(text)) throw message instanceof Error ? message : new AssertionError({ message: message ?? `The input did not match the regular expression ${pattern}. Input:\n\n${rt.inspect(text)}\n`, actual: text, expected: pattern, operator: 'match' });
      },
      doesNotMatch(text, pattern, message) {
        if (typeof text !== 'string' || pattern.test(text)) throw message instanceof Error ? message : new AssertionError({ message: message ?? `The input was expected to not match the regular expression ${pattern}. Input:\n\n${rt.inspect(text)}\n`, actual: text, expected: pattern, operator: 'doesNotMatch' });
      },
    });
    const strict = Object.assign((...args) => assert(...args), assert, { equal: strictEqual, notEqual: assert.notStrictEqual, deepEqual: deepStrictEqual, notDeepEqual: assert.notDeepStrictEqual });
    assert.strict = strict;
    strict.strict = strict;
    return assert;
  });
  rt.define('assert/strict', () => rt.require('assert').strict);

  rt.define('diagnostics_channel', () => {
    const channels = new Map();
    class Channel {
      constructor(name) {
        this.name = name;
        this._subscribers = [];
        this._stores = new Map();
      }
      get hasSubscribers() { return this._subscribers.length > 0 || this._stores.size > 0; }
      subscribe(call) { this._subscribers = [...this._subscribers, call]; }
      unsubscribe(call) {
        const had = this._subscribers.includes(call);
        this._subscribers = this._subscribers.filter((each) => each !== call);
        return had;
      }
      publish(message) {
        for (const call of this._subscribers) {
          try {
            call(message, this.name);
          } catch (error) {
            rt.nextTick(() => { throw error; });
          }
        }
      }
      bindStore(store, transform = (value) => value) { this._stores.set(store, transform); }
      unbindStore(store) { return this._stores.delete(store); }
      runStores(data, call, self, ...args) {
        let run = () => {
          this.publish(data);
          return Reflect.apply(call, self, args);
        };
        for (const [store, transform] of this._stores) {
          const inner = run;
          run = () => store.run(transform(data), inner);
        }
        return run();
      }
    }
    const channel = (name) => {
      if (!channels.has(name)) channels.set(name, new Channel(name));
      return channels.get(name);
    };
    const events = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];
    class TracingChannel {
      constructor(name) { for (const event of events) this[event] = typeof name === 'string' ? channel(`tracing:${name}:${event}`) : name[event]; }
      get hasSubscribers() { return events.some((event) => this[event].hasSubscribers); }
      subscribe(handlers) { for (const event of events) if (handlers[event]) this[event].subscribe(handlers[event]); }
      unsubscribe(handlers) { return events.every((event) => !handlers[event] || this[event].unsubscribe(handlers[event])); }
      traceSync(call, context = {}, self, ...args) {
        return this.start.runStores(context, () => {
          try {
            return (context.result = Reflect.apply(call, self, args));
          } catch (error) {
            context.error = error;
            this.error.publish(context);
            throw error;
          } finally {
            this.end.publish(context);
          }
        });
      }
      tracePromise(call, context = {}, self, ...args) {
        return this.start.runStores(context, () => {
          const settle = (key) => (value) => {
            context[key] = value;
            if (key === 'error') this.error.publish(context);
            this.asyncStart.publish(context);
            this.asyncEnd.publish(context);
            if (key === 'error') throw value;
            return value;
          };
          try {
            return Promise.resolve(Reflect.apply(call, self, args)).then(settle('result'), settle('error'));
          } finally {
            this.end.publish(context);
          }
        });
      }
    }
    return { Channel, channel, hasSubscribers: (name) => channels.get(name)?.hasSubscribers ?? false, subscribe: (name, call) => channel(name).subscribe(call), unsubscribe: (name, call) => channel(name).unsubscribe(call), tracingChannel: (name) => new TracingChannel(name) };
  });
})(globalThis.__emu);
