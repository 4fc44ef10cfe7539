((emu) => {
  'use strict';
  const pending = new Map();
  let handlerName = 'handler';
  const op = (name, meta, data, done) => { const id = emu.start(name, meta, data ?? null); pending.set(id, done); return id; };
  emu.complete = (id, ok, meta, data) => { const done = pending.get(id); pending.delete(id); if (done) done(ok, meta, data); };
  globalThis.setTimeout = (f, ms = 0, ...args) => op('sleep', String(ms), null, () => f(...args));
  globalThis.setInterval = (f, ms = 0) => { let id; const arm = () => { id = op('sleep', String(ms), null, () => { f(); arm(); }); }; arm(); return () => emu.cancel(id); };
  globalThis.clearTimeout = (id) => { pending.delete(id); emu.cancel(id); };
  const text = (bytes) => { let s = ''; for (const b of bytes ?? []) s += String.fromCharCode(b); return s; };
  globalThis.fetch = (url, init = {}) => new Promise((resolve, reject) => op('fetch', JSON.stringify({ method: init.method ?? 'GET', url: String(url), headers: Object.entries(init.headers ?? {}) }), null, (ok, meta, data) => {
    const m = JSON.parse(meta);
    if (!ok) { const e = new TypeError(m.message); reject(e); } else resolve({ status: m.status, headers: m.headers, text: async () => text(data) });
  }));
  const show = (v) => (typeof v === 'string' ? v : JSON.stringify(v));
  globalThis.console = { log: (...a) => emu.log(2, a.map(show).join(' ')), error: (...a) => emu.log(4, a.map(show).join(' ')) };
  globalThis.process = { env: {}, exit: (code) => { emu.done(false, JSON.stringify({ errorType: 'Runtime.ExitError', errorMessage: `process.exit(${code})`, trace: [] })); throw new Error('exit'); } };
  globalThis.crypto = { getRandomValues: (a) => { a.set(emu.random(a.length)); return a; } };
  const platform = { EOL: '\n', platform: () => 'linux' };
  emu.builtin = (name) => (name === 'node:os' || name === 'os' ? platform : undefined);
  emu.load = (json) => { const o = JSON.parse(json); process.env = o.env; handlerName = o.export; };
  emu.begin = (json) => { globalThis.startedAt = JSON.parse(json).now; };
  const report = (e) => JSON.stringify({ errorType: e?.name ?? 'Error', errorMessage: String(e?.message ?? e), trace: String(e?.stack ?? '').split('\n') });
  emu.invoke = (event, context) => {
    const namespace = emu.entry;
    const handler = namespace[handlerName] ?? namespace.default?.[handlerName];
    (async () => handler(JSON.parse(event), JSON.parse(context)))().then((v) => emu.done(true, JSON.stringify(v) ?? 'null'), (e) => emu.done(false, report(e)));
  };
})(globalThis.__emu);
