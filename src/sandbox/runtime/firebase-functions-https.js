// Functions that answer requests: plain ones, callables with their protocol, tasks, and those that are asked about users.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('firebase-functions-https');
  rt.define('firebase-functions-https', () => {
    const { logger, Expression, withInit, isSet } = rt.require('firebase-functions-core');
    const statuses = { ok: 200, cancelled: 499, unknown: 500, 'invalid-argument': 400, 'deadline-exceeded': 504, 'not-found': 404, 'already-exists': 409, 'permission-denied': 403, unauthenticated: 401, 'resource-exhausted': 429, 'failed-precondition': 400, aborted: 409, 'out-of-range': 400, unimplemented: 501, internal: 500, unavailable: 503, 'data-loss': 500 };
    class HttpsError extends Error {
      constructor(code, message, details) {
        super(message);
        if (!Object.hasOwn(statuses, code)) throw new Error(`Unknown error code: ${code}.`);
        this.code = code;
        this.details = details;
        this.httpErrorCode = { canonicalName: code.replaceAll('-', '_').toUpperCase(), status: statuses[code] };
      }
      toJSON() {
        return { ...(this.details === undefined ? {} : { details: this.details }), message: this.message, status: this.httpErrorCode.canonicalName };
      }
    }

    // ---- CORS
    const origins = (option) => {
      let origin = option instanceof Expression ? option.value() : option;
      if (origin === '' || (Array.isArray(origin) && origin.length === 0)) origin = false;
      return origin;
    };
    const allows = (origin, asked) => {
      if (Array.isArray(origin)) return origin.some((each) => allows(each, asked));
      if (origin instanceof RegExp) return origin.test(asked);
      return typeof origin === 'string' ? origin === asked : Boolean(origin);
    };
    /** Sets the headers of CORS; answers a preflight itself, which is said by `true`. */
    const cors = (option, req, res, methods = 'GET,HEAD,PUT,PATCH,POST,DELETE') => {
      const origin = origins(option);
      if (origin === false) return false;
      const asked = req.headers.origin;
      if (origin === '*') res.setHeader('Access-Control-Allow-Origin', '*');
      else if (typeof origin === 'string') {
        res.setHeader('Access-Control-Allow-Origin', origin);
        res.vary('Origin');
      } else {
        if (asked !== undefined && allows(origin, asked)) res.setHeader('Access-Control-Allow-Origin', asked);
        res.vary('Origin');
      }
      if (req.method !== 'OPTIONS') return false;
      res.setHeader('Access-Control-Allow-Methods', methods);
      const headers = req.headers['access-control-request-headers'];
      res.vary('Access-Control-Request-Headers');
      if (headers) res.setHeader('Access-Control-Allow-Headers', headers);
      res.statusCode = 204;
      res.setHeader('Content-Length', '0');
      res.end();
      return true;
    };

    // ---- Data of callables
    const encode = (data) => {
      if (data === null || data === undefined) return null;
      if (data instanceof Number) data = data.valueOf();
      if (Number.isFinite(data) || typeof data === 'boolean' || typeof data === 'string') return data;
      if (Array.isArray(data)) return data.map(encode);
      if (typeof data === 'object' || typeof data === 'function') return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, encode(value)]));
      logger.error('Data cannot be encoded in JSON.', data);
      throw new Error(`Data cannot be encoded in JSON: ${String(data)}`);
    };
    const longs = new Set(['type.googleapis.com/google.protobuf.Int64Value', 'type.googleapis.com/google.protobuf.UInt64Value']);
    const decode = (data) => {
      if (data === null || typeof data !== 'object') return data;
      if (Array.isArray(data)) return data.map(decode);
      if (data['@type']) {
        const value = longs.has(data['@type']) ? Number.parseFloat(data.value) : Number.NaN;
        if (Number.isNaN(value)) {
          logger.error('Data cannot be decoded from JSON.', data);
          throw new Error(`Data cannot be decoded from JSON: ${data}`);
        }
        return value;
      }
      return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, decode(value)]));
    };
    const isValidRequest = (req) => {
      const wrong = (...args) => {
        logger.warn(...args);
        return false;
      };
      if (!req.body) return wrong('Request is missing body.');
      if (req.method !== 'POST') return wrong('Request has invalid method.', req.method);
      const type = (req.headers['content-type'] ?? '').split(';', 1)[0].trim().toLowerCase();
      if (type !== 'application/json') return wrong('Request has incorrect Content-Type.', type);
      if (req.body.data === undefined) return wrong('Request body is missing data.', req.body);
      const extra = Object.keys(req.body).filter((key) => key !== 'data');
      if (extra.length) return wrong('Request body has extra fields: ', extra.join(', '));
      return true;
    };
    // The claims of a token, unchecked, as with Firebase's own emulators; nothing where it is none.
    const claimsOf = (token) => {
      if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) return null;
      try {
        const claims = JSON.parse(rt.Buffer.from(token.split('.')[1], 'base64url').toString());
        return typeof claims === 'object' && claims !== null ? claims : null;
      } catch {
        return null;
      }
    };
    const asHttpsError = (error, message) => {
      if (error instanceof HttpsError || (error?.httpErrorCode && typeof error.toJSON === 'function')) return error;
      logger.error('Unhandled error', error);
      return new HttpsError('internal', message);
    };
    const sse = (data) => `data: ${JSON.stringify(data)}\n\n`;
    const setting = (value) => (value instanceof Expression ? value.value() : isSet(value) ? value : undefined);
    /** The tokens of a call; throws where one that is there is none, or one that must be there is not. */
    const identify = (req, options) => {
      const context = { rawRequest: req };
      const authorization = req.headers.authorization;
      if (authorization) {
        const rawToken = /^Bearer (.*)$/i.exec(authorization)?.[1];
        const claims = rawToken === undefined ? null : claimsOf(rawToken);
        if (!claims) {
          logger.warn('Callable request verification failed: Auth token was rejected.');
          throw new HttpsError('unauthenticated', 'Unauthenticated');
        }
        const uid = claims.sub ?? claims.user_id;
        context.auth = { uid, token: { ...claims, uid }, rawToken };
      }
      const check = req.headers['x-firebase-appcheck'];
      const claims = check ? claimsOf(check) : null;
      if (claims) context.app = { appId: claims.sub, token: { ...claims, app_id: claims.sub }, ...(setting(options.consumeAppCheckToken) ? { alreadyConsumed: false } : {}) };
      else if (setting(options.enforceAppCheck)) throw new HttpsError('unauthenticated', 'Unauthenticated');
      else if (check) logger.warn('Allowing request with invalid AppCheck token because enforcement is disabled');
      if (req.headers['firebase-instance-id-token']) context.instanceIdToken = req.headers['firebase-instance-id-token'];
      return context;
    };
    /** A callable as a function over HTTP; `generation` 1 calls `handler(data, context)`, 2 `handler(request, response)`. */
    const callable = (options, handler, generation) => async (req, res) => {
      if (cors(options.cors, req, res, 'POST')) return;
      const streams = req.headers.accept === 'text/event-stream';
      let abort = null;
      let isGone = false;
      const beat = options.heartbeatSeconds === undefined ? 30 : options.heartbeatSeconds;
      let heartbeat = null;
      const rest = () => clearTimeout(heartbeat);
      const schedule = () => {
        rest();
        if (streams && beat > 0 && !isGone && !res.writableEnded) {
          heartbeat = setTimeout(() => {
            res.write(': ping\n\n');
            schedule();
          }, beat * 1000);
        }
      };
      res.on('close', () => {
        rest();
        if (res.writableFinished) return;
        isGone = true;
        abort?.abort();
      });
      try {
        if (!isValidRequest(req)) {
          logger.error('Invalid request, unable to process.');
          throw new HttpsError('invalid-argument', 'Bad Request');
        }
        const context = identify(req, options);
        if (streams && generation === 1) throw new HttpsError('invalid-argument', "Unsupported Accept header 'text/event-stream'");
        const data = decode(req.body.data);
        if (options.authPolicy && !(await options.authPolicy(context.auth ?? null, data))) throw new HttpsError('permission-denied', 'Permission Denied');
        let result;
        if (generation === 1) result = await handler(data, context);
        else {
          if (streams) {
            res.status(200);
            if (!res.getHeader('Content-Type')) res.setHeader('Content-Type', 'text/event-stream');
            schedule();
          }
          const response = {
            get signal() {
              abort ??= new AbortController();
              if (isGone) abort.abort();
              return abort.signal;
            },
            sendChunk(chunk) {
              if (!streams || isGone) return Promise.resolve(false);
              schedule();
              return new Promise((resolve, reject) => {
                const wrote = res.write(sse({ message: chunk }), (error) => (error ? reject(error) : resolve(wrote)));
              });
            },
          };
          result = await handler({ ...context, data, acceptsStreaming: streams }, response);
        }
        rest();
        if (isGone) return void res.end();
        const body = { result: encode(result) };
        if (streams) res.end(sse(body));
        else res.status(200).send(body);
      } catch (thrown) {
        rest();
        if (isGone) return void res.end();
        const error = asHttpsError(thrown, 'INTERNAL');
        const body = { error: error.toJSON() };
        if (streams && generation === 2) {
          if (!res.headersSent && !res.getHeader('Content-Type')) res.setHeader('Content-Type', 'text/event-stream');
          res.end(sse(body));
        } else res.status(error.httpErrorCode.status).send(body);
      }
    };
    /** A function over HTTP whose failures are answered. */
    const request = (options, handler) => {
      const run = withInit(handler);
      return async (req, res) => {
        if ('cors' in options && cors(options.cors, req, res)) return;
        try {
          await run(req, res);
        } catch (error) {
          if (!res.headersSent) res.status(500).send('Internal Server Error');
          throw error;
        }
      };
    };

    // ---- Tasks
    const number = (text) => (text === undefined ? undefined : Number(text));
    const dispatched = (handler, generation) => async (req, res) => {
      try {
        if (!isValidRequest(req)) {
          logger.error('Invalid request, unable to process.');
          throw new HttpsError('invalid-argument', 'Bad Request');
        }
        const of = (name) => req.headers[`x-cloudtasks-${name}`];
        const headers = Object.fromEntries(Object.entries(req.headers).filter(([, value]) => !Array.isArray(value)));
        const context = { queueName: of('queuename'), id: of('taskname'), retryCount: number(of('taskretrycount')), executionCount: number(of('taskexecutioncount')), scheduledTime: of('tasketa'), previousResponse: number(of('taskpreviousresponse')), retryReason: of('taskretryreason'), headers };
        const token = /^Bearer (.*)$/i.exec(req.headers.authorization ?? '')?.[1];
        const claims = token ? claimsOf(token) : null;
        if (claims) context.auth = { uid: claims.sub, token: { ...claims, uid: claims.sub }, rawToken: token };
        const data = decode(req.body.data);
        if (generation === 1) await handler(data, context);
        else await handler(Object.defineProperty({ ...context, data }, 'context', { get: () => context }));
        res.status(204).end();
      } catch (thrown) {
        const error = asHttpsError(thrown, 'INTERNAL');
        res.status(error.httpErrorCode.status).send({ error: error.toJSON() });
      }
    };
    return { HttpsError, callable, request, dispatched, isValidRequest, asHttpsError, claimsOf, encode, decode };
  });
})(globalThis.__emu);
