// References to documents of Firestore, and documents as they were read.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('firebase-admin-document');
  rt.define('firebase-admin-document', () => {
    const { wire, check, FieldPath, same, timeOf, decode, decodeFields } = rt.require('firebase-admin-values');
    /** The names of a path, which must not be empty ones. */
    const names = (path) => path.split('/').filter((name) => name !== '');
    const mustBe = (kind, name, path, segments) => {
      const odd = segments.length % 2 === 1;
      if ((kind === 'document') === odd || segments.length === 0) throw new Error(`Value for argument "${name}" must point to a ${kind}, but was "${path}". Your path does not contain an ${kind === 'document' ? 'even' : 'odd'} number of components.`);
    };
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
    /** A name for a new document: twenty letters and digits, each as likely as the others. */
    const newId = () => {
      let id = '';
      while (id.length < 20) for (const byte of crypto.getRandomValues(new Uint8Array(24))) if (byte < 248 && id.length < 20) id += letters[byte % 62];
      return id;
    };
    const noListeners = (what) => rt.missing('onSnapshot', `firebase-admin/firestore (${what})`, 'a function that has answered listens to nothing; read with get(), or let a trigger tell of changes');

    class DocumentReference {
      constructor(firestore, path, converter = none) {
        this._firestore = firestore;
        this._path = path;
        this._converter = converter;
      }
      get firestore() { return this._firestore; }
      get id() { return this._path.segments.at(-1); }
      get path() { return this._path.segments.join('/'); }
      get formattedName() { return `${this._firestore.formattedName}/documents/${this.path}`; }
      get parent() { return this._firestore._collection(this._path.segments.slice(0, -1), this._converter); }
      collection(path) {
        check.resource('collectionPath', path);
        const segments = [...this._path.segments, ...names(path)];
        mustBe('collection', 'collectionPath', path, segments);
        return this._firestore._collection(segments);
      }
      listCollections() { return this._firestore._listCollections(this.formattedName, this._path.segments); }
      async get() { return (await this._firestore._read([this])).found[0]; }
      create(data) { return this.#one((batch) => batch.create(this, data)); }
      set(data, options) { return this.#one((batch) => batch.set(this, data, options)); }
      update(...given) {
        check.atLeast('DocumentReference.update', given, 1);
        return this.#one((batch) => batch.update(this, ...given));
      }
      delete(precondition) { return this.#one((batch) => batch.delete(this, precondition)); }
      #one(write) { return write(this._firestore.batch()).commit().then(([result]) => result); }
      onSnapshot() { throw noListeners('DocumentReference'); }
      isEqual(other) { return this === other || (other instanceof DocumentReference && this._firestore === other._firestore && this._path.isEqual(other._path) && this._converter === other._converter); }
      withConverter(converter) { return new DocumentReference(this._firestore, this._path, converter ?? none); }
      [wire]() { return { referenceValue: this.formattedName }; }
    }
    /** What stands for no converter. */
    const none = {};

    class DocumentSnapshot {
      constructor(ref, fields, read, created, updated) {
        this._ref = ref;
        this._fieldsProto = fields;
        this._readTime = read;
        this._createTime = created;
        this._updateTime = updated;
      }
      get exists() { return this._fieldsProto !== undefined; }
      get ref() { return this._ref; }
      get id() { return this._ref.id; }
      get createTime() { return this._createTime && timeOf(this._createTime); }
      get updateTime() { return this._updateTime && timeOf(this._updateTime); }
      get readTime() {
        if (this._readTime === undefined) throw new Error("Called 'readTime' on a local document");
        return timeOf(this._readTime);
      }
      data() {
        const fields = this._fieldsProto;
        const { _converter: converter, _firestore: store, _path: path } = this._ref;
        if (fields === undefined) return undefined;
        if (converter === none) return decodeFields(fields, store);
        return converter.fromFirestore(new QueryDocumentSnapshot(new DocumentReference(store, path), fields, this._readTime, this._createTime, this._updateTime));
      }
      get(field) {
        check.field('field', field);
        const value = this._field(FieldPath.of(field));
        return value === undefined ? undefined : decode(value, this._ref._firestore);
      }
      /** A field's value on the wire. */
      _field(path) {
        let fields = this._fieldsProto;
        const segments = path.toArray();
        const last = segments.pop();
        for (const segment of segments) fields = fields?.[segment]?.mapValue?.fields;
        return fields && Object.hasOwn(fields, last) ? fields[last] : undefined;
      }
      isEqual(other) { return this === other || (other instanceof DocumentSnapshot && this._ref.isEqual(other._ref) && same(this._fieldsProto, other._fieldsProto)); }
    }
    class QueryDocumentSnapshot extends DocumentSnapshot {}
    /** A document, or what the server says is missing, as a snapshot. */
    const snapshot = (ref, document, read) => (document ? new QueryDocumentSnapshot(ref, document.fields ?? {}, read, document.createTime, document.updateTime) : new DocumentSnapshot(ref, undefined, read));

    class WriteResult {
      constructor(at) { this._writeTime = at; }
      get writeTime() { return this._writeTime; }
      isEqual(other) { return this === other || (other instanceof WriteResult && this._writeTime.isEqual(other._writeTime)); }
    }
    return { names, mustBe, newId, noListeners, none, DocumentReference, DocumentSnapshot, QueryDocumentSnapshot, snapshot, WriteResult };
  });
})(globalThis.__emu);
