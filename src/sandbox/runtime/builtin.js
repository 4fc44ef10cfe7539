// What `import` of a name outside the bundle finds.
((emu) => {
  'use strict';
  const { rt } = emu;
  const internal = new Set(['webstreams', 'blob', 'fetch']);
  rt.internal = internal;
  rt.builtin = (name) => {
    const bare = name.startsWith('node:') ? name.slice(5) : name;
    if (internal.has(bare) || !rt.has(bare)) return undefined;
    return rt.require(bare);
  };
  rt.isBuiltin = (name) => rt.builtin(name) !== undefined;
  // A namespace: own keys become named exports. Functions (events, assert) carry theirs as properties.
  const notInside = (name) => {
    const amazon = /^(?:aws-sdk|@aws-sdk\/[^/]+)/.exec(name);
    if (amazon) return new Error(`${name} is not one of the AWS clients that the sandbox has: install it in the project with \`npm install ${amazon[0]}\``);
    if (name.startsWith('firebase-admin/')) return new Error(`${name} is not one of the parts of firebase-admin that the sandbox has (app, auth, firestore, functions, messaging, storage)`);
    return null;
  };
  emu.builtin = (name) => {
    const exports = rt.builtin(name);
    if (exports === undefined && notInside(name)) throw notInside(name);
    if (exports === undefined) return undefined;
    const namespace = {};
    for (const key of Object.getOwnPropertyNames(exports)) {
      if (typeof exports === 'function' && ['length', 'name', 'prototype', 'arguments', 'caller'].includes(key)) continue;
      if (!key.startsWith('_') || name === 'lodash') namespace[key] = exports[key];
    }
    if (bareIsProcess(name)) for (const key of ['on', 'once', 'off', 'emit', 'addListener', 'removeListener', 'removeAllListeners', 'listeners', 'listenerCount']) namespace[key] = exports[key].bind(exports);
    namespace.default = exports.__esModule ? exports.default ?? exports : exports;
    return namespace;
  };
  const bareIsProcess = (name) => name === 'process' || name === 'node:process';
  // Packages bundled from CommonJS ask for built-ins by `require`.
  const require = (name) => {
    const exports = rt.builtin(String(name));
    if (exports === undefined) {
      const error = notInside(String(name)) ?? new Error(`Cannot find module '${name}'`);
      error.code = 'MODULE_NOT_FOUND';
      throw error;
    }
    return exports;
  };
  require.resolve = (name) => {
    require(name);
    return name;
  };
  require.cache = Object.create(null);
  require.extensions = Object.create(null);
  require.main = undefined;
  rt.requireBuiltin = require;
  rt.global('require', require);
})(globalThis.__emu);
