// What happens in a project calls the functions that asked for it, in both generations.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { getAuth } from 'firebase-admin/auth';
import { PubSub } from '@google-cloud/pubsub';
import { Timestamp, getFirestore } from 'firebase-admin/firestore';
import { getFunctions } from 'firebase-admin/functions';
import { getStorage } from 'firebase-admin/storage';
import { createUserWithEmailAndPassword, getAuth as getWebAuth } from 'firebase/auth';
import { deleteApp as deleteWebApp, initializeApp as initializeWebApp } from 'firebase/app';

const project = process.env.GCLOUD_PROJECT;
const hub = `http://${process.env.FIREBASE_EMULATOR_HUB}`;
let app;
let web;
let store;
before(() => {
  app = initializeApp({ projectId: project });
  web = initializeWebApp();
  store = getFirestore(app);
});
after(() => Promise.all([deleteApp(app), deleteWebApp(web)]));

const post = async (path, body = {}) => {
  const answer = await fetch(`${hub}/emu/v1/${path}`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
};
// What the function of this name was told, once everything that is due is done.
const told = async (name) => {
  await post('idle');
  const found = await store.collection('told').where('name', '==', name).get();
  return found.docs.map((document) => JSON.parse(document.get('got')));
};
beforeEach(async () => {
  const found = await store.collection('told').listDocuments();
  await Promise.all(found.map((document) => document.delete()));
});

test('a new document calls functions with its data and parameters', async () => {
  const data = { name: 'Ada', age: 36, address: { city: 'London' }, tags: ['a'], born: Timestamp.fromMillis(1_000) };
  await store.doc('users/ada').set(data);
  const [seen] = await told('userCreated');
  assert.deepEqual(seen, {
    params: { id: 'ada' }, data: { ...data, born: seen.data.born }, id: 'ada', path: 'users/ada', nested: 'London', born: '1970-01-01T00:00:01.000Z',
    type: 'google.cloud.firestore.document.v1.created', source: `//firestore.googleapis.com/projects/${project}/databases/(default)`, subject: 'documents/users/ada', specversion: '1.0', document: 'users/ada', database: '(default)', created: 'number',
  });
  const [legacy] = await told('legacy.created');
  assert.deepEqual([legacy.params, legacy.type, legacy.resource, legacy.data.name, legacy.id], [{ id: 'ada' }, 'google.firestore.document.create', { service: 'firestore.googleapis.com', name: `projects/${project}/databases/(default)/documents/users/ada` }, 'Ada', 'string']);
  assert.deepEqual(await told('legacy.written'), [{ before: false, after: true }]);
});

test('changes and ends of documents have what was there before', async () => {
  await store.doc('users/ada').update({ age: 37 });
  assert.deepEqual(await told('userUpdated'), [{ id: 'ada', before: 36, after: 37 }]);
  await store.doc('users/ada/posts/1').set({ text: 'hi' });
  await store.doc('users/ada/posts/1').delete();
  const posts = await told('postWritten');
  posts.sort((a, b) => Number(a.before) - Number(b.before));
  assert.deepEqual(posts, [
    { params: { user: 'ada', post: '1' }, before: false, after: true, authType: 'service_account' },
    { params: { user: 'ada', post: '1' }, before: true, after: false, authType: 'service_account' },
  ]);
  await store.doc('users/ada').delete();
  const [deleted] = await told('userDeleted');
  assert.deepEqual([deleted.id, deleted.data.age], ['ada', 37]);
});

test('a function that asks for retries gets them, and one that does not is called once', async () => {
  await store.doc('retries/1').set({});
  await store.doc('resigned/1').set({});
  assert.equal((await told('stubborn')).length, 1);
  await post('clock/advance', { ms: 9_000 });
  assert.equal((await told('stubborn')).length, 1);
  await post('clock/advance', { ms: 2_000 });
  assert.equal((await told('stubborn')).length, 2);
  await post('clock/advance', { ms: 3_600_000 });
  const attempts = await told('stubborn');
  assert.equal(attempts.length, 3);
  assert.equal(new Set(attempts.map(({ id }) => id)).size, 1, 'all attempts are at one event');
  assert.equal((await told('resigned')).length, 1);
});

test('schedules fire, in their own time zones', async () => {
  await post('clock/advance', { ms: 86_400_000 });
  const ticks = await told('tick');
  assert.ok(ticks.length >= 287, `${ticks.length} runs in a day`);
  assert.equal(ticks[0].job, 'firebase-schedule-tick-us-central1');
  const nights = await told('legacy.nightly');
  assert.equal(nights.length, 1);
  assert.equal(nights[0].type, 'google.pubsub.topic.publish');
  const hour = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' }).format(new Date(nights[0].at));
  assert.equal(hour, '03:00');
});

test('tasks are worked off, later where they say so, and again where they failed', async () => {
  const queue = getFunctions(app).taskQueue('work');
  // By emu's clock, which has gone on: this process has its own.
  const inSeconds = async (seconds) => new Date(Date.parse((await (await fetch(`${hub}/emu/v1/clock`)).json()).time) + seconds * 1_000);
  await queue.enqueue({ n: 1 }, { id: 'first' });
  await queue.enqueue({ n: 1 }, { id: 'later', scheduleTime: await inSeconds(3_600) });
  await assert.rejects(queue.enqueue({ n: 2 }, { id: 'later' }), { code: 'functions/task-already-exists' });
  assert.deepEqual(await told('work'), [{ data: { n: 1 }, id: 'first', queue: 'work', retries: 0 }]);
  await post('clock/advance', { ms: 3_700_000 });
  assert.deepEqual((await told('work')).map(({ id }) => id).sort(), ['first', 'later']);
  await queue.enqueue({ failsUntil: 2 }, { id: 'hard' });
  await post('clock/advance', { ms: 60_000 });
  assert.deepEqual((await told('work')).filter(({ id }) => id === 'hard').map(({ retries }) => retries).sort(), [0, 1, 2]);
  await queue.enqueue({ n: 3 }, { id: 'never', scheduleTime: await inSeconds(60) });
  await queue.delete('never');
  await post('clock/advance', { ms: 120_000 });
  assert.ok(!(await told('work')).some(({ id }) => id === 'never'));
  await assert.rejects(getFunctions(app).taskQueue('nothing').enqueue({}), { code: 'functions/not-found' });
});

test('users are checked before they are there, and told of afterwards', async () => {
  const { user } = await createUserWithEmailAndPassword(getWebAuth(web), 'ada@example.com', 'secret');
  const { claims } = await user.getIdTokenResult();
  assert.deepEqual([claims.name, claims.checked, claims.method], ['ada', true, 'password']);
  assert.deepEqual(await told('legacy.welcome'), [{ uid: user.uid, email: 'ada@example.com', provider: 1, type: 'google.firebase.auth.user.create' }]);
  await assert.rejects(createUserWithEmailAndPassword(getWebAuth(web), 'x@evil.example', 'secret'), (error) => /not you/.test(error.message));
  await getAuth(app).deleteUser(user.uid);
  assert.deepEqual(await told('legacy.bye'), [{ uid: user.uid }]);
});

test('objects call functions, whoever stored them', async () => {
  const bucket = getStorage(app).bucket(`${project}.appspot.com`);
  await bucket.file('a/b.txt').save('hello', { contentType: 'text/plain', metadata: { metadata: { owner: 'ada' } }, resumable: false });
  assert.deepEqual(await told('uploaded'), [{ bucket: bucket.name, name: 'a/b.txt', size: '5', type: 'text/plain', subject: 'objects/a/b.txt', meta: { owner: 'ada' } }]);
  assert.deepEqual(await told('legacy.stored'), [{ name: 'a/b.txt', bucket: bucket.name, type: 'google.storage.object.finalize' }]);
  await bucket.file('a/b.txt').delete();
  assert.deepEqual(await told('removed'), [{ name: 'a/b.txt' }]);
});

test('a function goes on with the snapshot that it got, and with the admin SDK', async () => {
  await Promise.all(['1', '2', '3'].map((id) => store.doc(`authors/ada/posts/${id}`).set({ text: id })));
  await post('idle');
  const author = await store.doc('authors/ada').get();
  assert.equal(author.get('posts'), 3);
  assert.match(author.get('last').path, /^authors\/ada\/posts\/[123]$/);
  assert.ok(author.get('at') instanceof Timestamp);
});

test('a function hears when its answer is out, and the body was read before', async () => {
  const { emulatorHosts } = JSON.parse(process.env.__FIREBASE_DEFAULTS__);
  for (const [query, wanted] of [['', 'b'], ['?pieces=1', 'ab']]) {
    const answer = await fetch(`http://${emulatorHosts.functions}/${project}/us-central1/ends${query}`, { method: 'POST', body: 'sent', headers: { 'content-type': 'text/plain' } });
    assert.equal(await answer.text(), wanted);
  }
  assert.deepEqual(await told('ends'), [['finish', true], ['finish', true]]);
});

test('published messages call functions, whose topic nobody has to make', async () => {
  const pubsub = new PubSub({ projectId: project });
  await pubsub.topic('sales').publishMessage({ json: { n: 1 }, attributes: { a: 'b' } });
  const [seen] = await told('sold');
  assert.deepEqual({ ...seen, key: seen.key ?? '' }, { json: { n: 1 }, attributes: { a: 'b' }, id: 'string', at: 'string', key: '', source: `//pubsub.googleapis.com/projects/${project}/topics/sales` });
  assert.deepEqual(await told('legacy.sold'), [{ json: { n: 1 }, attributes: { a: 'b' }, resource: `projects/${project}/topics/sales` }]);
  await pubsub.close();
});
