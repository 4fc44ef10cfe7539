// Queries of Firestore, collections, and what they find.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('firebase-admin-query');
  rt.define('firebase-admin-query', () => {
    const { check, same, Path, FieldPath, VectorValue, documentId, wire, encode, decode, timeOf } = rt.require('firebase-admin-values');
    const { names, mustBe, newId, noListeners, none, DocumentReference, DocumentSnapshot, snapshot } = rt.require('firebase-admin-document');
    const operators = { '<': 'LESS_THAN', '<=': 'LESS_THAN_OR_EQUAL', '==': 'EQUAL', '!=': 'NOT_EQUAL', '>': 'GREATER_THAN', '>=': 'GREATER_THAN_OR_EQUAL', 'array-contains': 'ARRAY_CONTAINS', in: 'IN', 'not-in': 'NOT_IN', 'array-contains-any': 'ARRAY_CONTAINS_ANY' };
    const ranges = new Set(['LESS_THAN', 'LESS_THAN_OR_EQUAL', 'GREATER_THAN', 'GREATER_THAN_OR_EQUAL', 'NOT_EQUAL', 'NOT_IN']);
    const directions = { asc: 'ASCENDING', desc: 'DESCENDING' };
    const reference = (path) => ({ fieldPath: path.formattedName });
    const isId = (path) => path.isEqual(documentId);

    // What a query did, as the server tells of it.
    class PlanSummary { constructor(indexesUsed) { this.indexesUsed = indexesUsed; } }
    class ExecutionStats { constructor(stats) { Object.assign(this, stats); } }
    class ExplainMetrics { constructor(planSummary, executionStats) { Object.assign(this, { planSummary, executionStats }); } }
    class ExplainResults { constructor(metrics, snapshot) { Object.assign(this, { metrics, snapshot }); } }
    const metricsOf = ({ planSummary, executionStats: stats }) => {
      const [, seconds, fraction = ''] = /^(\d+)(?:\.(\d+))?s$/.exec(stats?.executionDuration ?? '0s');
      const executionDuration = { seconds: Number(seconds), nanoseconds: Number(fraction.padEnd(9, '0')) };
      const told = stats ? new ExecutionStats({ resultsReturned: Number(stats.resultsReturned), executionDuration, readOperations: Number(stats.readOperations), debugStats: stats.debugStats }) : null;
      return new ExplainMetrics(new PlanSummary(planSummary?.indexesUsed ?? []), told);
    };
    const explainOptions = (options) => ({ explainOptions: { analyze: Boolean(options?.analyze) } });

    class Filter {
      static where(field, operator, value) { return Object.assign(new Filter(), { field, operator, value }); }
      static or(...filters) { return Object.assign(new Filter(), { all: 'OR', filters }); }
      static and(...filters) { return Object.assign(new Filter(), { all: 'AND', filters }); }
    }
    const all = (kind, filters) => (filters.length === 1 ? filters[0] : { compositeFilter: { op: kind, filters } });
    const fieldsOf = (filter) => (filter.compositeFilter ? filter.compositeFilter.filters.flatMap(fieldsOf) : filter.fieldFilter ? (ranges.has(filter.fieldFilter.op) ? [filter.fieldFilter.field.fieldPath] : []) : filter.unaryFilter.op.startsWith('IS_NOT') ? [filter.unaryFilter.field.fieldPath] : []);
    // Names of fields in an order are compared as they are written; those with quotes are rare enough to be read back.
    const parse = (text) => new FieldPath(...[...text.matchAll(/`((?:\\.|[^`\\])*)`|([^.]+)/g)].map(([, quoted, plain]) => (quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1'))));

    class Query {
      constructor(firestore, options) {
        this._firestore = firestore;
        Object.defineProperty(this, 'o', { value: options });
      }
      get firestore() { return this._firestore; }
      #with(change) { return new Query(this._firestore, { ...this.o, ...change }); }
      #encode(name, value) {
        const how = { name, kind: 'query constraint', deletes: 'none', undefined: Boolean(this._firestore._settings.ignoreUndefinedProperties), transforms: undefined, path: [], level: 0, inArray: false };
        return encode(value, how);
      }
      where(field, operator, value) {
        const filter = field instanceof Filter ? field : Filter.where(field, operator, value);
        if (this.o.start || this.o.end) throw new Error('Cannot specify a where() filter after calling startAt(), startAfter(), endBefore() or endAt().');
        const made = this.#filter(filter);
        return made ? this.#with({ filters: [...this.o.filters, made] }) : this;
      }
      #filter(filter) {
        if (filter.all) {
          const parts = filter.filters.map((part) => this.#filter(part)).filter(Boolean);
          return parts.length ? all(filter.all, parts) : undefined;
        }
        let { value } = filter;
        check.field('fieldPath', filter.field);
        const name = filter.operator === '=' ? '==' : filter.operator;
        check.oneOf('opStr', name, Object.keys(operators));
        const equality = name === '==' || name === '!=';
        if (Number.isNaN(value) && !equality) throw new Error("Invalid query. You can only perform '==' and '!=' comparisons on NaN.");
        if (value === null && !equality) throw new Error("Invalid query. You can only perform '==' and '!=' comparisons on Null.");
        const made = this.#encode('value', value);
        const path = FieldPath.of(filter.field);
        const field = reference(path);
        const unary = Number.isNaN(value) ? 'NAN' : value === null ? 'NULL' : undefined;
        if (isId(path)) {
          if (name.startsWith('array-contains')) throw new Error(`Invalid Query. You can't perform '${name}' queries on FieldPath.documentId().`);
          if (name === 'in' || name === 'not-in') {
            if (!Array.isArray(value) || value.length === 0) throw new Error(`Invalid Query. A non-empty array is required for '${name}' filters.`);
            value = value.map((each) => this.#boundary(each));
          } else value = this.#boundary(value);
          return { fieldFilter: { field, op: operators[name], value: this.#encode('value', value) } };
        }
        if (unary) return { unaryFilter: { field, op: `IS_${name === '==' ? '' : 'NOT_'}${unary}` } };
        return { fieldFilter: { field, op: operators[name], value: made } };
      }
      /** The document that a filter or a cursor names. */
      #boundary(value) {
        const { group, parent, id } = this.o;
        const base = group ? parent : [...parent, id];
        let segments;
        if (typeof value === 'string') {
          segments = [...base, ...names(value)];
          if (group && (segments.length % 2 || segments.length === 0)) throw new Error(`When querying a collection group and ordering by FieldPath.documentId(), the corresponding value must result in a valid document path, but '${value}' is not because it contains an odd number of segments.`);
          if (!group && value.includes('/')) throw new Error(`When querying a collection and ordering by FieldPath.documentId(), the corresponding value must be a plain document ID, but '${value}' contains a slash.`);
        } else if (value instanceof DocumentReference) {
          ({ segments } = value._path);
          if (!new Path(base).isPrefixOf(value._path)) throw new Error(`"${value.path}" is not part of the query result set and cannot be used as a query boundary.`);
        } else throw new Error(`The corresponding value for FieldPath.documentId() must be a string or a DocumentReference, but was "${value}".`);
        if (!group && segments.length !== base.length + 1) throw new Error(`Only a direct child can be used as a query boundary. Found: "${segments.join('/')}".`);
        return new DocumentReference(this._firestore, new Path(segments));
      }
      select(...fields) {
        fields.forEach((field, at) => check.field(at, field));
        return this.#with({ fields: fields.length ? fields.map((field) => reference(FieldPath.of(field))) : [reference(documentId)] });
      }
      orderBy(field, direction) {
        check.field('fieldPath', field);
        const name = typeof direction === 'string' ? direction.toLowerCase() : direction ?? 'asc';
        check.oneOf('directionStr', name, Object.keys(directions));
        if (this.o.start || this.o.end) throw new Error('Cannot specify an orderBy() constraint after calling startAt(), startAfter(), endBefore() or endAt().');
        return this.#with({ orders: [...this.o.orders, { path: FieldPath.of(field), direction: directions[name] }] });
      }
      limit(limit) {
        check.integer('limit', limit);
        return this.#with({ limit, last: false });
      }
      limitToLast(limit) {
        check.integer('limitToLast', limit);
        return this.#with({ limit, last: true });
      }
      offset(offset) {
        check.integer('offset', offset);
        return this.#with({ offset });
      }
      startAt(...given) { return this.#cursor('start', 'startAt', given, true); }
      startAfter(...given) { return this.#cursor('start', 'startAfter', given, false); }
      endBefore(...given) { return this.#cursor('end', 'endBefore', given, true); }
      endAt(...given) { return this.#cursor('end', 'endAt', given, false); }
      #cursor(which, name, given, before) {
        check.atLeast(`Query.${name}`, given, 1);
        let { orders } = this.o;
        let values = given;
        if (given.length === 1 && given[0] instanceof DocumentSnapshot) {
          orders = this.#orders();
          values = orders.map(({ path }) => {
            if (isId(path)) return given[0].ref;
            const value = given[0].get(path);
            if (value === undefined) throw new Error(`Field "${path}" is missing in the provided DocumentSnapshot. Please provide a document that contains values for all specified orderBy() and where() constraints.`);
            return value;
          });
        }
        if (values.length > orders.length) throw new Error('Too many cursor values specified. The specified values must match the orderBy() constraints of the query.');
        const made = values.map((value, at) => this.#encode(at, isId(orders[at].path) ? this.#boundary(value) : value));
        return this.#with({ orders, [which]: before ? { before, values: made } : { values: made } });
      }
      /** The orders that a document's place follows from: those that were asked for, those of ranges, and the name. */
      #orders() {
        const orders = [...this.o.orders];
        const seen = new Set(orders.map(({ path }) => path.formattedName));
        const direction = orders.at(-1)?.direction ?? 'ASCENDING';
        const ranged = this.o.filters.flatMap(fieldsOf).map(parse).sort((a, b) => a.compareTo(b));
        for (const path of [...ranged.filter((path) => !isId(path)), documentId]) {
          if (seen.has(path.formattedName)) continue;
          seen.add(path.formattedName);
          orders.push({ path, direction });
        }
        return orders;
      }
      withConverter(converter) { return this.#with({ converter: converter ?? none }); }
      count() { return this.aggregate({ count: AggregateField.count() }); }
      aggregate(spec) { return new AggregateQuery(this, spec); }
      findNearest(given, vector, options) {
        return new VectorQuery(this, typeof given === 'string' || given instanceof FieldPath ? { distanceMeasure: options.distanceMeasure, limit: options.limit, queryVector: vector, vectorField: given } : given);
      }
      get _parent() { return [`${this._firestore.formattedName}/documents`, ...this.o.parent].join('/'); }
      /** The query on the wire. */
      _structured() {
        const { id, group, kindless, filters, orders, start, end, limit, last, offset, fields } = this.o;
        const query = { from: [{ ...(kindless ? {} : { collectionId: id }), ...(group ? { allDescendants: true } : {}) }] };
        if (filters.length) query.where = all('AND', filters);
        if (last && !orders.length) throw new Error('limitToLast() queries require specifying at least one orderBy() clause.');
        const flip = (cursor) => cursor && { values: cursor.values, before: !cursor.before };
        const turned = (direction) => (last ? (direction === 'ASCENDING' ? 'DESCENDING' : 'ASCENDING') : direction);
        if (orders.length) query.orderBy = orders.map(({ path, direction }) => ({ field: reference(path), direction: turned(direction) }));
        query.startAt = last ? flip(end) : start;
        query.endAt = last ? flip(start) : end;
        if (limit) query.limit = limit;
        query.offset = offset;
        if (fields) query.select = { fields };
        return query;
      }
      async get() { return (await this._get()).result; }
      async _get(view) {
        const { documents, read, transaction } = await this._run(this._structured(), view);
        return { transaction, result: new QuerySnapshot(this, read, this.o.last ? documents.reverse() : documents) };
      }
      async _run(structuredQuery, view) {
        const answer = await this._firestore._call('POST', `${this._parent}:runQuery`, { structuredQuery, ...view });
        const { converter } = this.o;
        const documents = [];
        let read;
        let transaction;
        let metrics;
        for (const row of answer) {
          transaction ??= row.transaction;
          read = row.readTime ?? read;
          if (row.explainMetrics) metrics = metricsOf(row.explainMetrics);
          if (row.document) documents.push(snapshot(this._firestore._named(row.document.name, converter), row.document, row.readTime));
        }
        return { documents, read: read && timeOf(read), transaction, metrics };
      }
      stream() {
        if (this.o.last) throw new Error('Query results for queries that include limitToLast() constraints cannot be streamed. Use Query.get() instead.');
        const documents = async function* (query) { yield* (await query.get()).docs; };
        return rt.require('stream').Readable.from(documents(this));
      }
      onSnapshot() { throw noListeners('Query'); }
      async explain(options) {
        const { documents, read, metrics } = await this._run(this._structured(), explainOptions(options));
        return new ExplainResults(metrics, read ? new QuerySnapshot(this, read, this.o.last ? documents.reverse() : documents) : null);
      }
      explainStream(options) {
        if (this.o.last) throw new Error('Query results for queries that include limitToLast() constraints cannot be streamed. Use Query.explain() instead.');
        const told = async function* (query) {
          const { documents, metrics } = await query._run(query._structured(), explainOptions(options));
          for (const document of documents) yield { document, metrics: undefined };
          yield { document: undefined, metrics };
        };
        return rt.require('stream').Readable.from(told(this));
      }
      /** The query as bundles have it. */
      _bundled() {
        const { last, limit } = this.o;
        const { limit: number, ...query } = new Query(this._firestore, { ...this.o, last: false })._structured();
        return { parent: this._parent, structuredQuery: { ...query, ...(number && { limit: { value: number } }) }, ...(limit && { limitType: last ? 'LAST' : 'FIRST' }) };
      }
      isEqual(other) {
        if (this === other) return true;
        return other instanceof Query && this._firestore === other._firestore && same(this.o, other.o);
      }
    }

    class QuerySnapshot {
      constructor(query, read, docs) {
        this._query = query;
        this._readTime = read;
        this._docs = docs;
      }
      get query() { return this._query; }
      get docs() { return this._docs; }
      get empty() { return this._docs.length === 0; }
      get size() { return this._docs.length; }
      get readTime() { return this._readTime; }
      docChanges() { return (this._changes ??= this._docs.map((doc, at) => new DocumentChange('added', doc, -1, at))); }
      forEach(callback, self) {
        check.callable('callback', callback);
        for (const doc of this._docs) callback.call(self, doc);
      }
      isEqual(other) { return this === other || (other instanceof QuerySnapshot && this._query.isEqual(other._query) && same(this._docs, other._docs)); }
    }
    class DocumentChange {
      constructor(type, doc, oldIndex, newIndex) { Object.assign(this, { type, doc, oldIndex, newIndex }); }
      isEqual(other) { return this === other || (other instanceof DocumentChange && this.type === other.type && this.oldIndex === other.oldIndex && this.newIndex === other.newIndex && this.doc.isEqual(other.doc)); }
    }

    class AggregateField {
      constructor(kind, field) {
        this.aggregateType = kind;
        this.type = 'AggregateField';
        this._field = field;
      }
      static count() { return new AggregateField('count'); }
      static sum(field) { return new AggregateField('sum', field); }
      static average(field) { return new AggregateField('avg', field); }
      isEqual(other) { return other instanceof AggregateField && this.aggregateType === other.aggregateType && String(this._field) === String(other._field); }
    }
    class AggregateQuery {
      constructor(query, spec) {
        this._query = query;
        this._aggregates = spec;
      }
      get query() { return this._query; }
      async get() { return (await this._get()).result; }
      async explain(options) {
        const { result, metrics } = await this._get(explainOptions(options));
        return new ExplainResults(metrics, result ?? null);
      }
      async _get(view) {
        const names = Object.keys(this._aggregates);
        const aggregations = names.map((name, at) => {
          const { aggregateType: kind, _field: field } = this._aggregates[name];
          return { alias: `aggregate_${at}`, [kind]: kind === 'count' ? {} : { field: reference(FieldPath.of(field)) } };
        });
        const { _firestore: store } = this._query;
        const answer = await store._call('POST', `${this._query._parent}:runAggregationQuery`, { structuredAggregationQuery: { structuredQuery: this._query._structured(), aggregations }, ...view });
        const found = answer.find((row) => row.result);
        const told = answer.find((row) => row.explainMetrics);
        const data = {};
        for (const [alias, value] of Object.entries(found?.result.aggregateFields ?? {})) data[names[Number(alias.slice(10))]] = decode(value, store);
        return { transaction: answer.find((row) => row.transaction)?.transaction, metrics: told && metricsOf(told.explainMetrics), result: found && new AggregateQuerySnapshot(this, timeOf(found.readTime), data) };
      }
      isEqual(other) { return this === other || (other instanceof AggregateQuery && this._query.isEqual(other._query) && same(this._aggregates, other._aggregates)); }
    }
    class AggregateQuerySnapshot {
      constructor(query, read, data) {
        this._query = query;
        this._readTime = read;
        this._data = data;
      }
      get query() { return this._query; }
      get readTime() { return this._readTime; }
      data() { return this._data; }
      isEqual(other) { return this === other || (other instanceof AggregateQuerySnapshot && this._query.isEqual(other._query) && same(this._data, other._data)); }
    }

    class VectorQuery {
      constructor(query, options) {
        check.field('vectorField', options.vectorField);
        const vector = Array.isArray(options.queryVector) ? options.queryVector : options.queryVector.toArray();
        if (options.limit <= 0) throw new Error(check.invalid('limit', 'positive limit number'));
        if (vector.length === 0) throw new Error(check.invalid('queryVector', 'vector size must be larger than 0'));
        this._query = query;
        this._options = { ...options, queryVector: vector };
      }
      get query() { return this._query; }
      async get() {
        const { documents, read } = await this.#run();
        return new VectorQuerySnapshot(this, read, documents);
      }
      async explain(options) {
        const { documents, read, metrics } = await this.#run(explainOptions(options));
        return new ExplainResults(metrics, read ? new VectorQuerySnapshot(this, read, documents) : null);
      }
      #run(view) {
        const { vectorField, queryVector, limit, distanceMeasure, distanceResultField, distanceThreshold } = this._options;
        const findNearest = { limit, distanceMeasure, vectorField: reference(FieldPath.of(vectorField)), queryVector: new VectorValue(queryVector)[wire]() };
        if (distanceResultField) findNearest.distanceResultField = FieldPath.of(distanceResultField).formattedName;
        if (distanceThreshold) findNearest.distanceThreshold = distanceThreshold;
        return this._query._run({ ...this._query._structured(), findNearest }, view);
      }
      isEqual(other) { return this === other || (other instanceof VectorQuery && this._query.isEqual(other._query) && same(this._options, other._options)); }
    }
    class VectorQuerySnapshot extends QuerySnapshot {}

    const options = (parent, id, more) => ({ parent, id, group: false, kindless: false, converter: none, filters: [], orders: [], start: undefined, end: undefined, limit: undefined, last: false, offset: undefined, fields: undefined, ...more });
    class CollectionReference extends Query {
      constructor(firestore, segments, converter = none) {
        super(firestore, options(segments.slice(0, -1), segments.at(-1), { converter }));
        this._path = new Path(segments);
      }
      get id() { return this._path.segments.at(-1); }
      get path() { return this._path.segments.join('/'); }
      get parent() { return this._path.size > 1 ? new DocumentReference(this._firestore, new Path(this._path.segments.slice(0, -1))) : null; }
      doc(...given) {
        const [path] = given;
        if (given.length) check.resource('documentPath', path);
        const segments = [...this._path.segments, ...(given.length ? names(path) : [newId()])];
        if (given.length) mustBe('document', 'documentPath', path, segments);
        return new DocumentReference(this._firestore, new Path(segments), this.o.converter);
      }
      async add(data) {
        const ref = this.doc();
        await ref.create(data);
        return ref;
      }
      async listDocuments() {
        const found = [];
        let token = '';
        do {
          const query = `pageSize=300&showMissing=true&mask.fieldPaths=__name__${token && `&pageToken=${encodeURIComponent(token)}`}`;
          const answer = await this._firestore._call('GET', `${this._firestore.formattedName}/documents/${this.path}`, undefined, query);
          for (const { name } of answer.documents ?? []) found.push(this._firestore._named(name, this.o.converter));
          token = answer.nextPageToken ?? '';
        } while (token);
        return found;
      }
      withConverter(converter) { return new CollectionReference(this._firestore, this._path.segments, converter ?? none); }
      isEqual(other) { return this === other || (other instanceof CollectionReference && super.isEqual(other)); }
    }
    class CollectionGroup extends Query {
      constructor(firestore, id, converter = none) { super(firestore, options([], id, { group: true, converter })); }
      async *getPartitions(wanted) {
        check.integer('desiredPartitionCount', wanted, 1);
        const cuts = [];
        const ordered = this.orderBy(documentId);
        for (let token = ''; wanted > 1 && token !== undefined;) {
          const answer = await this._firestore._call('POST', `${this._parent}:partitionQuery`, { structuredQuery: ordered._structured(), partitionCount: String(wanted - 1), ...(token && { pageToken: token }) });
          for (const { values } of answer.partitions ?? []) cuts.push(values[0].referenceValue);
          token = answer.nextPageToken || undefined;
        }
        const cursors = [...cuts].sort((a, b) => this._firestore._named(a)._path.compareTo(this._firestore._named(b)._path)).map((name) => this._firestore._named(name));
        for (let at = 0; at <= cursors.length; at++) yield new QueryPartition(ordered, cursors[at - 1], cursors[at]);
      }
      withConverter(converter) { return new CollectionGroup(this._firestore, this.o.id, converter ?? none); }
    }
    class QueryPartition {
      constructor(query, start, end) { Object.assign(this, { _query: query, _start: start, _end: end }); }
      get startAt() { return this._start && [this._start]; }
      get endBefore() { return this._end && [this._end]; }
      toQuery() {
        const from = this._start ? this._query.startAt(this._start) : this._query;
        return this._end ? from.endBefore(this._end) : from;
      }
    }
    /** All documents below a document or a collection. */
    const below = (firestore, ref) => {
      const isCollection = ref instanceof CollectionReference;
      const query = new Query(firestore, options(isCollection ? ref._path.segments.slice(0, -1) : ref._path.segments, ref.id, { group: true, kindless: true }));
      if (!isCollection) return query.select();
      const name = `${firestore.formattedName}/documents/${ref.path}`;
      const bound = (op, id) => ({ fieldFilter: { field: reference(documentId), op, value: { referenceValue: id } } });
      const filters = [bound('GREATER_THAN_OR_EQUAL', `${name}/__id-9223372036854775808__`), bound('LESS_THAN', `${name}\0/__id-9223372036854775808__`)];
      return new Query(firestore, { ...query.o, filters }).select();
    };
    return { Filter, Query, QuerySnapshot, DocumentChange, AggregateField, AggregateQuery, AggregateQuerySnapshot, VectorQuery, VectorQuerySnapshot, CollectionReference, CollectionGroup, QueryPartition, below };
  });
})(globalThis.__emu);
