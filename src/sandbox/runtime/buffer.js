// Buffer: Node's bytes, a subclass of Uint8Array.
((emu) => {
  'use strict';
  const { rt } = emu;
  const kMaxLength = 2 ** 32;
  const invalid = (name, kind, value) => rt.error(TypeError, 'ERR_INVALID_ARG_TYPE', `The ${name} argument must be ${kind}. Received ${value === null ? 'null' : typeof value === 'object' ? `an instance of ${value.constructor?.name ?? 'Object'}` : typeof value === 'undefined' ? 'undefined' : `type ${typeof value} (${rt.inspect(value)})`}`);
  rt.invalidArgument = invalid;
  const outOfRange = (name, range, value) => rt.error(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. It must be ${range}. Received ${rt.inspect(value)}`);
  const encodings = { utf8: 'utf8', 'utf-8': 'utf8', ucs2: 'utf16le', 'ucs-2': 'utf16le', utf16le: 'utf16le', 'utf-16le': 'utf16le', latin1: 'latin1', binary: 'latin1', ascii: 'ascii', base64: 'base64', base64url: 'base64url', hex: 'hex' };
  const normal = (encoding) => (encoding === undefined || encoding === null || encoding === '' ? 'utf8' : encodings[encoding] ?? encodings[String(encoding).toLowerCase()]);
  const known = (encoding) => {
    const name = normal(encoding);
    if (!name) throw rt.error(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
    return name;
  };
  rt.normalEncoding = normal;

  // Node's base64 takes both alphabets, skips what is not of them, and ends at the padding.
  function fromBase64(text) {
    const end = text.indexOf('=');
    if (end >= 0) text = text.slice(0, end);
    if (/[^A-Za-z0-9+/]/.test(text)) text = text.replace(/-/g, '+').replace(/_/g, '/').replace(/[^A-Za-z0-9+/]/g, '');
    if (text.length % 4 === 1) text = text.slice(0, -1);
    return Uint8Array.fromBase64(text);
  }
  function fromHex(text) {
    const end = text.search(/[^0-9a-fA-F]/);
    let length = end < 0 ? text.length : end;
    length -= length % 2;
    return Uint8Array.fromHex(text.slice(0, length));
  }
  function toBytes(text, encoding) {
    switch (encoding) {
      case 'utf8': return rt.utf8(text);
      case 'base64': case 'base64url': return fromBase64(text);
      case 'hex': return fromHex(text);
      case 'latin1': case 'ascii': {
        const out = new Uint8Array(text.length);
        for (let at = 0; at < text.length; at++) out[at] = text.charCodeAt(at);
        return out;
      }
      default: {
        const out = new Uint8Array(text.length * 2);
        for (let at = 0; at < text.length; at++) {
          const code = text.charCodeAt(at);
          out[at * 2] = code;
          out[at * 2 + 1] = code >> 8;
        }
        return out;
      }
    }
  }
  function toText(bytes, encoding) {
    switch (encoding) {
      case 'utf8': return rt.fromUtf8(bytes);
      case 'base64': return Uint8Array.prototype.toBase64.call(bytes);
      case 'base64url': return Uint8Array.prototype.toBase64.call(bytes, { alphabet: 'base64url', omitPadding: true });
      case 'hex': return Uint8Array.prototype.toHex.call(bytes);
      default: {
        let text = '';
        const size = 4096;
        if (encoding === 'utf16le') {
          const units = bytes.length >> 1;
          for (let at = 0; at < units; at += size) {
            const codes = [];
            for (let unit = at; unit < Math.min(units, at + size); unit++) codes.push(bytes[unit * 2] | (bytes[unit * 2 + 1] << 8));
            text += String.fromCharCode(...codes);
          }
          return text;
        }
        for (let at = 0; at < bytes.length; at += size) {
          const part = bytes.subarray(at, at + size);
          text += String.fromCharCode.apply(null, encoding === 'ascii' ? Array.prototype.map.call(part, (byte) => byte & 0x7f) : part);
        }
        return text;
      }
    }
  }
  const wrap = (bytes) => Object.setPrototypeOf(bytes, Buffer.prototype);
  const size = (value) => {
    if (typeof value !== 'number') throw invalid('"size"', 'of type number', value);
    if (!(value >= 0 && value <= kMaxLength)) throw outOfRange('size', `>= 0 && <= ${kMaxLength}`, value);
    return value;
  };
  // Called with and without `new`, as old packages do; its instances are Uint8Arrays with this prototype.
  function Buffer(value, encoding, length) {
    if (typeof value === 'number') {
      if (typeof encoding === 'string') throw invalid('"string"', 'of type string', value);
      return Buffer.alloc(value);
    }
    return Buffer.from(value, encoding, length);
  }
  Object.setPrototypeOf(Buffer, Uint8Array);
  Object.setPrototypeOf(Buffer.prototype, Uint8Array.prototype);
  Object.defineProperty(Buffer, Symbol.species, { configurable: true, get: () => Species });
  class Species extends Uint8Array {
    constructor(a, b, c) {
      super(a, b, c);
      Object.setPrototypeOf(this, Buffer.prototype);
    }
  }
  Object.assign(Buffer, {
    poolSize: 8192,
    from(value, encoding, length) {
      if (typeof value === 'string') return wrap(toBytes(value, known(encoding)));
      if (typeof value === 'object' && value !== null) {
        if (value instanceof ArrayBuffer || Object.prototype.toString.call(value) === '[object ArrayBuffer]' || (typeof SharedArrayBuffer === 'function' && value instanceof SharedArrayBuffer)) {
          const offset = encoding === undefined ? 0 : Number(encoding) || 0;
          if (offset > value.byteLength) throw rt.error(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', '"offset" is outside of buffer bounds');
          if (length !== undefined && offset + Number(length) > value.byteLength) throw rt.error(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', '"length" is outside of buffer bounds');
          return wrap(new Uint8Array(value, offset, length === undefined ? undefined : Math.max(0, Number(length) || 0)));
        }
        if (ArrayBuffer.isView(value)) return wrap(value instanceof Uint8Array ? Uint8Array.prototype.slice.call(plain(value)) : Uint8Array.from(value));
        const inner = value.valueOf?.();
        if (inner !== undefined && inner !== null && inner !== value && (typeof inner === 'string' || typeof inner === 'object')) return Buffer.from(inner, encoding, length);
        if (value.type === 'Buffer' && Array.isArray(value.data)) return wrap(Uint8Array.from(value.data));
        if (typeof value.length === 'number' || Array.isArray(value)) return wrap(Uint8Array.from(Array.isArray(value) ? value : Array.from(value)));
        if (typeof value[Symbol.toPrimitive] === 'function') {
          const text = value[Symbol.toPrimitive]('string');
          if (typeof text === 'string') return Buffer.from(text, encoding);
        }
      }
      throw rt.error(TypeError, 'ERR_INVALID_ARG_TYPE', `The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received ${value === null ? 'null' : typeof value === 'object' ? `an instance of ${value.constructor?.name}` : typeof value === 'undefined' ? 'undefined' : `type ${typeof value} (${rt.inspect(value)})`}`);
    },
    alloc(length, fill, encoding) {
      const out = wrap(new Uint8Array(size(length)));
      return fill === undefined || fill === 0 || length === 0 ? out : out.fill(fill, encoding);
    },
    allocUnsafe: (length) => wrap(new Uint8Array(size(length))),
    allocUnsafeSlow: (length) => wrap(new Uint8Array(size(length))),
    of: (...items) => wrap(Uint8Array.from(items)),
    isBuffer: (value) => value instanceof Buffer,
    isEncoding: (name) => typeof name === 'string' && name !== '' && normal(name) !== undefined,
    byteLength(value, encoding) {
      if (typeof value !== 'string') {
        if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
        throw invalid('"string"', 'of type string or an instance of Buffer or ArrayBuffer', value);
      }
      switch (normal(encoding)) {
        case 'latin1': case 'ascii': return value.length;
        case 'utf16le': return value.length * 2;
        case 'hex': return value.length >>> 1;
        case 'base64': case 'base64url': {
          let length = value.length;
          while (length > 0 && value[length - 1] === '=') length--;
          return (length * 3) >>> 2;
        }
        default: {
          let ascii = true;
          for (let at = 0; at < value.length && ascii; at++) ascii = value.charCodeAt(at) < 128;
          return ascii ? value.length : rt.utf8(value).length;
        }
      }
    },
    compare(a, b) {
      if (!(a instanceof Uint8Array)) throw invalid('"buf1"', 'an instance of Buffer or Uint8Array', a);
      if (!(b instanceof Uint8Array)) throw invalid('"buf2"', 'an instance of Buffer or Uint8Array', b);
      const length = Math.min(a.length, b.length);
      for (let at = 0; at < length; at++) if (a[at] !== b[at]) return a[at] < b[at] ? -1 : 1;
      return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
    },
    concat(list, total) {
      if (!Array.isArray(list)) throw invalid('"list"', 'an instance of Array', list);
      if (total === undefined) {
        total = 0;
        for (const item of list) total += item.length;
      }
      const out = Buffer.alloc(total);
      let at = 0;
      for (const [index, item] of list.entries()) {
        if (!(item instanceof Uint8Array)) throw invalid(`"list[${index}]"`, 'an instance of Buffer or Uint8Array', item);
        if (at >= total) break;
        out.set(at + item.length > total ? item.subarray(0, total - at) : item, at);
        at += item.length;
      }
      return out;
    },
    copyBytesFrom(view, offset = 0, length) {
      const part = view.subarray(offset, length === undefined ? undefined : offset + length);
      return Buffer.from(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    },
  });
  const plain = (bytes) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const clamp = (value, fallback, length) => {
    if (value === undefined) return fallback;
    value = Math.trunc(Number(value)) || 0;
    return value < 0 ? 0 : value > length ? length : value;
  };
  const relative = (value, fallback, length) => {
    if (value === undefined) return fallback;
    value = Math.trunc(Number(value)) || 0;
    return value < 0 ? Math.max(0, length + value) : Math.min(value, length);
  };
  function find(bytes, value, offset, encoding, last) {
    if (typeof offset === 'string') {
      encoding = offset;
      offset = undefined;
    }
    offset = Number(offset);
    if (Number.isNaN(offset)) offset = last ? bytes.length : 0;
    offset = Math.trunc(offset);
    if (offset < 0) offset += bytes.length;
    if (offset < 0) {
      if (last) return -1;
      offset = 0;
    }
    if (typeof value === 'number') {
      value &= 255;
      return last ? Uint8Array.prototype.lastIndexOf.call(bytes, value, offset) : Uint8Array.prototype.indexOf.call(bytes, value, offset);
    }
    const wanted = typeof value === 'string' ? toBytes(value, known(encoding)) : value;
    if (!(wanted instanceof Uint8Array)) throw invalid('"value"', 'one of type number or string or an instance of Buffer or Uint8Array', value);
    if (wanted.length === 0) return Math.min(offset, bytes.length);
    const step = normal(encoding) === 'utf16le' && typeof value === 'string' ? 2 : 1;
    const end = bytes.length - wanted.length;
    const same = (at) => {
      for (let index = 0; index < wanted.length; index++) if (bytes[at + index] !== wanted[index]) return false;
      return true;
    };
    if (last) {
      for (let at = Math.min(offset, end); at >= 0; at--) if (same(at)) return at;
    } else if (step === 1) {
      for (let at = offset; ; at++) {
        at = Uint8Array.prototype.indexOf.call(bytes, wanted[0], at);
        if (at < 0 || at > end) return -1;
        if (same(at)) return at;
      }
    } else for (let at = offset; at <= end; at += step) if (same(at)) return at;
    return -1;
  }
  const methods = {
    toString(encoding, start, end) {
      if (arguments.length === 0) return rt.fromUtf8(this);
      const length = this.length;
      start = clamp(start, 0, length);
      end = clamp(end, length, length);
      const name = known(encoding);
      if (end <= start) return '';
      return toText(start === 0 && end === length ? this : plain(this).subarray(start, end), name);
    },
    toLocaleString(encoding, start, end) { return this.toString(encoding, start, end); },
    toJSON() { return { type: 'Buffer', data: Array.from(this) }; },
    equals(other) {
      if (!(other instanceof Uint8Array)) throw invalid('"otherBuffer"', 'an instance of Buffer or Uint8Array', other);
      return this === other || Buffer.compare(this, other) === 0;
    },
    compare(other, start, end, from, to) {
      if (!(other instanceof Uint8Array)) throw invalid('"target"', 'an instance of Buffer or Uint8Array', other);
      return Buffer.compare(plain(this).subarray(from ?? 0, to ?? this.length), plain(other).subarray(start ?? 0, end ?? other.length));
    },
    copy(target, at = 0, start = 0, end = this.length) {
      at = Math.trunc(at) || 0;
      start = Math.trunc(start) || 0;
      end = Math.min(Math.trunc(end) || 0, this.length);
      if (at < 0) throw outOfRange('targetStart', '>= 0', at);
      if (start < 0) throw outOfRange('sourceStart', '>= 0', start);
      if (at >= target.length || start >= end) return 0;
      const part = plain(this).subarray(start, Math.min(end, start + target.length - at));
      Uint8Array.prototype.set.call(target, part, at);
      return part.length;
    },
    slice(start, end) { return this.subarray(start, end); },
    subarray(start, end) {
      const from = relative(start, 0, this.length);
      const to = relative(end, this.length, this.length);
      return wrap(new Uint8Array(this.buffer, this.byteOffset + from, Math.max(0, to - from)));
    },
    write(text, offset, length, encoding) {
      if (typeof text !== 'string') throw invalid('"string"', 'of type string', text);
      if (typeof offset === 'string') {
        encoding = offset;
        offset = undefined;
        length = undefined;
      } else if (typeof length === 'string') {
        encoding = length;
        length = undefined;
      }
      offset = offset === undefined ? 0 : Math.trunc(offset);
      if (offset < 0 || offset > this.length) throw outOfRange('offset', `>= 0 && <= ${this.length}`, offset);
      const room = Math.min(length ?? Infinity, this.length - offset);
      const name = known(encoding);
      let bytes = toBytes(text, name);
      if (bytes.length > room) {
        let end = room;
        if (name === 'utf8') while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--;
        else if (name === 'utf16le') end -= end % 2;
        bytes = bytes.subarray(0, end);
      }
      Uint8Array.prototype.set.call(this, bytes, offset);
      return bytes.length;
    },
    fill(value, start, end, encoding) {
      if (typeof start === 'string') {
        encoding = start;
        start = undefined;
      } else if (typeof end === 'string') {
        encoding = end;
        end = undefined;
      }
      start ??= 0;
      end ??= this.length;
      if (start < 0 || start > this.length) throw outOfRange('offset', `>= 0 && <= ${this.length}`, start);
      if (end < 0 || end > this.length) throw outOfRange('end', `>= 0 && <= ${this.length}`, end);
      if (typeof value === 'string') {
        const name = known(encoding);
        value = toBytes(value, name);
        if (value.length === 0) {
          if (name === 'hex' || name === 'base64') throw rt.error(TypeError, 'ERR_INVALID_ARG_VALUE', "The argument 'value' is invalid.");
          value = 0;
        }
      }
      if (value instanceof Uint8Array) {
        if (value.length === 1) value = value[0];
        else {
          for (let at = start, from = 0; at < end; at++, from = (from + 1) % value.length) this[at] = value[from];
          return this;
        }
      }
      Uint8Array.prototype.fill.call(this, Number(value) & 255, start, end);
      return this;
    },
    indexOf(value, offset, encoding) { return find(this, value, offset, encoding, false); },
    lastIndexOf(value, offset, encoding) { return find(this, value, offset, encoding, true); },
    includes(value, offset, encoding) { return find(this, value, offset, encoding, false) !== -1; },
    [rt.customInspect]() {
      const max = rt.require('buffer').INSPECT_MAX_BYTES;
      let text = Uint8Array.prototype.toHex.call(plain(this).subarray(0, max)).replace(/(..)(?=.)/g, '$1 ');
      if (this.length > max) text += ` ... ${this.length - max} more byte${this.length - max > 1 ? 's' : ''}`;
      return `<Buffer${text ? ` ${text}` : ''}>`;
    },
    readUIntBE(offset, length) { return this._int(offset, length, false, false); },
    readUIntLE(offset, length) { return this._int(offset, length, true, false); },
    readIntBE(offset, length) { return this._int(offset, length, false, true); },
    readIntLE(offset, length) { return this._int(offset, length, true, true); },
    writeUIntBE(value, offset, length) { return this._putInt(value, offset, length, false, false); },
    writeUIntLE(value, offset, length) { return this._putInt(value, offset, length, true, false); },
    writeIntBE(value, offset, length) { return this._putInt(value, offset, length, false, true); },
    writeIntLE(value, offset, length) { return this._putInt(value, offset, length, true, true); },
    _int(offset, length, little, signed) {
      within(this, offset, length);
      let value = 0;
      for (let at = 0; at < length; at++) value = value * 256 + this[little ? offset + length - 1 - at : offset + at];
      return signed && value >= 2 ** (8 * length - 1) ? value - 2 ** (8 * length) : value;
    },
    _putInt(value, offset, length, little, signed) {
      within(this, offset, length);
      value = Number(value);
      const max = 2 ** (8 * length - (signed ? 1 : 0)) - 1;
      const min = signed ? -(2 ** (8 * length - 1)) : 0;
      if (value > max || value < min) throw outOfRange('value', `>= ${min} and <= ${max}`, value);
      value = Math.trunc(value);
      if (value < 0) value += 2 ** (8 * length);
      for (let at = 0; at < length; at++) {
        this[little ? offset + at : offset + length - 1 - at] = value % 256;
        value = Math.floor(value / 256);
      }
      return offset + length;
    },
  };
  function within(bytes, offset, length) {
    if (typeof offset !== 'number') throw invalid('"offset"', 'of type number', offset);
    if (!Number.isInteger(offset)) throw outOfRange('offset', 'an integer', offset);
    if (!(length >= 1 && length <= 8)) throw outOfRange('byteLength', '>= 1 and <= 6', length);
    if (offset < 0 || offset + length > bytes.length) {
      if (bytes.length < length) throw rt.error(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds');
      throw outOfRange('offset', `>= 0 and <= ${bytes.length - length}`, offset);
    }
  }
  for (const name of Object.getOwnPropertyNames(methods)) Object.defineProperty(Buffer.prototype, name, { value: methods[name], writable: true, configurable: true, enumerable: false });
  Object.defineProperty(Buffer.prototype, rt.customInspect, { value: methods[rt.customInspect], writable: true, configurable: true });
  const define = (name, value) => Object.defineProperty(Buffer.prototype, name, { value, writable: true, configurable: true, enumerable: false });
  const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const numbers = [['UInt8', 'Uint8', 1, 0, 255], ['UInt16', 'Uint16', 2, 0, 0xffff], ['UInt32', 'Uint32', 4, 0, 0xffffffff], ['Int8', 'Int8', 1, -128, 127], ['Int16', 'Int16', 2, -0x8000, 0x7fff], ['Int32', 'Int32', 4, -0x80000000, 0x7fffffff], ['Float', 'Float32', 4], ['Double', 'Float64', 8], ['BigInt64', 'BigInt64', 8, -(2n ** 63n), 2n ** 63n - 1n], ['BigUInt64', 'BigUint64', 8, 0n, 2n ** 64n - 1n]];
  for (const [name, kind, length, min, max] of numbers) {
    for (const end of length === 1 ? [''] : ['LE', 'BE']) {
      const read = function (offset = 0) {
        within(this, offset, length);
        return view(this)[`get${kind}`](offset, end === 'LE');
      };
      const write = function (value, offset = 0) {
        if (min !== undefined) {
          if (typeof min === 'number') value = Number(value);
          else if (typeof value !== 'bigint') throw invalid('"value"', 'of type bigint', value);
          if (value > max || value < min) throw outOfRange('value', `>= ${min} and <= ${max}`, value);
        }
        within(this, offset, length);
        view(this)[`set${kind}`](offset, value, end === 'LE');
        return offset + length;
      };
      define(`read${name}${end}`, read);
      define(`write${name}${end}`, write);
      if (name.includes('UInt')) {
        define(`read${name.replace('UInt', 'Uint')}${end}`, read);
        define(`write${name.replace('UInt', 'Uint')}${end}`, write);
      }
    }
  }
  for (const end of ['LE', 'BE']) {
    define(`readUint${end}`, Buffer.prototype[`readUInt${end}`]);
    define(`writeUint${end}`, Buffer.prototype[`writeUInt${end}`]);
  }
  for (const bits of [16, 32, 64]) {
    define(`swap${bits}`, function () {
      const step = bits / 8;
      if (this.length % step) throw rt.error(RangeError, 'ERR_INVALID_BUFFER_SIZE', `Buffer size must be a multiple of ${bits}-bits`);
      for (let at = 0; at < this.length; at += step) plain(this).subarray(at, at + step).reverse();
      return this;
    });
  }
  for (const [name, encoding] of [['ascii', 'ascii'], ['base64', 'base64'], ['base64url', 'base64url'], ['latin1', 'latin1'], ['hex', 'hex'], ['ucs2', 'utf16le'], ['utf8', 'utf8']]) {
    define(`${name}Slice`, function (start, end) { return this.toString(encoding, start, end); });
    define(`${name}Write`, function (text, offset, length) { return this.write(text, offset, length, encoding); });
  }
  Object.defineProperty(Buffer.prototype, 'parent', { configurable: true, get() { return this.buffer; } });
  Object.defineProperty(Buffer.prototype, 'offset', { configurable: true, get() { return this.byteOffset; } });
  rt.Buffer = Buffer;
  rt.wrapBuffer = wrap;
  rt.toText = toText;
  rt.toBytes = (text, encoding) => toBytes(text, known(encoding));
  /** Bytes as the caller wants them: a Buffer, or text in an encoding. */
  rt.output = (bytes, encoding) => (encoding && encoding !== 'buffer' ? toText(bytes, known(encoding)) : wrap(bytes));
  rt.global('Buffer', Buffer);
  rt.define('buffer', () => ({
    Buffer, kMaxLength, kStringMaxLength: 2 ** 29 - 24, constants: { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: 2 ** 29 - 24 }, INSPECT_MAX_BYTES: 50,
    SlowBuffer: Buffer.allocUnsafeSlow, Blob: globalThis.Blob, File: globalThis.File, atob: globalThis.atob, btoa: globalThis.btoa,
    isUtf8(bytes) {
      try {
        emu.call('text.decode', JSON.stringify({ label: 'utf-8', fatal: true }), rt.bytes(bytes));
        return true;
      } catch {
        return false;
      }
    },
    isAscii: (bytes) => rt.bytes(bytes).every((byte) => byte < 128),
    transcode: (bytes, from, to) => Buffer.from(Buffer.from(bytes).toString(from), to),
    resolveObjectURL: (id) => rt.require('blob').resolveObjectURL(id),
  }));
})(globalThis.__emu);
