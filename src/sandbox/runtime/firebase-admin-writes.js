// Writes to Firestore: one by one, in batches, in transactions, and in bulk.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('firebase-admin-writes');
  rt.define('firebase-admin-writes', () => {
    const { check, isPlain, isObject, Timestamp, timeText, timeOf, FieldPath, Transform, deletion, encode, encodeFields } = rt.require('firebase-admin-values');
    const { DocumentReference, WriteResult } = rt.require('firebase-admin-document');
    const { Query, AggregateQuery } = rt.require('firebase-admin-query');

    const mustBeReference = (name, value) => {
      if (!(value instanceof DocumentReference)) throw new Error(check.invalid(name, 'DocumentReference'));
    };
    const how = (ref, kind, deletes, transforms) => ({ name: 'data', kind, deletes, undefined: Boolean(ref._firestore._settings.ignoreUndefinedProperties), transforms, path: [], level: 0, inArray: false });
    /** A document's fields and transforms. */
    const content = (ref, data, deletes) => {
      if (!isPlain(data)) throw new Error(check.strange('data', data));
      const transforms = [];
      const fields = encodeFields(data, Object.keys(data), how(ref, 'Firestore document', deletes, transforms));
      return { update: { name: ref.formattedName, fields }, ...(transforms.length ? { updateTransforms: transforms } : {}) };
    };
    const sorted = (paths) => paths.sort((a, b) => a.compareTo(b));
    const mask = (paths) => ({ fieldPaths: sorted(paths).map((path) => path.formattedName) });
    /** The fields that a merge touches: all that hold no further ones. */
    const leaves = (data, path, into) => {
      const keys = Object.keys(data);
      if (path.length && !keys.length) into.push(new FieldPath(...path));
      for (const key of keys) {
        const value = data[key];
        const its = [...path, key];
        if (value instanceof Transform) {
          if (value === deletion) into.push(new FieldPath(...its));
        } else if (isPlain(value)) leaves(value, its, into);
        else if (value !== undefined) into.push(new FieldPath(...its));
      }
      return into;
    };
    /** Only what is named of some data. */
    const only = (data, paths) => {
      const out = {};
      for (const path of paths) {
        let [from, to] = [data, out];
        const segments = path.toArray();
        const last = segments.pop();
        for (const segment of segments) {
          from = isObject(from) && Object.hasOwn(from, segment) ? from[segment] : undefined;
          to = to === undefined || (Object.hasOwn(to, segment) && to[segment] === from) ? undefined : (to[segment] ??= {});
        }
        if (!isObject(from) || !Object.hasOwn(from, last)) throw new Error(`Input data is missing for field "${path}".`);
        if (to) to[last] = from[last];
      }
      return out;
    };
    const precondition = (name, value, exists) => {
      if (value === undefined) return undefined;
      if (typeof value !== 'object' || value === null) throw new Error('Input is not an object.');
      const start = check.invalid(name, 'precondition');
      if (value.exists !== undefined && typeof value.exists !== 'boolean') throw new Error(`${start} "exists" is not a boolean.'`);
      if (exists && value.exists === false) throw new Error(`${start} "exists" is not allowed to have the value false (allowed values: true)`);
      if (value.lastUpdateTime !== undefined && !(value.lastUpdateTime instanceof Timestamp)) throw new Error(`${start} "lastUpdateTime" is not a Firestore Timestamp.`);
      if (value.exists !== undefined && value.lastUpdateTime !== undefined) throw new Error(`${start} Input specifies more than one precondition.`);
      if (value.lastUpdateTime) return { updateTime: timeText(value.lastUpdateTime) };
      return value.exists === undefined ? undefined : { exists: value.exists };
    };
    const conditional = (write, currentDocument) => (currentDocument ? { ...write, currentDocument } : write);

    /** What each kind of write is on the wire. */
    const writes = {
      create(ref, data) {
        mustBeReference('documentRef', ref);
        return { ...content(ref, convert(ref, data), 'none'), currentDocument: { exists: false } };
      },
      set(ref, data, options) {
        if (options !== undefined) setOptions(options);
        const merges = Boolean(options?.merge);
        const named = options !== undefined && 'mergeFields' in options;
        mustBeReference('documentRef', ref);
        let given = merges || named ? convert(ref, data, options) : convert(ref, data);
        const deletes = merges || named ? 'all' : 'none';
        if (!merges && !named) return content(ref, given, deletes);
        if (merges && !named) {
          const write = content(ref, given, deletes);
          return { ...write, updateMask: mask(leaves(given, [], [])) };
        }
        content(ref, given, deletes);
        const paths = sorted(options.mergeFields.map((path) => FieldPath.of(path)));
        given = only(given, paths);
        const write = content(ref, given, deletes);
        const transformed = new Set((write.updateTransforms ?? []).map(({ fieldPath }) => fieldPath));
        return { ...write, updateMask: mask(paths.filter((path) => !transformed.has(path.formattedName))) };
      },
      update(ref, ...given) {
        check.atLeast('WriteBatch.update', [ref, ...given], 2);
        mustBeReference('documentRef', ref);
        let change;
        try {
          change = changes(ref, given);
        } catch (error) {
          throw new Error(`Update() requires either a single JavaScript object or an alternating list of field/value pairs that can be followed by an optional precondition. ${error.message}`);
        }
        return conditional(patch(ref, change), change.condition);
      },
      delete(ref, given) {
        mustBeReference('documentRef', ref);
        return conditional({ delete: ref.formattedName }, precondition('precondition', given, false));
      },
    };
    const convert = (ref, data, options) => {
      const { toFirestore } = ref._converter;
      return toFirestore ? (options === undefined ? ref._converter.toFirestore(data) : ref._converter.toFirestore(data, options)) : data;
    };
    const setOptions = (options) => {
      const start = check.invalid('options', 'set() options argument');
      if (!isObject(options)) throw new Error(`${start} Input is not an object.`);
      for (const [at, path] of ('mergeFields' in options ? options.mergeFields : []).entries()) {
        try {
          check.field(at, path);
        } catch (error) {
          throw new Error(`${start} "mergeFields" is not valid: ${error.message}`);
        }
      }
      if ('merge' in options && 'mergeFields' in options) throw new Error(`${start} You cannot specify both "merge" and "mergeFields".`);
    };
    /** What an update is given, `{fields: [{path, value, made}], transforms, condition}`: an object, or fields and values in turn. */
    const changes = (ref, [first, ...rest]) => {
      const change = { fields: [], transforms: [], condition: { exists: true } };
      const isPairs = typeof first === 'string' || first instanceof FieldPath;
      const add = (path, value, name) => {
        const its = { ...how(ref, 'Firestore value', 'none', change.transforms), name, path: path.toArray(), level: isPairs ? 0 : 1 };
        change.fields.push({ path, value, made: value === deletion ? undefined : encode(value, its) });
      };
      if (isPairs) {
        const given = [first, ...rest];
        for (let at = 0; at < given.length; at += 2) {
          if (at === given.length - 1) {
            change.condition = precondition(at + 1, given[at] ?? null, true);
          } else {
            check.field(at + 1, given[at]);
            add(FieldPath.of(given[at]), given[at + 1], at + 1);
          }
        }
        return change;
      }
      if (!isPlain(first)) throw new Error(check.strange('dataOrField', first));
      if (Object.keys(first).length === 0) throw new Error('At least one field must be updated.');
      check.atMost('update', [ref, first, ...rest], 3);
      for (const [key, value] of Object.entries(first)) {
        if (value === undefined && ref._firestore._settings.ignoreUndefinedProperties) continue;
        check.field(key, key);
        add(FieldPath.of(key), value, 'dataOrField');
      }
      change.condition = precondition('preconditionOrValues', rest[0], true) ?? change.condition;
      return change;
    };
    /** A write that changes some fields, each named by its path. */
    const patch = (ref, { fields, transforms }) => {
      const all = sorted(fields.map(({ path }) => path));
      for (let at = 1; at < all.length; at++) if (all[at - 1].isPrefixOf(all[at])) throw new Error(`${check.invalid('dataOrField', 'update map')} Field "${all[at - 1]}" was specified multiple times.`);
      const root = {};
      for (const { path, made } of fields) {
        if (!made) continue;
        const segments = path.toArray();
        const last = segments.pop();
        let into = root;
        for (const segment of segments) into = (into[segment] ??= { mapValue: { fields: {} } }).mapValue.fields;
        into[last] = made;
      }
      const masked = fields.filter(({ value }) => value === deletion || !(value instanceof Transform)).map(({ path }) => path);
      return { update: { name: ref.formattedName, fields: root }, updateMask: mask(masked), ...(transforms.length ? { updateTransforms: transforms } : {}) };
    };

    class WriteBatch {
      #writes = [];
      #done = false;
      constructor(firestore) { this._firestore = firestore; }
      get isEmpty() { return this.#writes.length === 0; }
      #add(write) {
        if (this.#done) throw new Error('Cannot modify a WriteBatch that has been committed.');
        this.#writes.push(write);
        return this;
      }
      create(ref, data) { return this.#add(writes.create(ref, data)); }
      set(ref, data, options) { return this.#add(writes.set(ref, data, options)); }
      update(ref, ...given) { return this.#add(writes.update(ref, ...given)); }
      delete(ref, condition) { return this.#add(writes.delete(ref, condition)); }
      async commit() {
        this.#done = true;
        const { writeResults, commitTime } = await this._firestore._commit(this.#writes);
        return (writeResults ?? []).map(({ updateTime }) => new WriteResult(timeOf(updateTime ?? commitTime)));
      }
      _take() { return this.#writes; }
      _reset() {
        this.#writes = [];
        this.#done = false;
      }
    }

    const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds * (0.5 + Math.random())));
    const again = new Set([1, 2, 4, 8, 10, 13, 14, 16]);
    const readOnly = 'Firestore read-only transactions cannot execute writes.';
    class Transaction {
      #batch; #view; #before; #readTime;
      constructor(firestore, options) {
        this._firestore = firestore;
        if (options?.readOnly) this.#readTime = options.readTime && timeText(options.readTime);
        else this.#batch = new WriteBatch(firestore);
        this.attempts = options?.readOnly ? 1 : options?.maxAttempts || 5;
      }
      #reads() {
        if (this.#batch && !this.#batch.isEmpty) throw new Error('Firestore transactions require all reads to be executed before all writes.');
      }
      get(what) {
        this.#reads();
        if (what instanceof DocumentReference) return this.#within(async (view) => {
          const { found: [result], transaction } = await this._firestore._read([what], undefined, view);
          return { result, transaction };
        });
        if (what instanceof Query || what instanceof AggregateQuery) return this.#within((view) => what._get(view));
        throw new Error('Value for argument "refOrQuery" must be a DocumentReference, Query, or AggregateQuery.');
      }
      getAll(...given) {
        this.#reads();
        check.atLeast('Transaction.getAll', given, 1);
        const { refs, mask: fields } = several(given);
        return this.#within(async (view) => {
          const { found, transaction } = await this._firestore._read(refs, fields, view);
          return { result: found, transaction };
        });
      }
      /** The first read begins the transaction; those that come meanwhile wait for its name. */
      async #within(read) {
        if (this.#view) return (await read(await this.#view)).result;
        if (this.#readTime) return (await read({ readTime: this.#readTime })).result;
        const begun = read({ newTransaction: this.#batch ? { readWrite: this.#before ? { retryTransaction: this.#before } : {} } : { readOnly: {} } });
        this.#view = begun.then(({ transaction }) => ({ transaction }));
        this.#view.catch(() => {});
        return (await begun).result;
      }
      #write(write) {
        if (!this.#batch) throw new Error(readOnly);
        write(this.#batch);
        return this;
      }
      create(ref, data) { return this.#write((batch) => batch.create(ref, data)); }
      set(ref, data, options) { return this.#write((batch) => batch.set(ref, data, options)); }
      update(ref, ...given) {
        return this.#write((batch) => {
          check.atLeast('Transaction.update', [ref, ...given], 2);
          batch.update(ref, ...given);
        });
      }
      delete(ref, condition) { return this.#write((batch) => batch.delete(ref, condition)); }
      async _run(work) {
        for (let attempt = 1; ; attempt++) {
          this.#batch?._reset();
          try {
            const promise = work(this);
            if (typeof promise?.then !== 'function') throw new Error('You must return a Promise in your transaction()-callback.');
            const result = await promise;
            if (this.#batch && (this.#view || !this.#batch.isEmpty)) await this._firestore._commit(this.#batch._take(), (await this.#view)?.transaction);
            return result;
          } catch (error) {
            await this.#undo();
            const expired = error?.code === 3 && /transaction has expired/.test(error.message);
            if (attempt >= this.attempts || !(again.has(error?.code) || expired)) throw error;
            await wait(Math.min(10 * 2 ** attempt, 1000));
          }
        }
      }
      async #undo() {
        const view = this.#view;
        this.#view = undefined;
        const transaction = await view?.then((begun) => begun.transaction, () => undefined);
        if (!transaction || !this.#batch) return;
        this.#before = transaction;
        await this._firestore._call('POST', `${this._firestore.formattedName}/documents:rollback`, { transaction }).catch(() => {});
      }
    }
    /** The documents, and the fields of them, that `getAll` is asked for. */
    const several = (given) => {
      if (Array.isArray(given[0])) throw new Error('getAll() no longer accepts an array as its first argument. Please unpack your array and call getAll() with individual arguments.');
      const refs = [...given];
      const options = isPlain(refs.at(-1)) ? refs.pop() : undefined;
      refs.forEach((ref, at) => mustBeReference(at, ref));
      if (options?.fieldMask === undefined) return { refs };
      const start = check.invalid('options', 'read option');
      if (!Array.isArray(options.fieldMask)) throw new Error(`${start} "fieldMask" is not an array.`);
      try {
        options.fieldMask.forEach((path, at) => check.field(at, path));
      } catch (error) {
        throw new Error(`${start} "fieldMask" is not valid: ${error.message}`);
      }
      return { refs, mask: options.fieldMask.map((path) => FieldPath.of(path).formattedName) };
    };

    class BulkWriterError extends Error {
      constructor(code, message, documentRef, operationType, failedAttempts) {
        super(message);
        Object.assign(this, { code, documentRef, operationType, failedAttempts });
      }
    }
    const inRequest = 20;
    class BulkWriter {
      #next = [];
      #last = Promise.resolve();
      #closed;
      #written = () => {};
      #retry = (error) => ([10, 14].includes(error.code) || (error.operationType === 'delete' && error.code === 13)) && error.failedAttempts < 10;
      constructor(firestore, options) {
        this.firestore = firestore;
        if (options === undefined) return;
        const start = check.invalid('options', 'bulkWriter() options argument');
        if (!isObject(options)) throw new Error(`${start} Input is not an object.`);
        const { initialOpsPerSecond: first, maxOpsPerSecond: most } = Object(options.throttling);
        if (first !== undefined) check.integer('initialOpsPerSecond', first, 1);
        if (most !== undefined) check.integer('maxOpsPerSecond', most, 1);
        if (first > most) throw new Error(`${start} "maxOpsPerSecond" cannot be less than "initialOpsPerSecond".`);
      }
      create(ref, data) { return this.#add(ref, 'create', () => writes.create(ref, data)); }
      set(ref, data, options) { return this.#add(ref, 'set', () => writes.set(ref, data, options)); }
      update(ref, ...given) { return this.#add(ref, 'update', () => writes.update(ref, ...given)); }
      delete(ref, condition) { return this.#add(ref, 'delete', () => writes.delete(ref, condition)); }
      onWriteResult(callback) { this.#written = callback; }
      onWriteError(callback) { this.#retry = callback; }
      flush() {
        this._open();
        this.#send();
        return this.#last;
      }
      close() {
        this.#closed ??= this.flush();
        return this.#closed;
      }
      _open() {
        if (this.#closed) throw new Error('BulkWriter has already been closed.');
      }
      #add(ref, type, make) {
        this._open();
        const operation = { ref, type, write: make(), failures: 0 };
        const promise = new Promise((resolve, reject) => Object.assign(operation, { resolve, reject }));
        this.#last = Promise.all([this.#last, promise.catch(() => {})]).then(() => {});
        this.#queue(operation);
        // Another promise than the one that flushing waits for: what nobody handles is told of.
        return promise.then((result) => result);
      }
      #queue(operation) {
        if (this.#next.some(({ ref }) => ref.path === operation.ref.path)) this.#send();
        this.#next.push(operation);
        if (this.#next.length >= inRequest) this.#send();
      }
      #send() {
        const operations = this.#next;
        this.#next = [];
        if (operations.length) this.#exchange(operations);
      }
      async #exchange(operations) {
        let answer;
        try {
          answer = await this.firestore._call('POST', `${this.firestore.formattedName}/documents:batchWrite`, { writes: operations.map(({ write }) => write) });
        } catch (error) {
          answer = { status: operations.map(() => ({ code: error.code, message: error.details ?? error.message })) };
        }
        operations.forEach((operation, at) => {
          const { code = 0, message } = answer.status?.[at] ?? {};
          try {
            if (code === 0) {
              const { updateTime } = answer.writeResults[at];
              const result = new WriteResult(updateTime ? timeOf(updateTime) : Timestamp.fromMillis(0));
              this.#written(operation.ref, result);
              operation.resolve(result);
              return;
            }
            const error = new BulkWriterError(code, message, operation.ref, operation.type, ++operation.failures);
            if (!this.#retry(error)) operation.reject(error);
            else wait(Math.min(5 * 2 ** operation.failures, 1000)).then(() => {
              this.#queue(operation);
              this.#send();
            });
          } catch (error) {
            operation.reject(error);
          }
        });
      }
    }
    return { WriteBatch, Transaction, BulkWriter, BulkWriterError, several, wait };
  });
})(globalThis.__emu);
