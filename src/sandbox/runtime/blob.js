// Blob, File, FormData.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.define('blob', () => {
    const bytesOf = Symbol('bytes');
    class Blob {
      #type;
      constructor(parts = [], options) {
        if (parts === null || typeof parts !== 'object' || typeof parts[Symbol.iterator] !== 'function') throw rt.error(TypeError, 'ERR_INVALID_ARG_TYPE', 'The "sources" argument must be a sequence');
        const native = options?.endings === 'native';
        const views = [];
        let size = 0;
        for (const part of parts) {
          const bytes = part instanceof Blob ? part[bytesOf] : rt.isBytes(part) ? rt.bytes(part).slice() : rt.utf8(native ? String(part).replace(/\r\n?/g, '\n') : String(part));
          views.push(bytes);
          size += bytes.length;
        }
        let all = views[0];
        if (views.length !== 1) {
          all = new Uint8Array(size);
          let at = 0;
          for (const view of views) {
            all.set(view, at);
            at += view.length;
          }
        }
        Object.defineProperty(this, bytesOf, { value: all });
        const type = String(options?.type ?? '');
        this.#type = /[^\x20-\x7e]/.test(type) ? '' : type.toLowerCase();
      }
      get size() { return this[bytesOf].length; }
      get type() { return this.#type; }
      async arrayBuffer() { return this[bytesOf].slice().buffer; }
      async bytes() { return this[bytesOf].slice(); }
      async text() {
        const text = rt.fromUtf8(this[bytesOf]);
        return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
      }
      slice(start = 0, end = this.size, type = '') {
        const part = new Blob([], { type });
        const size = this.size;
        const at = (value) => (value < 0 ? Math.max(size + value, 0) : Math.min(value, size));
        Object.defineProperty(part, bytesOf, { value: this[bytesOf].subarray(at(start), Math.max(at(start), at(end))) });
        return part;
      }
      stream() {
        const bytes = this[bytesOf];
        let at = 0;
        return new ReadableStream({
          type: 'bytes',
          pull(controller) {
            if (at >= bytes.length) {
              controller.close();
              controller.byobRequest?.respond(0);
              return;
            }
            controller.enqueue(bytes.slice(at, at + 65536));
            at += 65536;
            if (at >= bytes.length) controller.close();
          },
        });
      }
      [rt.customInspect](depth, options, inspect) { return `${this.constructor.name} ${inspect({ size: this.size, type: this.type }, options)}`; }
    }
    rt.tag(Blob, 'Blob');
    class File extends Blob {
      #name; #modified;
      constructor(parts, name, options) {
        if (arguments.length < 2) throw new TypeError('File wants a name');
        super(parts, options);
        this.#name = String(name);
        this.#modified = options?.lastModified === undefined ? Date.now() : Number(options.lastModified);
      }
      get name() { return this.#name; }
      get lastModified() { return this.#modified; }
      get webkitRelativePath() { return ''; }
    }
    rt.tag(File, 'File');
    const entry = (name, value, file) => {
      if (value instanceof Blob) {
        if (!(value instanceof File) || file !== undefined) value = new File([value], file ?? (value instanceof File ? value.name : 'blob'), { type: value.type, lastModified: value.lastModified });
      } else value = String(value).toWellFormed();
      return [String(name).toWellFormed(), value];
    };
    class FormData {
      #list = [];
      constructor(form) {
        if (form !== undefined) throw rt.error(TypeError, 'ERR_INVALID_ARG_TYPE', 'FormData takes no form element here');
      }
      append(name, value, file) { this.#list.push(entry(name, value, file)); }
      delete(name) { this.#list = this.#list.filter((pair) => pair[0] !== String(name)); }
      get(name) { return this.#list.find((pair) => pair[0] === String(name))?.[1] ?? null; }
      getAll(name) { return this.#list.filter((pair) => pair[0] === String(name)).map((pair) => pair[1]); }
      has(name) { return this.#list.some((pair) => pair[0] === String(name)); }
      set(name, value, file) {
        const made = entry(name, value, file);
        const at = this.#list.findIndex((pair) => pair[0] === made[0]);
        if (at < 0) this.#list.push(made);
        else {
          this.#list[at] = made;
          this.#list = this.#list.filter((pair, index) => index <= at || pair[0] !== made[0]);
        }
      }
      forEach(call, self) { for (const [name, value] of this) call.call(self, value, name, this); }
      *entries() { for (const pair of this.#list) yield [...pair]; }
      *keys() { for (const pair of this.#list) yield pair[0]; }
      *values() { for (const pair of this.#list) yield pair[1]; }
      [Symbol.iterator]() { return this.entries(); }
      [rt.customInspect](depth, options, inspect) { return `FormData ${inspect(Object.fromEntries(this.#list), options)}`; }
    }
    rt.tag(FormData, 'FormData');
    /** FormData as multipart bytes. */
    const encodeForm = (form) => {
      const boundary = `----emuFormBoundary${[...emu.random(12)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
      const escape = (text) => text.replace(/\r\n|\r|\n/g, '%0D%0A').replace(/"/g, '%22');
      const parts = [];
      for (const [name, value] of form) {
        let head = `--${boundary}\r\nContent-Disposition: form-data; name="${escape(name)}"`;
        if (typeof value === 'string') parts.push(`${head}\r\n\r\n${value.replace(/\r\n|\r|\n/g, '\r\n')}\r\n`);
        else parts.push(`${head}; filename="${escape(value.name)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}\r\n\r\n`, value, '\r\n');
      }
      parts.push(`--${boundary}--\r\n`);
      return { bytes: new Blob(parts)[bytesOf], type: `multipart/form-data; boundary=${boundary}` };
    };
    const decodeForm = (bytes, type) => {
      const form = new FormData();
      if (/^application\/x-www-form-urlencoded/i.test(type)) {
        for (const [name, value] of new URLSearchParams(rt.fromUtf8(bytes))) form.append(name, value);
        return form;
      }
      const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type);
      if (!/^multipart\/form-data/i.test(type) || !boundary) throw new TypeError(`Could not parse content as FormData: content-type is ${type || 'missing'}`);
      const broken = () => new TypeError('Could not parse content as FormData.');
      const data = rt.wrapBuffer(bytes);
      const mark = rt.Buffer.from(`--${boundary[1] ?? boundary[2]}`);
      let at = data.indexOf(mark);
      if (at < 0) throw broken();
      for (;;) {
        at += mark.length;
        if (data[at] === 45 && data[at + 1] === 45) return form;
        if (data[at] !== 13 || data[at + 1] !== 10) throw broken();
        const head = data.indexOf('\r\n\r\n', at);
        const next = data.indexOf(`\r\n${mark}`, head < 0 ? at : head + 2);
        if (head < 0 || next < 0) throw broken();
        const lines = data.toString('utf8', at + 2, head).split('\r\n');
        let name;
        let file;
        let kind = '';
        for (const line of lines) {
          const colon = line.indexOf(':');
          const key = line.slice(0, colon).trim().toLowerCase();
          const value = line.slice(colon + 1).trim();
          if (key === 'content-type') kind = value;
          if (key !== 'content-disposition') continue;
          const unescape = (text) => text?.replace(/%0D%0A/gi, '\r\n').replace(/%22/g, '"');
          name = unescape(/(?:^|;)\s*name="([^"]*)"/i.exec(value)?.[1]);
          file = unescape(/;\s*filename="([^"]*)"/i.exec(value)?.[1]);
        }
        if (name === undefined) throw broken();
        const body = Uint8Array.prototype.slice.call(bytes, head + 4, next);
        form.append(name, file === undefined ? rt.fromUtf8(body) : new File([body], file, { type: kind || 'text/plain' }));
        at = next + 2;
      }
    };
    const urls = new Map();
    return {
      Blob, File, FormData, encodeForm, decodeForm, bytesOf,
      createObjectURL(blob) {
        const id = `blob:nodedata:${rt.randomUUID()}`;
        urls.set(id, blob);
        return id;
      },
      revokeObjectURL: (id) => void urls.delete(String(id)),
      resolveObjectURL: (id) => urls.get(String(id)),
    };
  });
  for (const name of ['Blob', 'File', 'FormData']) rt.lazyGlobal(name, () => rt.require('blob')[name]);
})(globalThis.__emu);
