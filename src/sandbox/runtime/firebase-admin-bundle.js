// Bundles of Firestore: documents and queries as one file, which apps load instead of asking for them.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('firebase-admin-bundle');
  rt.define('firebase-admin-bundle', () => {
    const { check, Timestamp, timeOf } = rt.require('firebase-admin-values');
    const { DocumentSnapshot } = rt.require('firebase-admin-document');
    const { QuerySnapshot } = rt.require('firebase-admin-query');
    const { Buffer } = rt.require('buffer');
    const VERSION = 1;
    // An element is its length in bytes, in digits, and then JSON.
    const element = (json) => {
      const bytes = Buffer.from(JSON.stringify(json));
      return Buffer.concat([Buffer.from(String(bytes.length)), bytes]);
    };
    // Times are objects there, as in protocol buffers.
    const time = (at) => ({ seconds: String(at.seconds), nanos: at.nanoseconds });
    const inner = (fields) => Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, valueOf(value)]));
    const valueOf = (value) => {
      const [[kind, its]] = Object.entries(value);
      switch (kind) {
        case 'nullValue': return { nullValue: 'NULL_VALUE' };
        case 'timestampValue': return { timestampValue: time(timeOf(its)) };
        case 'arrayValue': return { arrayValue: its.values?.length ? { values: its.values.map(valueOf) } : {} };
        case 'mapValue': return { mapValue: Object.keys(its.fields ?? {}).length ? { fields: inner(its.fields) } : {} };
        default: return value;
      }
    };

    class BundleBuilder {
      #documents = new Map();
      #queries = new Map();
      #latest = new Timestamp(0, 0);
      constructor(id) { this.bundleId = id; }
      add(...given) {
        check.atLeast('BundleBuilder.add', given, 1);
        if (given.length > 2) throw new Error('Function "BundleBuilder.add()" accepts at most 2 arguments.');
        const [first, query] = given;
        if (given.length === 1) {
          if (!(first instanceof DocumentSnapshot)) throw new Error(check.invalid('documentOrName', 'DocumentSnapshot'));
          this.#document(first);
          return this;
        }
        check.text('documentOrName', first);
        if (!(query instanceof QuerySnapshot)) throw new Error(check.invalid('querySnapshot', 'QuerySnapshot'));
        if (this.#queries.has(first)) throw new Error(`Query name conflict: ${first} has already been added.`);
        this.#queries.set(first, { name: first, bundledQuery: query.query._bundled(), readTime: time(query.readTime) });
        for (const snapshot of query.docs) this.#document(snapshot, first);
        this.#saw(query.readTime);
        return this;
      }
      /** The newest of what was read of a document, with the queries that found it. */
      #document(snapshot, query) {
        const { path } = snapshot.ref;
        const known = this.#documents.get(path);
        const entry = !known || known.readTime.valueOf() < snapshot.readTime.valueOf() ? { snapshot, readTime: snapshot.readTime } : known;
        entry.queries = [...(known?.queries ?? []), ...(query === undefined ? [] : [query])];
        this.#documents.set(path, entry);
        this.#saw(snapshot.readTime);
      }
      #saw(at) {
        if (at.valueOf() > this.#latest.valueOf()) this.#latest = at;
      }
      build() {
        const elements = [...this.#queries.values()].map((namedQuery) => element({ namedQuery }));
        for (const { snapshot, readTime, queries } of this.#documents.values()) {
          const name = snapshot.ref.formattedName;
          elements.push(element({ documentMetadata: { name, readTime: time(readTime), exists: snapshot.exists, ...(queries.length && { queries }) } }));
          if (snapshot.exists) elements.push(element({ document: { name, fields: inner(snapshot._fieldsProto), createTime: time(snapshot.createTime), updateTime: time(snapshot.updateTime) } }));
        }
        const whole = Buffer.concat(elements);
        const metadata = { id: this.bundleId, createTime: time(this.#latest), version: VERSION, totalDocuments: this.#documents.size, totalBytes: String(whole.length) };
        return Buffer.concat([element({ metadata }), whole]);
      }
    }
    return { BundleBuilder };
  });
})(globalThis.__emu);
