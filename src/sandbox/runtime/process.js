// process: what a function may learn of itself.
((emu) => {
  'use strict';
  const { rt } = emu;
  const emitter = new rt.EventEmitter();
  let began = emu.now();
  let umask = 0o22;
  // Until a function is loaded the environment is asked of the host name by name, so that the evaluation of dependencies, which functions
  // share, tells which variables it depends on; then the same object is given what the function has.
  let asking = true;
  const written = new Set();
  const asked = (name) => JSON.parse(emu.call('env.get', name, null)[0]);
  const isAsked = (target, name) => asking && typeof name === 'string' && !written.has(name) && !Object.hasOwn(target, name);
  // Like the real one: every value is a string.
  const makeEnv = (values) => new Proxy(values, {
    get(target, name) {
      return (isAsked(target, name) ? asked(name) : undefined) ?? Reflect.get(target, name);
    },
    has(target, name) {
      return Reflect.has(target, name) || (isAsked(target, name) && asked(name) !== null);
    },
    ownKeys(target) {
      const keys = Reflect.ownKeys(target);
      return asking ? [...new Set([...keys, ...JSON.parse(emu.call('env.names', '', null)[0]).filter((name) => !written.has(name))])] : keys;
    },
    getOwnPropertyDescriptor(target, name) {
      const value = isAsked(target, name) ? asked(name) : null;
      return value === null ? Reflect.getOwnPropertyDescriptor(target, name) : { value, writable: true, enumerable: true, configurable: true };
    },
    set(target, name, value) {
      if (typeof name === 'symbol' || typeof value === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
      if (asking) written.add(name);
      target[name] = String(value);
      return true;
    },
    defineProperty(target, name, descriptor) {
      if (asking) written.add(name);
      if ('value' in descriptor) descriptor.value = String(descriptor.value);
      return Reflect.defineProperty(target, name, descriptor);
    },
    deleteProperty(target, name) {
      if (asking) written.add(name);
      return Reflect.deleteProperty(target, name);
    },
  });
  const initial = {};
  // What is behind `env`.
  let variables = initial;
  let env = makeEnv(variables);
  /** Sets a variable to a text. */
  rt.setVariable = (name, text) => {
    if (asking) written.add(name);
    variables[name] = text;
  };
  const setEnv = (values) => {
    if (!asking) {
      variables = { ...values };
      env = makeEnv(variables);
      return;
    }
    asking = false;
    for (const [name, value] of Object.entries(values)) if (!written.has(name)) initial[name] = String(value);
    written.clear();
  };
  const clock = () => emu.now() - began;
  const hrtime = (since) => {
    const ms = clock();
    let seconds = Math.floor(ms / 1000);
    let nanos = Math.floor((ms % 1000) * 1e6);
    if (since !== undefined) {
      seconds -= since[0];
      nanos -= since[1];
      if (nanos < 0) {
        seconds--;
        nanos += 1e9;
      }
    }
    return [seconds, nanos];
  };
  hrtime.bigint = () => BigInt(Math.floor(clock() * 1e6));
  const process = Object.create(Object.create(rt.EventEmitter.prototype, { constructor: { value: function process() {} }, [Symbol.toStringTag]: { value: 'process' } }));
  for (const [name, value] of Object.entries({ _events: emitter._events, _eventsCount: 0 })) Object.defineProperty(process, name, { value, writable: true, configurable: true, enumerable: false });
  const lines = (level) => {
    let rest = '';
    return (text) => {
      rest += text;
      const end = rest.lastIndexOf('\n');
      if (end < 0) return;
      emu.log(level, rest.slice(0, end));
      rest = rest.slice(end + 1);
    };
  };
  const output = (fd, level) => () => {
    const { Writable } = rt.require('stream');
    const put = lines(level);
    const stream = new Writable({
      decodeStrings: false,
      write(chunk, encoding, done) {
        put(typeof chunk === 'string' ? chunk : rt.fromUtf8(chunk));
        done();
      },
    });
    // A line must be in the log when `write` returns, also where the function ends at once.
    stream.write = function (chunk, encoding, done) {
      if (typeof encoding === 'function') done = encoding;
      put(typeof chunk === 'string' ? chunk : rt.fromUtf8(rt.bytes(chunk)));
      if (typeof done === 'function') rt.nextTick(done);
      return true;
    };
    return Object.assign(stream, { fd, isTTY: false, columns: 80, rows: 24, _type: 'pipe', hasColors: () => false, getColorDepth: () => 1, getWindowSize: () => [80, 24] });
  };
  const refuse = (name, why) => () => {
    throw rt.missing(`process.${name}`, 'node:process', why);
  };
  Object.assign(process, {
    title: 'node', version: 'v22.22.0', versions: { node: '22.22.0', v8: '12.4.254.21-node.33', uv: '1.51.0', zlib: '1.3.1', modules: '127', openssl: '3.0.17', quickjs: 'ng' },
    arch: 'x64', platform: 'linux', release: { name: 'node', lts: 'Iron' }, argv: ['/var/lang/bin/node', '/var/task/index.js'], execArgv: [], execPath: '/var/lang/bin/node', argv0: 'node', pid: 8, ppid: 1,
    exitCode: undefined, features: { inspector: false, debug: false, uv: false, ipv6: true, tls: true }, config: { target_defaults: {}, variables: {} }, allowedNodeEnvironmentFlags: new Set(), report: {},
    hrtime, uptime: () => clock() / 1000, cwd: () => '/var/task', chdir: refuse('chdir', 'the working folder is /var/task'), nextTick: rt.nextTick,
    memoryUsage: Object.assign(() => {
      const used = emu.memory();
      return { rss: used, heapTotal: used, heapUsed: used, external: 0, arrayBuffers: 0 };
    }, { rss: () => emu.memory() }),
    cpuUsage: (since) => {
      const user = Math.floor(clock() * 1000);
      return { user: user - (since?.user ?? 0), system: 0 };
    },
    resourceUsage: () => ({ userCPUTime: Math.floor(clock() * 1000), systemCPUTime: 0, maxRSS: Math.floor(emu.memory() / 1024) }),
    availableMemory: () => 128 * 1024 * 1024, constrainedMemory: () => 0,
    getuid: () => 993, geteuid: () => 993, getgid: () => 990, getegid: () => 990, getgroups: () => [990], umask: (mask) => {
      const before = umask;
      if (mask !== undefined) umask = Number(mask) & 0o777;
      return before;
    },
    emitWarning(warning, options, code) {
      const kind = typeof options === 'object' ? options?.type : options;
      if (typeof options === 'object') code = options?.code;
      const error = warning instanceof Error ? warning : Object.assign(new Error(String(warning)), { name: kind ?? 'Warning' });
      if (code) error.code = code;
      if (process.listenerCount('warning') > 0) rt.nextTick(() => process.emit('warning', error));
      emu.log(3, `(node) ${code ? `[${code}] ` : ''}${error.name}: ${error.message}`);
    },
    exit(code) {
      const error = new Error(`process.exit(${code ?? process.exitCode ?? 0}) was called: a function ends by returning, not by leaving the process`);
      error.name = 'Runtime.ExitError';
      error.code = 'ERR_PROCESS_EXIT';
      rt.exited?.(error);
      throw error;
    },
    abort: refuse('abort', 'a function ends by returning'), kill: refuse('kill'), dlopen: refuse('dlopen', 'native addons cannot run inside'), binding: refuse('binding'), setuid: refuse('setuid'), setgid: refuse('setgid'),
    getActiveResourcesInfo: () => [...rt.pending.values()].map(() => 'Operation'), setUncaughtExceptionCaptureCallback: refuse('setUncaughtExceptionCaptureCallback'), hasUncaughtExceptionCaptureCallback: () => false,
    getBuiltinModule: (name) => rt.builtin(name), setSourceMapsEnabled() {}, ref() {}, unref() {},
  });
  Object.defineProperty(process, 'env', { configurable: true, enumerable: true, get: () => env, set: setEnv });
  rt.lazyProperty(process, 'stdout', output(1, 2));
  rt.lazyProperty(process, 'stderr', output(2, 4));
  rt.lazyProperty(process, 'stdin', () => Object.assign(rt.require('stream').Readable.from([]), { fd: 0, isTTY: false }));
  rt.process = process;
  rt.restartProcess = () => { began = emu.now(); };
  rt.global('process', process);
  rt.define('process', () => process);
})(globalThis.__emu);
