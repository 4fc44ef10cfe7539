// util.inspect and util.format: how values look in logs.
((emu) => {
  'use strict';
  const { rt } = emu;
  const custom = Symbol.for('nodejs.util.inspect.custom');
  const defaults = {
    showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false, maxArrayLength: 100,
    maxStringLength: 10000, breakLength: 80, compact: 3, sorted: false, getters: false, numericSeparator: false,
  };
  const styles = { special: [36, 39], number: [33, 39], bigint: [33, 39], boolean: [33, 39], undefined: [90, 39], null: [1, 22], string: [32, 39], symbol: [32, 39], date: [35, 39], regexp: [31, 39], module: [4, 24] };
  const identifier = /^[a-zA-Z_$][a-zA-Z_$0-9]*$/;
  const kinds = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'];

  function escape(text) {
    const code = text.charCodeAt(0);
    const known = { 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r', 92: '\\\\', 39: "\\'" }[code];
    return known ?? `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  function quote(text) {
    let mark = "'";
    if (text.includes("'")) {
      if (!text.includes('"')) mark = '"';
      else if (!text.includes('`') && !text.includes('${')) mark = '`';
    }
    const unsafe = mark === "'" ? /[\x00-\x1f\x27\x5c\x7f-\x9f]/g : /[\x00-\x1f\x5c\x7f-\x9f]/g;
    return mark + text.replace(unsafe, escape).replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`) + mark;
  }
  function primitive(value, ctx) {
    switch (typeof value) {
      case 'string': {
        let text = value;
        let rest = '';
        if (text.length > ctx.maxStringLength) {
          const more = text.length - ctx.maxStringLength;
          text = text.slice(0, ctx.maxStringLength);
          rest = `... ${more} more character${more > 1 ? 's' : ''}`;
        }
        if (ctx.compact !== true && text.length > 16 && text.length > ctx.breakLength - ctx.indentation - 4 && text.includes('\n')) {
          return text.split(/(?<=\n)/).map((line) => ctx.stylize(quote(line), 'string')).join(` +\n${' '.repeat(ctx.indentation + 2)}`) + rest;
        }
        return ctx.stylize(quote(text), 'string') + rest;
      }
      case 'number': return ctx.stylize(Object.is(value, -0) ? '-0' : String(value), 'number');
      case 'bigint': return ctx.stylize(`${value}n`, 'bigint');
      case 'boolean': return ctx.stylize(String(value), 'boolean');
      case 'undefined': return ctx.stylize('undefined', 'undefined');
      case 'symbol': return ctx.stylize(value.toString(), 'symbol');
      default: return ctx.stylize('null', 'null');
    }
  }
  function className(object) {
    let at = object;
    while (at !== null && at !== undefined) {
      const own = Object.getOwnPropertyDescriptor(at, 'constructor');
      if (own && typeof own.value === 'function' && own.value.name !== '') return own.value.name;
      at = Object.getPrototypeOf(at);
    }
    return null;
  }
  function prefix(name, tag, fallback, size = '') {
    const text = name === null ? `[${fallback}${size}: null prototype] ` : `${name}${size} `;
    return tag && tag !== name ? `${text}[${tag}] ` : text;
  }
  const keysOf = (value, ctx) => {
    const names = ctx.showHidden ? Object.getOwnPropertyNames(value) : Object.keys(value);
    for (const symbol of Object.getOwnPropertySymbols(value)) {
      if (ctx.showHidden || Object.prototype.propertyIsEnumerable.call(value, symbol)) names.push(symbol);
    }
    return names;
  };
  function property(ctx, object, key, depth, bare) {
    const own = Object.getOwnPropertyDescriptor(object, key) ?? { value: object[key], enumerable: true };
    let text;
    if (own.value !== undefined || 'value' in own) {
      ctx.indentation += 2;
      text = show(ctx, own.value, depth);
      ctx.indentation -= 2;
    } else if (own.get) {
      const label = own.set ? 'Getter/Setter' : 'Getter';
      if (ctx.getters === true || (ctx.getters === 'get' && !own.set) || (ctx.getters === 'set' && own.set)) {
        try {
          text = `${ctx.stylize(`[${label}:`, 'special')} ${show(ctx, own.get.call(object), depth)}${ctx.stylize(']', 'special')}`;
        } catch (error) {
          text = ctx.stylize(`[${label}: <Inspection threw (${error?.message})>]`, 'special');
        }
      } else text = ctx.stylize(`[${label}]`, 'special');
    } else text = ctx.stylize(own.set ? '[Setter]' : 'undefined', own.set ? 'special' : 'undefined');
    if (bare) return text;
    let name;
    if (typeof key === 'symbol') name = `[${ctx.stylize(key.toString(), 'symbol')}]`;
    else if (key === '__proto__') name = "['__proto__']";
    else if (!own.enumerable) name = `[${key}]`;
    else name = identifier.test(key) ? key : ctx.stylize(quote(key), 'string');
    return `${name}: ${text}`;
  }
  function errorText(error, keys, ctx) {
    let name;
    let message;
    try {
      name = error.name != null ? String(error.name) : 'Error';
      message = error.message != null ? String(error.message) : '';
    } catch {
      return '[Error]';
    }
    let stack = typeof error.stack === 'string' ? error.stack : '';
    const head = message ? `${name}: ${message}` : name;
    if (!stack) stack = `[${head}]`;
    else if (/^\s+at /.test(stack)) stack = `${head}\n${stack.replace(/\n$/, '')}`;
    else {
      // A class that sets its name after construction: show the later name.
      const constructor = className(error);
      const first = stack.split('\n', 1)[0];
      if (name !== 'Error' && !first.includes(name) && first.startsWith('Error')) stack = name + stack.slice(5);
      else if (name === 'Error' && constructor && constructor !== 'Error' && !first.includes(constructor) && first.startsWith('Error')) stack = constructor + stack.slice(5);
      if (!stack.includes('\n')) stack = `[${stack}]`;
    }
    for (const hidden of ['name', 'message', 'stack']) {
      const at = keys.indexOf(hidden);
      if (at >= 0 && (hidden === 'stack' || stack.includes(String(error[hidden])))) keys.splice(at, 1);
    }
    if ('cause' in error && Object.hasOwn(error, 'cause') && !keys.includes('cause')) keys.push('cause');
    if (Array.isArray(error.errors) && !keys.includes('errors')) keys.push('errors');
    return ctx.indentation ? stack.replaceAll('\n', `\n${' '.repeat(ctx.indentation)}`) : stack;
  }
  function group(ctx, output, value) {
    let total = 0;
    let longest = 0;
    let at = 0;
    let length = output.length;
    if (ctx.maxArrayLength < output.length) length--;
    const separator = 2;
    const lengths = [];
    for (; at < length; at++) {
      const size = plainLength(output[at], ctx);
      lengths.push(size);
      total += size + separator;
      if (size > longest) longest = size;
    }
    const actual = longest + separator;
    if (actual * 3 + ctx.indentation < ctx.breakLength && (total / actual > 5 || longest <= 6)) {
      const columns = Math.min(Math.round(Math.sqrt(2.5 * Math.max(actual - total / output.length, 1) * length) / Math.max(actual - total / output.length, 1)), Math.floor((ctx.breakLength - ctx.indentation) / actual), ctx.compact * 4, 15);
      if (columns <= 1) return output;
      const rows = [];
      const widths = [];
      for (let column = 0; column < columns; column++) {
        let width = 0;
        for (let row = column; row < length; row += columns) if (lengths[row] > width) width = lengths[row];
        widths.push(width + separator);
      }
      const left = value !== undefined && value.every?.((item) => typeof item === 'number' || typeof item === 'bigint');
      for (let start = 0; start < length; start += columns) {
        const end = Math.min(start + columns, length);
        let line = '';
        let cell = start;
        for (; cell < end - 1; cell++) {
          const text = `${output[cell]}, `;
          const fill = ' '.repeat(Math.max(0, widths[cell - start] - lengths[cell] - 2));
          line += left ? fill + text : text + fill;
        }
        if (left) line += ' '.repeat(Math.max(0, widths[cell - start] - separator - lengths[cell])) + output[cell];
        else line += output[cell];
        rows.push(line);
      }
      if (ctx.maxArrayLength < output.length) rows.push(output[length]);
      return rows;
    }
    return output;
  }
  const plainLength = (text, ctx) => (ctx.colors ? text.replace(/\u001b\[\d+m/g, '').length : text.length);
  function join(ctx, output, base, braces, listLike, depth, value) {
    if (ctx.compact !== true) {
      const entries = output.length;
      if (listLike && entries > 6) output = group(ctx, output, value);
      if (ctx.currentDepth - depth < ctx.compact && entries === output.length) {
        const start = output.length + ctx.indentation + braces[0].length + base.length + 10;
        let total = output.length + start;
        if (total + output.length <= ctx.breakLength) {
          for (const text of output) total += plainLength(text, ctx);
          if (total <= ctx.breakLength && (base === '' || !base.includes('\n'))) {
            const text = output.join(', ');
            if (!text.includes('\n')) return `${base ? `${base} ` : ''}${braces[0]} ${text} ${braces[1]}`;
          }
        }
      }
      const indent = `\n${' '.repeat(ctx.indentation)}`;
      return `${base ? `${base} ` : ''}${braces[0]}${indent}  ${output.join(`,${indent}  `)}${indent}${braces[1]}`;
    }
    const text = output.join(', ');
    return `${braces[0]}${base ? ` ${base}` : ''} ${text} ${braces[1]}`;
  }
  function show(ctx, value, depth, typed) {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return primitive(value, ctx);
    if (ctx.customInspect) {
      const own = value[custom];
      if (typeof own === 'function' && own !== inspect && !(value.constructor && value.constructor.prototype === value)) {
        const left = ctx.depth === null ? null : ctx.depth - depth;
        const { indentation, currentDepth, seen, budget, circular, ...options } = ctx;
        const result = own.call(value, left, { ...options, depth: left, stylize: ctx.stylize }, inspect);
        if (result !== value) {
          if (typeof result !== 'object' || result === null) return String(result).replaceAll('\n', `\n${' '.repeat(ctx.indentation)}`);
          return show(ctx, result, depth);
        }
      }
    }
    if (ctx.seen.includes(value)) {
      ctx.circular ??= new Map();
      let index = ctx.circular.get(value);
      if (index === undefined) ctx.circular.set(value, (index = ctx.circular.size + 1));
      return ctx.stylize(`[Circular *${index}]`, 'special');
    }
    return raw(ctx, value, depth, typed);
  }
  function raw(ctx, value, depth) {
    let name = className(value);
    let tag = '';
    try {
      tag = value[Symbol.toStringTag];
    } catch {}
    if (typeof tag !== 'string' || tag === '' || tag === name) tag = '';
    let keys;
    try {
      keys = keysOf(value, ctx);
    } catch {
      return ctx.stylize('<Revoked Proxy>', 'special');
    }
    let base = '';
    let braces = ['{', '}'];
    let list = false;
    let items = () => [];
    const take = (iterable, total, format) => {
      const out = [];
      const max = Math.min(ctx.maxArrayLength, total);
      let count = 0;
      ctx.indentation += 2;
      for (const item of iterable) {
        if (count >= max) break;
        out.push(format(item));
        count++;
      }
      ctx.indentation -= 2;
      if (total > max) out.push(`... ${total - max} more item${total - max > 1 ? 's' : ''}`);
      return out;
    };
    if (Array.isArray(value)) {
      list = true;
      const label = name !== 'Array' || tag ? prefix(name, tag, 'Array', `(${value.length})`) : '';
      braces = [`${label}[`, ']'];
      keys = keys.filter((key) => typeof key === 'symbol' || !/^(0|[1-9]\d*)$/.test(key));
      if (ctx.showHidden === false) keys = keys.filter((key) => key !== 'length');
      if (value.length === 0 && keys.length === 0) return `${braces[0]}]`;
      items = () => {
        const out = [];
        const max = Math.min(ctx.maxArrayLength, value.length);
        let index = 0;
        while (index < value.length && out.length < max) {
          if (!Object.hasOwn(value, index)) {
            let holes = 0;
            while (index < value.length && !Object.hasOwn(value, index)) {
              index++;
              holes++;
            }
            out.push(ctx.stylize(`<${holes} empty item${holes > 1 ? 's' : ''}>`, 'undefined'));
          } else out.push(property(ctx, value, String(index++), depth, true));
        }
        if (index < value.length) out.push(`... ${value.length - index} more item${value.length - index > 1 ? 's' : ''}`);
        return out;
      };
    } else if (value instanceof Set) {
      braces[0] = `${prefix(name, tag, 'Set', `(${value.size})`)}{`;
      if (value.size === 0 && keys.length === 0) return `${braces[0]}}`;
      items = () => take(Set.prototype.values.call(value), value.size, (item) => show(ctx, item, depth));
    } else if (value instanceof Map) {
      braces[0] = `${prefix(name, tag, 'Map', `(${value.size})`)}{`;
      if (value.size === 0 && keys.length === 0) return `${braces[0]}}`;
      items = () => take(Map.prototype.entries.call(value), value.size, ([key, item]) => `${show(ctx, key, depth)} => ${show(ctx, item, depth)}`);
    } else if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
      list = true;
      const kind = kinds.find((each) => globalThis[each] && value instanceof globalThis[each]) ?? 'TypedArray';
      keys = keys.filter((key) => typeof key === 'symbol' || !/^\d+$/.test(key));
      braces = [`${prefix(name, tag === kind ? '' : tag, kind, `(${value.length})`)}[`, ']'];
      if (value.length === 0 && keys.length === 0) return `${braces[0]}]`;
      items = () => take(value, value.length, (item) => primitive(item, ctx));
    } else if (tag === 'Map Iterator' || tag === 'Set Iterator' || tag === 'Array Iterator' || tag === 'String Iterator') {
      base = `Object [${tag}]`;
      if (keys.length === 0) return `${base} {}`;
    } else if (typeof value === 'function') {
      const source = Function.prototype.toString.call(value);
      if (source.startsWith('class') && source.endsWith('}')) {
        base = `[class ${value.name || '(anonymous)'}`;
        const parent = Object.getPrototypeOf(value);
        if (typeof parent === 'function' && parent.name) base += ` extends ${parent.name}`;
        else if (parent === null) base += ' extends [null prototype]';
        base += ']';
      } else {
        const kind = name && name !== 'Function' ? name : tag || 'Function';
        base = `[${kind}${value.name ? `: ${value.name}` : ' (anonymous)'}]`;
        if (name === null) base += ' Object <null prototype>';
      }
      if (keys.length === 0) return ctx.stylize(base, 'special');
    } else if (value instanceof RegExp) {
      base = RegExp.prototype.toString.call(value);
      if (keys.length === 0 || (ctx.depth !== null && depth > ctx.depth)) return ctx.stylize(base, 'regexp');
    } else if (value instanceof Date) {
      base = Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
      if (name !== 'Date') base = `${prefix(name, tag, 'Date')}${base}`;
      if (keys.length === 0) return ctx.stylize(base, 'date');
    } else if (value instanceof Error) {
      base = errorText(value, keys, ctx);
      if (keys.length === 0) return base;
    } else if (value instanceof ArrayBuffer) {
      const bytes = new Uint8Array(value, 0, Math.min(50, value.byteLength));
      const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
      const more = value.byteLength > 50 ? ` ... ${value.byteLength - 50} more byte${value.byteLength > 51 ? 's' : ''}` : '';
      return `${prefix(name, tag, 'ArrayBuffer')}{ ${ctx.stylize('[Uint8Contents]', 'special')}: <${hex}${more}>, byteLength: ${primitive(value.byteLength, ctx)} }`;
    } else if (value instanceof DataView) {
      braces[0] = `${prefix(name, tag, 'DataView')}{`;
      items = () => ['byteLength', 'byteOffset', 'buffer'].map((key) => `${key}: ${show(ctx, value[key], depth)}`);
    } else if (value instanceof Promise) {
      braces[0] = `${prefix(name, tag, 'Promise')}{`;
      items = () => [ctx.stylize(promiseState(value), 'special')];
    } else if (value instanceof WeakSet || value instanceof WeakMap) {
      braces[0] = `${prefix(name, tag, name ?? 'WeakMap')}{`;
      items = () => [ctx.stylize('<items unknown>', 'special')];
    } else if (value instanceof WeakRef) {
      braces[0] = `${prefix(name, tag, 'WeakRef')}{`;
      items = () => [show(ctx, value.deref(), depth)];
    } else if (value instanceof Number || value instanceof String || value instanceof Boolean || value instanceof BigInt || value instanceof Symbol) {
      const kind = className(Object(value.valueOf())) ?? 'Object';
      if (kind === 'String') keys = keys.filter((key) => typeof key === 'symbol' || !/^\d+$/.test(key));
      base = `[${kind}${name !== kind ? ` (${name})` : ''}: ${primitive(value.valueOf(), { ...ctx, stylize: (text) => text })}]`;
      if (keys.length === 0) return ctx.stylize(base, kind.toLowerCase());
    } else if (tag === 'Module') {
      braces[0] = `[${tag}: null prototype] {`;
    } else if (Object.prototype.toString.call(value) === '[object Arguments]') {
      list = true;
      braces = ['[Arguments] [', ']'];
      keys = [];
      items = () => take(Array.prototype.slice.call(value), value.length, (item) => show(ctx, item, depth));
    } else {
      if (keys.length === 0) return `${name === 'Object' && !tag ? '' : prefix(name, tag, 'Object')}{}`;
      if (name !== 'Object' || tag) braces[0] = `${prefix(name, tag, 'Object')}{`;
    }
    if (ctx.depth !== null && depth > ctx.depth) {
      const label = Array.isArray(value) ? 'Array' : (prefix(name, tag, 'Object').slice(0, -1) || 'Object');
      return ctx.stylize(`[${label}]`, 'special');
    }
    ctx.seen.push(value);
    ctx.currentDepth = depth;
    let output;
    try {
      output = items();
      for (const key of keys) output.push(property(ctx, value, key, depth + 1));
    } finally {
      ctx.seen.pop();
    }
    if (ctx.circular !== undefined) {
      const index = ctx.circular.get(value);
      if (index !== undefined) {
        const mark = ctx.stylize(`<ref *${index}>`, 'special');
        if (ctx.compact !== true) base = base === '' ? mark : `${mark} ${base}`;
        else braces[0] = `${mark} ${braces[0]}`;
      }
    }
    if (ctx.sorted) output.sort(typeof ctx.sorted === 'function' ? ctx.sorted : undefined);
    if (output.length === 0 && base) return base;
    return join(ctx, output, base, braces, list, depth, list ? value : undefined);
  }
  const states = new WeakMap();
  function promiseState(promise) {
    return states.get(promise) ?? '<pending>';
  }
  function inspect(value, options, ...old) {
    const ctx = { ...defaults, ...inspect.defaultOptions, seen: [], indentation: 0, currentDepth: 0, circular: undefined, stylize: (text) => text };
    if (typeof options === 'boolean') {
      ctx.showHidden = options;
      if (old[0] !== undefined) ctx.depth = old[0];
      if (old[1] !== undefined) ctx.colors = old[1];
    } else if (options) for (const key of Object.keys(options)) if (key in defaults || key === 'stylize') ctx[key] = options[key];
    if (ctx.depth === Infinity) ctx.depth = null;
    if (ctx.maxArrayLength === null) ctx.maxArrayLength = Infinity;
    if (ctx.maxStringLength === null) ctx.maxStringLength = Infinity;
    if (ctx.colors) {
      ctx.stylize = (text, style) => {
        const code = styles[style];
        return code ? `\u001b[${code[0]}m${text}\u001b[${code[1]}m` : text;
      };
    }
    try {
      return show(ctx, value, 0);
    } catch (error) {
      if (error instanceof RangeError && /stack/i.test(String(error.message))) return '[Object: too deep to show]';
      throw error;
    }
  }
  inspect.custom = custom;
  inspect.defaultOptions = {};
  inspect.colors = Object.assign(Object.create(null), {
    reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], blink: [5, 25], inverse: [7, 27], hidden: [8, 28], strikethrough: [9, 29],
    black: [30, 39], red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39], white: [37, 39], gray: [90, 39], grey: [90, 39],
    bgBlack: [40, 49], bgRed: [41, 49], bgGreen: [42, 49], bgYellow: [43, 49], bgBlue: [44, 49], bgMagenta: [45, 49], bgCyan: [46, 49], bgWhite: [47, 49],
    redBright: [91, 39], greenBright: [92, 39], yellowBright: [93, 39], blueBright: [94, 39], magentaBright: [95, 39], cyanBright: [96, 39], whiteBright: [97, 39],
  });
  inspect.styles = { special: 'cyan', number: 'yellow', bigint: 'yellow', boolean: 'yellow', undefined: 'grey', null: 'bold', string: 'green', symbol: 'green', date: 'magenta', regexp: 'red', module: 'underline' };

  function formatWithOptions(options, ...args) {
    let at = 0;
    let text = '';
    if (typeof args[0] === 'string') {
      if (args.length === 1) return args[0];
      at = 1;
      text = args[0].replace(/%[sdifjoOc%]/g, (mark) => {
        if (mark === '%%') return '%';
        if (at >= args.length) return mark;
        const value = args[at++];
        switch (mark) {
          case '%s':
            if (typeof value === 'bigint') return `${value}n`;
            if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
            if (typeof value === 'object' && value !== null) {
              const own = value.toString;
              if (typeof own === 'function' && own !== Object.prototype.toString && own !== Error.prototype.toString && !Array.isArray(value) && !(value instanceof Date)) return String(value);
              if (value instanceof Error && value.stack === undefined) return String(value);
              return inspect(value, { ...options, depth: 0, colors: false, compact: 3 });
            }
            return String(value);
          case '%d':
            if (typeof value === 'bigint') return `${value}n`;
            return typeof value === 'symbol' ? 'NaN' : String(Number(value));
          case '%i':
            if (typeof value === 'bigint') return `${value}n`;
            return typeof value === 'symbol' ? 'NaN' : String(Number.parseInt(value, 10));
          case '%f': return typeof value === 'symbol' ? 'NaN' : String(Number.parseFloat(value));
          case '%j':
            try {
              return JSON.stringify(value);
            } catch (error) {
              if (/circular/i.test(error.message)) return '[Circular]';
              throw error;
            }
          case '%o': return inspect(value, { ...options, showHidden: true, showProxy: true, depth: 4 });
          case '%O': return inspect(value, options);
          default: return '';
        }
      });
    }
    const rest = [];
    if (at > 0) rest.push(text);
    for (; at < args.length; at++) rest.push(typeof args[at] === 'string' ? args[at] : inspect(args[at], { ...options, compact: 3 }));
    return rest.join(' ');
  }
  rt.inspect = inspect;
  rt.customInspect = custom;
  rt.formatWithOptions = formatWithOptions;
  rt.format = (...args) => formatWithOptions({}, ...args);
})(globalThis.__emu);
