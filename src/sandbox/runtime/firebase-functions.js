// What both generations of firebase-functions share: the logger, changes, options and how they become endpoints.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('firebase-functions-core');
  rt.define('firebase-functions/logger', () => {
    const severities = { DEBUG: 1, INFO: 2, NOTICE: 2, WARNING: 3, ERROR: 4, CRITICAL: 4, ALERT: 4, EMERGENCY: 4 };
    const plain = (value, seen = new Set()) => {
      if (typeof value === 'bigint') return value.toString();
      if (typeof value !== 'object' || value === null) return value;
      if (typeof value.toJSON === 'function') return value.toJSON();
      if (seen.has(value)) return '[Circular]';
      if (value instanceof Error) return value.stack || value.message;
      seen.add(value);
      const out = Array.isArray(value) ? value.map((each) => plain(each, seen)) : Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each, seen)]));
      seen.delete(value);
      return out;
    };
    // A line of text, with the fields of a structured entry behind it, where the cloud would keep them apart.
    const write = ({ severity, message, ...fields }) => {
      const rest = plain(fields);
      const tail = Object.keys(rest).length ? JSON.stringify(rest) : '';
      emu.log(severities[severity] ?? 2, [message === undefined || message === null ? '' : String(message), tail].filter(Boolean).join(' '));
    };
    const log = (severity) => (...args) => {
      const last = args.at(-1);
      const entry = args.length && typeof last === 'object' && last !== null && !Array.isArray(last) && !(last instanceof Error) ? args.pop() : {};
      const message = args.length ? rt.format(...args) : entry.message;
      write({ ...entry, severity, ...(message === undefined ? {} : { message }) });
    };
    const logger = { debug: log('DEBUG'), log: log('INFO'), info: log('INFO'), warn: log('WARNING'), error: log('ERROR'), write };
    return { ...logger, logger };
  });
  rt.define('firebase-functions/logger/compat', () => ({}));

  rt.define('firebase-functions-core', () => {
    const params = rt.require('firebase-functions/params');
    const logger = rt.require('firebase-functions/logger').logger;
    const { Expression } = params;

    class Change {
      static fromObjects(before, after) { return new Change(before, after); }
      static fromJSON(json, customize = (each) => each) { return new Change(customize({ ...json.before }), customize(json.after ?? {})); }
      constructor(before, after) {
        this.before = before;
        this.after = after;
      }
    }
    class ResetValue {
      static instance = new ResetValue();
      static getInstance() { return ResetValue.instance; }
      toJSON() { return null; }
    }
    const RESET_VALUE = ResetValue.instance;
    const firebaseConfig = () => {
      const text = rt.process.env.FIREBASE_CONFIG;
      if (text?.startsWith('{')) return JSON.parse(text);
      const projectId = rt.process.env.GCLOUD_PROJECT;
      return projectId ? { projectId, storageBucket: `${projectId}.appspot.com` } : null;
    };
    // functions.config(), as `.runtimeconfig.json` has it.
    let runtimeConfig;
    const config = () => {
      if (runtimeConfig === undefined) {
        let own = {};
        try {
          own = JSON.parse(rt.process.env.CLOUD_RUNTIME_CONFIG || '{}');
        } catch (error) {
          throw new Error(`.runtimeconfig.json cannot be read: ${error.message}`);
        }
        runtimeConfig = { ...own, firebase: firebaseConfig() };
      }
      return runtimeConfig;
    };

    let initialise = null;
    const onInit = (callback) => {
      if (initialise) logger.warn('Setting onInit callback more than once. Only the most recent callback will be called');
      initialise = callback;
    };
    const withInit = (call) => async (...args) => {
      if (initialise) {
        const once = initialise;
        initialise = null;
        await once();
      }
      return call(...args);
    };

    const isSet = (value) => value !== undefined && value !== null && !(value instanceof ResetValue);
    const units = { MB: 1, MiB: 1, GB: 1024, GiB: 1024 };
    const megabytes = (memory) => {
      if (typeof memory === 'object') return memory;
      const [, amount, unit] = /^(\d+)(MB|MiB|GB|GiB)$/.exec(memory) ?? [];
      if (!unit) throw new Error(`The only valid memory allocation values are: 128MiB, 256MiB, 512MiB, 1GiB, 2GiB, 4GiB, 8GiB, 16GiB, 32GiB. Got ${memory}.`);
      return Number(amount) * units[unit];
    };
    // The most seconds that kinds of functions may ask for.
    const seconds = { event: [540, 'event-handling'], https: [3600, 'HTTPS and callable'], scheduledOrTask: [1800, 'scheduled or task queue'], identity: [7, 'blocking'], first: [540, 'first-generation'] };
    const checkTimeout = (timeout, kind) => {
      if (!isSet(timeout) || timeout instanceof Expression || !seconds[kind]) return;
      const [most, label] = seconds[kind];
      if (typeof timeout !== 'number' || !(timeout >= 0 && timeout <= most)) throw new Error(`timeoutSeconds must be between 0 and ${most} for ${label} functions. Got ${timeout}.`);
    };
    const copied = ['omit', 'concurrency', 'minInstances', 'maxInstances', 'ingressSettings', 'labels', 'timeoutSeconds', 'cpu'];
    /** The parts of an endpoint that options decide; `kind` says how long it may run at most. */
    const toEndpoint = (platform, options, kind) => {
      checkTimeout(options.timeoutSeconds, kind);
      const out = { platform };
      for (const name of copied) if (Object.hasOwn(options, name)) out[name] = options[name];
      if (isSet(options.memory)) out.availableMemoryMb = megabytes(options.memory);
      const region = options.region ?? options.regions;
      if (isSet(region)) out.region = region instanceof Expression ? region : [region].flat();
      if (isSet(options.serviceAccount)) out.serviceAccountEmail = options.serviceAccount;
      if (isSet(options.secrets)) {
        out.secretEnvironmentVariables = options.secrets.map((secret) => {
          const key = typeof secret === 'string' ? secret : secret.name;
          if (!/^[A-Za-z\d\-_]+$/.test(key)) throw new Error(`Invalid secrets: ${key}. Secret must be configured using the resource id (e.g. API_KEY)`);
          return { key };
        });
      }
      out.labels = { ...options.labels };
      return out;
    };
    const invoker = (value) => {
      if (value === undefined) return {};
      const list = [value].flat();
      if (list.length === 0) throw new Error('Invalid option for invoker: Must be a non-empty array.');
      if (list.some((each) => each.length === 0)) throw new Error('Invalid option for invoker: Must be a non-empty string.');
      return { invoker: list };
    };

    // Options of the second generation that hold for all functions that are defined afterwards.
    let globalOptions = {};
    const setGlobalOptions = (options) => {
      if (Object.keys(globalOptions).length) logger.warn('Calling setGlobalOptions twice leads to undefined behavior');
      globalOptions = { ...options };
    };
    const second = (options, kind) => toEndpoint('gcfv2', { ...globalOptions, ...options, labels: { ...globalOptions.labels, ...options.labels } }, kind);
    const getGlobalOptions = () => globalOptions;

    const normalizePath = (path) => path.replace(/^\/|\/$/g, '');
    const parts = (path) => (path === '' || path === '/' ? [] : normalizePath(path).split('/'));
    const decoded = (text) => {
      try {
        return decodeURIComponent(text);
      } catch {
        return text;
      }
    };
    /** What a path has in the places of `{name}`, `{name=*}` and `{name=**}` in a pattern. */
    const matches = (pattern, path) => {
      const [wanted, found] = [parts(pattern), parts(path)];
      const out = {};
      let at = 0;
      for (let n = 0; n < wanted.length && at < found.length; n++) {
        const isDeep = wanted[n].includes('**');
        const end = isDeep ? found.length - (wanted.length - 1 - n) : at + 1;
        const capture = /^\{([^/{}=]+)(=[^{}]*)?\}$/.exec(wanted[n]);
        if (capture) out[capture[1]] = decoded(found.slice(at, end).join('/'));
        at = end;
      }
      return out;
    };
    const compatible = Symbol.for('firebase.functions.v2.compat');
    /** Properties of the first generation's events on one of the second, made when they are asked for. */
    const addLegacy = (event, getters) => {
      if (event[compatible]) return event;
      Object.defineProperty(event, compatible, { value: true });
      for (const [key, make] of Object.entries(getters)) rt.lazyProperty(event, key, make);
      return event;
    };
    const refuse = (name) => () => {
      throw new Error(`firebase-functions: ${name} is not emulated`);
    };
    const app = { setEmulatedAdminApp() {} };
    return { params, logger, Expression, Change, RESET_VALUE, ResetValue, firebaseConfig, config, onInit, withInit, isSet, toEndpoint, second, setGlobalOptions, getGlobalOptions, invoker, normalizePath, matches, addLegacy, refuse, app, requiresAPI() {}, requiresRole() {}, valueOf: (value) => (value instanceof Expression ? value.value() : value) };
  });
})(globalThis.__emu);
