// What functions get to see of events: documents of Firestore, messages, users.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('firebase-functions-events');
  rt.define('firebase-functions-events', () => {
    // ---- Documents: snapshots of the runtime's firebase-admin, of the app that there is, else of one of our own.
    const OWN_APP = '__FIREBASE_FUNCTIONS_SDK__';
    const firestore = (database) => {
      const { getApps, initializeApp } = rt.require('firebase-admin/app');
      const { getFirestore } = rt.require('firebase-admin/firestore');
      const apps = getApps();
      const app = apps.find((each) => each.name === '[DEFAULT]') ?? apps.find((each) => each.name === OWN_APP) ?? initializeApp({}, OWN_APP);
      return database && database !== '(default)' ? getFirestore(app, database) : getFirestore(app);
    };
    /** The snapshot of a document of an event, which has it as the REST interface does; `null` is one that does not exist. */
    const snapshot = (document, name, readTime, database) => firestore(database).snapshot_(document ? { fields: {}, name, ...document } : name, readTime, 'json');
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
    return { snapshot, present, Message, UserRecordMetadata, userRecord };
  });
})(globalThis.__emu);
