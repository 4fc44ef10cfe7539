// Loaded into every Node that `emu exec` starts: the admin SDK has no switch for Cloud Messaging, so that its requests are led to emu here.
// Only the two hosts below are, whichever way they are asked; all others are left alone.
'use strict';

const place = process.env.EMU_MESSAGING_HOST;
const HOSTS = new Set(['fcm.googleapis.com', 'iid.googleapis.com']);

if (place) {
  const http = require('node:http');
  const https = require('node:https');
  const http2 = require('node:http2');
  const { hostname, port } = new URL(`http://${place}`);
  const isOurs = (url) => url.protocol === 'https:' && HOSTS.has(url.hostname);
  const led = (url) => new URL(url.pathname + url.search, `http://${place}`);

  /** The URL that a text or an object names, if it is one. */
  const read = (given) => {
    try {
      return given instanceof URL ? given : new URL(String(given));
    } catch {
      return undefined;
    }
  };

  /** What the arguments of `https.request` become where they name one of the hosts. */
  const requested = (given, rest) => {
    if (typeof given === 'string' || given instanceof URL) {
      const url = read(given);
      if (!url || !isOurs(url)) return undefined;
      const options = rest[0] && typeof rest[0] === 'object' ? [plain(rest[0]), ...rest.slice(1)] : rest;
      return [led(url), ...options];
    }
    const host = given && (given.hostname || (given.host || '').replace(/:\d+$/, ''));
    return HOSTS.has(host) ? [{ ...plain(given), host: undefined, hostname, port }, ...rest] : undefined;
  };

  /** Options without what only holds of the host that was meant. */
  const plain = ({ agent, protocol, servername, headers, port: _, ...options }) => {
    if (!headers || Array.isArray(headers)) return { ...options, headers };
    const kept = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'host');
    return { ...options, headers: Object.fromEntries(kept) };
  };

  for (const name of ['request', 'get']) {
    const own = https[name];
    https[name] = function (given, ...rest) {
      const other = requested(given, rest);
      return other ? http[name](...other) : own.call(this, given, ...rest);
    };
  }

  const connect = http2.connect;
  http2.connect = function (authority, ...rest) {
    const url = read(authority);
    if (!url || !isOurs(url)) return connect.call(this, authority, ...rest);
    const session = connect.call(this, `http://${place}`, ...rest);
    const own = session.request;
    session.request = function (headers = {}, ...more) {
      // Written for the host that was meant; the admin SDK says `https:` where a scheme has no colon.
      const { ':scheme': _, ':authority': __, ...kept } = headers;
      return own.call(this, { ...kept, ':scheme': 'http' }, ...more);
    };
    return session;
  };

  if (typeof globalThis.fetch === 'function') {
    const fetch = globalThis.fetch;
    globalThis.fetch = function (input, init) {
      const url = read(input instanceof Request ? input.url : input);
      if (!url || !isOurs(url)) return fetch.call(this, input, init);
      return fetch.call(this, input instanceof Request ? new Request(led(url), input) : led(url), init);
    };
  }

  // So that what is imported by name is led, too.
  require('node:module').syncBuiltinESMExports();
}
