// TextEncoder, TextDecoder and their streams. QuickJS has atob and btoa of its own.
((emu) => {
  'use strict';
  const { rt } = emu;
  class TextEncoder {
    get encoding() { return 'utf-8'; }
    encode(text = '') { return rt.utf8(String(text)); }
    encodeInto(text, into) {
      text = String(text);
      let bytes = rt.utf8(text);
      if (bytes.length > into.length) {
        let end = into.length;
        while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--;
        bytes = bytes.subarray(0, end);
        into.set(bytes);
        return { read: rt.fromUtf8(bytes).length, written: end };
      }
      into.set(bytes);
      return { read: text.length, written: bytes.length };
    }
  }
  rt.tag(TextEncoder, 'TextEncoder');
  const labels = new Map([['utf-8', 'utf-8'], ['utf8', 'utf-8'], ['unicode-1-1-utf-8', 'utf-8']]);
  class TextDecoder {
    #encoding; #fatal; #ignoreBom; #rest = null; #started = false;
    constructor(label = 'utf-8', options) {
      const name = String(label).trim().toLowerCase();
      let encoding = labels.get(name);
      if (!encoding) {
        encoding = emu.call('text.label', name, null)[0];
        if (!encoding) throw rt.error(RangeError, 'ERR_ENCODING_NOT_SUPPORTED', `The "${label}" encoding is not supported`);
        labels.set(name, encoding);
      }
      this.#encoding = encoding;
      this.#fatal = Boolean(options?.fatal);
      this.#ignoreBom = Boolean(options?.ignoreBOM);
    }
    get encoding() { return this.#encoding; }
    get fatal() { return this.#fatal; }
    get ignoreBOM() { return this.#ignoreBom; }
    decode(input, options) {
      let bytes = input === undefined ? new Uint8Array(0) : rt.bytes(input);
      const stream = Boolean(options?.stream);
      if (this.#rest) {
        const joined = new Uint8Array(this.#rest.length + bytes.length);
        joined.set(this.#rest);
        joined.set(bytes, this.#rest.length);
        bytes = joined;
        this.#rest = null;
      }
      if (stream) {
        const keep = this.#tail(bytes);
        if (keep > 0) {
          this.#rest = bytes.slice(bytes.length - keep);
          bytes = bytes.subarray(0, bytes.length - keep);
        }
      }
      let text;
      if (this.#encoding === 'utf-8' && !this.#fatal) text = rt.fromUtf8(bytes);
      else {
        try {
          text = emu.call('text.decode', JSON.stringify({ label: this.#encoding, fatal: this.#fatal }), bytes)[0];
        } catch {
          this.#rest = null;
          this.#started = false;
          throw rt.error(TypeError, 'ERR_ENCODING_INVALID_ENCODED_DATA', `The encoded data was not valid for encoding ${this.#encoding}`);
        }
      }
      if (!this.#started && text.length > 0) {
        if (!this.#ignoreBom && text.charCodeAt(0) === 0xfeff) text = text.slice(1);
        this.#started = true;
      }
      if (!stream) this.#started = false;
      return text;
    }
    /** How many bytes at the end begin a character that is not yet complete. */
    #tail(bytes) {
      const length = bytes.length;
      if (this.#encoding === 'utf-8') {
        for (let back = 1; back <= Math.min(3, length); back++) {
          const byte = bytes[length - back];
          if ((byte & 0xc0) === 0x80) continue;
          const want = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
          return want > back ? back : 0;
        }
        return 0;
      }
      if (this.#encoding.startsWith('utf-16')) {
        const odd = length % 2;
        const even = length - odd;
        if (even >= 2) {
          const high = this.#encoding === 'utf-16le' ? bytes[even - 1] : bytes[even - 2];
          if (high >= 0xd8 && high <= 0xdb) return odd + 2;
        }
        return odd;
      }
      // Multi-byte legacy encodings: keep an unpaired lead byte.
      if (/^(shift_jis|euc-|gbk|gb18030|big5)/.test(this.#encoding)) {
        let lead = 0;
        while (lead < Math.min(length, 8) && bytes[length - 1 - lead] > 0x80) lead++;
        return lead % 2;
      }
      return 0;
    }
  }
  rt.tag(TextDecoder, 'TextDecoder');
  rt.global('TextEncoder', TextEncoder);
  rt.global('TextDecoder', TextDecoder);
  rt.lazyGlobal('TextEncoderStream', () => {
    class TextEncoderStream {
      #transform = new TransformStream({
        transform: (chunk, controller) => {
          let text = this.#high + String(chunk);
          this.#high = '';
          const last = text.charCodeAt(text.length - 1);
          if (last >= 0xd800 && last <= 0xdbff) {
            this.#high = text.at(-1);
            text = text.slice(0, -1);
          }
          if (text) controller.enqueue(rt.utf8(text));
        },
        flush: (controller) => {
          if (this.#high) controller.enqueue(new Uint8Array([0xef, 0xbf, 0xbd]));
        },
      });
      #high = '';
      get encoding() { return 'utf-8'; }
      get readable() { return this.#transform.readable; }
      get writable() { return this.#transform.writable; }
    }
    return TextEncoderStream;
  });
  rt.lazyGlobal('TextDecoderStream', () => {
    class TextDecoderStream {
      #decoder; #transform;
      constructor(label, options) {
        this.#decoder = new TextDecoder(label, options);
        this.#transform = new TransformStream({
          transform: (chunk, controller) => {
            const text = this.#decoder.decode(chunk, { stream: true });
            if (text) controller.enqueue(text);
          },
          flush: (controller) => {
            const text = this.#decoder.decode();
            if (text) controller.enqueue(text);
          },
        });
      }
      get encoding() { return this.#decoder.encoding; }
      get fatal() { return this.#decoder.fatal; }
      get ignoreBOM() { return this.#decoder.ignoreBOM; }
      get readable() { return this.#transform.readable; }
      get writable() { return this.#transform.writable; }
    }
    return TextDecoderStream;
  });
})(globalThis.__emu);
