// The build for browsers, which speaks WebChannel, without a browser: Node with the few globals that it asks for.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import XMLHttpRequest from 'xhr2';
import { proxy } from './proxy.mjs';

Object.assign(globalThis, { XMLHttpRequest, self: globalThis, window: globalThis });
globalThis.document = { visibilityState: 'visible', addEventListener() {}, removeEventListener() {} };
globalThis.location ??= { protocol: 'http:', host: 'localhost', hostname: 'localhost', href: 'http://localhost/' };
globalThis.addEventListener ??= () => {};
globalThis.removeEventListener ??= () => {};

const { deleteApp, initializeApp } = await import('firebase/app');
const sdk = await import('../node_modules/@firebase/firestore/dist/index.esm.js');
const { collection, connectFirestoreEmulator, deleteDoc, doc, getCountFromServer, getDoc, getDocFromServer, getDocs, initializeFirestore } = sdk;
const { limit, onSnapshot, orderBy, query, runTransaction, setDoc, terminate, updateDoc, where, writeBatch } = sdk;
const [host, port] = process.env.FIRESTORE_EMULATOR_HOST.split(':');
const apps = [];
after(async () => {
    await Promise.all(apps.map((app) => deleteApp(app)));
    // The SDK's own timers go on for a while.
    setTimeout(() => process.exit(), 200).unref();
});

function connect(name, settings = {}, at = port) {
    const app = initializeApp({ projectId: `demo-browser-${process.pid}`, apiKey: 'key' }, name);
    apps.push(app);
    const db = initializeFirestore(app, settings);
    connectFirestoreEmulator(db, host, Number(at));
    return db;
}

/** Listens, and lets wait for what is said. */
function hear(query, tell) {
    const waiting = [];
    let latest;
    const stop = onSnapshot(query, { includeMetadataChanges: true }, (snapshot) => {
        latest = snapshot;
        waiting.splice(0).forEach((wake) => wake());
    });
    const until = async (wanted) => {
        while (latest === undefined || latest.metadata.fromCache || tell(latest) !== wanted) await new Promise((resolve) => waiting.push(resolve));
    };
    return { stop, until };
}

const texts = (snapshot) => snapshot.docs.map((found) => found.get('text')).join(' ');

for (const [kind, settings] of [['streaming', {}], ['long polling', { experimentalForceLongPolling: true }]]) {
    test(`${kind}: writes are heard, whatever they say`, async () => {
        const [reader, writer] = [connect(`${kind} reader`, settings), connect(`${kind} writer`, settings)];
        const room = `room-${kind.replace(' ', '-')}`;
        const { until, stop } = hear(query(collection(reader, room), where('open', '==', true), orderBy('n')), texts);
        await until('');
        // Lengths are counted in units of UTF-16: not in bytes, and not in characters.
        await setDoc(doc(writer, `${room}/a`), { open: true, n: 1, text: 'Grüße😀' });
        await until('Grüße😀');
        for (let n = 2; n < 6; n++) await setDoc(doc(writer, `${room}/b${n}`), { open: true, n, text: `${n}` });
        await until('Grüße😀 2 3 4 5');
        await deleteDoc(doc(writer, `${room}/b3`));
        await updateDoc(doc(writer, `${room}/b4`), { open: false });
        await until('Grüße😀 2 5');
        const batch = writeBatch(writer);
        for (let n = 6; n < 9; n++) batch.set(doc(writer, `${room}/b${n}`), { open: true, n, text: `${n}` });
        await batch.commit();
        await until('Grüße😀 2 5 6 7 8');
        stop();
        const last = hear(query(collection(reader, room), orderBy('n', 'desc'), limit(2)), texts);
        await last.until('8 7');
        await deleteDoc(doc(writer, `${room}/b8`));
        await last.until('7 6');
        last.stop();
        assert.equal((await getDocFromServer(doc(writer, `${room}/a`))).get('text'), 'Grüße😀');
    });
}

