// `firebase-admin/app`: apps and their options, errors, and how every part of the Admin SDK asks the cloud's services.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('firebase-admin-call');
  rt.internal.add('firebase-admin-app');
  rt.define('firebase-admin-call', () => {
    rt.require('fetch');
    /** One request as an administrator. `body` is sent as JSON, bytes as they are; answers `{status, headers, bytes}`. */
    const send = async (method, url, body, headers = {}) => {
      const bytes = rt.isBytes(body);
      const data = body === undefined ? null : bytes ? rt.bytes(body) : rt.utf8(JSON.stringify(body));
      const type = body !== undefined && !bytes ? { 'content-type': 'application/json' } : {};
      const [answer, received] = await rt.send({ method, url, headers: Object.entries({ authorization: 'Bearer owner', ...type, ...headers }) }, data);
      return { status: answer.status, headers: answer.headers, bytes: received ?? new Uint8Array(0) };
    };
    /** One request whose answer is JSON: `{status, json, text}`; `json` is undefined where it is none. */
    const exchange = async (method, url, body, headers) => {
      const answer = await send(method, url, body, headers);
      const text = rt.fromUtf8(answer.bytes);
      let json;
      try {
        json = text === '' ? {} : JSON.parse(text);
      } catch {}
      return { status: answer.status, headers: answer.headers, json, text };
    };
    const config = () => {
      const { FIREBASE_CONFIG: given } = rt.process.env;
      if (!given) return {};
      const text = given.startsWith('{') ? given : rt.require('fs').readFileSync(given, 'utf8');
      return JSON.parse(text);
    };
    const projectId = () => rt.process.env.GOOGLE_CLOUD_PROJECT || rt.process.env.GCLOUD_PROJECT || config().projectId;
    return { send, exchange, config, projectId };
  });
  rt.define('firebase-admin-app', () => {
    const { config, projectId } = rt.require('firebase-admin-call');
    class FirebaseError extends Error {
      constructor(code, message) {
        super(message);
        Object.defineProperty(this, 'errorInfo', { value: { code, message }, enumerable: true, configurable: true, writable: true });
      }
      get code() { return this.errorInfo.code; }
      /** Whether it has a code, with its service's name or without. */
      hasCode(code) { return this.code === code || (this.codePrefix !== undefined && this.code === `${this.codePrefix}/${code}`); }
      toJSON() { return { code: this.code, message: this.message }; }
    }
    /** An error class of a service, whose codes begin with the service's name. */
    const errors = (prefix, name) => {
      const Class = class extends FirebaseError {
        constructor(code, message) {
          super(`${prefix}/${code}`, message);
          this.codePrefix = prefix;
        }
      };
      return Object.defineProperty(Class, 'name', { value: name });
    };
    /** What version 14 names codes by: `no-app` is NO_APP. `others` are those that are not called after their codes. */
    const codes = (list, others) => ({ ...Object.fromEntries(list.split(' ').map((code) => [code.toUpperCase().replace(/-/g, '_'), code])), ...others });
    const FirebaseAppError = errors('app', 'FirebaseAppError');
    const FirebaseFirestoreError = errors('firestore', 'FirebaseFirestoreError');

    const apps = new Map();
    // What `admin.apps` is: the same array all the time, so that an import of it sees the apps that there are.
    const live = [];
    const standard = '[DEFAULT]';
    const services = Symbol('services');
    const checkName = (name) => {
      if (typeof name !== 'string' || name === '') throw new FirebaseAppError('invalid-app-name', `Invalid Firebase app name "${name}" provided. App name must be a non-empty string.`);
    };
    class FirebaseApp {
      #options; #name; #deleted = false;
      constructor(options, name, auto) {
        if (typeof options !== 'object' || options === null) throw new FirebaseAppError('invalid-app-options', `Invalid Firebase app options passed as the first argument to initializeApp() for the app named "${name}". Options must be a non-null object.`);
        this.#name = name;
        this.#options = { credential: applicationDefault(), ...options };
        Object.defineProperty(this, 'auto', { value: auto });
        Object.defineProperty(this, 'own', { value: 'credential' in options && !auto });
        Object.defineProperty(this, services, { value: new Map() });
      }
      get name() { return this.#alive(this.#name); }
      get options() { return this.#alive({ ...this.#options }); }
      #alive(value) {
        if (this.#deleted) throw new FirebaseAppError('app-deleted', `Firebase app named "${this.#name}" has already been deleted.`);
        return value;
      }
      auth() { return rt.require('firebase-admin/auth').getAuth(this); }
      firestore() { return rt.require('firebase-admin/firestore').getFirestore(this); }
      storage() { return rt.require('firebase-admin/storage').getStorage(this); }
      messaging() { return rt.require('firebase-admin/messaging').getMessaging(this); }
      async delete() {
        apps.delete(this.name);
        live.splice(live.indexOf(this), 1);
        this.#deleted = true;
      }
      toJSON() { return { name: this.name, options: this.options }; }
    }
    const initializeApp = (options, name = standard) => {
      checkName(name);
      const auto = options === undefined;
      const existing = apps.get(name);
      if (!existing) {
        let found = options;
        if (auto) {
          try {
            found = config();
          } catch (error) {
            throw new FirebaseAppError('invalid-app-options', `Failed to parse app options file: ${error}`);
          }
        }
        const app = new FirebaseApp(found, name, auto);
        apps.set(name, app);
        live.push(app);
        return app;
      }
      const differs = (code) => new FirebaseAppError(code, `A Firebase app named "${name}" already exists with a different configuration.`);
      if (existing.auto !== auto) throw differs('invalid-app-options');
      if (auto) return existing;
      if (options.credential !== undefined) throw new FirebaseAppError('invalid-app-options', `Firebase app named "${name}" already exists and initializeApp was invoked with an optional Credential. The SDK cannot confirm the equality of Credential objects with the existing app. Please use getApp or getApps to reuse the existing app instead.`);
      if (existing.own) throw new FirebaseAppError('invalid-app-options', `An existing app named "${name}" already exists with a different options configuration: Credential.`);
      const { credential: _, ...its } = existing.options;
      if (!rt.require('util').isDeepStrictEqual(options, its)) throw differs('duplicate-app');
      return existing;
    };
    const getApp = (name = standard) => {
      checkName(name);
      const app = apps.get(name);
      if (!app) throw new FirebaseAppError('no-app', `${name === standard ? 'The default Firebase app does not exist.' : `Firebase app named "${name}" does not exist.`} Make sure you call initializeApp() before using any of the Firebase services.`);
      return app;
    };
    const getApps = () => [...live];
    const deleteApp = async (app) => {
      if (typeof app !== 'object' || app === null || !('options' in app)) throw new FirebaseAppError('invalid-argument', 'Invalid app argument.');
      return getApp(app.name).delete();
    };

    // Inside, every request is an administrator's: credentials are taken as they come and only say which project they are of.
    const token = async () => ({ access_token: 'owner', expires_in: 3600 });
    const applicationDefault = () => ({ getAccessToken: token });
    const read = (source) => {
      if (typeof source !== 'string') return source;
      try {
        return JSON.parse(rt.require('fs').readFileSync(source, 'utf8'));
      } catch (error) {
        throw new FirebaseAppError('invalid-credential', `Failed to parse service account json file: ${error}`);
      }
    };
    const cert = (source) => {
      const account = read(source);
      if (typeof account !== 'object' || account === null) throw new FirebaseAppError('invalid-credential', 'Service account must be an object.');
      const [project, email, key] = [account.projectId ?? account.project_id, account.clientEmail ?? account.client_email, account.privateKey ?? account.private_key];
      for (const [name, value] of [['project_id', project], ['private_key', key], ['client_email', email]]) if (typeof value !== 'string' || value === '') throw new FirebaseAppError('invalid-credential', `Service account object must contain a string "${name}" property.`);
      return { projectId: project, clientEmail: email, privateKey: key, getAccessToken: token };
    };
    const refreshToken = (source) => ({ ...read(source), getAccessToken: token });

    /** The app that was given, or the one without a name. */
    const appOf = (app) => app ?? getApp();
    /** A service of an app, made once. */
    const service = (app, name, make) => {
      const its = app[services];
      if (!its) throw new FirebaseAppError('invalid-argument', `The argument of ${name} is no app that initializeApp() has made.`);
      if (!its.has(name)) its.set(name, make(app));
      return its.get(name);
    };
    /** The project that an app speaks for. */
    const projectOf = (app) => {
      const id = app.options.projectId ?? app.options.credential?.projectId ?? projectId();
      if (!id) throw new FirebaseAppError('invalid-credential', 'Failed to determine project ID. Initialize the SDK with service account credentials or set project ID as an app option. Alternatively set the GOOGLE_CLOUD_PROJECT environment variable.');
      return id;
    };
    return { live, FirebaseError, FirebaseAppError, FirebaseFirestoreError, errors, codes, initializeApp, getApp, getApps, deleteApp, applicationDefault, cert, refreshToken, appOf, service, projectOf, version: '13.10.0' };
  });
  rt.define('firebase-admin/app', () => {
    const { initializeApp, getApp, getApps, deleteApp, applicationDefault, cert, refreshToken, FirebaseAppError, FirebaseError, codes, version } = rt.require('firebase-admin-app');
    // The name that it has in version 14, and the one before.
    const AppErrorCode = codes('app-deleted duplicate-app invalid-argument internal-error invalid-app-name invalid-app-options invalid-credential network-error network-timeout no-app unable-to-parse-response');
    return { initializeApp, getApp, getApps, deleteApp, applicationDefault, cert, refreshToken, FirebaseAppError, FirebaseError, AppErrorCode, AppErrorCodes: AppErrorCode, SDK_VERSION: version };
  });
  // What `firebase-admin/app` has, as since version 14, and everything under one name, as it was before.
  rt.define('firebase-admin', () => {
    const { live } = rt.require('firebase-admin-app');
    const { AppErrorCodes, ...modular } = rt.require('firebase-admin/app');
    const { getApp, applicationDefault, cert, refreshToken } = modular;
    const admin = { ...modular, app: getApp, apps: live, credential: { applicationDefault, cert, refreshToken } };
    for (const [name, make] of [['auth', 'getAuth'], ['firestore', 'getFirestore'], ['storage', 'getStorage'], ['messaging', 'getMessaging']]) {
      const get = (app) => rt.require(`firebase-admin/${name}`)[make](app);
      // Types such as `admin.firestore.FieldValue` are made with the part that they are of.
      const types = { auth: 'Auth BaseAuth UserRecord', firestore: 'AggregateField AggregateQuery AggregateQuerySnapshot BulkWriter CollectionGroup CollectionReference DocumentReference DocumentSnapshot FieldPath FieldValue Filter Firestore GeoPoint GrpcStatus Query QueryDocumentSnapshot QueryPartition QuerySnapshot Timestamp Transaction WriteBatch WriteResult setLogFunction', storage: 'Storage', messaging: 'Messaging' }[name];
      for (const type of types.split(' ')) rt.lazyProperty(get, type, () => rt.require(`firebase-admin/${name}`)[type]);
      admin[name] = get;
    }
    return admin;
  });
})(globalThis.__emu);
