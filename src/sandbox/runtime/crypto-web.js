// Web Crypto: random values; `subtle` is made at its first use.
((emu) => {
  'use strict';
  const { rt } = emu;
  const max = 65536;
  rt.randomUUID = () => {
    const bytes = emu.random(16);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = bytes.toHex();
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };
  rt.randomFill = (view) => {
    const bytes = rt.bytes(view);
    for (let at = 0; at < bytes.length; at += max) bytes.set(emu.random(Math.min(max, bytes.length - at)), at);
    return view;
  };
  class Crypto {
    getRandomValues(view) {
      if (!ArrayBuffer.isView(view) || view instanceof DataView || view instanceof Float32Array || view instanceof Float64Array) throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError');
      if (view.byteLength > max) throw new DOMException(`The requested length exceeds ${max} bytes`, 'QuotaExceededError');
      return rt.randomFill(view);
    }
    randomUUID() { return rt.randomUUID(); }
    get subtle() { return rt.require('subtle').subtle; }
  }
  rt.tag(Crypto, 'Crypto');
  rt.global('Crypto', Crypto);
  rt.global('crypto', new Crypto());
  rt.lazyGlobal('SubtleCrypto', () => rt.require('subtle').SubtleCrypto);
  rt.lazyGlobal('CryptoKey', () => rt.require('subtle').CryptoKey);
  rt.internal?.add('subtle');
})(globalThis.__emu);