test('what is not a stream is asked for by itself', async () => {
    const db = connect('single');
    const counter = doc(db, 'single/counter');
    await Promise.all([1, 2, 3].map(() => runTransaction(db, async (transaction) => {
        const n = (await transaction.get(counter)).data()?.n ?? 0;
        transaction.set(counter, { n: n + 1 });
    })));
    assert.equal((await getDoc(counter)).get('n'), 3);
    assert.equal((await getDocs(query(collection(db, 'single'), where('n', '>', 1)))).size, 1);
    assert.equal((await getCountFromServer(collection(db, 'single'))).data().count, 1);
});

test('a write that is refused says why, and those after it are done', async () => {
    const db = connect('refused');
    await assert.rejects(updateDoc(doc(db, 'refused/none'), { n: 1 }), (error) => error.code === 'not-found');
    await setDoc(doc(db, 'refused/one'), { n: 1 });
    const outcomes = await Promise.allSettled([
        updateDoc(doc(db, 'refused/none'), { n: 2 }),
        updateDoc(doc(db, 'refused/one'), { n: 2 }),
        updateDoc(doc(db, 'refused/neither'), { n: 2 }),
        setDoc(doc(db, 'refused/two'), { n: 2 }),
    ]);
    assert.deepEqual(outcomes.map((outcome) => outcome.reason?.code ?? 'done'), ['not-found', 'done', 'not-found', 'done']);
    const numbers = (await getDocs(query(collection(db, 'refused'), orderBy('n')))).docs.map((found) => `${found.id} ${found.get('n')}`);
    assert.deepEqual(numbers, ['one 2', 'two 2']);
});

test('a query that cannot be is refused to its listener alone', async () => {
    const db = connect('denied');
    const good = hear(collection(db, 'good'), (snapshot) => String(snapshot.size));
    const six = [1, 2, 3, 4, 5, 6];
    const bad = query(collection(db, 'bad'), where('a', 'in', six), where('b', 'in', six));
    const failed = await new Promise((resolve) => onSnapshot(bad, () => {}, resolve));
    assert.equal(failed.code, 'invalid-argument');
    await setDoc(doc(db, 'good/one'), { n: 1 });
    await good.until('1');
    good.stop();
});

test('much is told, and nothing is lost', async () => {
    const [reader, writer] = [connect('much reader'), connect('much writer')];
    const told = hear(collection(reader, 'much'), (snapshot) => snapshot.docs.reduce((sum, found) => sum + found.get('text').length, 0));
    await told.until(0);
    const text = 'ü'.repeat(400_000);
    for (let n = 0; n < 8; n++) await setDoc(doc(writer, `much/m${n}`), { text });
    await told.until(8 * text.length);
    told.stop();
});

test('who was cut off goes on where it was', async () => {
    const line = await proxy(host, port);
    const [reader, writer] = [connect('cut reader', {}, line.port), connect('cut writer')];
    const { until, stop } = hear(query(collection(reader, 'cut'), orderBy('n')), texts);
    await setDoc(doc(writer, 'cut/a'), { n: 1, text: 'a' });
    await setDoc(doc(writer, 'cut/b'), { n: 2, text: 'b' });
    await until('a b');
    line.sent();
    line.cut();
    // What happens meanwhile is told afterwards, deletions too.
    await deleteDoc(doc(writer, 'cut/a'));
    await setDoc(doc(writer, 'cut/c'), { n: 3, text: 'c' });
    await until('b c');
    // While it is away for long its session ends; it begins another with what it knows.
    await sdk.disableNetwork(reader);
    line.sent();
    await setDoc(doc(writer, 'cut/d'), { n: 4, text: 'd' });
    await sdk.enableNetwork(reader);
    await until('b c d');
    assert.match(line.sent(), /resumeToken/);
    stop();
    await terminate(reader);
    line.close();
});
