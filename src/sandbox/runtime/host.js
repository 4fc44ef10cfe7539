// node:os, module, tty, v8, constants, readline, and the modules that cannot work inside: importable, each call refused by name.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.define('os', () => ({
    EOL: '\n', devNull: '/dev/null', arch: () => 'x64', platform: () => 'linux', type: () => 'Linux', release: () => '5.10.0', version: () => '#1 SMP', machine: () => 'x86_64', hostname: () => 'localhost', homedir: () => '/home/sbx_user1051', tmpdir: () => rt.process.env.TMPDIR ?? '/tmp', endianness: () => 'LE',
    uptime: () => rt.process.uptime(), loadavg: () => [0, 0, 0], totalmem: () => Number(rt.process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? 128) * 1048576, freemem: () => Math.max(0, Number(rt.process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? 128) * 1048576 - emu.memory()),
    cpus: () => [{ model: 'sandbox', speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } }], availableParallelism: () => 1, networkInterfaces: () => ({}), getPriority: () => 0, setPriority() { throw rt.missing('setPriority', 'node:os'); },
    userInfo: () => ({ uid: 993, gid: 990, username: 'sbx_user1051', homedir: '/home/sbx_user1051', shell: '/sbin/nologin' }),
    constants: { signals: { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGUSR1: 10, SIGUSR2: 12, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15 }, errno: { ENOENT: 2, EACCES: 13, EEXIST: 17, ENOTDIR: 20, EISDIR: 21, EINVAL: 22, ECONNRESET: 104, ETIMEDOUT: 110, ECONNREFUSED: 111 }, priority: {}, dlopen: {}, UV_UDP_REUSEADDR: 4 },
  }));
  rt.define('constants', () => ({ ...rt.require('os').constants.errno, ...rt.require('os').constants.signals, ...rt.require('fs').constants }));
  const builtinModules = ['assert', 'assert/strict', 'async_hooks', 'buffer', 'child_process', 'cluster', 'console', 'constants', 'crypto', 'dgram', 'diagnostics_channel', 'dns', 'dns/promises', 'domain', 'events', 'fs', 'fs/promises', 'http', 'http2', 'https', 'inspector', 'module', 'net', 'os', 'path', 'path/posix', 'path/win32', 'perf_hooks', 'process', 'punycode', 'querystring', 'readline', 'readline/promises', 'repl', 'stream', 'stream/consumers', 'stream/promises', 'stream/web', 'string_decoder', 'sys', 'timers', 'timers/promises', 'tls', 'tty', 'url', 'util', 'util/types', 'v8', 'vm', 'wasi', 'worker_threads', 'zlib'];
  rt.define('module', () => {
    function Module(id) {
      this.id = id;
      this.exports = {};
    }
    const createRequire = () => rt.requireBuiltin;
    return Object.assign(Module, {
      Module, builtinModules, createRequire, isBuiltin: (name) => builtinModules.includes(String(name).replace(/^node:/, '')), _load: (name) => rt.requireBuiltin(name), _resolveFilename: (name) => name, _cache: Object.create(null), _extensions: Object.create(null), globalPaths: [], wrap: (code) => code, syncBuiltinESMExports() {}, findSourceMap: () => undefined, enableCompileCache() {},
      register() { throw rt.missing('register', 'node:module'); },
    });
  });
  rt.define('tty', () => ({ isatty: () => false, ReadStream: refused('tty', 'ReadStream'), WriteStream: refused('tty', 'WriteStream') }));
  rt.define('v8', () => ({
    getHeapStatistics: () => ({ total_heap_size: emu.memory(), total_heap_size_executable: 0, total_physical_size: emu.memory(), total_available_size: 128 * 1048576, used_heap_size: emu.memory(), heap_size_limit: 128 * 1048576, malloced_memory: 0, peak_malloced_memory: 0, does_zap_garbage: 0, number_of_native_contexts: 1, number_of_detached_contexts: 0 }),
    getHeapSpaceStatistics: () => [], getHeapCodeStatistics: () => ({}), setFlagsFromString() {}, cachedDataVersionTag: () => 0,
    serialize() { throw rt.missing('serialize', 'node:v8', 'use structuredClone or JSON'); }, deserialize() { throw rt.missing('deserialize', 'node:v8', 'use structuredClone or JSON'); }, getHeapSnapshot() { throw rt.missing('getHeapSnapshot', 'node:v8'); },
  }));
  rt.define('readline', () => {
    class Interface extends rt.EventEmitter {
      constructor(options) {
        super();
        this.input = options.input;
        this.closed = false;
        const { StringDecoder } = rt.require('string_decoder');
        const decoder = new StringDecoder('utf8');
        let rest = '';
        const push = (text, end) => {
          const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
          rest = lines.pop();
          for (const line of lines) this.emit('line', line);
          if (end && rest !== '') this.emit('line', rest);
        };
        this.input.on('data', (chunk) => push(typeof chunk === 'string' ? chunk : decoder.write(chunk), false));
        this.input.on('end', () => {
          push(decoder.end(), true);
          this.close();
        });
        this.input.on('error', (error) => this.emit('error', error));
      }
      close() {
        if (this.closed) return;
        this.closed = true;
        this.emit('close');
      }
      pause() { this.input.pause(); return this; }
      resume() { this.input.resume(); return this; }
      setPrompt() {}
      prompt() {}
      question() { throw rt.missing('question', 'node:readline', 'nobody sits at a terminal'); }
      write() { throw rt.missing('write', 'node:readline', 'nobody sits at a terminal'); }
      async *[Symbol.asyncIterator]() {
        const queue = [];
        let wake;
        let failure;
        this.on('line', (line) => { queue.push(line); wake?.(); });
        this.on('close', () => wake?.());
        this.on('error', (error) => { failure = error; wake?.(); });
        for (;;) {
          if (queue.length) yield queue.shift();
          else if (failure) throw failure;
          else if (this.closed) return;
          else await new Promise((resolve) => { wake = resolve; });
        }
      }
    }
    return { Interface, createInterface: (input, output) => new Interface(typeof input?.on === 'function' ? { input, output } : input), clearLine: () => true, clearScreenDown: () => true, cursorTo: () => true, moveCursor: () => true, emitKeypressEvents() {}, promises: { Interface, createInterface: (options) => new Interface(options) } };
  });
  rt.define('readline/promises', () => rt.require('readline').promises);

  // A name that may be imported, extended and passed around; using it says what it is.
  function refused(module, name, why) {
    const make = function () {
      throw rt.missing(name, `node:${module}`, why);
    };
    Object.defineProperty(make, 'name', { value: name });
    return make;
  }
  const sockets = 'the sandbox has no raw sockets';
  const stubs = {
    net: [sockets, ['connect', 'createConnection', 'createServer', 'Server', 'Socket', 'Stream', 'BlockList', 'SocketAddress', 'setDefaultAutoSelectFamily', 'getDefaultAutoSelectFamily']],
    tls: [sockets, ['connect', 'createServer', 'createSecureContext', 'createSecurePair', 'Server', 'TLSSocket', 'SecureContext', 'checkServerIdentity', 'getCiphers']],
    dgram: [sockets, ['createSocket', 'Socket']],
    child_process: ['the sandbox starts no processes', ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync', 'ChildProcess']],
    cluster: ['the sandbox starts no processes', ['fork', 'setupPrimary', 'setupMaster', 'disconnect', 'Worker']],
    repl: [undefined, ['start', 'REPLServer']], inspector: [undefined, ['open', 'close', 'waitForDebugger', 'Session']], wasi: [undefined, ['WASI']], trace_events: [undefined, ['createTracing', 'getEnabledCategories']],
    worker_threads: ['a sandbox is one thread', ['Worker', 'MessageChannel', 'MessagePort', 'BroadcastChannel', 'receiveMessageOnPort', 'moveMessagePortToContext', 'markAsUntransferable']],
    vm: ['code is not made from text inside', ['Script', 'SourceTextModule', 'SyntheticModule', 'Module', 'compileFunction', 'createContext', 'runInContext', 'runInNewContext', 'runInThisContext', 'measureMemory']],
    domain: [undefined, ['create', 'createDomain', 'Domain']],
    dns: [sockets, ['getServers', 'setServers', 'resolve', 'resolve4', 'resolve6', 'resolveAny', 'resolveCaa', 'resolveCname', 'resolveMx', 'resolveNaptr', 'resolveNs', 'resolvePtr', 'resolveSoa', 'resolveSrv', 'resolveTxt', 'reverse', 'lookup', 'lookupService', 'Resolver']],
  };
  const extras = {
    net: () => {
      const v4 = (text) => /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(text) && !/(^|\.)0\d/.test(text);
      const v6 = (text) => {
        if (typeof text !== 'string' || !/^[0-9a-f:.]+(%.+)?$/i.test(text) || !text.includes(':')) return false;
        return URL.canParse(`http://[${text.replace(/%.*$/, '')}]/`);
      };
      return { isIP: (text) => (v4(text) ? 4 : v6(text) ? 6 : 0), isIPv4: (text) => v4(text), isIPv6: (text) => v6(text) };
    },
    tls: () => ({ rootCertificates: [], DEFAULT_MIN_VERSION: 'TLSv1.2', DEFAULT_MAX_VERSION: 'TLSv1.3', DEFAULT_CIPHERS: '', DEFAULT_ECDH_CURVE: 'auto' }),
    cluster: () => ({ isMaster: true, isPrimary: true, isWorker: false, workers: {}, settings: {} }),
    worker_threads: () => ({ isMainThread: true, parentPort: null, workerData: null, threadId: 0, resourceLimits: {}, SHARE_ENV: Symbol.for('nodejs.worker_threads.SHARE_ENV'), getEnvironmentData: () => undefined, setEnvironmentData() {} }),
    vm: () => ({ isContext: () => false, constants: {} }),
    inspector: () => ({ url: () => undefined, console: globalThis.console }),
    dns: () => ({ promises: rt.require('dns/promises'), NODATA: 'ENODATA', NOTFOUND: 'ENOTFOUND', ADDRCONFIG: 1024, ALL: 256, V4MAPPED: 2048, setDefaultResultOrder() {}, getDefaultResultOrder: () => 'verbatim' }),
  };
  for (const [module, [why, names]] of Object.entries(stubs)) rt.define(module, () => Object.assign(Object.fromEntries(names.map((name) => [name, refused(module, name, why)])), extras[module]?.()));
  rt.define('dns/promises', () => Object.fromEntries(stubs.dns[1].map((name) => [name, async () => { throw rt.missing(name, 'node:dns/promises', sockets); }])));
})(globalThis.__emu);
