// Firestore for functions: `firebase-admin/firestore`, and `@google-cloud/firestore` where that is not installed.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.define('@google-cloud/firestore', () => {
    const values = rt.require('firebase-admin-values');
    const documents = rt.require('firebase-admin-document');
    const queries = rt.require('firebase-admin-query');
    const writing = rt.require('firebase-admin-writes');
    const { exchange, projectId } = rt.require('firebase-admin-call');
    const { check, Path, timeText } = values;
    const { names, mustBe, snapshot, DocumentReference } = documents;
    const { CollectionReference, CollectionGroup } = queries;
    const { WriteBatch, BulkWriter, Transaction, several, wait } = writing;
    const GrpcStatus = { OK: 0, CANCELLED: 1, UNKNOWN: 2, INVALID_ARGUMENT: 3, DEADLINE_EXCEEDED: 4, NOT_FOUND: 5, ALREADY_EXISTS: 6, PERMISSION_DENIED: 7, RESOURCE_EXHAUSTED: 8, FAILED_PRECONDITION: 9, ABORTED: 10, OUT_OF_RANGE: 11, UNIMPLEMENTED: 12, INTERNAL: 13, UNAVAILABLE: 14, DATA_LOSS: 15, UNAUTHENTICATED: 16 };
    const failure = ({ status, message }, at) => {
      const code = GrpcStatus[status] ?? (at >= 500 ? 13 : 2);
      return Object.assign(new Error(`${code} ${status ?? 'UNKNOWN'}: ${message}`), { code, details: message });
    };
    // A time as text, whether it comes so, as a Timestamp, or in the form of a protocol buffer.
    const wireTime = (time) => (time === undefined || time === null || typeof time === 'string' ? time ?? undefined : timeText(new values.Timestamp(Number(time.seconds ?? 0), Number(time.nanos ?? time.nanoseconds ?? 0))));
    const escaped = (resource) => {
      const [, path, verb = ''] = /^(.*?)(:[a-zA-Z]+)?$/s.exec(resource);
      return path.split('/').map((name) => encodeURIComponent(name)).join('/') + verb;
    };

    class Firestore {
      #started = false;
      constructor(settings) {
        this._settings = {};
        this.#apply(settings ?? {});
      }
      #apply(settings) {
        for (const name of ['projectId', 'databaseId', 'host']) if (settings[name] !== undefined) check.text(`settings.${name}`, settings[name]);
        this._settings = { ...this._settings, ...settings };
      }
      settings(settings) {
        if (!values.isObject(settings)) throw new Error(check.invalid('settings', 'object'));
        if (settings.projectId !== undefined) check.text('settings.projectId', settings.projectId);
        if (this.#started) throw new Error('Firestore has already been initialized. You can only call settings() once, and only before calling any other methods on a Firestore object.');
        this.#apply(settings);
        this.#started = true;
      }
      get projectId() { return this._settings.projectId ?? projectId(); }
      get databaseId() { return this._settings.databaseId ?? '(default)'; }
      get formattedName() { return `projects/${this.projectId}/databases/${this.databaseId}`; }
      toJSON() { return { projectId: this.projectId }; }
      doc(path) {
        check.resource('documentPath', path);
        const segments = names(path);
        mustBe('document', 'documentPath', path, segments);
        return new DocumentReference(this, new Path(segments));
      }
      collection(path) {
        check.resource('collectionPath', path);
        const segments = names(path);
        mustBe('collection', 'collectionPath', path, segments);
        return new CollectionReference(this, segments);
      }
      collectionGroup(id) {
        if (String(id).includes('/')) throw new Error(`Invalid collectionId '${id}'. Collection IDs must not contain '/'.`);
        return new CollectionGroup(this, id);
      }
      batch() { return new WriteBatch(this); }
      bulkWriter(options) { return new BulkWriter(this, options); }
      bundle(id) { return new (rt.require('firebase-admin-bundle').BundleBuilder)(id ?? documents.newId()); }
      pipeline() { throw rt.missing('pipeline', 'firebase-admin/firestore'); }
      async runTransaction(work, options) {
        check.callable('updateFunction', work);
        if (options !== undefined && !values.isObject(options)) throw new Error(check.invalid('transactionOptions', 'object'));
        if (options?.readOnly && options.readTime !== undefined && !(options.readTime instanceof values.Timestamp)) throw new Error(check.invalid('transactionOptions.readTime', 'Timestamp'));
        if (!options?.readOnly && options?.maxAttempts !== undefined) check.integer('transactionOptions.maxAttempts', options.maxAttempts, 1);
        return new Transaction(this, options)._run(work);
      }
      listCollections() { return this._listCollections(`${this.formattedName}/documents`, []); }
      async getAll(...given) {
        check.atLeast('Firestore.getAll', given, 1);
        const { refs, mask } = several(given);
        return (await this._read(refs, mask)).found;
      }
      async recursiveDelete(ref, writer = (this._bulk ??= this.bulkWriter())) {
        const found = await queries.below(this, ref).get();
        const failed = [];
        const remove = (each) => writer.delete(each).catch((error) => failed.push(error));
        const all = found.docs.map((doc) => remove(doc.ref));
        if (ref instanceof DocumentReference) all.push(remove(ref));
        writer.flush();
        await Promise.all(all);
        if (failed.length) throw Object.assign(new Error(`${failed.length} ${failed.length === 1 ? 'delete' : 'deletes'} failed. The last delete failed with: ${failed.at(-1).message}`), { code: failed.at(-1).code });
      }
      /** A document in the JSON of the REST interface, or the name of a missing one, as a snapshot. */
      snapshot_(document, readTime, encoding) {
        if (encoding !== undefined && encoding !== 'json') throw new Error(`Unsupported encoding format. Expected "json", but was "${encoding}".`);
        const read = wireTime(readTime);
        if (typeof document === 'string') return snapshot(this._named(document), undefined, read);
        return snapshot(this._named(document.name), { fields: document.fields, createTime: wireTime(document.createTime), updateTime: wireTime(document.updateTime) }, read);
      }
      onSnapshotsInSync() { throw documents.noListeners('Firestore'); }
      async terminate() {}

      _collection(segments, converter) { return new CollectionReference(this, segments, converter); }
      /** The document with a full name. */
      _named(name, converter) { return new DocumentReference(this, new Path(name.split('/').slice(5)), converter); }
      async _listCollections(parent, segments) {
        const found = [];
        let pageToken;
        do {
          const answer = await this._call('POST', `${parent}:listCollectionIds`, { pageSize: 300, ...(pageToken && { pageToken }) });
          found.push(...(answer.collectionIds ?? []));
          pageToken = answer.nextPageToken;
        } while (pageToken);
        return found.sort().map((id) => new CollectionReference(this, [...segments, id]));
      }
      /** Documents in the order in which they are asked for. */
      async _read(refs, fieldPaths, view) {
        const answer = await this._call('POST', `${this.formattedName}/documents:batchGet`, { documents: refs.map((ref) => ref.formattedName), ...(fieldPaths && { mask: { fieldPaths } }), ...view });
        const rows = new Map();
        let transaction;
        for (const row of answer) {
          transaction ??= row.transaction;
          const name = row.found?.name ?? row.missing;
          if (name) rows.set(name, row);
        }
        const found = refs.map((ref) => {
          const row = rows.get(ref.formattedName);
          if (!row) throw new Error(`Did not receive document for "${ref.path}".`);
          return snapshot(ref, row.found, row.readTime);
        });
        return { found, transaction };
      }
      async _commit(writes, transaction) {
        const body = { writes, ...(transaction && { transaction }) };
        for (let attempt = 1; ; attempt++) {
          try {
            return await this._call('POST', `${this.formattedName}/documents:commit`, body);
          } catch (error) {
            if (transaction || attempt >= 5 || ![10, 14].includes(error.code)) throw error;
            await wait(5 * 2 ** attempt);
          }
        }
      }
      async _call(method, resource, body, query) {
        this.#started = true;
        const answer = await exchange(method, `https://firestore.googleapis.com/v1/${escaped(resource)}${query ? `?${query}` : ''}`, body);
        if (answer.status < 300) {
          const failed = Array.isArray(answer.json) && answer.json.find((row) => row.error);
          if (failed) throw failure(failed.error, answer.status);
          return answer.json;
        }
        const [first] = [answer.json].flat();
        throw failure(first?.error ?? { message: answer.text }, answer.status);
      }
    }
    const { FieldPath, FieldValue, Timestamp, GeoPoint, VectorValue } = values;
    const { DocumentSnapshot, QueryDocumentSnapshot, WriteResult } = documents;
    const { Filter, Query, QuerySnapshot, QueryPartition, DocumentChange, AggregateField, AggregateQuery, AggregateQuerySnapshot, VectorQuery, VectorQuerySnapshot } = queries;
    const { BulkWriterError } = writing;
    return {
      Firestore, AggregateField, AggregateQuery, AggregateQuerySnapshot, BulkWriter, BulkWriterError, CollectionGroup, CollectionReference, DocumentChange, DocumentReference, DocumentSnapshot, FieldPath, FieldValue, Filter, GeoPoint, GrpcStatus, Query, QueryDocumentSnapshot, QueryPartition, QuerySnapshot, Timestamp, Transaction, VectorQuery, VectorQuerySnapshot, VectorValue, WriteBatch, WriteResult,
      setLogFunction() {},
    };
  });
  rt.define('firebase-admin/firestore', () => {
    const { FirebaseFirestoreError, codes, service, appOf } = rt.require('firebase-admin-app');
    const { Firestore, ...types } = rt.require('@google-cloud/firestore');
    const initializeFirestore = (app, settings = {}, databaseId = '(default)') => {
      const made = service(app, 'firestore', () => new Map());
      const existing = made.get(databaseId);
      if (existing) {
        if (existing.settings.preferRest === settings.preferRest) return existing.firestore;
        throw new FirebaseFirestoreError('failed-precondition', 'initializeFirestore() has already been called with different options. To avoid this error, call initializeFirestore() with the same options as when it was originally called, or call getFirestore() to return the already initialized instance.');
      }
      const firestore = new Firestore({ databaseId, ...(app.options.projectId ? { projectId: app.options.projectId } : {}) });
      made.set(databaseId, { settings, firestore });
      return firestore;
    };
    const getFirestore = (first, second) => {
      const app = appOf(typeof first === 'string' ? undefined : first);
      const databaseId = (typeof first === 'string' ? first : second) ?? '(default)';
      return service(app, 'firestore', () => new Map()).get(databaseId)?.firestore ?? initializeFirestore(app, {}, databaseId);
    };
    const FirestoreErrorCode = codes('failed-precondition invalid-argument invalid-credential missing-dependencies');
    return { ...types, Firestore, getFirestore, initializeFirestore, FirebaseFirestoreError, FirestoreErrorCode };
  });
})(globalThis.__emu);
