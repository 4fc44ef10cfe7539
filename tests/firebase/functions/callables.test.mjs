// Callable functions, through the web SDK and by their protocol.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { deleteApp, initializeApp } from 'firebase/app';
import { createUserWithEmailAndPassword, getAuth, signOut } from 'firebase/auth';
import { getFunctions, httpsCallable } from 'firebase/functions';

let app;
let functions;
before(() => {
  app = initializeApp();
  functions = getFunctions(app);
});
after(() => deleteApp(app));
const call = (name, data, where = functions) => httpsCallable(where, name)(data);

test('a callable takes and gives data', async () => {
  const data = { text: 'é', list: [1, 2.5, null, { deep: true }] };
  const { data: seen } = await call('calls-whoami', data);
  assert.deepEqual(seen, { uid: null, email: null, app: null, data, streams: false });
});

test('a callable knows who calls', async () => {
  const { user } = await createUserWithEmailAndPassword(getAuth(app), 'caller@example.com', 'secret');
  const { data } = await call('calls-whoami', 1);
  assert.deepEqual([data.uid, data.email], [user.uid, 'caller@example.com']);
  const legacy = await call('legacyAdd', { a: 1, b: 2 });
  assert.deepEqual(legacy.data, { sum: 3, uid: user.uid, email: 'caller@example.com' });
  await signOut(getAuth(app));
});

test('every code of an error reaches the client', async () => {
  for (const code of ['cancelled', 'unknown', 'invalid-argument', 'deadline-exceeded', 'not-found', 'already-exists', 'permission-denied', 'unauthenticated', 'resource-exhausted', 'failed-precondition', 'aborted', 'out-of-range', 'unimplemented', 'internal', 'unavailable', 'data-loss']) {
    await assert.rejects(call('calls-refuse', { code }), (error) => {
      assert.deepEqual([error.code, error.details], [`functions/${code}`, { reason: 'test' }]);
      assert.ok(error.message.startsWith(`refused: ${code}`), error.message);
      return true;
    });
  }
});

test('what a function did not mean to say stays inside', async () => {
  await assert.rejects(call('calls-breaks'), (error) => error.code === 'functions/internal' && /^INTERNAL/.test(error.message));
  await assert.rejects(call('legacyAdd', { a: 'x' }), (error) => error.code === 'functions/invalid-argument' && error.details.field === 'a');
  await assert.rejects(call('calls-guarded'), { code: 'functions/unauthenticated' });
});

test('a callable streams', async () => {
  const { stream, data } = await httpsCallable(functions, 'calls-count').stream({ to: 3 });
  const seen = [];
  for await (const chunk of stream) seen.push(chunk.n);
  assert.deepEqual([seen, await data], [[1, 2, 3], { done: 3 }]);
  assert.deepEqual((await call('calls-count', { to: 2 })).data, { done: 2 });
});

const { emulatorHosts } = JSON.parse(process.env.__FIREBASE_DEFAULTS__);
const post = (name, body, headers = {}) => fetch(`http://${emulatorHosts.functions}/${process.env.GCLOUD_PROJECT}/us-central1/${name}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) });

test('the protocol is that of production', async () => {
  const unsigned = (claims) => ['{"alg":"none"}', JSON.stringify(claims), ''].map((part) => Buffer.from(part).toString('base64url')).join('.');
  for (const [name, body, headers, status, wanted] of [
    ['calls-whoami', { data: { '@type': 'type.googleapis.com/google.protobuf.Int64Value', value: '123' } }, {}, 200, { result: { uid: null, email: null, app: null, data: 123, streams: false } }],
    ['calls-whoami', { data: 1, more: 1 }, {}, 400, { error: { message: 'Bad Request', status: 'INVALID_ARGUMENT' } }],
    ['calls-whoami', {}, {}, 400, { error: { message: 'Bad Request', status: 'INVALID_ARGUMENT' } }],
    ['calls-whoami', { data: 1 }, { 'content-type': 'text/plain' }, 400, { error: { message: 'Bad Request', status: 'INVALID_ARGUMENT' } }],
    ['calls-whoami', { data: 1 }, { authorization: 'Bearer nonsense' }, 401, { error: { message: 'Unauthenticated', status: 'UNAUTHENTICATED' } }],
    ['calls-whoami', { data: null }, { authorization: `Bearer ${unsigned({ sub: 'u1' })}`, 'x-firebase-appcheck': unsigned({ sub: 'app:1' }) }, 200, { result: { uid: 'u1', email: null, app: 'app:1', data: null, streams: false } }],
    ['legacyAdd', { data: {} }, { accept: 'text/event-stream' }, 400, { error: { message: "Unsupported Accept header 'text/event-stream'", status: 'INVALID_ARGUMENT' } }],
  ]) {
    const answer = await post(name, body, headers);
    assert.deepEqual([answer.status, await answer.json()], [status, wanted], JSON.stringify({ name, body, headers }));
  }
  const streamed = await post('calls-refuse', { data: { code: 'aborted' } }, { accept: 'text/event-stream' });
  assert.deepEqual([streamed.status, await streamed.text()], [200, 'data: {"error":{"details":{"reason":"test"},"message":"refused: aborted","status":"ABORTED"}}\n\n']);
  const preflight = await fetch(`http://${emulatorHosts.functions}/${process.env.GCLOUD_PROJECT}/us-central1/calls-whoami`, { method: 'OPTIONS', headers: { origin: 'https://any.example', 'access-control-request-method': 'POST' } });
  assert.deepEqual([preflight.status, preflight.headers.get('access-control-allow-origin'), preflight.headers.get('access-control-allow-methods')], [204, 'https://any.example', 'POST']);
});
