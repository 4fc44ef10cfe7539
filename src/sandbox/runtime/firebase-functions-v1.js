// firebase-functions of the first generation: builders that end with `on…`.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.define('firebase-functions/v1', () => {
    const { Change, Expression, RESET_VALUE, ResetValue, app, config, firebaseConfig, invoker, logger, normalizePath, onInit, params, refuse, requiresAPI, toEndpoint, valueOf, withInit } = rt.require('firebase-functions-core');
    const https = rt.require('firebase-functions-https');
    const { snapshot, present, Message, UserRecordMetadata, userRecord } = rt.require('firebase-functions-events');
    const project = () => {
      const { GCLOUD_PROJECT } = rt.process.env;
      if (!GCLOUD_PROJECT) throw new Error('process.env.GCLOUD_PROJECT is not set.');
      return GCLOUD_PROJECT;
    };
    const endpointOf = (options) => toEndpoint('gcfv1', options, 'first');

    // ---- Functions of events. `resource` is made late: it may have expressions of parameters.
    const wildcards = (pattern, name) => {
      const found = String(name ?? '').split('/');
      const out = {};
      pattern.split('/').forEach((part, n) => {
        if (/^\{[^/{}]+\}$/.test(part)) out[part.slice(1, -1)] = found[n];
      });
      return out;
    };
    const cloudFunction = ({ provider, service, event, legacy, resource, options, handler, shape = (data) => data, scheduled = null }) => {
      const run = withInit(handler);
      const call = async (data, context) => {
        if (legacy && context.eventType === legacy) {
          context.eventType = `${provider}.${event}`;
          if (typeof context.resource === 'string') context.resource = { service, name: context.resource };
        }
        context.params ??= wildcards(valueOf(resource()), context.resource?.name);
        return scheduled ? run(context) : run(shape(data, context), context);
      };
      Object.defineProperty(call, '__endpoint', {
        get() {
          const endpoint = endpointOf(options);
          if (scheduled) return { ...endpoint, scheduleTrigger: { schedule: scheduled.schedule, retryConfig: { ...scheduled.retryConfig }, ...(scheduled.timeZone === undefined ? {} : { timeZone: scheduled.timeZone }) } };
          return { ...endpoint, eventTrigger: { eventType: legacy ?? `${provider}.${event}`, eventFilters: { resource: valueOf(resource()) }, retry: Boolean(options.failurePolicy) } };
        },
      });
      call.run = handler;
      return call;
    };

    // ---- https
    const makeHttps = (options) => ({
      HttpsError: https.HttpsError,
      onRequest(first, second) {
        const [own, handler] = typeof first === 'function' ? [{}, first] : [first, second];
        const all = { ...options, ...own };
        return Object.assign(https.request({}, handler), { __endpoint: { ...endpointOf(all), httpsTrigger: invoker(all.invoker) } });
      },
      onCall(handler) {
        const run = (data, context) => withInit(handler)(data, context);
        return Object.assign(https.callable({ ...options, cors: true }, run, 1), { __endpoint: { ...endpointOf(options), callableTrigger: {} }, run });
      },
    });

    // ---- firestore
    const makeFirestore = (options) => {
      const documents = (database, namespace) => (path) => {
        const resource = () => `projects/${project()}/databases/${valueOf(database)}/documents${namespace ? `@${valueOf(namespace)}` : ''}/${normalizePath(valueOf(path))}`;
        const of = (which) => (data, context) => {
          const found = present(data?.[which]);
          return snapshot(found, context.resource.name, found?.readTime ?? found?.updateTime ?? context.timestamp);
        };
        const change = (data, context) => Change.fromObjects(of('oldValue')(data, context), of('value')(data, context));
        const on = (name, shape) => (handler) => cloudFunction({ provider: 'google.firestore', service: 'firestore.googleapis.com', event: `document.${name}`, legacy: `providers/cloud.firestore/eventTypes/document.${name}`, resource, options, handler, shape });
        return { onCreate: on('create', of('value')), onUpdate: on('update', change), onDelete: on('delete', of('oldValue')), onWrite: on('write', change) };
      };
      return {
        document: documents('(default)'),
        namespace: (namespace) => ({ document: documents('(default)', namespace) }),
        database: (database = '(default)') => ({ document: documents(database), namespace: (namespace) => ({ document: documents(database, namespace) }) }),
      };
    };

    // ---- storage
    const makeStorage = (options) => {
      const objects = (bucket) => {
        const resource = () => {
          const name = valueOf(bucket) ?? firebaseConfig()?.storageBucket;
          if (!name) throw new Error('Missing bucket name. If you are unit testing, please provide a bucket name through `functions.storage.bucket(bucketName)`, or set process.env.FIREBASE_CONFIG.');
          if (!/^[a-z\d][a-z\d\\._-]{1,230}[a-z\d]$/.test(name)) throw new Error(`Invalid bucket name ${name}`);
          return `projects/_/buckets/${name}`;
        };
        const on = (name) => (handler) => cloudFunction({ provider: 'google.storage', service: 'storage.googleapis.com', event: `object.${name}`, resource, options, handler });
        return { onArchive: on('archive'), onDelete: on('delete'), onFinalize: on('finalize'), onMetadataUpdate: on('metadataUpdate') };
      };
      return { object: () => objects(undefined), bucket: (bucket) => ({ object: () => objects(bucket) }) };
    };

    // ---- pubsub
    const makePubsub = (options) => ({
      Message,
      topic(topic) {
        if (typeof topic === 'string' && topic.includes('/')) throw new Error('Topic name may not have a /');
        const on = (handler) => cloudFunction({ provider: 'google.pubsub', service: 'pubsub.googleapis.com', event: 'topic.publish', resource: () => `projects/${project()}/topics/${valueOf(topic)}`, options, handler, shape: (data) => new Message(data) });
        return { onPublish: on };
      },
      schedule(schedule) {
        const settings = { schedule };
        const builder = {
          timeZone(timeZone) {
            settings.timeZone = timeZone;
            return builder;
          },
          retryConfig(retryConfig) {
            settings.retryConfig = retryConfig;
            return builder;
          },
          onRun: (handler) => cloudFunction({ provider: 'google.pubsub', service: 'pubsub.googleapis.com', event: 'topic.publish', resource: () => `projects/${project()}/topics`, options, handler, scheduled: settings }),
        };
        return builder;
      },
    });

    // ---- auth
    const makeAuth = (options) => ({
      HttpsError: https.HttpsError, UserRecordMetadata, userRecordConstructor: userRecord,
      user(userOptions) {
        const resource = () => `projects/${project()}`;
        const on = (name) => (handler) => cloudFunction({ provider: 'google.firebase.auth', service: 'firebaseauth.googleapis.com', event: `user.${name}`, legacy: `providers/firebase.auth/eventTypes/user.${name}`, resource, options, handler, shape: userRecord });
        const { accessToken = false, idToken = false, refreshToken = false } = userOptions?.blockingOptions ?? {};
        const before = (kind) => (handler) => {
          const call = withInit(rt.require('firebase-functions-identity').blocking(kind, handler, 1));
          const tells = kind === 'beforeCreate' || kind === 'beforeSignIn';
          return Object.assign(call, { __endpoint: { ...endpointOf(options), blockingTrigger: { eventType: `providers/cloud.auth/eventTypes/user.${kind}`, options: tells ? { accessToken, idToken, refreshToken } : {} } }, run: handler });
        };
        return { onCreate: on('create'), onDelete: on('delete'), beforeCreate: before('beforeCreate'), beforeSignIn: before('beforeSignIn'), beforeEmail: before('beforeSendEmail'), beforeSms: before('beforeSendSms') };
      },
    });

    // ---- tasks
    const makeTasks = (options) => ({
      taskQueue: (queue = {}) => ({
        onDispatch: (handler) => Object.assign(https.dispatched(withInit(handler), 1), { __endpoint: { ...endpointOf(options), taskQueueTrigger: { retryConfig: { ...queue.retryConfig }, rateLimits: { ...queue.rateLimits }, ...invoker(queue.invoker) } }, run: handler }),
      }),
    });

    // ---- What is not emulated: functions may be defined, nothing ever calls them.
    const silent = (options, provider, event) => (handler) => cloudFunction({ provider, service: provider, event, resource: () => `projects/${project()}`, options, handler });
    const makeDatabase = (options) => {
      const ref = () => Object.fromEntries(['onCreate', 'onUpdate', 'onDelete', 'onWrite'].map((name) => [name, silent(options, 'google.firebase.database', `ref.${name.slice(2).toLowerCase()}`)]));
      return { ref, instance: () => ({ ref }) };
    };
    const makers = {
      https: makeHttps, firestore: makeFirestore, storage: makeStorage, pubsub: makePubsub, auth: makeAuth, tasks: makeTasks, database: makeDatabase,
      analytics: (options) => ({ event: () => ({ onLog: silent(options, 'google.analytics', 'event.log') }) }),
      remoteConfig: (options) => ({ onUpdate: silent(options, 'google.firebase.remoteconfig', 'update') }),
      testLab: (options) => ({ testMatrix: () => ({ onComplete: silent(options, 'google.testing', 'testMatrix.complete') }) }),
    };
    const memories = ['128MB', '256MB', '512MB', '1GB', '2GB', '4GB', '8GB'];
    const checkRuntime = (options) => {
      if (typeof options.memory === 'string' && !memories.includes(options.memory)) throw new Error(`The only valid memory allocation values are: ${memories.join(', ')}`);
      if (typeof options.timeoutSeconds === 'number' && !(options.timeoutSeconds >= 0 && options.timeoutSeconds <= 540)) throw new Error('TimeoutSeconds must be between 0 and 540');
      if ('allowInvalidAppCheckToken' in options) throw new Error('runWith option "allowInvalidAppCheckToken" has been inverted and renamed "enforceAppCheck"');
    };
    class FunctionBuilder {
      constructor(options) {
        this.options = options;
      }
      region(...regions) {
        if (!regions.length) throw new Error('You must specify at least one region');
        this.options = { ...this.options, regions };
        return this;
      }
      runWith(options) {
        checkRuntime(options);
        this.options = { ...this.options, ...options };
        return this;
      }
    }
    for (const [name, make] of Object.entries(makers)) Object.defineProperty(FunctionBuilder.prototype, name, { get() { return make(this.options); } });
    const out = {
      Change, DEFAULT_FAILURE_POLICY: { retry: {} }, FunctionBuilder, MAX_TIMEOUT_SECONDS: 540, MIN_TIMEOUT_SECONDS: 0, MAX_NUMBER_USER_LABELS: 58, RESET_VALUE, ResetValue, Expression, VALID_MEMORY_OPTIONS: memories, INGRESS_SETTINGS_OPTIONS: ['INGRESS_SETTINGS_UNSPECIFIED', 'ALLOW_ALL', 'ALLOW_INTERNAL_ONLY', 'ALLOW_INTERNAL_AND_GCLB'], VPC_EGRESS_SETTINGS_OPTIONS: ['VPC_CONNECTOR_EGRESS_SETTINGS_UNSPECIFIED', 'PRIVATE_RANGES_ONLY', 'ALL_TRAFFIC'],
      app, config, firebaseConfig, logger, onInit, params, requiresAPI,
      region: (...regions) => new FunctionBuilder({}).region(...regions), runWith: (options) => new FunctionBuilder({}).runWith(options),
      handler: new Proxy({}, { get: (_, name) => refuse(`handler.${String(name)}`)() }),
    };
    for (const [name, make] of Object.entries(makers)) rt.lazyProperty(out, name, () => make({}));
    return out;
  });
  for (const name of ['analytics', 'auth', 'database', 'firestore', 'https', 'pubsub', 'remoteConfig', 'storage', 'tasks', 'testLab']) rt.define(`firebase-functions/v1/${name}`, () => rt.require('firebase-functions/v1')[name]);
})(globalThis.__emu);
