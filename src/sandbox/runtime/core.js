// The root of the runtime: a registry of lazily made parts, and small things that every part needs.
// Each file is one script: a function called with `__emu` and the registry `rt`; the last file removes `__emu` from the global object.
((emu) => {
  'use strict';
  const makers = new Map();
  const made = new Map();
  const rt = {
    emu,
    /** Registers a part; it is made at its first `rt.require`. */
    define(name, make) {
      makers.set(name, make);
    },
    has: (name) => makers.has(name),
    names: () => [...makers.keys()],
    require(name) {
      if (made.has(name)) return made.get(name).exports;
      const make = makers.get(name);
      if (!make) throw new Error(`the runtime has no part named ${name}`);
      const module = { exports: {} };
      made.set(name, module);
      try {
        const exports = make(module.exports, module);
        if (exports !== undefined) module.exports = exports;
      } catch (error) {
        made.delete(name);
        throw error;
      }
      return module.exports;
    },
    /** Defines a global that cannot be seen by enumeration, as the standard ones. */
    global(name, value) {
      Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
    },
    /** Defines a global that is made at its first use. */
    lazyGlobal(name, make) {
      Object.defineProperty(globalThis, name, {
        configurable: true,
        enumerable: false,
        get() {
          const value = make();
          rt.global(name, value);
          return value;
        },
        set(value) {
          rt.global(name, value);
        },
      });
    },
    lazyProperty(object, name, make) {
      Object.defineProperty(object, name, {
        configurable: true,
        enumerable: true,
        get() {
          const value = make();
          Object.defineProperty(object, name, { value, writable: true, configurable: true, enumerable: true });
          return value;
        },
        set(value) {
          Object.defineProperty(object, name, { value, writable: true, configurable: true, enumerable: true });
        },
      });
    },
    tag(constructor, name) {
      Object.defineProperty(constructor.prototype, Symbol.toStringTag, { value: name, configurable: true });
    },
    /** An error as Node makes it: with a `code`, which also shows in the stack. */
    error(Base, code, message, fields) {
      const error = new Base(message);
      error.code = code;
      emu.head(error, error.message === '' ? `${error.name} [${code}]` : `${error.name} [${code}]: ${error.message}`);
      return fields ? Object.assign(error, fields) : error;
    },
    /** What is missing says so itself, and where the same code would run. */
    missing(api, module, why) {
      const error = new Error(
        `${module}: ${api} is not available inside the sandbox${why ? ` (${why})` : ''}; ` +
          'run this code outside against the same services with `emu exec -- node …`',
      );
      error.code = 'ERR_FEATURE_UNAVAILABLE_IN_SANDBOX';
      return error;
    },
    /** A pure operation of the host: `meta` becomes JSON with the lengths of the byte parts, the parts are joined. */
    op(name, meta, ...parts) {
      let data = null;
      const lengths = [];
      if (parts.length === 1) {
        data = rt.bytes(parts[0]);
        lengths.push(data.length);
      } else if (parts.length > 1) {
        const views = parts.map((part) => (part === undefined || part === null ? new Uint8Array(0) : rt.bytes(part)));
        let total = 0;
        for (const view of views) total += view.length;
        data = new Uint8Array(total);
        let at = 0;
        for (const view of views) {
          data.set(view, at);
          at += view.length;
          lengths.push(view.length);
        }
      }
      return emu.call(name, JSON.stringify({ ...meta, parts: lengths }), data);
    },
    /** The bytes behind any view or buffer, without a copy. Strings are UTF-8. */
    bytes(value) {
      if (value instanceof Uint8Array) return value;
      if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      if (value instanceof ArrayBuffer || (typeof SharedArrayBuffer === 'function' && value instanceof SharedArrayBuffer)) return new Uint8Array(value);
      if (typeof value === 'string') return rt.utf8(value);
      throw new TypeError('expected a string, an ArrayBuffer or a view of one');
    },
    isBytes: (value) => ArrayBuffer.isView(value) || value instanceof ArrayBuffer,
    utf8: (text) => emu.utf8(text) ?? emu.utf8(text.toWellFormed()),
    fromUtf8: (bytes) => emu.ascii(bytes) ?? emu.call('utf8.decode', '', bytes)[0],
    /** What runs when something is thrown where nobody can catch it; set by the part that runs the handler. */
    report(error) {
      emu.log(4, String(error?.stack ?? error));
    },
  };
  emu.rt = rt;

  // The engine's takes texts only, and shows them in lists of properties.
  Object.defineProperty(Error.prototype, 'stack', {
    ...Object.getOwnPropertyDescriptor(Error.prototype, 'stack'),
    set(value) { Object.defineProperty(this, 'stack', { value, writable: true, configurable: true, enumerable: false }); },
  });
  // The engine's call sites say less than V8's, and packages (depd, and so express) ask for the rest without looking.
  const more = { isEval: () => false, getEvalOrigin: () => undefined, getThis: () => undefined, getTypeName: () => null, getMethodName: () => null, getFunction: () => undefined, isToplevel: () => true, isConstructor: () => false, isAsync: () => false, isPromiseAll: () => false, getPromiseIndex: () => null, getScriptNameOrSourceURL() { return this.getFileName(); } };
  Error.prepareStackTrace = (_, sites) => {
    const site = sites[0] && Object.getPrototypeOf(sites[0]);
    for (const [name, value] of Object.entries(more)) if (site && !(name in site)) Object.defineProperty(site, name, { value, writable: true, configurable: true });
    return '';
  };
  void new Error().stack;
  Error.prepareStackTrace = undefined;
  rt.global('global', globalThis);
  rt.global('self', globalThis);
})(globalThis.__emu);
