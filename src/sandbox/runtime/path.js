// node:path (posix and win32), node:querystring, node:url, node:punycode.
((emu) => {
  'use strict';
  const { rt } = emu;
  const text = (value, name = 'path') => {
    if (typeof value !== 'string') throw rt.invalidArgument(`"${name}"`, 'of type string', value);
    return value;
  };
  function make(windows) {
    const separator = windows ? '\\' : '/';
    const isSep = (char) => char === '/' || (windows && char === '\\');
    // Of separators in a row all but one enclose nothing, which is left out of what becomes of the parts.
    const split = (value) => (windows ? value.split(/[\\/]+/) : value.split('/'));
    const rootOf = (path) => {
      if (!windows) return path.startsWith('/') ? '/' : '';
      const unc = /^[\\/]{2}[^\\/]+[\\/]+[^\\/]+[\\/]*/.exec(path);
      if (unc) return unc[0];
      return /^[a-zA-Z]:[\\/]?/.exec(path)?.[0] ?? (/^[\\/]/.exec(path)?.[0] ?? '');
    };
    const reduce = (parts, absolute) => {
      const out = [];
      for (const part of parts) {
        if (part === '' || part === '.') continue;
        if (part === '..') {
          if (out.length && out.at(-1) !== '..') out.pop();
          else if (!absolute) out.push('..');
        } else out.push(part);
      }
      return out;
    };
    const tidy = (root) => (windows ? root.replaceAll('/', '\\') : root);
    const path = {
      sep: separator, delimiter: windows ? ';' : ':',
      isAbsolute: (value) => {
        const root = rootOf(text(value));
        return windows ? /[\\/]$/.test(root) || /^[\\/]{2}/.test(root) : root !== '';
      },
      normalize(value) {
        if (text(value).length === 0) return '.';
        const root = rootOf(value);
        const absolute = windows ? path.isAbsolute(value) : root !== '';
        let out = reduce(split(value.slice(root.length)), absolute).join(separator);
        if (!out && !root) out = '.';
        if (out && out !== '.' && isSep(value.at(-1))) out += separator;
        else if (out === '.' && isSep(value.at(-1))) out = `.${separator}`;
        return tidy(root) + out;
      },
      join(...parts) {
        let joined = '';
        for (const part of parts) if (text(part) !== '') joined = joined === '' ? part : `${joined}${separator}${part}`;
        return joined === '' ? '.' : path.normalize(joined);
      },
      resolve(...parts) {
        let found = '';
        for (const part of [...(windows ? ['C:\\'] : [rt.process.cwd()]), ...parts].reverse()) {
          if (text(part) === '') continue;
          found = found === '' ? part : `${part}${separator}${found}`;
          if (path.isAbsolute(part)) break;
        }
        const root = rootOf(found);
        return tidy(root) + reduce(split(found.slice(root.length)), true).join(separator) || '.';
      },
      dirname(value) {
        const root = rootOf(text(value));
        let end = value.length;
        while (end > root.length && isSep(value[end - 1])) end--;
        while (end > root.length && !isSep(value[end - 1])) end--;
        while (end > root.length && isSep(value[end - 1])) end--;
        return end === 0 ? '.' : value.slice(0, end) || root || '.';
      },
      basename(value, suffix) {
        let end = text(value).length;
        while (end > 0 && isSep(value[end - 1])) end--;
        let start = end;
        const least = windows ? (/^[a-zA-Z]:/.exec(value)?.[0].length ?? 0) : 0;
        while (start > least && !isSep(value[start - 1])) start--;
        const name = value.slice(start, end);
        return suffix !== undefined && name !== text(suffix, 'suffix') && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
      },
      extname(value) {
        const name = path.basename(value);
        const at = name.lastIndexOf('.');
        return at <= 0 || name === '..' ? '' : name.slice(at);
      },
      relative(from, to) {
        const a = path.resolve(text(from, 'from'));
        const b = path.resolve(text(to, 'to'));
        if (a === b) return '';
        const fold = (value) => (windows ? value.toLowerCase() : value);
        const x = split(a).filter(Boolean);
        const y = split(b).filter(Boolean);
        if (windows && fold(x[0] ?? '') !== fold(y[0] ?? '')) return b;
        let common = 0;
        while (common < x.length && common < y.length && fold(x[common]) === fold(y[common])) common++;
        return [...x.slice(common).map(() => '..'), ...y.slice(common)].join(separator);
      },
      parse(value) {
        const root = rootOf(text(value));
        const base = value.length > root.length ? path.basename(value.slice(root.length)) : '';
        const ext = path.extname(base);
        let dir = path.dirname(value);
        if (dir === '.' && !/^\.[\\/]/.test(value)) dir = '';
        if (base === '') dir = root;
        return { root, dir, base, ext, name: ext ? base.slice(0, -ext.length) : base };
      },
      format(parts) {
        const dir = parts.dir || parts.root;
        const base = parts.base || `${parts.name || ''}${parts.ext ? (parts.ext.startsWith('.') ? parts.ext : `.${parts.ext}`) : ''}`;
        return !dir ? base : dir === parts.root ? `${dir}${base}` : `${dir}${separator}${base}`;
      },
      toNamespacedPath: (value) => value,
      matchesGlob() { throw rt.missing('matchesGlob', 'node:path'); },
    };
    return path;
  }
  rt.define('path', () => {
    const posix = make(false);
    const win32 = make(true);
    for (const path of [posix, win32]) Object.assign(path, { posix, win32 });
    return posix;
  });
  rt.define('path/posix', () => rt.require('path').posix);
  rt.define('path/win32', () => rt.require('path').win32);

  rt.define('querystring', () => {
    const escape = (value) => encodeURIComponent(String(value).toWellFormed());
    const unescape = (value) => {
      try {
        return decodeURIComponent(value);
      } catch {
        return value.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
      }
    };
    const plain = (value) => (typeof value === 'string' ? value : typeof value === 'number' ? (Number.isFinite(value) ? String(value) : '') : typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : '');
    const querystring = {
      escape, unescape, unescapeBuffer: (value) => rt.Buffer.from(unescape(String(value))),
      parse(text, separator = '&', equals = '=', options) {
        const out = Object.create(null);
        if (typeof text !== 'string' || text === '') return out;
        const decode = options?.decodeURIComponent ?? querystring.unescape;
        let parts = text.split(separator || '&');
        const max = options?.maxKeys ?? 1000;
        if (max > 0) parts = parts.slice(0, max);
        for (const part of parts) {
          if (part === '') continue;
          const at = part.indexOf(equals || '=');
          const key = decode((at < 0 ? part : part.slice(0, at)).replace(/\+/g, ' '));
          const value = at < 0 ? '' : decode(part.slice(at + (equals || '=').length).replace(/\+/g, ' '));
          if (!(key in out)) out[key] = value;
          else if (Array.isArray(out[key])) out[key].push(value);
          else out[key] = [out[key], value];
        }
        return out;
      },
      stringify(object, separator = '&', equals = '=', options) {
        if (object === null || typeof object !== 'object') return '';
        const encode = options?.encodeURIComponent ?? querystring.escape;
        return Object.keys(object).flatMap((key) => [object[key]].flat().map((value) => `${encode(plain(key))}${equals || '='}${encode(plain(value))}`)).join(separator || '&');
      },
    };
    querystring.decode = querystring.parse;
    querystring.encode = querystring.stringify;
    return querystring;
  });

  rt.define('url', () => {
    class Url {
      constructor() {
        Object.assign(this, { protocol: null, slashes: null, auth: null, host: null, port: null, hostname: null, hash: null, search: null, query: null, pathname: null, path: null, href: null });
      }
      format() { return format(this); }
      resolve(to) { return resolve(format(this), to); }
      resolveObject(to) { return parse(resolve(format(this), to), false, true); }
      parse(value, query, slashes) { return Object.assign(this, parse(value, query, slashes)); }
    }
    const slashed = new Set(['http:', 'https:', 'ftp:', 'gopher:', 'file:', 'ws:', 'wss:']);
    function parse(value, query = false, slashesDenoteHost = false) {
      if (value instanceof Url) return value;
      text(value, 'url');
      const out = new Url();
      let rest = value.trim();
      const hash = rest.indexOf('#');
      if (hash >= 0) {
        out.hash = rest.slice(hash);
        rest = rest.slice(0, hash);
      }
      const mark = rest.indexOf('?');
      if (mark >= 0) {
        out.search = rest.slice(mark);
        out.query = query ? rt.require('querystring').parse(out.search.slice(1)) : out.search.slice(1);
        rest = rest.slice(0, mark);
      } else if (query) {
        out.search = '';
        out.query = Object.create(null);
      }
      rest = rest.replaceAll('\\', '/');
      const protocol = /^[a-z0-9.+-]+:/i.exec(rest)?.[0].toLowerCase();
      if (protocol) {
        out.protocol = protocol;
        rest = rest.slice(protocol.length);
      }
      if ((slashesDenoteHost || protocol || /^\/\/[^@/]+@[^@/]+/.test(rest)) && rest.startsWith('//') && protocol !== 'javascript:') {
        out.slashes = true;
        rest = rest.slice(2);
        const end = rest.search(/[/]/);
        let host = end < 0 ? rest : rest.slice(0, end);
        rest = end < 0 ? '' : rest.slice(end);
        const at = host.lastIndexOf('@');
        if (at >= 0) {
          try {
            out.auth = decodeURIComponent(host.slice(0, at));
          } catch {
            throw rt.error(URIError, 'ERR_INVALID_URL', 'URI malformed');
          }
          host = host.slice(at + 1);
        }
        const port = /:([0-9]*)$/.exec(host);
        if (port) {
          if (port[1]) out.port = port[1];
          host = host.slice(0, port.index);
        }
        out.hostname = host.startsWith('[') ? host.slice(1, -1) : host.toLowerCase();
        if (/[^\x00-\x7f]/.test(out.hostname)) out.hostname = domainToASCII(out.hostname);
        out.host = (host.startsWith('[') ? host : out.hostname) + (out.port ? `:${out.port}` : '');
      }
      if (rest) out.pathname = rest.replace(/[\s"'<>\\^`{|}]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
      if (slashed.has(out.protocol) && out.hostname && !out.pathname) out.pathname = '/';
      if (out.pathname || out.search) out.path = (out.pathname ?? '') + (out.search ?? '');
      out.href = format(out);
      return out;
    }
    function format(value, options) {
      if (typeof value === 'string') value = parse(value);
      if (value instanceof URL) {
        const url = new URL(value.href);
        if (options?.fragment === false) url.hash = '';
        if (options?.search === false) url.search = '';
        if (options?.auth === false) url.username = url.password = '';
        return url.href;
      }
      let { protocol = '', pathname = '', hash = '', search, query } = value;
      protocol ??= '';
      pathname ??= '';
      hash ??= '';
      if (protocol && !protocol.endsWith(':')) protocol += ':';
      let host = '';
      const auth = value.auth ? `${encodeURIComponent(value.auth).replace(/%3A/i, ':')}@` : '';
      if (value.host) host = auth + value.host;
      else if (value.hostname) host = auth + (value.hostname.includes(':') && !value.hostname.startsWith('[') ? `[${value.hostname}]` : value.hostname) + (value.port ? `:${value.port}` : '');
      if (query !== null && typeof query === 'object' && Object.keys(query).length && !search) search = `?${rt.require('querystring').stringify(query)}`;
      search ??= typeof query === 'string' && query ? `?${query}` : '';
      if (search && !search.startsWith('?')) search = `?${search}`;
      if (hash && !hash.startsWith('#')) hash = `#${hash}`;
      if (value.slashes || ((!protocol || slashed.has(protocol)) && host)) {
        if (host || protocol === 'file:') host = `//${host}`;
        if (pathname && !pathname.startsWith('/')) pathname = `/${pathname}`;
      }
      return protocol + host + pathname.replace(/[?#]/g, encodeURIComponent) + search.replace('#', '%23') + hash;
    }
    function resolve(from, to) {
      const base = new URL(from, 'resolve://');
      const found = new URL(to, base);
      if (found.protocol !== 'resolve:') return found.href;
      const { pathname, search, hash } = found;
      return (from.startsWith('/') || to.startsWith('/') ? pathname : pathname.slice(1)) + search + hash;
    }
    const domain = (form) => (value) => emu.call('url.domain', JSON.stringify([form, String(value)]), null)[0];
    const domainToASCII = domain('ascii');
    const fileURLToPath = (value) => {
      const url = typeof value === 'string' ? new URL(value) : value;
      if (url?.protocol !== 'file:') throw rt.error(TypeError, 'ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file');
      if (url.hostname !== '') throw rt.error(TypeError, 'ERR_INVALID_FILE_URL_HOST', 'File URL host must be "localhost" or empty on linux');
      if (/%2f/i.test(url.pathname)) throw rt.error(TypeError, 'ERR_INVALID_FILE_URL_PATH', 'File URL path must not include encoded / characters');
      return decodeURIComponent(url.pathname);
    };
    return {
      URL: globalThis.URL, URLSearchParams: globalThis.URLSearchParams, Url, parse, format, resolve, resolveObject: (from, to) => parse(resolve(from, to)), domainToASCII, domainToUnicode: domain('unicode'), fileURLToPath,
      pathToFileURL(path) {
        let full = rt.require('path').resolve(path);
        if (path.endsWith('/') && !full.endsWith('/')) full += '/';
        return new URL(`file://${full.replace(/[%\\\n\r\t?#]/g, encodeURIComponent)}`);
      },
      urlToHttpOptions: (url) => ({
        ...url, protocol: url.protocol, hostname: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname, hash: url.hash, search: url.search, pathname: url.pathname, path: `${url.pathname || ''}${url.search || ''}`, href: url.href,
        ...(url.port !== '' ? { port: Number(url.port) } : {}), ...(url.username || url.password ? { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` } : {}),
      }),
    };
  });

  rt.define('punycode', () => {
    // RFC 3492 with its own names of the parameters.
    const [base, tMin, tMax, skew, damp, initialBias, initialN] = [36, 1, 26, 38, 700, 72, 128];
    const adapt = (delta, count, first) => {
      delta = first ? Math.floor(delta / damp) : delta >> 1;
      delta += Math.floor(delta / count);
      let k = 0;
      for (; delta > ((base - tMin) * tMax) >> 1; k += base) delta = Math.floor(delta / (base - tMin));
      return Math.floor(k + ((base - tMin + 1) * delta) / (delta + skew));
    };
    const threshold = (k, bias) => (k <= bias ? tMin : k >= bias + tMax ? tMax : k - bias);
    const digit = (value) => String.fromCharCode(value + (value < 26 ? 97 : 22));
    const value = (code) => (code >= 48 && code < 58 ? code - 22 : code >= 65 && code < 91 ? code - 65 : code >= 97 && code < 123 ? code - 97 : base);
    const ucs2 = { decode: (text) => Array.from(text, (char) => char.codePointAt(0)), encode: (points) => String.fromCodePoint(...points) };
    const encode = (input) => {
      const points = ucs2.decode(input);
      const basic = points.filter((point) => point < 128);
      let out = basic.map((point) => String.fromCharCode(point)).join('');
      let handled = basic.length;
      if (handled) out += '-';
      let [n, delta, bias] = [initialN, 0, initialBias];
      while (handled < points.length) {
        const next = Math.min(...points.filter((point) => point >= n));
        delta += (next - n) * (handled + 1);
        n = next;
        for (const point of points) {
          if (point < n) delta++;
          if (point !== n) continue;
          let q = delta;
          for (let k = base; ; k += base) {
            const t = threshold(k, bias);
            if (q < t) break;
            out += digit(t + ((q - t) % (base - t)));
            q = Math.floor((q - t) / (base - t));
          }
          out += digit(q);
          bias = adapt(delta, handled + 1, handled === basic.length);
          delta = 0;
          handled++;
        }
        delta++;
        n++;
      }
      return out;
    };
    const decode = (input) => {
      const last = Math.max(0, input.lastIndexOf('-'));
      const out = ucs2.decode(input.slice(0, last));
      if (out.some((point) => point >= 128)) throw new RangeError('Illegal input >= 0x80 (not a basic code point)');
      let [n, i, bias] = [initialN, 0, initialBias];
      for (let at = last > 0 ? last + 1 : 0; at < input.length; ) {
        const before = i;
        for (let w = 1, k = base; ; k += base) {
          if (at >= input.length) throw new RangeError('Invalid input');
          const d = value(input.charCodeAt(at++));
          if (d >= base || d > Math.floor((0x7fffffff - i) / w)) throw new RangeError('Overflow: input needs wider integers to process');
          i += d * w;
          const t = threshold(k, bias);
          if (d < t) break;
          w *= base - t;
        }
        bias = adapt(i - before, out.length + 1, before === 0);
        n += Math.floor(i / (out.length + 1));
        i %= out.length + 1;
        out.splice(i++, 0, n);
      }
      return String.fromCodePoint(...out);
    };
    const map = (input, change) => {
      const at = input.lastIndexOf('@');
      return input.slice(0, at + 1) + input.slice(at + 1).split(/[.\u3002\uff0e\uff61]/).map(change).join('.');
    };
    return {
      version: '2.1.0', ucs2, encode, decode, toASCII: (input) => map(input, (label) => (/[^\x00-\x7f]/.test(label) ? `xn--${encode(label)}` : label)),
      toUnicode: (input) => map(input, (label) => (/^xn--/.test(label) ? decode(label.slice(4).toLowerCase()) : label)),
    };
  });
})(globalThis.__emu);
