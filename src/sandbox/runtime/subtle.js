// crypto.subtle.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('subtle');
  rt.define('subtle', () => {
    const parts = rt.require('crypto-parts');
    const hold = Symbol('key');
    const made = Symbol('construct');
    class CryptoKey {
      constructor(secret, type, algorithm, extractable, usages, held) {
        if (secret !== made) throw rt.error(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
        Object.defineProperty(this, hold, { value: held });
        this.#its = { type, algorithm, extractable: Boolean(extractable), usages: [...new Set(usages)] };
      }
      #its;
      get type() { return this.#its.type; }
      get algorithm() { return this.#its.algorithm; }
      get extractable() { return this.#its.extractable; }
      get usages() { return [...this.#its.usages]; }
      [rt.customInspect](depth, options, inspect) { return `CryptoKey ${inspect({ type: this.type, extractable: this.extractable, algorithm: this.algorithm, usages: this.usages }, options)}`; }
    }
    rt.tag(CryptoKey, 'CryptoKey');
    const fail = (name, message) => { throw new DOMException(message, name); };
    const unsupported = (what) => fail('NotSupportedError', `Unrecognized or unsupported algorithm: ${what}`);
    const proper = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512', 'HMAC', 'AES-CBC', 'AES-CTR', 'AES-GCM', 'RSASSA-PKCS1-v1_5', 'RSA-PSS', 'RSA-OAEP', 'ECDSA', 'Ed25519', 'PBKDF2', 'HKDF'];
    const normal = (algorithm) => {
      const given = typeof algorithm === 'string' ? { name: algorithm } : { ...algorithm };
      const name = proper.find((each) => each.toLowerCase() === String(given.name).toLowerCase());
      if (!name) unsupported(given.name);
      given.name = name;
      if (given.hash !== undefined) given.hash = normal(given.hash);
      return given;
    };
    const copy = (data) => {
      if (!rt.isBytes(data)) throw new TypeError('The data must be an ArrayBuffer or a view of one');
      return rt.bytes(data).slice();
    };
    const buffer = (bytes) => (bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer);
    const check = (key, name, usage) => {
      if (!(key instanceof CryptoKey)) throw new TypeError('A CryptoKey is wanted');
      if (key.algorithm.name !== name) fail('InvalidAccessError', 'Key algorithm mismatch');
      if (!key.usages.includes(usage)) fail('InvalidAccessError', `Unable to use this key to ${usage}`);
    };
    const lengths = { 'SHA-1': 20, 'SHA-256': 32, 'SHA-384': 48, 'SHA-512': 64 };
    const blocks = { 'SHA-1': 64, 'SHA-256': 64, 'SHA-384': 128, 'SHA-512': 128 };
    const allowed = {
      HMAC: ['sign', 'verify'], 'AES-CBC': ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'], 'AES-CTR': ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'], 'AES-GCM': ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'],
      'RSASSA-PKCS1-v1_5': ['sign', 'verify'], 'RSA-PSS': ['sign', 'verify'], ECDSA: ['sign', 'verify'], Ed25519: ['sign', 'verify'], 'RSA-OAEP': ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'], PBKDF2: ['deriveKey', 'deriveBits'], HKDF: ['deriveKey', 'deriveBits'],
    };
    const openUses = new Set(['verify', 'encrypt', 'wrapKey']);
    const closedUses = new Set(['sign', 'decrypt', 'unwrapKey']);
    const uses = (name, usages, type) => {
      for (const usage of usages) {
        if (!allowed[name]?.includes(usage)) fail('SyntaxError', `Unsupported key usage for a ${name} key`);
        if ((type === 'public' && !openUses.has(usage)) || (type === 'private' && !closedUses.has(usage))) fail('SyntaxError', `Unsupported key usage for a ${name} key`);
      }
      if (usages.length === 0 && type !== 'public') fail('SyntaxError', 'Usages cannot be empty when importing a private or secret key.');
    };
    const scheme = (algorithm, key) => {
      if (key.algorithm.name === 'RSA-PSS' && algorithm.saltLength !== lengths[key.algorithm.hash.name]) fail('OperationError', `RSA-PSS inside the sandbox takes a salt as long as the hash (${lengths[key.algorithm.hash.name]} bytes)`);
      return { hash: key.algorithm.name === 'ECDSA' ? algorithm.hash?.name ?? fail('TypeError', 'hash is missing') : key.algorithm.hash?.name ?? '', pss: key.algorithm.name === 'RSA-PSS', fixed: key.algorithm.name === 'ECDSA' };
    };
    const operation = (call) => {
      try {
        return call();
      } catch (error) {
        if (error instanceof DOMException) throw error;
        throw new DOMException(`The operation failed for an operation-specific reason: ${error.message}`, 'OperationError');
      }
    };
    const asymmetric = (algorithm, about) => {
      const { name } = algorithm;
      if (about.type === 'rsa' && name.startsWith('RSA')) {
        const exponent = about.jwk.e;
        return { name, modulusLength: about.bits, publicExponent: rt.toBytes(exponent, 'base64url'), hash: { name: algorithm.hash?.name ?? fail('TypeError', 'hash is missing') } };
      }
      if (about.type === 'ec' && name === 'ECDSA') {
        if (algorithm.namedCurve && algorithm.namedCurve !== about.namedCurve) fail('DataError', 'Named curve mismatch');
        return { name, namedCurve: about.namedCurve };
      }
      if (about.type === 'ed25519' && name === 'Ed25519') return { name };
      return fail('DataError', 'Invalid key type');
    };
    const secretAlgorithm = (algorithm, bytes) => {
      const { name } = algorithm;
      if (name === 'HMAC') {
        if (bytes.length === 0) fail('DataError', 'Zero-length key is not supported');
        return { name, hash: { name: algorithm.hash?.name ?? fail('TypeError', 'hash is missing') }, length: algorithm.length ?? bytes.length * 8 };
      }
      if (name.startsWith('AES')) {
        if (![16, 24, 32].includes(bytes.length)) fail('DataError', 'Invalid key length');
        return { name, length: bytes.length * 8 };
      }
      return { name };
    };
    const aes = (encrypt, algorithm, key, data) => {
      const bits = key.algorithm.length;
      const bytes = copy(data);
      const none = new Uint8Array(0);
      switch (algorithm.name) {
        case 'AES-CBC':
          if (rt.bytes(algorithm.iv).length !== 16) fail('OperationError', 'algorithm.iv must contain exactly 16 bytes');
          return parts.cipher(`aes-${bits}-cbc`, encrypt, true, key[hold], algorithm.iv, none, bytes);
        case 'AES-CTR':
          if (rt.bytes(algorithm.counter).length !== 16) fail('OperationError', 'algorithm.counter must contain exactly 16 bytes');
          return parts.cipher(`aes-${bits}-ctr`, encrypt, false, key[hold], algorithm.counter, none, bytes);
        default: {
          if (algorithm.tagLength !== undefined && algorithm.tagLength !== 128) fail('NotSupportedError', 'AES-GCM inside the sandbox takes a tag of 128 bits');
          return parts.cipher(`aes-${bits}-gcm`, encrypt, false, key[hold], algorithm.iv, algorithm.additionalData ?? none, bytes);
        }
      }
    };
    class SubtleCrypto {
      async digest(algorithm, data) {
        const { name } = normal(algorithm);
        if (!lengths[name]) unsupported(name);
        return buffer(parts.hash(name, copy(data)));
      }
      async sign(algorithm, key, data) {
        algorithm = normal(algorithm);
        check(key, algorithm.name, 'sign');
        if (algorithm.name === 'HMAC') return buffer(parts.hmac(key.algorithm.hash.name, key[hold], copy(data)));
        return operation(() => buffer(parts.sign(scheme(algorithm, key), key[hold].privateKey, copy(data))));
      }
      async verify(algorithm, key, signature, data) {
        algorithm = normal(algorithm);
        check(key, algorithm.name, 'verify');
        if (algorithm.name === 'HMAC') {
          const expected = parts.hmac(key.algorithm.hash.name, key[hold], copy(data));
          const given = copy(signature);
          return given.length === expected.length && rt.require('crypto').timingSafeEqual(expected, given);
        }
        return operation(() => parts.verify(scheme(algorithm, key), key[hold].publicKey, copy(data), copy(signature)));
      }
      async encrypt(algorithm, key, data) { return this.#box(true, algorithm, key, data, 'encrypt'); }
      async decrypt(algorithm, key, data) { return this.#box(false, algorithm, key, data, 'decrypt'); }
      #box(encrypt, algorithm, key, data, usage) {
        algorithm = normal(algorithm);
        check(key, algorithm.name, usage);
        return operation(() => {
          if (algorithm.name === 'RSA-OAEP') return buffer(parts.rsa({ padding: 'oaep', hash: key.algorithm.hash.name, encrypt }, encrypt ? key[hold].publicKey : key[hold].privateKey, algorithm.label ?? new Uint8Array(0), copy(data)));
          if (!algorithm.name.startsWith('AES')) unsupported(algorithm.name);
          return buffer(aes(encrypt, algorithm, key, data));
        });
      }
      async importKey(format, data, algorithm, extractable, usages) {
        algorithm = normal(algorithm);
        const { name } = algorithm;
        const secret = ['HMAC', 'AES-CBC', 'AES-CTR', 'AES-GCM', 'PBKDF2', 'HKDF'].includes(name);
        if (secret) {
          let bytes;
          if (format === 'raw') bytes = copy(data);
          else if (format === 'jwk') {
            if (data.kty !== 'oct' || typeof data.k !== 'string') fail('DataError', 'Invalid keyData');
            bytes = rt.toBytes(data.k, 'base64url');
          } else fail('NotSupportedError', `Unable to import ${name} key with format ${format}`);
          uses(name, usages, 'secret');
          if ((name === 'PBKDF2' || name === 'HKDF') && extractable) fail('SyntaxError', `${name} keys are not extractable`);
          return new CryptoKey(made, 'secret', secretAlgorithm(algorithm, bytes), extractable, usages, bytes);
        }
        let found;
        try {
          if (format === 'jwk') found = parts.importKey({ format: 'jwk', jwk: data });
          else if (format === 'pkcs8' || format === 'spki') found = parts.importKey({ format: 'der', form: format }, copy(data));
          else if (format === 'raw') {
            const raw = copy(data);
            const text = (bytes) => rt.Buffer.from(bytes).toString('base64url');
            if (name === 'Ed25519') found = parts.importKey({ format: 'jwk', jwk: { kty: 'OKP', crv: 'Ed25519', x: text(raw) } });
            else if (name === 'ECDSA') {
              const half = (raw.length - 1) / 2;
              found = parts.importKey({ format: 'jwk', jwk: { kty: 'EC', crv: algorithm.namedCurve, x: text(raw.subarray(1, 1 + half)), y: text(raw.subarray(1 + half)) } });
            }
          }
        } catch (error) {
          fail('DataError', `Invalid keyData: ${error.message}`);
        }
        if (!found) fail('NotSupportedError', `Unable to import ${name} key with format ${format}`);
        const type = found.privateKey ? 'private' : 'public';
        uses(name, usages, type);
        return new CryptoKey(made, type, asymmetric(algorithm, found.about), extractable, usages, found);
      }
      async exportKey(format, key) {
        if (!key.extractable) fail('InvalidAccessError', 'key is not extractable');
        const held = key[hold];
        const text = (bytes) => rt.Buffer.from(bytes).toString('base64url');
        const { name } = key.algorithm;
        if (key.type === 'secret') {
          if (format === 'raw') return buffer(held.slice());
          if (format !== 'jwk') fail('NotSupportedError', `Unable to export a secret key with format ${format}`);
          const alg = name === 'HMAC' ? `HS${key.algorithm.hash.name.slice(4)}` : `A${key.algorithm.length}${name.slice(4)}`;
          return { kty: 'oct', k: text(held), alg, key_ops: key.usages, ext: true };
        }
        if (format === 'pkcs8' && key.type === 'private') return buffer(held.privateKey.slice());
        if (format === 'spki' && key.type === 'public') return buffer(held.publicKey.slice());
        if (format === 'jwk') {
          const { d, p, q, dp, dq, qi, ...open } = held.about.jwk;
          const jwk = key.type === 'private' ? { ...held.about.jwk } : open;
          const prefix = { 'RSASSA-PKCS1-v1_5': 'RS', 'RSA-PSS': 'PS' }[name];
          if (prefix) jwk.alg = `${prefix}${key.algorithm.hash.name.slice(4)}`;
          else if (name === 'RSA-OAEP') jwk.alg = key.algorithm.hash.name === 'SHA-1' ? 'RSA-OAEP' : `RSA-OAEP-${key.algorithm.hash.name.slice(4)}`;
          return { ...jwk, key_ops: key.usages, ext: true };
        }
        if (format === 'raw' && key.type === 'public' && (name === 'ECDSA' || name === 'Ed25519')) {
          const { x, y } = held.about.jwk;
          return buffer(name === 'Ed25519' ? rt.toBytes(x, 'base64url') : rt.Buffer.concat([Uint8Array.of(4), rt.toBytes(x, 'base64url'), rt.toBytes(y, 'base64url')]).slice());
        }
        return fail('NotSupportedError', `Unable to export a ${key.type} ${name} key with format ${format}`);
      }
      async generateKey(algorithm, extractable, usages) {
        algorithm = normal(algorithm);
        const { name } = algorithm;
        if (name === 'HMAC' || name.startsWith('AES')) {
          const bits = name === 'HMAC' ? algorithm.length ?? blocks[algorithm.hash?.name] * 8 : algorithm.length;
          if (name !== 'HMAC' && ![128, 192, 256].includes(bits)) fail('OperationError', 'Invalid key length');
          uses(name, usages, 'secret');
          const bytes = rt.randomFill(new Uint8Array(bits / 8));
          return new CryptoKey(made, 'secret', secretAlgorithm(algorithm, bytes), extractable, usages, bytes);
        }
        const kind = name.startsWith('RSA') ? 'rsa' : name === 'ECDSA' ? 'ec' : name === 'Ed25519' ? 'ed25519' : unsupported(name);
        const held = operation(() => parts.generateKey({ kind, bits: algorithm.modulusLength ?? 2048, curve: algorithm.namedCurve ?? '' }));
        const its = asymmetric(algorithm, held.about);
        for (const usage of usages) if (!allowed[name].includes(usage)) fail('SyntaxError', `Unsupported key usage for a ${name} key`);
        const closed = usages.filter((usage) => closedUses.has(usage));
        if (closed.length === 0) fail('SyntaxError', 'Usages cannot be empty when creating a key.');
        return {
          publicKey: new CryptoKey(made, 'public', its, true, usages.filter((usage) => openUses.has(usage)), { ...held, privateKey: null }),
          privateKey: new CryptoKey(made, 'private', its, extractable, closed, held),
        };
      }
      async deriveBits(algorithm, key, length) {
        algorithm = normal(algorithm);
        check(key, algorithm.name, key.usages.includes('deriveBits') ? 'deriveBits' : 'deriveKey');
        if (length === null || length === undefined || length % 8) fail('OperationError', 'length must be a multiple of 8');
        const hash = algorithm.hash?.name;
        return operation(() => {
          if (algorithm.name === 'PBKDF2') return buffer(parts.pbkdf2(hash, key[hold], copy(algorithm.salt), algorithm.iterations, length / 8));
          if (algorithm.name === 'HKDF') return buffer(parts.hkdf(hash, key[hold], copy(algorithm.salt), copy(algorithm.info), length / 8));
          return unsupported(algorithm.name);
        });
      }
      async deriveKey(algorithm, key, wanted, extractable, usages) {
        const target = normal(wanted);
        check(key, normal(algorithm).name, 'deriveKey');
        const bits = target.name === 'HMAC' ? target.length ?? blocks[target.hash?.name] * 8 : target.length;
        return this.importKey('raw', await this.deriveBits(algorithm, key, bits), target, extractable, usages);
      }
      async wrapKey(format, key, wrapping, algorithm) {
        const out = await this.exportKey(format, key);
        return this.#box(true, algorithm, wrapping, format === 'jwk' ? rt.utf8(JSON.stringify(out)) : out, 'wrapKey');
      }
      async unwrapKey(format, wrapped, unwrapping, algorithm, keyAlgorithm, extractable, usages) {
        const out = this.#box(false, algorithm, unwrapping, wrapped, 'unwrapKey');
        return this.importKey(format, format === 'jwk' ? JSON.parse(rt.fromUtf8(new Uint8Array(out))) : out, keyAlgorithm, extractable, usages);
      }
    }
    rt.tag(SubtleCrypto, 'SubtleCrypto');
    return {
      SubtleCrypto, CryptoKey, subtle: new SubtleCrypto(),
      toKeyObject(key) {
        const { createPrivateKey, createPublicKey, createSecretKey } = rt.require('crypto');
        if (!(key instanceof CryptoKey)) throw rt.invalidArgument('"key"', 'an instance of CryptoKey', key);
        if (key.type === 'secret') return createSecretKey(key[hold]);
        return key.type === 'private' ? createPrivateKey({ key: key[hold].privateKey, format: 'der', type: 'pkcs8' }) : createPublicKey({ key: key[hold].publicKey, format: 'der', type: 'spki' });
      },
      fromKeyObject() { throw rt.missing('KeyObject.toCryptoKey', 'node:crypto', 'use crypto.subtle.importKey'); },
    };
  });
})(globalThis.__emu);
