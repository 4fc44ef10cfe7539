// The SDK of apps: the build for Node (gRPC), and the one without streams (REST).
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { deleteApp, initializeApp } from 'firebase/app';
import * as full from 'firebase/firestore';
import * as lite from 'firebase/firestore/lite';

const [host, port] = process.env.FIRESTORE_EMULATOR_HOST.split(':');
const projectId = `demo-app-${process.pid}`;
const apps = [];
after(() => Promise.all(apps.map((app) => deleteApp(app))));

function connect(sdk, name) {
    const app = initializeApp({ projectId, apiKey: 'key' }, name);
    apps.push(app);
    const db = sdk.getFirestore(app);
    sdk.connectFirestoreEmulator(db, host, Number(port));
    return db;
}

for (const [kind, sdk] of [['firebase/firestore', full], ['firebase/firestore/lite', lite]]) {
    const db = connect(sdk, kind);
    const { addDoc, arrayUnion, collection, deleteDoc, doc, getDoc, getDocs, increment, limit, orderBy, query, runTransaction, serverTimestamp, setDoc, updateDoc, where, writeBatch, getCount, getCountFromServer } = sdk;
    const at = (...path) => [db, kind.replaceAll('/', '-'), ...path];

    test(`${kind}: documents and queries`, async () => {
        const ref = doc(...at('a'));
        await setDoc(ref, { n: 1, list: [1], when: serverTimestamp(), nested: { deep: { text: 'Grüße 😀' } } });
        await updateDoc(ref, { n: increment(1), list: arrayUnion(2), 'nested.deep.more': true });
        const data = (await getDoc(ref)).data();
        assert.ok(data.when instanceof sdk.Timestamp);
        assert.deepEqual([data.n, data.list, data.nested], [2, [1, 2], { deep: { text: 'Grüße 😀', more: true } }]);
        await addDoc(collection(...at()), { n: 7 });
        const batch = writeBatch(db);
        for (let n = 10; n < 15; n++) batch.set(doc(...at(`b${n}`)), { n, even: n % 2 === 0 });
        await batch.commit();
        const found = await getDocs(query(collection(...at()), where('even', '==', true), orderBy('n', 'desc'), limit(2)));
        assert.deepEqual(found.docs.map((found) => found.id), ['b14', 'b12']);
        const either = await getDocs(query(collection(...at()), sdk.or(where('n', '==', 2), where('n', 'in', [10, 11]))));
        assert.deepEqual(either.docs.map((found) => found.id), ['a', 'b10', 'b11']);
        const count = await (getCount ?? getCountFromServer)(query(collection(...at()), where('n', '>', 5)));
        assert.equal(count.data().count, 6);
        await deleteDoc(ref);
        assert.equal((await getDoc(ref)).exists(), false);
    });

    test(`${kind}: transactions`, async () => {
        const ref = doc(...at('counter'));
        await setDoc(ref, { n: 0 });
        await Promise.all(Array.from({ length: 4 }, () => runTransaction(db, async (transaction) => {
            const { n } = (await transaction.get(ref)).data();
            transaction.update(ref, { n: n + 1 });
        })));
        assert.equal((await getDoc(ref)).data().n, 4);
        // A document that was read and not written must still be as it was.
        const value = await runTransaction(db, async (transaction) => {
            const read = await transaction.get(ref);
            transaction.set(doc(...at('other')), { copied: read.data().n });
            return read.data().n;
        });
        assert.equal(value, 4);
    });
}

/** Waits until a listener is told what `is` is true of. */
function heard(subscribe, is) {
    return new Promise((resolve, reject) => {
        const stop = subscribe((snapshot) => is(snapshot) && (setImmediate(() => stop()), resolve(snapshot)), reject);
    });
}

test('listeners hear what other clients write', async () => {
    const { collection, doc, onSnapshot, orderBy, query, setDoc, deleteDoc, limit } = full;
    const [reader, writer] = [connect(full, 'reader'), connect(full, 'writer')];
    const feed = query(collection(reader, 'feed'), orderBy('n', 'desc'), limit(2));
    const ids = (snapshot) => snapshot.docs.map((found) => found.id).join(' ');
    let latest;
    const waiting = [];
    const stop = onSnapshot(feed, (snapshot) => {
        latest = snapshot;
        waiting.splice(0).forEach((wake) => wake());
    });
    const until = async (wanted) => {
        while (!latest || latest.metadata.fromCache || ids(latest) !== wanted) await new Promise((resolve) => waiting.push(resolve));
    };
    await until('');
    for (const n of [1, 2, 3]) await setDoc(doc(writer, `feed/p${n}`), { n });
    await until('p3 p2');
    await deleteDoc(doc(writer, 'feed/p3'));
    await until('p2 p1');
    const one = await heard((next, fail) => onSnapshot(doc(reader, 'feed/p1'), next, fail), (snapshot) => snapshot.exists());
    assert.deepEqual(one.data(), { n: 1 });
    // What was missed while the network was off is told afterwards, and nothing else is forgotten.
    await full.disableNetwork(reader);
    await deleteDoc(doc(writer, 'feed/p2'));
    await setDoc(doc(writer, 'feed/p9'), { n: 9 });
    await full.enableNetwork(reader);
    await until('p9 p1');
    stop();
});

test('a query that cannot be is refused to its listener alone', async () => {
    const { collection, doc, onSnapshot, query, setDoc, where } = full;
    const db = connect(full, 'refused');
    const good = heard((next, fail) => onSnapshot(collection(db, 'good'), next, fail), (snapshot) => snapshot.size === 1);
    const many = query(collection(db, 'bad'), where('a', 'in', [1, 2, 3, 4, 5, 6]), where('b', 'in', [1, 2, 3, 4, 5, 6]));
    await assert.rejects(heard((next, fail) => onSnapshot(many, next, fail), () => false), (error) => error.code === 'invalid-argument');
    await setDoc(doc(db, 'good/one'), { n: 1 });
    await good;
});
