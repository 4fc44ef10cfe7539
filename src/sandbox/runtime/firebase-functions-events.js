// What functions get to see of events: documents of Firestore, messages, users.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('firebase-functions-events');
  rt.define('firebase-functions-events', () => {
    // ---- Documents. The classes are those of the runtime's firebase-admin where it has them.
    const admin = () => (rt.has('firebase-admin/firestore') ? rt.require('firebase-admin/firestore') : null);
    class Timestamp {
      constructor(seconds, nanoseconds) {
        this._seconds = seconds;
        this._nanoseconds = nanoseconds;
      }
      static fromDate(date) { return Timestamp.fromMillis(date.getTime()); }
      static fromMillis(ms) { return new Timestamp(Math.floor(ms / 1000), (ms - Math.floor(ms / 1000) * 1000) * 1e6); }
      static now() { return Timestamp.fromMillis(Date.now()); }
      get seconds() { return this._seconds; }
      get nanoseconds() { return this._nanoseconds; }
      toDate() { return new Date(this.toMillis()); }
      toMillis() { return this._seconds * 1000 + Math.round(this._nanoseconds / 1e6); }
      isEqual(other) { return other instanceof Timestamp && other._seconds === this._seconds && other._nanoseconds === this._nanoseconds; }
      valueOf() { return `${String(this._seconds + 62135596800).padStart(12, '0')}.${String(this._nanoseconds).padStart(9, '0')}`; }
    }
    class GeoPoint {
      constructor(latitude, longitude) {
        Object.assign(this, { latitude, longitude });
      }
      isEqual(other) { return other instanceof GeoPoint && other.latitude === this.latitude && other.longitude === this.longitude; }
    }
    const timeOf = (text) => {
      const [, whole, fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(text) ?? [];
      const Class = admin()?.Timestamp ?? Timestamp;
      return new Class(Math.floor(Date.parse(`${whole}Z`) / 1000), Number(fraction.padEnd(9, '0').slice(0, 9)));
    };
    class CollectionReference {
      constructor(path) {
        this.path = path;
        this.id = path.slice(path.lastIndexOf('/') + 1);
      }
      get parent() { return this.path.includes('/') ? new DocumentReference(this.path.slice(0, this.path.lastIndexOf('/'))) : null; }
      doc(id) { return new DocumentReference(`${this.path}/${id}`); }
    }
    class DocumentReference {
      constructor(path) {
        this.path = path;
        this.id = path.slice(path.lastIndexOf('/') + 1);
      }
      get parent() { return new CollectionReference(this.path.slice(0, this.path.lastIndexOf('/'))); }
      collection(id) { return new CollectionReference(`${this.path}/${id}`); }
      isEqual(other) { return other?.path === this.path; }
    }
    for (const name of ['get', 'set', 'update', 'delete', 'create', 'onSnapshot', 'listCollections']) {
      DocumentReference.prototype[name] = () => { throw new Error(`ref.${name}: this runtime has no firebase-admin to do it with`); };
    }
    const reference = (name) => {
      const path = name.replace(/^projects\/[^/]+\/databases\/[^/]+\/documents\//, '');
      return new DocumentReference(path);
    };
    const valueOf = (value) => {
      const [kind] = Object.keys(value ?? {});
      switch (kind) {
        case 'stringValue': case 'booleanValue': return value[kind];
        case 'nullValue': case undefined: return null;
        case 'integerValue': return Number(value[kind]);
        case 'doubleValue': return Number(value[kind]);
        case 'timestampValue': return timeOf(value[kind]);
        case 'bytesValue': return rt.Buffer.from(value[kind], 'base64');
        case 'referenceValue': return reference(value[kind]);
        case 'geoPointValue': return new (admin()?.GeoPoint ?? GeoPoint)(value[kind].latitude ?? 0, value[kind].longitude ?? 0);
        case 'arrayValue': return (value[kind].values ?? []).map(valueOf);
        case 'mapValue': return fieldsOf(value[kind].fields);
        default: throw new Error(`a document has a value of the unknown kind ${kind}`);
      }
    };
    const fieldsOf = (fields) => {
      const out = {};
      for (const [name, value] of Object.entries(fields ?? {})) Object.defineProperty(out, name, { value: valueOf(value), writable: true, enumerable: true, configurable: true });
      return out;
    };
    class DocumentSnapshot {
      #fields;
      constructor(ref, document, readTime) {
        this.ref = ref;
        this.id = ref.id;
        this.exists = document !== null;
        this.readTime = readTime;
        this.createTime = document?.createTime ? timeOf(document.createTime) : undefined;
        this.updateTime = document?.updateTime ? timeOf(document.updateTime) : undefined;
        this.#fields = document?.fields;
      }
      data() { return this.exists ? fieldsOf(this.#fields) : undefined; }
      get(field) {
        const names = typeof field === 'string' ? field.split('.') : field.segments ?? [String(field)];
        return names.reduce((at, name) => (at === null || at === undefined || !Object.hasOwn(Object(at), name) ? undefined : at[name]), this.data());
      }
      isEqual(other) { return this.ref.isEqual(other?.ref) && rt.require('util').isDeepStrictEqual(this.data(), other.data()); }
    }
    class QueryDocumentSnapshot extends DocumentSnapshot {}
    /** The snapshot of a document of an event; `null` is one that does not exist. */
    const snapshot = (document, name, readTime, database) => {
      const store = admin()?.getFirestore;
      if (store) {
        const proto = document ? { fields: document.fields ?? {}, createTime: protoTime(document.createTime), updateTime: protoTime(document.updateTime), name: document.name ?? name } : name;
        const app = rt.require('firebase-admin/app');
        // Code that has no app of its own gets the default one, as in the cloud.
        const own = app.getApps().find((each) => each.name === '[DEFAULT]') ?? app.initializeApp();
        const firestore = database && database !== '(default)' ? store(own, database) : store(own);
        if (typeof firestore.snapshot_ === 'function') return firestore.snapshot_(proto, protoTime(readTime), 'json');
      }
      return new (document ? QueryDocumentSnapshot : DocumentSnapshot)(reference(document?.name ?? name), document ?? null, readTime ? timeOf(readTime) : undefined);
    };
    const protoTime = (text) => {
      if (!text) return undefined;
      const time = timeOf(text);
      return { seconds: time.seconds, nanos: time.nanoseconds };
    };
    const present = (document) => (document && Object.keys(document).length ? document : null);

    // ---- Messages
    class Message {
      #json;
      constructor(data) {
        const { data: bytes, attributes, json } = data ?? {};
        this.data = bytes;
        this.attributes = attributes ?? {};
        for (const name of ['messageId', 'publishTime', 'orderingKey']) if (data?.[name] !== undefined) this[name] = data[name];
        this.#json = json;
      }
      get json() {
        if (this.#json === undefined) {
          try {
            this.#json = JSON.parse(rt.Buffer.from(this.data ?? '', 'base64').toString('utf8'));
          } catch (error) {
            throw new Error(`Unable to parse Pub/Sub message data as JSON: ${error.message}`);
          }
        }
        return this.#json;
      }
      toJSON() {
        const out = {};
        for (const name of ['messageId', 'data', 'publishTime']) if (this[name] !== undefined) out[name] = this[name];
        if (Object.keys(this.attributes).length) out.attributes = this.attributes;
        if (this.orderingKey) out.orderingKey = this.orderingKey;
        return out;
      }
    }

    // ---- Users
    class UserRecordMetadata {
      constructor(creationTime, lastSignInTime) {
        this.creationTime = creationTime;
        this.lastSignInTime = lastSignInTime;
      }
      toJSON() { return { creationTime: this.creationTime, lastSignInTime: this.lastSignInTime }; }
    }
    /** A user as functions know them, of the data of an event. */
    const userRecord = (data) => {
      const record = { email: null, emailVerified: false, displayName: null, photoURL: null, phoneNumber: null, disabled: false, providerData: [], customClaims: {}, passwordSalt: null, passwordHash: null, tokensValidAfterTime: null, ...data };
      const meta = data.metadata ?? {};
      record.metadata = new UserRecordMetadata(meta.createdAt ?? meta.creationTime ?? meta.createTime ?? null, meta.lastSignedInAt ?? meta.lastSignInTime ?? null);
      record.providerData = (record.providerData ?? []).map((each) => Object.defineProperty({ ...each }, 'toJSON', { value: () => ({ ...each }) }));
      return Object.defineProperty(record, 'toJSON', { value: () => ({ ...record, metadata: record.metadata.toJSON() }) });
    };
    return { snapshot, present, Message, UserRecordMetadata, userRecord, Timestamp, GeoPoint };
  });
})(globalThis.__emu);
