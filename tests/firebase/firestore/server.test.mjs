// The server SDKs, over gRPC and over REST. `FIRESTORE_EMULATOR_HOST` says where.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, test } from 'node:test';
import admin from 'firebase-admin';
import { AggregateField, FieldPath, FieldValue, Filter, Firestore, GeoPoint, Timestamp } from '@google-cloud/firestore';

const projectId = `demo-server-${process.pid}`;
admin.initializeApp({ projectId });
// Over REST the SDK signs its requests even for an emulator: any key will do.
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } });
const credentials = { client_email: 'test@demo.iam.gserviceaccount.com', private_key: privateKey };
const kinds = {
    'firebase-admin': admin.firestore(),
    '@google-cloud/firestore': new Firestore({ projectId: `${projectId}-grpc` }),
    '@google-cloud/firestore preferRest': new Firestore({ projectId: `${projectId}-rest`, preferRest: true, credentials }),
    'a named database': new Firestore({ projectId: `${projectId}-grpc`, databaseId: 'second' }),
};
after(() => Promise.all(Object.values(kinds).map((db) => db.terminate())));

// Each SDK knows only its own classes.
const own = (kind) =>
    kind === 'firebase-admin' ? admin.firestore : { AggregateField, FieldPath, FieldValue, Filter, GeoPoint, Timestamp };

// Over REST errors have the status of HTTP, not the code of gRPC.
const HTTP = { 3: 400, 5: 404, 6: 409, 9: 400 };
const failed = (code, text = '') => (error) => [code, HTTP[code]].includes(Number(error.code ?? error.status)) && error.message.includes(text);

/** What a listener is told, one snapshot after another. */
function snapshots(query) {
    const [told, waiting] = [[], []];
    const put = (item) => (waiting.length ? waiting.shift()(item) : told.push(item));
    const stop = query.onSnapshot(put, (error) => put(Promise.reject(error)));
    return { next: () => (told.length ? told.shift() : new Promise((resolve) => waiting.push(resolve))), stop };
}

