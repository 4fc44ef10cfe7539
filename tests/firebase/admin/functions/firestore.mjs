// What functions do with Firestore, each with an answer that must be the same with the genuine SDK and with the sandbox's own.
// `at` is a document of the run's own: everything is written below it.
export const firestore = ({ firestore: sdk, at }) => {
  const { Timestamp, FieldValue, FieldPath, GeoPoint, Filter, AggregateField } = sdk;
  const db = at.firestore;
  const collection = (name) => at.collection(name);
  const fill = async (name, rows) => {
    const batch = db.batch();
    for (const [id, row] of Object.entries(rows)) batch.set(collection(name).doc(id), row);
    await batch.commit();
    return collection(name);
  };
  const ids = (snapshot) => snapshot.docs.map((doc) => doc.id);
  const cities = { sf: { name: 'San Francisco', size: 860, state: 'CA', tags: ['bay', 'west'], at: { north: 37.7 } }, la: { name: 'Los Angeles', size: 3900, state: 'CA', tags: ['west'], at: { north: 34 } }, dc: { name: 'Washington', size: 680, state: null, tags: ['east'] }, tokyo: { name: 'Tokyo', size: 9000, tags: ['far', 'east'], at: { north: 35.6 } }, odd: { name: 'Odd', size: NaN, state: 'XX' } };
  const attempt = async (work) => {
    try {
      return await work();
    } catch (error) {
      return error;
    }
  };
  return {
    async 'every type is read as it was written'() {
      const ref = collection('types').doc('all');
      await ref.set({ text: 'ä€😀', empty: '', int: 42, big: Number.MAX_SAFE_INTEGER, huge: 2 ** 60, bigint: 123n, negative: -7, real: 1.5, nan: NaN, up: Infinity, down: -Infinity, zero: -0, yes: true, no: false, nothing: null, date: new Date(1700000000123), time: new Timestamp(1700000000, 123456789), early: new Timestamp(-62135596800, 0), late: new Timestamp(253402300799, 999999000), place: new GeoPoint(-12.5, 170.25), bytes: Buffer.from([0, 1, 254, 255]), array: new Uint8Array([7, 8]), list: [1, 'two', { three: [3] }, {}], none: [], map: { a: { b: { c: {} } } }, vector: FieldValue.vector([1, 2.5, -3]), ref: at, 'dotted.name': 1, 'quo`te': 2 });
      const snapshot = await ref.get();
      return { data: snapshot.data(), exists: snapshot.exists, id: snapshot.id, path: snapshot.ref.path === ref.path, deep: snapshot.get('map.a.b'), list: snapshot.get('list'), dotted: snapshot.get(new FieldPath('dotted.name')), none: snapshot.get('map.x.y') };
    },
    async 'a document that is not there'() {
      const snapshot = await collection('none').doc('x').get();
      return [snapshot.exists, snapshot.data(), snapshot.createTime, snapshot.updateTime, typeof snapshot.readTime.toMillis(), snapshot.get('a')];
    },
    async 'times of a document'() {
      const ref = collection('times').doc();
      const written = await ref.create({ a: 1 });
      const first = await ref.get();
      const again = await ref.update({ a: 2 });
      const second = await ref.get();
      return [first.createTime.isEqual(written.writeTime), first.updateTime.isEqual(first.createTime), second.createTime.isEqual(first.createTime), second.updateTime.isEqual(again.writeTime), second.updateTime.valueOf() > first.updateTime.valueOf(), second.readTime.valueOf() >= second.updateTime.valueOf(), ref.id.length];
    },
    async 'create refuses what is there, update and delete what is not'() {
      const ref = collection('conditions').doc('x');
      const missing = await attempt(() => ref.update({ a: 1 }));
      await ref.create({ a: 1 });
      const twice = await attempt(() => ref.create({ a: 2 }));
      const { updateTime } = await ref.get();
      await ref.update({ a: 3 }, { lastUpdateTime: updateTime });
      const stale = await attempt(() => ref.update({ a: 4 }, { lastUpdateTime: updateTime }));
      const exists = await attempt(() => collection('conditions').doc('none').delete({ exists: true }));
      const plain = (error) => ({ code: error.code, error: error instanceof Error, details: typeof error.details, begins: error.message.slice(0, 22), ends: error.message.endsWith(error.details) });
      return [plain(missing), plain(twice), plain(stale), plain(exists), (await ref.get()).data(), typeof (await ref.delete()).writeTime.seconds, typeof (await ref.delete({})).writeTime.seconds];
    },
    async 'set merges leaves'() {
      const ref = collection('merges').doc('x');
      await ref.set({ a: { b: 1, c: 2 }, d: [1], gone: 1, keep: 1 });
      await ref.set({ a: { b: 9, e: {} }, d: [2], gone: FieldValue.delete() }, { merge: true });
      const first = (await ref.get()).data();
      await ref.set({ a: {} }, { merge: true });
      await ref.set({ a: { x: 1, y: 2 }, keep: 7, d: [3], 'dotted.name': 5 }, { mergeFields: ['a.x', 'keep', new FieldPath('dotted.name')] });
      const second = (await ref.get()).data();
      await ref.set({}, { merge: true });
      await ref.set({ only: true });
      return [first, second, (await ref.get()).data(), await attempt(() => ref.set({ a: 1 }, { mergeFields: ['a', 'b.c'] })), await attempt(() => ref.set({ a: 1 }, { mergeFields: ['a'], merge: true })), await attempt(() => ref.set({ a: 1 }, { mergeFields: ['a..b'] }))];
    },
    async 'update by paths, pairs and field paths'() {
      const ref = collection('updates').doc('x');
      await ref.set({ a: { b: 1, c: 2 }, d: 1, e: 1 });
      await ref.update({ 'a.b': 9, 'a.new.deep': 'x', d: FieldValue.delete(), 'f.g': FieldValue.increment(2) });
      const first = (await ref.get()).data();
      await ref.update('e', 5, new FieldPath('a', 'dotted.name'), 6, 'a.c', FieldValue.delete());
      const second = (await ref.get()).data();
      await ref.update({ a: { whole: true } });
      return [first, second, (await ref.get()).data()];
    },
    async 'what update refuses'() {
      const ref = collection('updates').doc('y');
      await ref.set({ a: 1 });
      const tries = [() => ref.update({}), () => ref.update({ a: { b: FieldValue.delete() } }), () => ref.update({ 'a.b': 1, a: 2 }), () => ref.update({ 'a..b': 1 }), () => ref.update({ '.a': 1 }), () => ref.update({ 'a[0]': 1 }), () => ref.update('a'), () => ref.update('a', undefined), () => ref.update({ a: undefined }), () => ref.update('a', 1, 'b'), () => ref.update({ a: 1 }, { exists: false }), () => ref.update({ a: 1 }, { exists: true, lastUpdateTime: Timestamp.now() }), () => ref.update({ a: 1 }, { lastUpdateTime: 'x' }), () => ref.update(null), () => ref.update(new Map()), () => ref.update('a', FieldValue.delete(), 'a.b', 2)];
      return Promise.all(tries.map((each) => attempt(async () => (await each(), 'done'))));
    },
    async 'what a document may not hold'() {
      const ref = collection('refused').doc('x');
      class Custom {}
      const circle = {};
      circle.self = circle;
      const deep = (n) => (n ? { a: deep(n - 1) } : 1);
      const tries = [undefined, null, 'text', [1], new Custom(), { a: undefined }, { a: { b: undefined } }, { a: [undefined] }, { a: new Custom() }, { a: () => 1 }, { a: new FieldPath('b') }, { a: [FieldValue.serverTimestamp()] }, { a: FieldValue.delete() }, { a: [FieldValue.delete()] }, circle, deep(19), deep(20), deep(21), deep(22), { a: [[1]] }, { a: FieldValue.increment('x') }, { a: FieldValue.arrayUnion([1]) }, { a: FieldValue.arrayUnion(undefined) }, { a: FieldValue.arrayUnion(FieldValue.delete()) }, { a: new Map() }, { a: new Error('x') }, { a: new (class Timestamp {})() }, { a: Object.create(null) }];
      const outcome = async (data) => {
        const error = await attempt(async () => (await ref.set(data), 'done'));
        return error?.code === undefined ? error : error.code;
      };
      const out = [];
      for (const data of tries) out.push(await outcome(data));
      return out;
    },
    async 'the server fills in'() {
      const ref = collection('transforms').doc('x');
      await ref.set({ n: 1, list: [1, 2, { a: 1 }], real: 0.5, text: 'x' });
      await ref.update({ n: FieldValue.increment(4), real: FieldValue.increment(0.25), list: FieldValue.arrayUnion(2, 3, { a: 1 }, { b: 2 }), text: FieldValue.increment(2), 'map.count': FieldValue.increment(-1), when: FieldValue.serverTimestamp() });
      const { when, ...first } = (await ref.get()).data();
      await ref.update({ list: FieldValue.arrayRemove(1, { a: 1 }, 'none') });
      await ref.set({ nested: { when: FieldValue.serverTimestamp(), keep: 1 }, fresh: FieldValue.arrayUnion('a', 'a'), only: { deep: FieldValue.increment(1) } }, { merge: true });
      const { nested, ...second } = (await ref.get()).data();
      delete second.when;
      await ref.set({ when: FieldValue.serverTimestamp() });
      const third = await ref.get();
      return [when instanceof Timestamp, first, nested.when instanceof Timestamp, nested.keep, second, Object.keys(third.data()), third.get('when') instanceof Timestamp];
    },
    async 'increments that exceed integers'() {
      const ref = collection('transforms').doc('y');
      await ref.set({ n: Number.MAX_SAFE_INTEGER, i: -0 });
      await ref.update({ n: FieldValue.increment(1), i: FieldValue.increment(0) });
      return (await ref.get()).data();
    },
    async 'sentinels are equal to their like'() {
      return [FieldValue.serverTimestamp().isEqual(FieldValue.serverTimestamp()), FieldValue.increment(1).isEqual(FieldValue.increment(1)), FieldValue.increment(1).isEqual(FieldValue.increment(2)), FieldValue.arrayUnion(1, { a: 1 }).isEqual(FieldValue.arrayUnion(1, { a: 1 })), FieldValue.arrayUnion(1).isEqual(FieldValue.arrayRemove(1)), FieldValue.delete() instanceof FieldValue, FieldValue.vector([1]).isEqual(FieldValue.vector([1])), await attempt(() => FieldValue.increment()), await attempt(() => FieldValue.arrayUnion())];
    },
    async 'times, places and paths'() {
      const time = new Timestamp(1, 999999999);
      const tries = [() => new Timestamp(1.5, 0), () => new Timestamp(0, 1e9), () => new Timestamp(1e15, 0), () => new Timestamp('1', 0), () => new GeoPoint(91, 0), () => new GeoPoint(0, 'x'), () => new GeoPoint(NaN, 0), () => new FieldPath(), () => new FieldPath('a', ''), () => new FieldPath(['a']), () => new FieldPath(1)];
      return [time.toDate(), time.toMillis(), String(time), JSON.stringify(time), JSON.stringify(new GeoPoint(1, 2)), Timestamp.fromMillis(1234567890123), Timestamp.fromMillis(-1), Timestamp.fromDate(new Date(5)), time < new Timestamp(2, 0), String(new FieldPath('a', 'b-c', '1')), new FieldPath('a').isEqual(new FieldPath('a')), FieldPath.documentId().isEqual(FieldPath.documentId()), new GeoPoint(1, 2).isEqual(new GeoPoint(1, 2)), ...(await Promise.all(tries.map((each) => attempt(each))))];
    },
    async 'references'() {
      const ref = collection('a').doc('b');
      const rel = (path) => path.slice(at.path.length);
      const tries = [() => db.doc(''), () => db.doc('a'), () => db.doc('a//b'), () => db.doc(), () => db.collection('a/b'), () => db.collection(''), () => db.collectionGroup('a/b'), () => ref.collection('x/y'), () => collection('a').doc(''), () => collection('a').doc('x/y'), () => collection('a').doc(undefined), () => collection('a').doc(1)];
      return [rel(ref.path), ref.id, rel(ref.parent.path), ref.parent.id, db.collection('top').parent, rel(ref.collection('c').doc('d').path), rel(ref.collection('c').parent.path), ref.isEqual(collection('a').doc('b')), ref.isEqual(collection('a').doc('c')), collection('a').isEqual(collection('a')), rel(collection('a').doc('x/y/z').path), (await Promise.all(tries.map((each) => attempt(async () => each().path)))).map((each) => (typeof each === 'string' ? rel(each) : each))];
    },
    async 'filters of every kind'() {
      const all = await fill('cities', cities);
      const queries = [all, all.where('size', '==', 680), all.where('size', '!=', 680), all.where('size', '<', 900), all.where('size', '<=', 860), all.where('size', '>', 860), all.where('size', '>=', 3900), all.where('state', '==', null), all.where('state', '!=', null), all.where('size', '==', NaN), all.where('size', '!=', NaN), all.where('tags', 'array-contains', 'east'), all.where('tags', 'array-contains-any', ['bay', 'far']), all.where('state', 'in', ['CA', 'XX']), all.where('state', 'not-in', ['CA']), all.where('at.north', '>', 35), all.where(new FieldPath('at', 'north'), '<', 35), all.where('state', '=', 'CA').where('size', '>', 1000), all.where(Filter.or(Filter.where('size', '==', 680), Filter.and(Filter.where('state', '==', 'CA'), Filter.where('size', '>', 1000)))), all.where(Filter.and()), all.where(FieldPath.documentId(), '==', 'sf'), all.where(FieldPath.documentId(), 'in', ['sf', all.doc('la')]), all.where(FieldPath.documentId(), '>', 'la'), all.where('__name__', '<', all.doc('la'))];
      return Promise.all(queries.map(async (query) => ids(await query.get())));
    },
    async 'orders, limits, cursors, projections'() {
      const all = await fill('cities', cities);
      const la = await all.doc('la').get();
      const queries = [all.orderBy('size'), all.orderBy('size', 'desc'), all.orderBy('state').orderBy('size', 'desc'), all.orderBy('size').limit(2), all.orderBy('size').limitToLast(2), all.orderBy('size').offset(1).limit(2), all.orderBy('size').startAt(680), all.orderBy('size').startAfter(680), all.orderBy('size').endAt(860), all.orderBy('size').endBefore(860), all.orderBy('size').startAt(la), all.orderBy('size').startAfter(la), all.orderBy('size', 'desc').endBefore(la), all.where('size', '>', 100).startAt(la), all.orderBy(FieldPath.documentId()).startAt('la'), all.orderBy(FieldPath.documentId(), 'desc').startAfter('la'), all.orderBy('size').startAt(680).endAt(3900).limitToLast(2), all.orderBy('state').orderBy('size').startAt('CA', 1000), all.startAfter(la), all.orderBy('size').limit(0)];
      const projected = (await all.orderBy('size').select('name', 'at.north').get()).docs.map((doc) => doc.data());
      const names = (await all.select().get()).docs.map((doc) => doc.data());
      return [await Promise.all(queries.map(async (query) => ids(await query.get()))), projected, names];
    },
    async 'what queries refuse'() {
      const all = collection('cities');
      const la = await (await fill('cities', cities)).doc('la').get();
      const tries = [() => all.where('a', '~', 1), () => all.where('a', '>', NaN), () => all.where('a', '<', null), () => all.where('a', '==', undefined), () => all.where('', '==', 1), () => all.where('a', '==', FieldValue.delete()), () => all.where('a', '==', FieldValue.increment(1)), () => all.where(FieldPath.documentId(), '==', 'a/b'), () => all.where(FieldPath.documentId(), 'in', []), () => all.where(FieldPath.documentId(), '==', 1), () => all.where(FieldPath.documentId(), 'array-contains', 'x'), () => all.orderBy('a', 'up'), () => all.orderBy('a').startAt(1, 2), () => all.orderBy('a').startAt(), () => all.orderBy('a').startAt(1).where('a', '==', 1), () => all.orderBy('a').startAt(1).orderBy('b'), () => all.orderBy('missing').startAt(la), () => all.limit(1.5), () => all.limit('x'), () => all.offset('x'), () => all.limitToLast(1).get(), () => all.orderBy('a').limitToLast(1).stream(), () => all.select('a..b'), () => all.where('a', 'in', []).get(), () => all.where(FieldPath.documentId(), '==', db.doc('other/x')), () => db.collectionGroup('g').where(FieldPath.documentId(), '==', 'x')];
      return Promise.all(tries.map((each) => attempt(async () => (await each(), 'done')))).then((all) => all.map((each) => (each?.code === undefined ? each : each.code)).map((each) => (each instanceof Error ? each.message.replace(at.path, '') : each)));
    },
    async 'what a query finds'() {
      const all = await fill('cities', cities);
      const found = await all.where('state', '==', 'CA').orderBy('size').get();
      const seen = [];
      found.forEach((doc) => seen.push([doc.id, doc.exists, doc.data().name, doc.createTime.isEqual(doc.updateTime)]));
      const changes = found.docChanges().map(({ type, doc, oldIndex, newIndex }) => [type, doc.id, oldIndex, newIndex]);
      const streamed = [];
      for await (const doc of all.orderBy('size').limit(2).stream()) streamed.push(doc.id);
      const empty = await all.where('state', '==', 'none').get();
      return [found.size, found.empty, seen, changes, streamed, empty.size, empty.empty, empty.docs, typeof empty.readTime.seconds, found.query.isEqual(all.where('state', '==', 'CA').orderBy('size')), found.query.isEqual(all.orderBy('size')), all.where('a', '==', 1).isEqual(all.where('a', '==', 2)), all.limit(1).isEqual(all.limit(1))];
    },
    async 'counts, sums and averages'() {
      const all = await fill('cities', cities);
      const count = await all.where('state', '==', 'CA').count().get();
      const many = await all.where('size', '>', 0).aggregate({ n: AggregateField.count(), sum: AggregateField.sum('size'), mean: AggregateField.average('size'), north: AggregateField.sum(new FieldPath('at', 'north')) }).get();
      const none = await all.where('state', '==', 'none').aggregate({ sum: AggregateField.sum('size'), mean: AggregateField.average('size') }).get();
      return [count.data(), many.data(), none.data(), typeof count.readTime.seconds, (await all.limit(2).count().get()).data()];
    },
    async 'the nearest vectors'() {
      const all = await fill('vectors', { a: { v: FieldValue.vector([1, 0]) }, b: { v: FieldValue.vector([0, 1]) }, c: { v: FieldValue.vector([0.9, 0.1]) } });
      const found = await all.findNearest({ vectorField: 'v', queryVector: [1, 0], limit: 2, distanceMeasure: 'EUCLIDEAN', distanceResultField: 'distance' }).get();
      return found.docs.map((doc) => [doc.id, doc.get('distance').toFixed(3)]);
    },
    async 'bundles'() {
      const all = await fill('bundled', { a: { n: 1, text: 'ä😀', when: new Timestamp(1700000000, 5000), none: null, list: [1, { deep: [] }], map: {}, real: 1.5, nan: NaN, place: new GeoPoint(1, 2), bytes: Buffer.from([1, 255]), ref: at }, b: { n: 2 } });
      const query = all.where('n', '>', 0).orderBy('n', 'desc');
      const found = await query.get();
      const last = await all.orderBy('n').limitToLast(1).get();
      const missing = await all.doc('none').get();
      const bundle = db.bundle('mine');
      const built = bundle.add(missing).add(found.docs[1]).add('all', found).add('last', last).build();
      const elements = [];
      for (let rest = built; rest.length; ) {
        const [digits] = /^\d+/.exec(rest.toString('latin1', 0, 12));
        const end = digits.length + Number(digits);
        elements.push(JSON.parse(rest.toString('utf8', digits.length, end)));
        rest = rest.subarray(end);
      }
      // Names are the run's own, and times are those of the moment.
      const plain = JSON.parse(JSON.stringify(elements), (key, value) => (key === 'readTime' || key === 'createTime' || key === 'updateTime' ? Object.keys(value) : typeof value === 'string' ? value.replace(`${db.formattedName}/documents/${at.path}`, 'AT') : key === 'totalBytes' ? typeof value : value));
      return [plain.map(({ metadata, ...rest }) => (metadata ? { ...metadata, totalBytes: Number(metadata.totalBytes) > 1000 } : rest)), await attempt(() => bundle.add('all', found)), await attempt(() => bundle.add('x')), await attempt(() => bundle.add('x', found.docs[0])), await attempt(() => bundle.add()), typeof db.bundle().bundleId];
    },
    async 'how queries run'() {
      const all = await fill('explained', { a: { n: 1, kind: 'x' }, b: { n: 2, kind: 'x' }, c: { n: 3, v: FieldValue.vector([1, 0]) } });
      const plain = ({ metrics, snapshot }) => {
        const { planSummary, executionStats: stats } = metrics;
        return { indexes: planSummary.indexesUsed, stats: stats && [stats.resultsReturned, stats.readOperations, typeof stats.executionDuration.seconds, typeof stats.executionDuration.nanoseconds, stats.debugStats], found: snapshot && (snapshot.docs ? ids(snapshot) : snapshot.data()) };
      };
      const query = all.where('kind', '==', 'x').orderBy('n', 'desc');
      const streamed = [];
      for await (const { document, metrics } of query.explainStream({ analyze: true })) streamed.push(document?.id, metrics?.executionStats.resultsReturned);
      return [plain(await query.explain()), plain(await query.explain({ analyze: true })), plain(await all.orderBy('n').limitToLast(2).explain({ analyze: true })), plain(await all.explain({ analyze: true })), plain(await query.count().explain({ analyze: true })), plain(await query.count().explain()), streamed.filter((each) => each !== undefined), plain(await all.findNearest({ vectorField: 'v', queryVector: [1, 0], limit: 1, distanceMeasure: 'EUCLIDEAN' }).explain({ analyze: true })).found];
    },
    async 'several documents at once'() {
      const all = await fill('cities', cities);
      const found = await db.getAll(all.doc('tokyo'), all.doc('none'), all.doc('sf'), all.doc('tokyo'));
      const masked = await db.getAll(all.doc('sf'), all.doc('none'), { fieldMask: ['name', 'at.north'] });
      return [found.map((doc) => [doc.id, doc.exists, doc.get('name')]), masked.map((doc) => doc.data()), await attempt(() => db.getAll()), await attempt(() => db.getAll([all.doc('a')])), await attempt(() => db.getAll('x'))];
    },
    async 'batches are all or nothing'() {
      const all = collection('batches');
      const batch = db.batch();
      batch.create(all.doc('a'), { n: 1 }).set(all.doc('b'), { n: FieldValue.increment(2), when: FieldValue.serverTimestamp() }).update(all.doc('a'), { n: 3 }).delete(all.doc('c'));
      const results = await batch.commit();
      const failed = await attempt(() => db.batch().set(all.doc('d'), { n: 1 }).update(all.doc('none'), { n: 1 }).commit());
      return [results.length, results.every((one) => one.writeTime instanceof Timestamp), await attempt(() => batch.set(all.doc('x'), {})), failed.code, ids(await all.get()), (await all.doc('b').get()).get('n'), (await db.batch().commit()).length];
    },
    async 'transactions'() {
      const ref = collection('counters').doc('x');
      await ref.set({ n: 0 });
      await Promise.all(Array.from({ length: 8 }, () => db.runTransaction(async (transaction) => {
        const { n } = (await transaction.get(ref)).data();
        transaction.update(ref, { n: n + 1 });
      })));
      const value = await db.runTransaction(async (transaction) => {
        const [one, two] = await transaction.getAll(ref, collection('counters').doc('none'));
        const found = await transaction.get(collection('counters').where('n', '>', 0));
        const count = await transaction.get(collection('counters').count());
        transaction.create(collection('counters').doc('new'), { n: 1 }).set(ref, { done: true }, { merge: true }).delete(collection('counters').doc('gone'));
        return [one.get('n'), two.exists, found.size, count.data()];
      });
      return [value, (await ref.get()).data(), ids(await collection('counters').get())];
    },
    async 'what transactions refuse'() {
      const ref = collection('counters').doc('y');
      await ref.set({ n: 0 });
      let attempts = 0;
      const own = await attempt(() => db.runTransaction(async () => {
        attempts++;
        throw new Error('mine');
      }));
      const late = await attempt(() => db.runTransaction(async (transaction) => {
        transaction.set(ref, { n: 1 });
        await transaction.get(ref);
      }));
      const reading = await attempt(() => db.runTransaction(async (transaction) => {
        await transaction.get(ref);
        transaction.set(ref, { n: 1 });
      }, { readOnly: true }));
      const sync = await attempt(() => db.runTransaction(() => 5));
      const missing = await attempt(() => db.runTransaction(async (transaction) => transaction.update(collection('counters').doc('none'), { n: 1 })));
      const query = await attempt(() => db.runTransaction(async (transaction) => transaction.get('x')));
      const read = await db.runTransaction(async (transaction) => (await transaction.get(ref)).data(), { readOnly: true });
      return [own, attempts, late, reading, sync, missing.code, query, read, await attempt(() => db.runTransaction('x')), await attempt(() => db.runTransaction(async () => 1, { maxAttempts: 0 }))];
    },
    async 'writes in bulk'() {
      const all = collection('bulk');
      await all.doc('taken').set({ n: 0 });
      const writer = db.bulkWriter();
      const results = [];
      const errors = [];
      writer.onWriteResult((ref, result) => results.push([ref.id, result.writeTime instanceof Timestamp]));
      writer.onWriteError((error) => {
        errors.push([error.code, error.operationType, error.documentRef.id, error.failedAttempts]);
        return false;
      });
      const first = Promise.all(Array.from({ length: 45 }, (_, at) => writer.create(all.doc(`n${at}`), { at })));
      await writer.flush();
      const settled = Promise.allSettled([first, writer.create(all.doc('taken'), { n: 1 }), writer.set(all.doc('n1'), { again: true }, { merge: true }), writer.update(all.doc('none'), { a: 1 }), writer.delete(all.doc('n2'))]);
      await writer.close();
      const outcomes = (await settled).map((each) => each.status).join(' ');
      return [results.length, errors, outcomes, (await all.count().get()).data(), (await all.doc('n1').get()).data(), await attempt(() => writer.set(all.doc('x'), {})), await attempt(() => db.bulkWriter({ throttling: { initialOpsPerSecond: 0 } }))];
    },
    async 'converters'() {
      class City {
        constructor(name, size) { Object.assign(this, { name, size }); }
        toString() { return `${this.name} (${this.size})`; }
      }
      const converter = { toFirestore: (city, options) => (options ? { ...city } : { name: city.name, size: city.size, kind: 'city' }), fromFirestore: (snapshot) => new City(snapshot.data().name, snapshot.get('size')) };
      const all = collection('converted').withConverter(converter);
      await all.doc('a').set(new City('A', 1));
      await all.doc('b').create(new City('B', 2));
      const added = await all.add(new City('C', 3));
      await all.doc('a').set({ size: 9 }, { merge: true });
      const found = await all.where('size', '>', 1).orderBy('size').get();
      const plain = await all.withConverter(null).doc('a').get();
      return [String((await all.doc('a').get()).data()), found.docs.map((doc) => String(doc.data())), String((await added.get()).data()), plain.data(), all.doc('a').isEqual(collection('converted').doc('a')), String((await db.runTransaction((transaction) => transaction.get(all.doc('b')))).data())];
    },
    async 'lists of collections and documents'() {
      const all = collection('listed');
      await all.doc('a').set({});
      await all.doc('missing').collection('below').doc('x').set({});
      await all.doc('a').collection('one').doc('x').set({});
      await all.doc('a').collection('two').doc('x').set({});
      return [(await all.listDocuments()).map((ref) => ref.id), (await all.doc('a').listCollections()).map((each) => each.id), (await db.listCollections()).some((each) => each.id === at.parent.id), (await all.doc('none').listCollections()).length];
    },
    async 'collection groups'() {
      const name = `group${at.id}`;
      await collection('one').doc('x').collection(name).doc('a').set({ n: 1 });
      await collection('two').doc('y').collection(name).doc('b').set({ n: 2 });
      const group = db.collectionGroup(name);
      const partitions = [];
      for await (const partition of group.getPartitions(2)) partitions.push(...ids(await partition.toQuery().get()));
      return [ids(await group.orderBy('n').get()), ids(await group.where('n', '>', 1).get()), (await group.count().get()).data(), partitions.sort()];
    },
    async 'everything below is deleted'() {
      const ref = collection('tree').doc('root');
      await ref.set({});
      await ref.collection('a').doc('1').set({});
      await ref.collection('a').doc('1').collection('b').doc('2').set({});
      await collection('tree').doc('other').set({});
      await collection('trees').doc('other').set({});
      await db.recursiveDelete(ref);
      const first = [ids(await collection('tree').get()), (await ref.collection('a').doc('1').get()).exists, (await ref.collection('a').doc('1').collection('b').doc('2').get()).exists];
      await db.recursiveDelete(collection('tree'));
      return [first, ids(await collection('tree').get()), ids(await collection('trees').get())];
    },
    async 'settings'() {
      const { Firestore } = sdk;
      const other = new Firestore({ projectId: db.projectId, ignoreUndefinedProperties: true, useBigInt: true });
      const ref = other.doc(collection('settings').doc('x').path);
      await ref.set({ a: undefined, b: { c: undefined, d: 1 }, list: [1, undefined], big: 9007199254740993n });
      const data = (await ref.get()).data();
      await ref.update({ a: undefined, b: 2 });
      return [data, (await ref.get()).data(), await attempt(() => ref.set(undefined)), await attempt(() => other.settings({})), JSON.stringify(other) === JSON.stringify({ projectId: db.projectId }), await attempt(() => collection('settings').where('a', '==', undefined)), await attempt(() => other.collection('x').where('a', '==', undefined))];
    },
  };
};
