// URL and URLSearchParams. Parsing is the host's; a URL keeps the parts it was answered.
((emu) => {
  'use strict';
  const { rt } = emu;
  const { call } = emu;
  const parse = (input, base) => {
    try {
      return JSON.parse(call('url.parse', JSON.stringify(base === undefined ? [input] : [input, base]), null)[0]);
    } catch {
      const error = rt.error(TypeError, 'ERR_INVALID_URL', 'Invalid URL', { input });
      if (base !== undefined) error.base = base;
      throw error;
    }
  };
  const plus = /\+/g;
  const decode = (text) => {
    text = text.replace(plus, ' ');
    if (!text.includes('%')) return text;
    try {
      return decodeURIComponent(text);
    } catch {
      const bytes = [];
      for (const byte of rt.utf8(text)) bytes.push(byte);
      const out = [];
      for (let at = 0; at < bytes.length; at++) {
        const hex = bytes[at] === 37 ? String.fromCharCode(bytes[at + 1] ?? 0, bytes[at + 2] ?? 0) : '';
        if (/^[0-9a-f]{2}$/i.test(hex)) {
          out.push(Number.parseInt(hex, 16));
          at += 2;
        } else out.push(bytes[at]);
      }
      return rt.fromUtf8(new Uint8Array(out));
    }
  };
  const encode = (text) => encodeURIComponent(text.isWellFormed() ? text : text.toWellFormed()).replace(/[!'()~]|%20/g, (mark) => (mark === '%20' ? '+' : `%${mark.charCodeAt(0).toString(16).toUpperCase()}`));
  class URLSearchParams {
    #list = [];
    #changed = null;
    constructor(init = '') {
      if (init === null || init === undefined) return;
      if (typeof init === 'object' || typeof init === 'function') {
        if (typeof init[Symbol.iterator] === 'function') {
          for (const pair of init) {
            const both = [...pair];
            if (both.length !== 2) throw rt.error(TypeError, 'ERR_INVALID_TUPLE', 'Each query pair must be an iterable [name, value] tuple');
            this.#list.push([String(both[0]), String(both[1])]);
          }
        } else for (const key of Reflect.ownKeys(init)) {
          if (typeof key === 'string' && Object.prototype.propertyIsEnumerable.call(init, key)) this.#list.push([key, String(init[key])]);
        }
        return;
      }
      this.#fill(String(init));
    }
    #fill(text) {
      if (text.startsWith('?')) text = text.slice(1);
      this.#list = [];
      if (!text) return;
      for (const part of text.split('&')) {
        if (!part) continue;
        const at = part.indexOf('=');
        this.#list.push(at < 0 ? [decode(part), ''] : [decode(part.slice(0, at)), decode(part.slice(at + 1))]);
      }
    }
    #touch() { this.#changed?.(this.toString()); }
    static _link(params, changed) {
      params.#changed = changed;
      return (text) => params.#fill(text);
    }
    get size() { return this.#list.length; }
    append(name, value) {
      this.#list.push([String(name), String(value)]);
      this.#touch();
    }
    delete(name, value) {
      name = String(name);
      this.#list = this.#list.filter((pair) => pair[0] !== name || (value !== undefined && pair[1] !== String(value)));
      this.#touch();
    }
    get(name) {
      name = String(name);
      return this.#list.find((pair) => pair[0] === name)?.[1] ?? null;
    }
    getAll(name) {
      name = String(name);
      return this.#list.filter((pair) => pair[0] === name).map((pair) => pair[1]);
    }
    has(name, value) {
      name = String(name);
      return this.#list.some((pair) => pair[0] === name && (value === undefined || pair[1] === String(value)));
    }
    set(name, value) {
      name = String(name);
      const at = this.#list.findIndex((pair) => pair[0] === name);
      if (at < 0) this.#list.push([name, String(value)]);
      else {
        this.#list[at] = [name, String(value)];
        this.#list = this.#list.filter((pair, index) => index <= at || pair[0] !== name);
      }
      this.#touch();
    }
    sort() {
      this.#list.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
      this.#touch();
    }
    forEach(call, self) { for (const [name, value] of this.#list) call.call(self, value, name, this); }
    *entries() { for (let at = 0; at < this.#list.length; at++) yield [...this.#list[at]]; }
    *keys() { for (let at = 0; at < this.#list.length; at++) yield this.#list[at][0]; }
    *values() { for (let at = 0; at < this.#list.length; at++) yield this.#list[at][1]; }
    [Symbol.iterator]() { return this.entries(); }
    toString() { return this.#list.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&'); }
    [rt.customInspect](depth, options, inspect) {
      return this.#list.length ? `URLSearchParams { ${this.#list.map(([name, value]) => `${inspect(name, options)} => ${inspect(value, options)}`).join(', ')} }` : 'URLSearchParams {}';
    }
  }
  rt.tag(URLSearchParams, 'URLSearchParams');
  const link = URLSearchParams._link;
  delete URLSearchParams._link;
  class URL {
    #parts; #params = null; #refill = null;
    constructor(input, base) {
      if (arguments.length === 0) throw rt.error(TypeError, 'ERR_MISSING_ARGS', 'The "url" argument must be specified');
      this.#parts = parse(`${input}`, base === undefined ? undefined : `${base}`);
    }
    static canParse(input, base) {
      try {
        parse(`${input}`, base === undefined ? undefined : `${base}`);
        return true;
      } catch {
        return false;
      }
    }
    static parse(input, base) {
      try {
        return new URL(input, base);
      } catch {
        return null;
      }
    }
    static createObjectURL(blob) { return rt.require('blob').createObjectURL(blob); }
    static revokeObjectURL(id) { rt.require('blob').revokeObjectURL(id); }
    #set(part, value) {
      this.#parts = JSON.parse(call('url.set', JSON.stringify([this.#parts.href, part, `${value}`]), null)[0]);
      if (part !== 'search-params') this.#refill?.(this.#parts.search);
    }
    get href() { return this.#parts.href; }
    set href(value) {
      this.#parts = parse(`${value}`);
      this.#refill?.(this.#parts.search);
    }
    get origin() { return this.#parts.origin; }
    get protocol() { return this.#parts.protocol; }
    set protocol(value) { this.#set('protocol', value); }
    get username() { return this.#parts.username; }
    set username(value) { this.#set('username', value); }
    get password() { return this.#parts.password; }
    set password(value) { this.#set('password', value); }
    get host() { return this.#parts.host; }
    set host(value) { this.#set('host', value); }
    get hostname() { return this.#parts.hostname; }
    set hostname(value) { this.#set('hostname', value); }
    get port() { return this.#parts.port; }
    set port(value) { this.#set('port', value); }
    get pathname() { return this.#parts.pathname; }
    set pathname(value) { this.#set('pathname', value); }
    get search() { return this.#parts.search; }
    set search(value) { this.#set('search', value); }
    get hash() { return this.#parts.hash; }
    set hash(value) { this.#set('hash', value); }
    get searchParams() {
      if (!this.#params) {
        this.#params = new URLSearchParams(this.#parts.search);
        this.#refill = link(this.#params, (text) => {
          this.#parts = JSON.parse(call('url.set', JSON.stringify([this.#parts.href, 'search', text]), null)[0]);
        });
      }
      return this.#params;
    }
    toString() { return this.#parts.href; }
    toJSON() { return this.#parts.href; }
    [rt.customInspect](depth, options, inspect) {
      if (typeof depth === 'number' && depth < 0) return this.href;
      const { href, origin, protocol, username, password, host, hostname, port, pathname, search, searchParams, hash } = this;
      return `URL ${inspect({ href, origin, protocol, username, password, host, hostname, port, pathname, search, searchParams, hash }, options)}`;
    }
  }
  for (const name of ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'searchParams', 'hash', 'toString', 'toJSON']) {
    Object.defineProperty(URL.prototype, name, { enumerable: true });
  }
  rt.tag(URL, 'URL');
  rt.global('URL', URL);
  rt.global('URLSearchParams', URLSearchParams);
})(globalThis.__emu);