for (const [kind, db] of Object.entries(kinds)) {
    const { FieldPath, FieldValue, Filter, GeoPoint, Timestamp } = own(kind);

    test(`${kind}: every type comes back as it was`, async () => {
        const ref = db.doc('types/all');
        const data = {
            nothing: null, yes: true, int: 42, big: 9007199254740991, double: 1.5, negative: -0.5, nan: NaN, infinite: -Infinity,
            text: 'Grüße 😀', empty: '', bytes: Buffer.from([0, 1, 255]), at: new Timestamp(1_700_000_000, 123_456_000),
            place: new GeoPoint(52.5, 13.4), list: [1, 'two', { three: 3 }], map: { a: { b: 'c' }, 'with.dot': 1 }, ref: db.doc('a/b'),
        };
        const { writeTime } = await ref.set(data);
        const got = await ref.get();
        assert.ok(got.exists && got.updateTime.isEqual(writeTime) && got.createTime.isEqual(writeTime));
        const back = got.data();
        for (const [name, value] of Object.entries(data)) {
            if (value?.isEqual) assert.ok(value.isEqual(back[name]), name);
            else assert.deepEqual(back[name], value, name);
        }
        assert.equal((await db.doc('types/none').get()).exists, false);
        assert.deepEqual(got.get('map.a.b'), 'c');
    });

    test(`${kind}: writes, transforms and what they must find`, async () => {
        const ref = db.collection('writes').doc();
        await ref.create({ n: 1, list: [1], keep: { a: 1, b: 2 } });
        await assert.rejects(ref.create({}), failed(6, 'already exists'));
        await assert.rejects(db.doc('writes/none').update({ a: 1 }), failed(5, 'No document to update'));
        await ref.update({ n: FieldValue.increment(2), list: FieldValue.arrayUnion(1, 2), at: FieldValue.serverTimestamp(), 'keep.a': FieldValue.delete() });
        await ref.set({ keep: { c: 3 }, more: FieldValue.arrayRemove(1) }, { merge: true });
        const data = (await ref.get()).data();
        assert.ok(data.at instanceof Timestamp && Math.abs(data.at.toMillis() - Date.now()) < 60_000);
        delete data.at;
        assert.deepEqual(data, { n: 3, list: [1, 2], keep: { b: 2, c: 3 }, more: [] });
        const stale = (await ref.get()).updateTime;
        await ref.update({ n: 4 });
        await assert.rejects(ref.update({ n: 5 }, { lastUpdateTime: stale }), failed(9));
        await assert.rejects(db.doc('writes/large').set({ text: 'x'.repeat(1_048_577) }), failed(3));
        const batch = db.batch();
        batch.set(db.doc('writes/one'), { n: 1 }).set(db.doc('writes/two'), { n: 2 }).delete(ref);
        assert.equal((await batch.commit()).length, 3);
        const [one, none] = await db.getAll(db.doc('writes/one'), ref, { fieldMask: ['n'] });
        assert.deepEqual([one.data(), none.exists], [{ n: 1 }, false]);
    });

    test(`${kind}: queries`, async () => {
        const posts = db.collection('posts');
        const writer = db.bulkWriter();
        for (let n = 0; n < 50; n++) {
            writer.set(posts.doc(`p${String(n).padStart(2, '0')}`), { n, author: n % 3 ? 'ann' : 'bob', tags: [`t${n % 5}`, 'all'], half: n / 2 });
        }
        await writer.close();
        const ids = async (query) => (await query.get()).docs.map((doc) => doc.id).join(' ');
        assert.equal(await ids(posts.where('author', '==', 'bob').orderBy('n', 'desc').limit(3)), 'p48 p45 p42');
        assert.equal(await ids(posts.where('n', '>=', 3).where('n', '<', 6)), 'p03 p04 p05');
        assert.equal(await ids(posts.where('n', 'in', [7, 1, 99])), 'p01 p07');
        assert.equal(await ids(posts.where('tags', 'array-contains', 't4').limit(2)), 'p04 p09');
        assert.equal(await ids(posts.where('n', 'not-in', [0, 1]).limit(2)), 'p02 p03');
        assert.equal(await ids(posts.orderBy('n').limitToLast(2)), 'p48 p49');
        assert.equal(await ids(posts.orderBy('n').offset(10).limit(2)), 'p10 p11');
        assert.equal(await ids(posts.orderBy('n').startAfter(await posts.doc('p10').get()).limit(2)), 'p11 p12');
        assert.equal(await ids(posts.where(Filter.or(Filter.where('n', '==', 1), Filter.where('n', '>', 47)))), 'p01 p48 p49');
        assert.equal(await ids(posts.where(FieldPath.documentId(), 'in', ['p03', 'p01'])), 'p01 p03');
        const [first] = (await posts.select('author').limit(1).get()).docs;
        assert.deepEqual(first.data(), { author: 'bob' });
        const { AggregateField } = own(kind);
        const sums = await posts.where('n', '<', 4).aggregate({ count: AggregateField.count(), sum: AggregateField.sum('n'), avg: AggregateField.average('half') }).get();
        assert.deepEqual(sums.data(), { count: 4, sum: 6, avg: 0.75 });
        assert.equal((await posts.count().get()).data().count, 50);
        const parts = [];
        for await (const part of db.collectionGroup('posts').getPartitions(4)) parts.push(part);
        const found = await Promise.all(parts.map((part) => part.toQuery().get()));
        assert.equal(found.reduce((sum, part) => sum + part.size, 0), 50);
        await assert.rejects(posts.where('n', 'in', Array.from({ length: 31 }, (_, n) => n)).get(), failed(3));
    });

    test(`${kind}: collections within documents`, async () => {
        await Promise.all(['tree/a/leaves/1', 'tree/b/leaves/2', 'tree/b/twigs/3'].map((path) => db.doc(path).set({ path })));
        assert.deepEqual((await db.doc('tree/b').listCollections()).map((collection) => collection.id), ['leaves', 'twigs']);
        assert.deepEqual((await db.collection('tree').listDocuments()).map((doc) => doc.id), ['a', 'b']);
        assert.equal((await db.collectionGroup('leaves').get()).size, 2);
        await db.recursiveDelete(db.doc('tree/b'));
        assert.deepEqual((await db.collectionGroup('leaves').get()).docs.map((doc) => doc.ref.path), ['tree/a/leaves/1']);
    });

    test(`${kind}: transactions lose no update`, async () => {
        const counter = db.doc('counters/one');
        await counter.set({ n: 0 });
        // Over REST the SDK waits for the better part of a minute before it tries again.
        const clients = kind.includes('preferRest') ? 1 : 64;
        await Promise.all(Array.from({ length: clients }, () => db.runTransaction(async (transaction) => {
            const { n } = (await transaction.get(counter)).data();
            transaction.update(counter, { n: n + 1 });
        })));
        assert.equal((await counter.get()).data().n, clients);
        const seen = await db.runTransaction(async (transaction) => {
            const before = (await transaction.get(counter)).data().n;
            await counter.update({ n: -1 });
            const query = await transaction.get(db.collection('counters').where('n', '<', 0));
            return [before, (await transaction.get(counter)).data().n, query.size];
        }, { readOnly: true });
        assert.deepEqual(seen, [clients, clients, 0]);
    });

    // REST has no streams: there the SDK listens over gRPC.
    test(`${kind}: listeners hear each change`, async () => {
        const room = db.collection('room');
        const { next, stop } = snapshots(room.where('open', '==', true).orderBy('n').limit(2));
        assert.equal((await next()).size, 0);
        await room.doc('a').set({ open: true, n: 1 });
        assert.deepEqual((await next()).docChanges().map(({ type, doc }) => [type, doc.id]), [['added', 'a']]);
        const batch = db.batch();
        batch.set(room.doc('b'), { open: true, n: 2 }).set(room.doc('c'), { open: true, n: 3 });
        await batch.commit();
        assert.deepEqual((await next()).docs.map((doc) => doc.id), ['a', 'b']);
        await room.doc('a').update({ open: false });
        assert.deepEqual((await next()).docChanges().map(({ type, doc }) => [type, doc.id]), [['removed', 'a'], ['added', 'c']]);
        await room.doc('b').delete();
        assert.deepEqual((await next()).docs.map((doc) => doc.id), ['c']);
        stop();
        const doc = snapshots(room.doc('new'));
        assert.equal((await doc.next()).exists, false);
        await room.doc('new').set({ n: 1 });
        assert.deepEqual((await doc.next()).data(), { n: 1 });
        await room.doc('new').delete();
        assert.equal((await doc.next()).exists, false);
        doc.stop();
    });
}

test('the nearest vectors are found', async () => {
    const db = kinds['@google-cloud/firestore'];
    const places = db.collection('places');
    await Promise.all([[1, 0], [0, 1], [3, 4]].map((vector, n) => places.doc(`v${n}`).set({ v: FieldValue.vector(vector) })));
    const query = places.findNearest({ vectorField: 'v', queryVector: [1, 0], limit: 2, distanceMeasure: 'EUCLIDEAN', distanceResultField: 'd' });
    const found = (await query.get()).docs.map((doc) => [doc.id, doc.get('d')]);
    assert.deepEqual(found, [['v0', 0], ['v1', Math.SQRT2]]);
});

test('a hundred listeners of one query hear a write at once', async () => {
    const db = kinds['firebase-admin'];
    const query = db.collection('fan').where('on', '==', true);
    const listeners = Array.from({ length: 100 }, () => snapshots(query));
    await Promise.all(listeners.map(({ next }) => next()));
    await db.doc('fan/a').set({ on: true });
    const heard = await Promise.all(listeners.map(({ next }) => next()));
    assert.ok(heard.every((snapshot) => snapshot.size === 1));
    listeners.forEach(({ stop }) => stop());
});
