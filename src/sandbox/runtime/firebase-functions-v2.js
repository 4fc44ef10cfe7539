// firebase-functions of the second generation, and its parts under their own names.
((emu) => {
  'use strict';
  const { rt } = emu;
  const core = () => rt.require('firebase-functions-core');
  const events = () => rt.require('firebase-functions-events');
  const both = (name, make) => {
    rt.define(`firebase-functions/v2/${name}`, make);
    rt.define(`firebase-functions/${name}`, () => rt.require(`firebase-functions/v2/${name}`));
  };
  // (options, handler) or (handler): what stands before the handler may be left out.
  const twoOf = (first, handler) => (typeof first === 'function' && handler === undefined ? [{}, first] : [first ?? {}, handler]);
  const over = (call, endpoint, handler, api) => Object.assign(call, { __endpoint: endpoint, run: handler, ...(api ? { __requiredAPIs: [{ api, reason: 'Needed by this kind of function.' }] } : {}) });
  const isText = (value) => typeof value === 'string' || value instanceof core().Expression;
  // A function of events: `shape` makes what the handler gets of what comes.
  const onEvent = (kind, filters, options, handler, shape, extra) => {
    const { second, withInit } = core();
    const run = withInit(handler);
    const endpoint = second(options, 'event');
    endpoint.eventTrigger = { eventType: kind, eventFilters: filters, retry: options.retry ?? core().getGlobalOptions().retry ?? false, ...extra };
    return over((event) => run(shape ? shape(event) : event), endpoint, handler);
  };

  both('https', () => {
    const https = rt.require('firebase-functions-https');
    const onRequest = (...args) => {
      const [options, handler] = twoOf(...args);
      const { second, invoker, getGlobalOptions } = core();
      return Object.assign(https.request(options, handler), { __endpoint: { ...second(options, 'https'), httpsTrigger: { ...invoker(getGlobalOptions().invoker), ...invoker(options.invoker) } } });
    };
    const onCall = (...args) => {
      const [options, handler] = twoOf(...args);
      const { second, withInit, getGlobalOptions } = core();
      const settings = { ...options, cors: 'cors' in options ? options.cors : true, enforceAppCheck: options.enforceAppCheck ?? getGlobalOptions().enforceAppCheck };
      const call = https.callable(settings, withInit((request, response) => handler(request, response)), 2);
      return over(call, { ...second(options, 'https'), callableTrigger: {} }, withInit(handler));
    };
    const onCallGenkit = (...args) => {
      const [options, action] = args.length === 2 ? args : [{}, args[0]];
      const call = onCall(options, async (request, response) => {
        const context = Object.fromEntries(['auth', 'app', 'instanceIdToken'].filter((name) => request[name] !== undefined).map((name) => [name, request[name]]));
        if (!request.acceptsStreaming) return (await action.run(request.data, { context })).result;
        const { stream, output } = action.stream(request.data, { context });
        for await (const chunk of stream) await response.sendChunk(chunk);
        return output;
      });
      call.__endpoint.callableTrigger.genkitAction = action.__action.name;
      return call;
    };
    return { HttpsError: https.HttpsError, onRequest, onCall, onCallGenkit, isSignedIn: () => (auth) => Boolean(auth), hasClaim: (claim, value) => (auth) => Boolean(auth) && claim in auth.token && (!value || auth.token[claim] === value) };
  });

  both('firestore', () => {
    const { Change, normalizePath, matches, addLegacy, valueOf } = core();
    const { snapshot, present } = events();
    const prefix = 'google.cloud.firestore.document.v1.';
    const legacy = { created: 'create', updated: 'update', deleted: 'delete', written: 'write' };
    const on = (name, hasAuth) => (documentOrOptions, handler) => {
      const { document: pattern, database = '(default)', namespace = '(default)', ...options } = isText(documentOrOptions) ? { document: documentOrOptions } : documentOrOptions;
      const document = typeof pattern === 'string' ? normalizePath(pattern) : pattern;
      const isPattern = typeof document !== 'string' || /[{}*]/.test(document);
      const shape = (raw) => {
        const { datacontenttype, dataschema, authtype, authid, ...event } = raw;
        const path = `projects/${event.project}/databases/${event.database}/documents/${event.document}`;
        const of = (which) => {
          const found = present(raw.data?.[which]);
          return snapshot(found, path, found?.updateTime ?? event.time, event.database);
        };
        const data = !raw.data ? undefined : name === 'created' ? of('value') : name === 'deleted' ? of('oldValue') : Change.fromObjects(of('oldValue'), of('value'));
        const made = { ...event, params: matches(valueOf(document), event.document), data, ...(authtype === undefined ? {} : { authType: authtype, authId: authid }) };
        return addLegacy(made, {
          context: () => ({ eventId: made.id, timestamp: made.time, eventType: `providers/cloud.firestore/eventTypes/document.${legacy[name]}`, resource: { service: 'firestore.googleapis.com', name: path }, params: made.params, authType: made.authType, authId: made.authId }),
          ...(name === 'created' || name === 'deleted' ? { snapshot: () => made.data } : { change: () => made.data }),
        });
      };
      const filters = { database, namespace, ...(isPattern ? {} : { document }) };
      return onEvent(`${prefix}${name}${hasAuth ? '.withAuthContext' : ''}`, filters, options, handler, shape, isPattern ? { eventFilterPathPatterns: { document } } : { eventFilterPathPatterns: {} });
    };
    const out = { Change };
    for (const name of Object.keys(legacy)) {
      const title = `onDocument${name[0].toUpperCase()}${name.slice(1)}`;
      out[title] = on(name, false);
      out[`${title}WithAuthContext`] = on(name, true);
    }
    return out;
  });

  both('storage', () => {
    const { addLegacy, firebaseConfig } = core();
    const legacy = { archived: 'archive', finalized: 'finalize', deleted: 'delete', metadataUpdated: 'metadataUpdate' };
    const on = (name) => (...args) => {
      const [first, handler] = twoOf(...args);
      const { bucket = firebaseConfig()?.storageBucket, ...options } = isText(first) ? { bucket: first } : first;
      if (!bucket) throw new Error('Missing bucket name. If you are unit testing, please provide a bucket name by providing bucket name directly in the event handler or by setting process.env.FIREBASE_CONFIG.');
      if (typeof bucket === 'string' && !/^[a-z\d][a-z\d\\._-]{1,230}[a-z\d]$/.test(bucket)) throw new Error(`Invalid bucket name ${bucket}`);
      return onEvent(`google.cloud.storage.object.v1.${name}`, { bucket }, options, handler, (event) => addLegacy(event, {
        context: () => ({ eventId: event.id, timestamp: event.time, eventType: `google.storage.object.${legacy[name]}`, resource: { service: 'storage.googleapis.com', name: `projects/_/buckets/${event.bucket}/objects/${event.data.name}#${event.data.generation}` }, params: {} }),
        object: () => event.data,
      }));
    };
    return Object.fromEntries(Object.keys(legacy).map((name) => [`onObject${name[0].toUpperCase()}${name.slice(1)}`, on(name)]));
  });

  both('pubsub', () => {
    const { addLegacy } = core();
    const { Message } = events();
    const onMessagePublished = (topicOrOptions, handler) => {
      const { topic, ...options } = isText(topicOrOptions) ? { topic: topicOrOptions } : topicOrOptions;
      return onEvent('google.cloud.pubsub.topic.v1.messagePublished', { topic }, options, handler, (event) => {
        if (!event.data?.message) throw new Error("Malformed Pub/Sub event: missing 'message' property.");
        if (!(event.data.message instanceof Message)) event.data.message = new Message(event.data.message);
        const { message } = event.data;
        return addLegacy(event, {
          context: () => ({ eventId: message.messageId, timestamp: message.publishTime, eventType: 'google.pubsub.topic.publish', resource: { service: 'pubsub.googleapis.com', name: String(event.source ?? '').replace('//pubsub.googleapis.com/', '') }, params: {} }),
          message: () => message,
        });
      });
    };
    return { Message, onMessagePublished };
  });

  both('scheduler', () => ({
    onSchedule(scheduleOrOptions, handler) {
      const { second, withInit, logger } = core();
      const options = isText(scheduleOrOptions) ? { schedule: scheduleOrOptions } : scheduleOrOptions;
      const run = withInit(handler);
      const call = async (req, res) => {
        const event = { jobName: req.headers['x-cloudscheduler-jobname'], scheduleTime: req.headers['x-cloudscheduler-scheduletime'] ?? new Date().toISOString() };
        const jobName = event.jobName ?? 'unknown-job';
        Object.defineProperty(event, 'context', { value: { eventId: jobName, timestamp: event.scheduleTime, eventType: 'google.pubsub.topic.publish', resource: { service: 'pubsub.googleapis.com', name: `projects/${rt.process.env.GCLOUD_PROJECT}/topics/${jobName}` }, params: {} } });
        try {
          await run(event);
          res.status(200).send();
        } catch (error) {
          logger.error(error);
          res.status(500).send();
          throw error;
        }
      };
      const retryConfig = {};
      for (const name of ['retryCount', 'maxRetrySeconds', 'minBackoffSeconds', 'maxBackoffSeconds', 'maxDoublings']) if (options[name] !== undefined) retryConfig[name] = options[name];
      return over(call, { ...second(options, 'scheduledOrTask'), scheduleTrigger: { schedule: options.schedule, retryConfig, ...(options.timeZone === undefined ? {} : { timeZone: options.timeZone }) } }, handler, 'cloudscheduler.googleapis.com');
    },
  }));

  both('tasks', () => ({
    onTaskDispatched(...args) {
      const [options, handler] = twoOf(...args);
      const { second, withInit, invoker } = core();
      const call = rt.require('firebase-functions-https').dispatched(withInit(handler), 2);
      return over(call, { ...second(options, 'scheduledOrTask'), taskQueueTrigger: { retryConfig: { ...options.retryConfig }, rateLimits: { ...options.rateLimits }, ...invoker(options.invoker) } }, handler, 'cloudtasks.googleapis.com');
    },
  }));

  both('identity', () => {
    const { second, withInit, addLegacy, RESET_VALUE } = core();
    const { HttpsError } = rt.require('firebase-functions-https');
    const { userRecord } = events();
    const before = (kind) => (...args) => {
      const [all, handler] = twoOf(...args);
      const { accessToken = false, idToken = false, refreshToken = false, ...options } = all;
      const call = withInit(rt.require('firebase-functions-identity').blocking(kind, handler, 2));
      const tells = kind === 'beforeCreate' || kind === 'beforeSignIn';
      return over(call, { ...second(options, 'identity'), blockingTrigger: { eventType: `providers/cloud.auth/eventTypes/user.${kind}`, options: tells ? { accessToken, idToken, refreshToken } : {} } }, handler, 'identitytoolkit.googleapis.com');
    };
    const after = (name, legacy) => (...args) => {
      const [options, handler] = twoOf(...args);
      const { tenantId } = options;
      const shape = (raw) => {
        const data = raw.data?.value ?? raw.data?.oldValue ?? raw.data;
        const event = { ...raw, data: data ? userRecord({ ...data, photoURL: data.photoURL ?? data.photoUrl ?? null }) : data };
        const tenant = raw.tenantid ?? raw.tenantId ?? event.data?.tenantId;
        if (tenant) event.tenantId = tenant;
        event.project = /projects\/([^/]+)/.exec(raw.source ?? '')?.[1];
        return addLegacy(event, {
          context: () => ({ eventId: event.id, timestamp: event.time, eventType: `providers/firebase.auth/eventTypes/user.${legacy}`, resource: { service: 'firebaseauth.googleapis.com', name: `projects/${event.project}` }, params: {} }),
          user: () => event.data,
        });
      };
      const filters = tenantId === undefined || tenantId === RESET_VALUE ? {} : { tenantid: tenantId };
      const isWanted = (event) => tenantId !== RESET_VALUE || !event.tenantId;
      return onEvent(`google.firebase.auth.user.v2.${name}`, filters, options, (event) => (isWanted(event) ? handler(event) : undefined), shape);
    };
    return { HttpsError, IS_NOT_TENANT: RESET_VALUE, beforeUserCreated: before('beforeCreate'), beforeUserSignedIn: before('beforeSignIn'), beforeEmailSent: before('beforeSendEmail'), beforeSmsSent: before('beforeSendSms'), onUserCreated: after('created', 'create'), onUserDeleted: after('deleted', 'delete') };
  });

  both('eventarc', () => ({
    onCustomEventPublished(typeOrOptions, handler) {
      const { eventType, channel = 'locations/us-central1/channels/firebase', filters = {}, ...options } = typeof typeOrOptions === 'string' ? { eventType: typeOrOptions } : typeOrOptions;
      return onEvent(eventType, filters, options, handler, undefined, { channel });
    },
  }));

  // Parts of services that are not emulated: their functions may be defined, nothing ever calls them.
  const silent = (kind) => (...args) => {
    const handler = args.findLast((each) => typeof each === 'function');
    const options = typeof args[0] === 'object' && args[0] !== null && !(args[0] instanceof core().Expression) ? args[0] : {};
    return onEvent(kind, {}, options, handler);
  };
  const quiet = (name, kinds) => both(name, () => Object.fromEntries(Object.entries(kinds).map(([title, kind]) => [title, silent(kind)])));
  quiet('database', { onValueCreated: 'google.firebase.database.ref.v1.created', onValueUpdated: 'google.firebase.database.ref.v1.updated', onValueDeleted: 'google.firebase.database.ref.v1.deleted', onValueWritten: 'google.firebase.database.ref.v1.written' });
  quiet('remoteConfig', { onConfigUpdated: 'google.firebase.remoteconfig.remoteConfig.v1.updated' });
  quiet('testLab', { onTestMatrixCompleted: 'google.firebase.testlab.testMatrix.v1.completed' });
  const alert = 'google.firebase.firebasealerts.alerts.v1.published';
  const alerts = { onAlertPublished: alert };
  quiet('alerts/appDistribution', { onNewTesterIosDevicePublished: alert, onInAppFeedbackPublished: alert });
  quiet('alerts/billing', { onPlanUpdatePublished: alert, onPlanAutomatedUpdatePublished: alert });
  quiet('alerts/crashlytics', { onNewFatalIssuePublished: alert, onNewNonfatalIssuePublished: alert, onRegressionAlertPublished: alert, onStabilityDigestPublished: alert, onVelocityAlertPublished: alert, onNewAnrIssuePublished: alert });
  quiet('alerts/performance', { onThresholdAlertPublished: alert });
  both('alerts', () => ({
    ...Object.fromEntries(Object.entries(alerts).map(([title, kind]) => [title, silent(kind)])),
    ...Object.fromEntries(['appDistribution', 'billing', 'crashlytics', 'performance'].map((name) => [name, rt.require(`firebase-functions/v2/alerts/${name}`)])),
  }));
  const absent = (name, titles) => both(name, () => Object.fromEntries(titles.map((title) => [title, core().refuse(`${name}.${title}`)])));
  absent('ai', ['beforeGenerateContent', 'afterGenerateContent']);
  absent('dataconnect', ['onMutationExecuted', 'onGraphRequest']);
  both('options', () => {
    const { setGlobalOptions, RESET_VALUE, ResetValue, getGlobalOptions, requiresRole } = core();
    return { setGlobalOptions, getGlobalOptions, RESET_VALUE, ResetValue, requiresRole };
  });
  both('trace', () => ({ traceContext: rt.require('firebase-functions/v2').traceContext }));
  rt.define('firebase-functions/lifecycle', () => ({ afterFirstDeploy() {}, afterRedeploy() {} }));

  const whole = () => {
    const { Change, app, config, logger, onInit, params, requiresAPI, requiresRole, setGlobalOptions } = core();
    const { AsyncLocalStorage } = rt.require('async_hooks');
    const out = { Change, app, config, logger, onInit, params, requiresAPI, requiresRole, setGlobalOptions, traceContext: new AsyncLocalStorage() };
    for (const name of ['ai', 'alerts', 'database', 'dataconnect', 'eventarc', 'firestore', 'https', 'identity', 'pubsub', 'remoteConfig', 'scheduler', 'storage', 'tasks', 'testLab']) rt.lazyProperty(out, name, () => rt.require(`firebase-functions/v2/${name}`));
    return out;
  };
  rt.define('firebase-functions/v2', whole);
  rt.define('firebase-functions/v2/core', () => rt.require('firebase-functions/v2'));
  rt.define('firebase-functions/core', () => rt.require('firebase-functions/v2'));
  // The root is of the second generation from the sixth major version on; before, it was of the first.
  rt.define('firebase-functions', () => {
    const major = Number(rt.process.env.EMU_FIREBASE_FUNCTIONS ?? 6);
    return rt.require(major < 6 ? 'firebase-functions/v1' : 'firebase-functions/v2');
  });
})(globalThis.__emu);
