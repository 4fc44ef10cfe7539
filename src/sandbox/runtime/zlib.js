// node:zlib: the work is the host's; streams collect what they are written and answer at the end.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.define('zlib', () => {
    const { Transform } = rt.require('stream');
    const constants = {
      Z_NO_FLUSH: 0, Z_PARTIAL_FLUSH: 1, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_BLOCK: 5, Z_OK: 0, Z_STREAM_END: 1, Z_NEED_DICT: 2, Z_ERRNO: -1, Z_STREAM_ERROR: -2, Z_DATA_ERROR: -3, Z_MEM_ERROR: -4, Z_BUF_ERROR: -5, Z_VERSION_ERROR: -6, Z_NO_COMPRESSION: 0, Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9, Z_DEFAULT_COMPRESSION: -1,
      Z_FILTERED: 1, Z_HUFFMAN_ONLY: 2, Z_RLE: 3, Z_FIXED: 4, Z_DEFAULT_STRATEGY: 0, Z_MIN_WINDOWBITS: 8, Z_MAX_WINDOWBITS: 15, Z_DEFAULT_WINDOWBITS: 15, Z_MIN_CHUNK: 64, Z_MAX_CHUNK: Infinity, Z_DEFAULT_CHUNK: 16384, Z_MIN_MEMLEVEL: 1, Z_MAX_MEMLEVEL: 9, Z_DEFAULT_MEMLEVEL: 8, Z_MIN_LEVEL: -1, Z_MAX_LEVEL: 9, Z_DEFAULT_LEVEL: -1,
      DEFLATE: 1, INFLATE: 2, GZIP: 3, GUNZIP: 4, DEFLATERAW: 5, INFLATERAW: 6, UNZIP: 7, BROTLI_DECODE: 8, BROTLI_ENCODE: 9, BROTLI_OPERATION_PROCESS: 0, BROTLI_OPERATION_FLUSH: 1, BROTLI_OPERATION_FINISH: 2, BROTLI_PARAM_MODE: 0, BROTLI_MODE_GENERIC: 0, BROTLI_MODE_TEXT: 1, BROTLI_PARAM_QUALITY: 1, BROTLI_PARAM_LGWIN: 2, BROTLI_PARAM_SIZE_HINT: 5, BROTLI_DEFAULT_QUALITY: 11,
    };
    const run = (kind, data, options) => {
      if (typeof data !== 'string' && !rt.isBytes(data)) throw rt.invalidArgument('"buffer"', 'of type string or an instance of Buffer, TypedArray, DataView, or ArrayBuffer', data);
      if (options?.dictionary) throw rt.missing(`${kind} with a dictionary`, 'node:zlib');
      const partial = options?.finishFlush !== undefined && options.finishFlush !== constants.Z_FINISH;
      try {
        return rt.wrapBuffer(emu.call('zlib', JSON.stringify({ kind, level: options?.level, max: options?.maxOutputLength, partial }), rt.bytes(data))[1] ?? new Uint8Array(0));
      } catch (error) {
        if (error.name === 'RangeError') throw rt.error(RangeError, 'ERR_BUFFER_TOO_LARGE', error.message);
        const [code, message] = error.message.includes(': ') ? [error.message.slice(0, error.message.indexOf(': ')), error.message.slice(error.message.indexOf(': ') + 2)] : ['Z_DATA_ERROR', error.message];
        throw Object.assign(new Error(message), { code, errno: constants[code] ?? -3 });
      }
    };
    const zlib = { constants, ...Object.fromEntries(Object.entries(constants).filter(([name]) => name.startsWith('Z_'))), codes: Object.freeze({ Z_OK: 0, Z_STREAM_END: 1, Z_NEED_DICT: 2, Z_DATA_ERROR: -3, Z_BUF_ERROR: -5 }) };
    const kinds = { gzip: 'Gzip', gunzip: 'Gunzip', deflate: 'Deflate', inflate: 'Inflate', deflateRaw: 'DeflateRaw', inflateRaw: 'InflateRaw', unzip: 'Unzip' };
    for (const [kind, Name] of Object.entries(kinds)) {
      zlib[`${kind}Sync`] = (data, options) => run(kind, data, options);
      zlib[kind] = (data, options, done) => {
        if (typeof options === 'function') {
          done = options;
          options = {};
        }
        let value;
        try {
          value = run(kind, data, options);
        } catch (error) {
          if (error.code === 'ERR_INVALID_ARG_TYPE') throw error;
          rt.nextTick(done, error);
          return;
        }
        rt.nextTick(done, null, value);
      };
      const Class = class extends Transform {
        constructor(options) {
          super(options);
          this.options = options;
          this.chunks = [];
          this.bytesWritten = 0;
        }
        _transform(chunk, encoding, done) {
          this.chunks.push(chunk);
          this.bytesWritten += chunk.length;
          done();
        }
        _flush(done) {
          try {
            const input = rt.Buffer.concat(this.chunks);
            this.chunks = [];
            if (input.length === 0 && !/gzip|deflate/.test(kind)) return done();
            const out = run(kind, input, this.options);
            for (let at = 0; at < out.length; at += 65536) this.push(out.subarray(at, at + 65536));
            done();
          } catch (error) {
            done(error);
          }
        }
        flush(kindOrCall, call) { rt.nextTick(call ?? kindOrCall ?? (() => {})); }
        close(call) {
          if (call) this.once('close', call);
          this.destroy();
        }
        params(level, strategy, call) {
          this.options = { ...this.options, level };
          rt.nextTick(call);
        }
        reset() { this.chunks = []; }
      };
      Object.defineProperty(Class, 'name', { value: Name });
      const make = function (options) { return new Class(options); };
      make.prototype = Class.prototype;
      Object.defineProperty(make, 'name', { value: Name });
      zlib[Name] = make;
      zlib[`create${Name}`] = (options) => new Class(options);
    }
    for (const name of ['brotliCompress', 'brotliCompressSync', 'brotliDecompress', 'brotliDecompressSync', 'createBrotliCompress', 'createBrotliDecompress', 'BrotliCompress', 'BrotliDecompress']) {
      zlib[name] = function () { throw rt.missing(name, 'node:zlib', 'use gzip or deflate'); };
    }
    zlib.crc32 = (data, value = 0) => Number(emu.call('crc32', JSON.stringify({ value }), rt.bytes(data))[0]);
    return zlib;
  });
})(globalThis.__emu);
