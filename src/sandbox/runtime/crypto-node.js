// node:crypto, and the packages bcrypt and bcryptjs. The mathematics are the host's.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('crypto-parts');
  // Shared by node:crypto and crypto.subtle: calls of the host by purpose.
  rt.define('crypto-parts', () => {
    const run = (name, meta, ...parts) => rt.op(name, meta, ...parts)[1] ?? new Uint8Array(0);
    // A key drawn while a function loads must not be frozen into its image: the door sees this draw.
    const draw = () => void emu.random(1);
    const split = ([meta, data]) => {
      const about = JSON.parse(meta);
      const [length] = about.parts;
      return { about, privateKey: about.private ? data.slice(0, length) : null, publicKey: data.slice(length) };
    };
    return {
      hash: (hash, data) => emu.call('hash', JSON.stringify({ hash }), rt.bytes(data))[1],
      hmac: (hash, key, data) => run('hmac', { hash }, key, data),
      pbkdf2: (hash, password, salt, iterations, length) => run('pbkdf2', { hash, iterations, length }, password, salt),
      hkdf: (hash, key, salt, info, length) => run('hkdf', { hash, length }, key, salt, info),
      scrypt: (password, salt, length, n, r, p) => run('scrypt', { n, r, p, length }, password, salt),
      cipher: (cipher, encrypt, padding, key, iv, additional, data) => run('cipher', { cipher, encrypt, padding }, key, iv, additional, data),
      sign(options, key, data) {
        draw();
        return run('sign', options, key, data);
      },
      verify: (options, key, data, signature) => rt.op('verify', options, key, data, signature)[0] === 'true',
      rsa(options, key, label, data) {
        draw();
        return run('rsa', options, key, label, data);
      },
      importKey: (options, data) => split(emu.call('key.import', JSON.stringify(options), data ?? null)),
      generateKey(options) {
        draw();
        return split(emu.call('key.generate', JSON.stringify(options), null));
      },
    };
  });
  rt.define('crypto', () => {
    const parts = rt.require('crypto-parts');
    const { Transform, Writable } = rt.require('stream');
    const { Buffer } = rt;
    const bytesOf = (data, encoding) => (typeof data === 'string' ? rt.toBytes(data, encoding === undefined || encoding === 'buffer' ? 'utf8' : encoding) : rt.bytes(data));
    const joined = (chunks) => (chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    const finalized = (name) => rt.error(Error, 'ERR_CRYPTO_HASH_FINALIZED', name === 'digest' ? 'Digest already called' : 'Digest already called');
    const data = (value, name = 'data') => {
      if (typeof value !== 'string' && !rt.isBytes(value)) throw rt.invalidArgument(`"${name}"`, 'of type string or an instance of Buffer, TypedArray, or DataView', value);
      return value;
    };
    const callback = (call) => {
      if (typeof call !== 'function') throw rt.invalidArgument('"callback"', 'of type function', call);
      return call;
    };
    const later = (call, make) => {
      callback(call);
      let value;
      try {
        value = make();
      } catch (error) {
        if (error.code === 'ERR_INVALID_ARG_TYPE') throw error;
        rt.nextTick(call, error);
        return;
      }
      rt.nextTick(call, null, value);
    };
    const names = JSON.parse(emu.call('names', '', null)[0]);
    const plainHash = (name) => String(name).toLowerCase().replace(/^rsa-/, '').replace(/^sha-(\d)/, 'sha$1').replace('/', '-');
    const known = new Set();
    const isHash = (name) => {
      if (known.has(name)) return true;
      if (!names.hashes.includes(plainHash(name))) return false;
      if (typeof name === 'string' && known.size < 32) known.add(name);
      return true;
    };
    // Hashes are streams, and hardly anybody uses them so: they become one when somebody looks at a stream's state.
    function Digest(options) {
      Object.defineProperty(this, 'own', { value: { chunks: [], done: false, options } });
    }
    Object.setPrototypeOf(Digest.prototype, Transform.prototype);
    Object.setPrototypeOf(Digest, Transform);
    for (const state of ['_readableState', '_writableState', 'allowHalfOpen']) {
      Object.defineProperty(Digest.prototype, state, {
        configurable: true,
        get() {
          Transform.call(this, this.own.options);
          return this[state];
        },
        set(value) { Object.defineProperty(this, state, { value, writable: true, enumerable: true, configurable: true }); },
      });
    }
    const methods = {
      update(value, encoding) {
        if (this.own.done) throw finalized();
        this.own.chunks.push(typeof data(value) === 'string' ? bytesOf(value, encoding) : rt.bytes(value).slice());
        return this;
      },
      digest(encoding) {
        if (this.own.done) throw finalized('digest');
        this.own.done = true;
        return rt.output(this._result(joined(this.own.chunks)), encoding);
      },
      _transform(chunk, encoding, done) {
        this.update(chunk, encoding);
        done();
      },
      _flush(done) {
        this.push(this.digest());
        done();
      },
    };
    for (const name of Object.keys(methods)) Object.defineProperty(Digest.prototype, name, { value: methods[name], writable: true, configurable: true });
    class Hash extends Digest {
      constructor(name, options) {
        super(options);
        this.own.name = name;
        if (!isHash(name)) throw Object.assign(new Error('Digest method not supported'), { code: 'ERR_CRYPTO_INVALID_DIGEST' });
      }
      _result(all) { return parts.hash(this.own.name, all); }
      copy(options) {
        if (this.own.done) throw finalized();
        const copy = new Hash(this.own.name, options);
        copy.own.chunks = [...this.own.chunks];
        return copy;
      }
    }
    class Hmac extends Digest {
      constructor(name, key, options) {
        super(options);
        if (!isHash(name)) throw Object.assign(new Error(`Invalid digest: ${name}`), { code: 'ERR_CRYPTO_INVALID_DIGEST' });
        this.own.name = name;
        this.own.key = key instanceof KeyObject ? key._bytes() : bytesOf(data(key, 'key')).slice();
      }
      _result(all) { return parts.hmac(this.own.name, this.own.key, all); }
    }

    // ---- keys
    const secret = Symbol('key');
    class KeyObject {
      constructor(type, held) {
        if (!['secret', 'public', 'private'].includes(type)) throw rt.error(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'type' is invalid. Received ${rt.inspect(type)}`);
        Object.defineProperty(this, secret, { value: held });
        this.type = type;
      }
      get symmetricKeySize() { return this.type === 'secret' ? this[secret].bytes.length : undefined; }
      get asymmetricKeyType() { return this.type === 'secret' ? undefined : this[secret].about.type; }
      get asymmetricKeyDetails() {
        if (this.type === 'secret') return undefined;
        const { about } = this[secret];
        return about.type === 'rsa' ? { modulusLength: about.bits, publicExponent: BigInt(about.exponent) } : about.type === 'ec' ? { namedCurve: about.curve } : {};
      }
      _bytes() {
        if (this.type === 'secret') return this[secret].bytes;
        return this.type === 'private' ? this[secret].privateKey : this[secret].publicKey;
      }
      equals(other) { return other instanceof KeyObject && other.type === this.type && Buffer.compare(this._bytes(), other._bytes()) === 0; }
      export(options) {
        if (this.type === 'secret') {
          if (options?.format === 'jwk') return { kty: 'oct', k: Buffer.from(this[secret].bytes).toString('base64url') };
          return Buffer.from(this[secret].bytes);
        }
        const { about } = this[secret];
        if (options?.format === 'jwk') {
          const { d, p, q, dp, dq, qi, ...open } = about.jwk;
          return this.type === 'private' ? { ...about.jwk } : open;
        }
        if (!options || typeof options !== 'object') throw rt.invalidArgument('"options"', 'of type object', options);
        if (options.cipher || options.passphrase) throw rt.missing('KeyObject.export with a passphrase', 'node:crypto');
        const want = options.type ?? (this.type === 'private' ? 'pkcs8' : 'spki');
        let der = this._bytes();
        let label = this.type === 'private' ? 'PRIVATE KEY' : 'PUBLIC KEY';
        if (want === 'pkcs1' || want === 'sec1') {
          der = inner(der, this.type === 'private');
          label = want === 'sec1' ? 'EC PRIVATE KEY' : `RSA ${label}`;
          if (want === 'sec1') throw rt.missing("KeyObject.export({ type: 'sec1' })", 'node:crypto', "use type: 'pkcs8'");
        }
        if (options.format === 'der') return Buffer.from(der);
        return `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64').replace(/(.{64})(?=.)/g, '$1\n')}\n-----END ${label}-----\n`;
      }
      toCryptoKey(algorithm, extractable, usages) { return rt.require('subtle').fromKeyObject(this, algorithm, extractable, usages); }
      static from(key) { return rt.require('subtle').toKeyObject(key); }
      get [Symbol.toStringTag]() { return 'KeyObject'; }
      [rt.customInspect](depth, options, inspect) { return `${this.type === 'secret' ? 'Secret' : this.type === 'public' ? 'Public' : 'Private'}KeyObject ${inspect({ type: this.type, asymmetricKeyType: this.asymmetricKeyType }, options)}`; }
    }
    /** The key inside PKCS #8 or SPKI: the last value of the outer sequence. */
    const inner = (der, isPrivate) => {
      const length = (at) => (der[at] < 0x80 ? [der[at], at + 1] : [[...der.subarray(at + 1, at + 1 + (der[at] & 0x7f))].reduce((sum, byte) => sum * 256 + byte, 0), at + 1 + (der[at] & 0x7f)]);
      let [, at] = length(1);
      const skip = () => {
        const [size, start] = length(at + 1);
        at = start + size;
      };
      if (isPrivate) skip();
      skip();
      const [size, start] = length(at + 1);
      return isPrivate ? der.slice(start, start + size) : der.slice(start + 1, start + size);
    };
    const importKey = (key, wantPrivate) => {
      if (key instanceof KeyObject) return key;
      if (globalThis.CryptoKey && key instanceof globalThis.CryptoKey) return KeyObject.from(key);
      let options = {};
      let content = key;
      if (key !== null && typeof key === 'object' && !rt.isBytes(key)) {
        if (key.key === undefined) throw rt.invalidArgument('"key"', 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey', key);
        options = key;
        content = key.key;
        if (content instanceof KeyObject) return content;
      }
      let found;
      if (options.format === 'jwk') {
        if (content.kty === 'oct') return new KeyObject('secret', { bytes: rt.toBytes(content.k, 'base64url') });
        found = parts.importKey({ format: 'jwk', jwk: content });
      } else if (options.format === 'der') found = parts.importKey({ format: 'der', form: options.type ?? '' }, rt.bytes(content));
      else {
        const bytes = bytesOf(data(content, 'key'), options.encoding);
        if (options.passphrase !== undefined && /ENCRYPTED/.test(rt.fromUtf8(bytes))) throw rt.missing('a key with a passphrase', 'node:crypto');
        found = parts.importKey({ format: 'pem' }, bytes);
      }
      if (wantPrivate && !found.privateKey) throw rt.error(TypeError, 'ERR_OSSL_UNSUPPORTED', 'error:1E08010C:DECODER routines::unsupported: this is not a private key');
      return new KeyObject(found.privateKey ? 'private' : 'public', found);
    };
    const privateOf = (key) => {
      const found = importKey(key, true);
      if (found.type !== 'private') throw rt.error(TypeError, 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', `Invalid key object type ${found.type}, expected private.`);
      return found;
    };
    const publicOf = (key) => {
      const found = importKey(key, false);
      if (found.type === 'secret') throw rt.error(TypeError, 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', 'Invalid key object type secret, expected public.');
      return found.type === 'private' ? new KeyObject('public', found[secret]) : found;
    };
    const secretOf = (key) => {
      if (key instanceof KeyObject) return key._bytes();
      if (globalThis.CryptoKey && key instanceof globalThis.CryptoKey) return KeyObject.from(key)._bytes();
      return bytesOf(data(key, 'key'));
    };
    const constants = { RSA_PKCS1_PADDING: 1, RSA_NO_PADDING: 3, RSA_PKCS1_OAEP_PADDING: 4, RSA_PKCS1_PSS_PADDING: 6, RSA_PSS_SALTLEN_DIGEST: -1, RSA_PSS_SALTLEN_MAX_SIGN: -2, RSA_PSS_SALTLEN_AUTO: -2, POINT_CONVERSION_COMPRESSED: 2, POINT_CONVERSION_UNCOMPRESSED: 4, POINT_CONVERSION_HYBRID: 6, defaultCoreCipherList: '', TLS1_2_VERSION: 771, TLS1_3_VERSION: 772, SSL_OP_ALL: 0, SSL_OP_NO_SSLv2: 0, SSL_OP_NO_SSLv3: 0, SSL_OP_NO_TLSv1: 0, SSL_OP_NO_TLSv1_1: 0, SSL_OP_LEGACY_SERVER_CONNECT: 4 };
    const scheme = (hash, key) => {
      const options = key !== null && typeof key === 'object' ? key : {};
      const pss = options.padding === constants.RSA_PKCS1_PSS_PADDING;
      if (options.padding === constants.RSA_NO_PADDING) throw rt.missing('RSA_NO_PADDING', 'node:crypto');
      const size = { sha256: 32, sha384: 48, sha512: 64 }[plainHash(hash ?? 'sha256')];
      if (pss && options.saltLength > 0 && options.saltLength !== size) throw rt.missing(`an RSA-PSS salt of ${options.saltLength} bytes`, 'node:crypto', 'the salt has the length of the hash');
      return { hash: hash ?? 'sha256', pss, fixed: options.dsaEncoding === 'ieee-p1363' };
    };
    const sign = (hash, message, key) => parts.sign(scheme(hash, key), privateOf(key)._bytes(), bytesOf(data(message)));
    const verify = (hash, message, key, signature) => {
      const held = publicOf(key);
      try {
        return parts.verify(scheme(hash, key), held._bytes(), bytesOf(data(message)), bytesOf(data(signature, 'signature')));
      } catch (error) {
        if (/not supported/.test(error.message)) throw error;
        return false;
      }
    };
    class Signer extends Writable {
      constructor(name) {
        super();
        Object.defineProperty(this, 'own', { value: { name, chunks: [] } });
        if (!isHash(name)) throw rt.error(Error, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${name}`);
      }
      update(value, encoding) {
        this.own.chunks.push(bytesOf(data(value), encoding).slice());
        return this;
      }
      _write(chunk, encoding, done) {
        this.update(chunk, encoding);
        done();
      }
    }
    class Sign extends Signer {
      sign(key, encoding) { return rt.output(sign(this.own.name, joined(this.own.chunks), key), encoding); }
    }
    class Verify extends Signer {
      verify(key, signature, encoding) { return verify(this.own.name, joined(this.own.chunks), key, typeof signature === 'string' ? bytesOf(signature, encoding) : signature); }
    }

    // ---- ciphers
    const info = (name) => {
      const lower = String(name).toLowerCase().replace(/^aes(\d{3})$/, 'aes-$1-cbc').replace(/^id-aes(\d{3})-gcm$/i, 'aes-$1-gcm');
      if (!names.ciphers.includes(lower)) return undefined;
      const mode = lower === 'chacha20-poly1305' ? 'stream' : lower.slice(8);
      const sealed = mode === 'gcm' || mode === 'stream';
      return { name: lower, mode, keyLength: lower === 'chacha20-poly1305' ? 32 : Number(lower.slice(4, 7)) / 8, ivLength: mode === 'ecb' ? undefined : sealed ? 12 : 16, blockSize: mode === 'cbc' || mode === 'ecb' ? 16 : undefined, sealed };
    };
    class Cipherer extends Transform {
      constructor(encrypt, name, key, iv, options) {
        super(options);
        const about = info(name);
        if (!about) throw rt.error(Error, 'ERR_CRYPTO_UNKNOWN_CIPHER', `Unknown cipher: ${name}`);
        key = secretOf(key).slice();
        if (key.length !== about.keyLength) throw rt.error(RangeError, 'ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length');
        iv = iv === null || iv === undefined ? new Uint8Array(0) : bytesOf(data(iv, 'iv')).slice();
        if (about.ivLength === undefined ? iv.length !== 0 : about.sealed ? iv.length === 0 : iv.length !== about.ivLength) throw rt.error(TypeError, 'ERR_CRYPTO_INVALID_IV', 'Invalid initialization vector');
        Object.defineProperty(this, 'own', { value: { about, encrypt, key, iv, chunks: [], additional: [], padding: true, tag: null, tagLength: options?.authTagLength ?? 16, done: false } });
      }
      // All of the message is worked on at the end: what `update` and `final` give together is the same.
      update(value, inputEncoding, outputEncoding) {
        if (this.own.done) throw rt.error(Error, 'ERR_CRYPTO_INVALID_STATE', 'Unsupported state');
        this.own.chunks.push(typeof data(value) === 'string' ? bytesOf(value, inputEncoding) : rt.bytes(value).slice());
        return rt.output(new Uint8Array(0), outputEncoding);
      }
      final(outputEncoding) {
        const { own } = this;
        if (own.done) throw rt.error(Error, 'ERR_CRYPTO_INVALID_STATE', 'Unsupported state');
        own.done = true;
        let message = own.chunks.length ? joined(own.chunks) : new Uint8Array(0);
        if (own.about.sealed && !own.encrypt) {
          if (!own.tag) throw new Error('Unsupported state or unable to authenticate data');
          message = Buffer.concat([message, own.tag]);
        }
        let out = parts.cipher(own.about.name, own.encrypt, own.padding, own.key, own.iv, own.additional.length ? joined(own.additional) : new Uint8Array(0), message);
        if (own.about.sealed && own.encrypt) {
          own.tag = Buffer.from(out.subarray(out.length - 16, out.length - 16 + own.tagLength));
          out = out.slice(0, out.length - 16);
        }
        return rt.output(out, outputEncoding);
      }
      setAutoPadding(padding = true) {
        this.own.padding = Boolean(padding);
        return this;
      }
      setAAD(value) {
        this.own.additional.push(bytesOf(data(value, 'buffer')).slice());
        return this;
      }
      _transform(chunk, encoding, done) {
        this.update(chunk, encoding);
        done();
      }
      _flush(done) {
        try {
          this.push(this.final());
          done();
        } catch (error) {
          done(error);
        }
      }
    }
    class Cipheriv extends Cipherer {
      constructor(...args) { super(true, ...args); }
      getAuthTag() {
        if (!this.own.tag) throw rt.error(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation getAuthTag');
        return this.own.tag;
      }
    }
    class Decipheriv extends Cipherer {
      constructor(...args) { super(false, ...args); }
      setAuthTag(tag, encoding) {
        tag = bytesOf(data(tag, 'tag'), encoding);
        if (tag.length !== 16) throw rt.error(TypeError, 'ERR_CRYPTO_INVALID_AUTH_TAG', `Invalid authentication tag length: ${tag.length}`);
        this.own.tag = tag.slice();
        return this;
      }
    }

    // ---- randomness
    const randomBytes = (size, call) => {
      if (typeof size !== 'number') throw rt.invalidArgument('"size"', 'of type number', size);
      if (!(size >= 0 && size <= 2 ** 31 - 1)) throw rt.error(RangeError, 'ERR_OUT_OF_RANGE', `The value of "size" is out of range. It must be >= 0 && <= 2147483647. Received ${size}`);
      const make = () => rt.randomFill(Buffer.alloc(size));
      if (call === undefined) return make();
      later(call, make);
    };
    const randomFillSync = (view, offset = 0, size) => {
      const bytes = rt.bytes(view);
      const width = view.BYTES_PER_ELEMENT ?? 1;
      rt.randomFill(bytes.subarray(offset * width, size === undefined ? undefined : (offset + size) * width));
      return view;
    };
    const randomInt = (min, max, call) => {
      if (max === undefined || typeof max === 'function') {
        call = max;
        max = min;
        min = 0;
      }
      if (!Number.isSafeInteger(min)) throw rt.invalidArgument('"min"', 'a safe integer', min);
      if (!Number.isSafeInteger(max)) throw rt.invalidArgument('"max"', 'a safe integer', max);
      const range = max - min;
      if (!(range > 0 && range <= 2 ** 48 - 1)) throw rt.error(RangeError, 'ERR_OUT_OF_RANGE', `The value of "max" is out of range. It must be greater than the value of "min" (${min}). Received ${max}`);
      const limit = 2 ** 48 - (2 ** 48 % range);
      const make = () => {
        for (;;) {
          const value = Buffer.from(emu.random(6)).readUIntBE(0, 6);
          if (value < limit) return min + (value % range);
        }
      };
      if (call === undefined) return make();
      later(call, make);
    };
    const pbkdf2Sync = (password, salt, iterations, length, hash) => {
      if (typeof hash !== 'string') throw rt.invalidArgument('"digest"', 'of type string', hash);
      if (!isHash(hash)) throw rt.error(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${hash}`);
      return rt.wrapBuffer(parts.pbkdf2(hash, bytesOf(data(password, 'password')), bytesOf(data(salt, 'salt')), iterations, length));
    };
    const hkdfSync = (hash, key, salt, information, length) => parts.hkdf(hash, secretOf(key), bytesOf(salt), bytesOf(information), length).slice().buffer;
    const scryptSync = (password, salt, length, options) => {
      const n = options?.N ?? options?.cost ?? 16384;
      const r = options?.r ?? options?.blockSize ?? 8;
      const p = options?.p ?? options?.parallelization ?? 1;
      if (128 * n * r > (options?.maxmem ?? 32 * 1024 * 1024)) throw rt.error(RangeError, 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', 'Invalid scrypt params: memory limit exceeded');
      return rt.wrapBuffer(parts.scrypt(bytesOf(data(password, 'password')), bytesOf(data(salt, 'salt')), length, n, r, p));
    };
    const encode = (key, options) => (options ? key.export(options) : key);
    const generateKeyPairSync = (type, options = {}) => {
      const kind = { rsa: 'rsa', 'rsa-pss': 'rsa', ec: 'ec', ed25519: 'ed25519' }[type];
      if (!kind) throw rt.missing(`generateKeyPair('${type}')`, 'node:crypto');
      const made = parts.generateKey({ kind, bits: options.modulusLength ?? 2048, curve: options.namedCurve ?? '' });
      return { publicKey: encode(new KeyObject('public', made), options.publicKeyEncoding), privateKey: encode(new KeyObject('private', made), options.privateKeyEncoding) };
    };
    const generateKeySync = (type, { length }) => new KeyObject('secret', { bytes: rt.randomFill(new Uint8Array(Math.floor(length / 8))) });
    const rsaBox = (encrypt) => (key, message) => {
      const options = key !== null && typeof key === 'object' && !(key instanceof KeyObject) && !rt.isBytes(key) ? key : {};
      const padding = { 1: 'pkcs1', 4: 'oaep' }[options.padding ?? 4];
      if (!padding) throw rt.missing('this RSA padding', 'node:crypto');
      const held = encrypt ? publicOf(key) : privateOf(key);
      return rt.wrapBuffer(parts.rsa({ padding, hash: options.oaepHash ?? 'sha1', encrypt }, held._bytes(), options.oaepLabel ?? new Uint8Array(0), bytesOf(data(message, 'buffer'))));
    };
    const timingSafeEqual = (a, b) => {
      const x = rt.bytes(a);
      const y = rt.bytes(b);
      if (x.length !== y.length) throw rt.error(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
      let difference = 0;
      for (let at = 0; at < x.length; at++) difference |= x[at] ^ y[at];
      return difference === 0;
    };
    const crypto = {
      Hash, Hmac, Sign, Verify, Cipheriv, Decipheriv, KeyObject, constants, webcrypto: globalThis.crypto, getRandomValues: (view) => globalThis.crypto.getRandomValues(view), randomUUID: () => rt.randomUUID(),
      createHash: (name, options) => new Hash(name, options), createHmac: (name, key, options) => new Hmac(name, key, options), hash: (name, value, encoding = 'hex') => rt.output(parts.hash(name, bytesOf(data(value))), encoding),
      getHashes: () => [...names.hashes, 'RSA-SHA1', 'RSA-SHA256', 'RSA-SHA384', 'RSA-SHA512', 'RSA-MD5'], getCiphers: () => [...names.ciphers], getCurves: () => ['prime256v1', 'secp256k1', 'secp384r1', 'secp521r1'],
      getCipherInfo: (name) => {
        const about = info(name);
        return about && { name: about.name, nid: 0, blockSize: about.blockSize, ivLength: about.ivLength, keyLength: about.keyLength, mode: about.mode };
      },
      randomBytes, pseudoRandomBytes: randomBytes, prng: randomBytes, rng: randomBytes, randomFillSync, randomInt,
      randomFill(view, offset, size, call) {
        if (typeof offset === 'function') [call, offset, size] = [offset, 0, undefined];
        else if (typeof size === 'function') [call, size] = [size, undefined];
        later(call, () => randomFillSync(view, offset, size));
      },
      timingSafeEqual, pbkdf2Sync, hkdfSync, scryptSync,
      pbkdf2: (password, salt, iterations, length, hash, call) => later(call ?? hash, () => pbkdf2Sync(password, salt, iterations, length, hash)),
      hkdf: (hash, key, salt, information, length, call) => later(call, () => hkdfSync(hash, key, salt, information, length)),
      scrypt(password, salt, length, options, call) {
        if (typeof options === 'function') [call, options] = [options, undefined];
        later(call, () => scryptSync(password, salt, length, options));
      },
      createCipheriv: (name, key, iv, options) => new Cipheriv(name, key, iv, options), createDecipheriv: (name, key, iv, options) => new Decipheriv(name, key, iv, options),
      createSign: (name) => new Sign(name), createVerify: (name) => new Verify(name),
      sign(hash, message, key, call) {
        if (call) return later(call, () => rt.wrapBuffer(sign(hash, message, key)));
        return rt.wrapBuffer(sign(hash, message, key));
      },
      verify(hash, message, key, signature, call) {
        if (call) return later(call, () => verify(hash, message, key, signature));
        return verify(hash, message, key, signature);
      },
      createPrivateKey: privateOf, createPublicKey: publicOf, createSecretKey: (key, encoding) => new KeyObject('secret', { bytes: bytesOf(data(key, 'key'), encoding).slice() }),
      generateKeyPairSync, generateKeySync,
      generateKeyPair(type, options, call) {
        if (typeof options === 'function') [call, options] = [options, {}];
        callback(call);
        let made;
        try {
          made = generateKeyPairSync(type, options);
        } catch (error) {
          rt.nextTick(call, error);
          return;
        }
        rt.nextTick(call, null, made.publicKey, made.privateKey);
      },
      generateKey: (type, options, call) => later(call, () => generateKeySync(type, options)),
      publicEncrypt: rsaBox(true), privateDecrypt: rsaBox(false), getFips: () => 0, secureHeapUsed: () => ({ total: 0, used: 0, utilization: 0, min: 0 }), setEngine() {},
      fips: false,
    };
    crypto.generateKeyPair[rt.require('util').promisify.custom] = async (type, options) => generateKeyPairSync(type, options);
    for (const name of ['createDiffieHellman', 'createDiffieHellmanGroup', 'getDiffieHellman', 'createECDH', 'diffieHellman', 'privateEncrypt', 'publicDecrypt', 'generatePrime', 'generatePrimeSync', 'checkPrime', 'checkPrimeSync', 'X509Certificate', 'Certificate', 'createCipher', 'createDecipher', 'setFips']) {
      crypto[name] = function () { throw rt.missing(name, 'node:crypto'); };
    }
    Object.defineProperty(crypto, 'subtle', { enumerable: true, get: () => globalThis.crypto.subtle });
    return crypto;
  });

  // bcrypt and bcryptjs: far too slow in an interpreter, so the host has them.
  const bcrypt = (name) => () => {
    emu.log(1, `${name} is built in: the sandbox runs it natively`);
    const letters = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
    const encode = (bytes) => {
      let out = '';
      for (let at = 0; at < bytes.length; at += 3) {
        const [a, b, c] = [bytes[at], bytes[at + 1], bytes[at + 2]];
        out += letters[a >> 2] + letters[((a & 3) << 4) | ((b ?? 0) >> 4)];
        if (b !== undefined) out += letters[((b & 15) << 2) | ((c ?? 0) >> 6)];
        if (c !== undefined) out += letters[c & 63];
      }
      return out;
    };
    const decode = (text) => {
      const out = [];
      let bits = 0;
      let count = 0;
      for (const char of text) {
        bits = (bits << 6) | letters.indexOf(char);
        count += 6;
        if (count >= 8) {
          count -= 8;
          out.push((bits >> count) & 255);
        }
      }
      return new Uint8Array(out);
    };
    const secretBytes = (value, what) => {
      if (typeof value !== 'string' && !rt.isBytes(value)) throw new Error(`Illegal arguments: ${what ?? typeof value}`);
      const bytes = rt.bytes(value);
      return bytes.slice(0, 72);
    };
    const genSaltSync = (rounds = 10) => {
      if (typeof rounds !== 'number') throw new Error(`Illegal arguments: ${typeof rounds}`);
      return `$2b$${String(Math.min(31, Math.max(4, rounds))).padStart(2, '0')}$${encode(emu.random(16))}`;
    };
    const hashSync = (value, salt = 10) => {
      if (typeof salt === 'number') salt = genSaltSync(salt);
      if (typeof salt !== 'string') throw new Error(`Illegal arguments: ${typeof value}, ${typeof salt}`);
      const found = /^\$(2[aby])\$(\d\d)\$([./A-Za-z0-9]{22})/.exec(salt);
      if (!found) throw new Error('Invalid salt version or format');
      const text = rt.op('bcrypt.hash', { cost: Number(found[2]) }, secretBytes(value), decode(found[3]).slice(0, 16))[0];
      return `$${found[1]}${text.slice(3)}`;
    };
    const compareSync = (value, hash) => {
      if (typeof hash !== 'string') throw new Error(`Illegal arguments: ${typeof value}, ${typeof hash}`);
      return rt.op('bcrypt.verify', { hash }, secretBytes(value))[0] === 'true';
    };
    const either = (run) => (...args) => {
      const call = args.findLast((arg) => typeof arg === 'function');
      args = args.slice(0, args.findIndex((arg) => typeof arg === 'function') < 0 ? args.length : args.findIndex((arg) => typeof arg === 'function'));
      const made = new Promise((resolve, reject) => rt.nextTick(() => {
        try {
          resolve(run(...args));
        } catch (error) {
          reject(error);
        }
      }));
      if (!call) return made;
      made.then((value) => rt.nextTick(call, null, value), (error) => rt.nextTick(call, error));
      return undefined;
    };
    const getRounds = (hash) => Number(hash.split('$')[2]);
    return {
      genSaltSync, genSalt: either((rounds) => genSaltSync(rounds)), hashSync, hash: either(hashSync), compareSync, compare: either(compareSync), getRounds, getSalt: (hash) => hash.slice(0, 29), truncates: (value) => rt.bytes(value).length > 72,
      setRandomFallback() {}, encodeBase64: (bytes, length) => encode(bytes.slice(0, length)), decodeBase64: (text, length) => [...decode(text)].slice(0, length),
    };
  };
  rt.define('bcrypt', bcrypt('bcrypt'));
  rt.define('bcryptjs', bcrypt('bcryptjs'));
})(globalThis.__emu);
