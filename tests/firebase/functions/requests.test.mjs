// Functions over HTTP, as any client sees them.
import assert from 'node:assert/strict';
import { test } from 'node:test';

const { emulatorHosts } = JSON.parse(process.env.__FIREBASE_DEFAULTS__);
const project = process.env.GCLOUD_PROJECT;
const at = (name, rest = '', region = 'us-central1') => `http://${emulatorHosts.functions}/${project}/${region}/${name}${rest}`;

test('a function sees a request as in production', async () => {
  const answer = await fetch(at('echo', '/a/b?x=1&y=2&y=3&z[k]=v'), { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"n":1}' });
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), {
    method: 'PUT', path: '/a/b', url: '/a/b?x=1&y=2&y=3&z[k]=v', query: { x: '1', y: ['2', '3'], z: { k: 'v' } }, type: 'application/json', body: { n: 1 }, raw: 'eyJuIjoxfQ==', ip: '127.0.0.1',
  });
});

for (const [type, body, wanted] of [
  ['application/x-www-form-urlencoded', 'a=1&b=x+y&c[]=1&c[]=2', { a: '1', b: 'x y', c: ['1', '2'] }],
  ['text/plain', 'höhe', 'höhe'],
  ['application/octet-stream', Buffer.from([0, 255, 1]), { base64: 'AP8B' }],
  ['application/json; charset=utf-8', '[1,2]', [1, 2]],
  [undefined, undefined, {}],
]) {
  test(`a body of the type ${type} is parsed`, async () => {
    const answer = await fetch(at('echo'), { method: 'POST', body, headers: type ? { 'content-type': type } : {} });
    const seen = await answer.json();
    assert.deepEqual(seen.body, wanted);
    assert.equal(seen.raw, Buffer.from(body ?? '').toString('base64'));
    assert.equal(seen.path, '/');
  });
}

test('a body that is not what it says is refused', async () => {
  const answer = await fetch(at('echo'), { method: 'POST', body: '{"a":', headers: { 'content-type': 'application/json' } });
  assert.equal(answer.status, 400);
});

test('CORS is as the function says', async () => {
  const asked = async (origin, method = 'OPTIONS') => {
    const answer = await fetch(at('echo'), { method, headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-a' } });
    return [answer.status, answer.headers.get('access-control-allow-origin')];
  };
  assert.deepEqual(await asked('http://localhost:5173'), [204, 'http://localhost:5173']);
  assert.deepEqual(await asked('https://shop.example'), [204, 'https://shop.example']);
  assert.deepEqual(await asked('https://evil.test'), [204, null]);
  assert.deepEqual(await asked('http://localhost:5173', 'GET'), [200, 'http://localhost:5173']);
});

test('an answer may come in pieces', async () => {
  const answer = await fetch(at('pieces', '?ms=60'));
  const seen = [];
  for await (const piece of answer.body) seen.push(Buffer.from(piece).toString());
  assert.equal(seen.join(''), 'one two three');
  assert.ok(seen.length > 1, 'the first piece was there before the last one');
});

test('functions call each other by their names in the cloud', async () => {
  const answer = await fetch(at('relay', '?name=about'));
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).env.FUNCTION_TARGET, 'about');
  assert.equal((await fetch(at('relay', '?name=none'))).status, 404);
});

test('a function knows where it runs, and its other regions answer too', async () => {
  for (const region of ['europe-west1', 'us-central1']) {
    const { env, config } = await (await fetch(at('about', '', region))).json();
    assert.deepEqual(env, { FUNCTION_TARGET: 'about', K_SERVICE: 'about', FUNCTIONS_EMULATOR: 'true', GCLOUD_PROJECT: project, FUNCTION_REGION: 'europe-west1', FUNCTION_MEMORY_MB: '512' });
    assert.equal(config.projectId, project);
  }
});

test('what goes wrong is answered as in production', async () => {
  const failed = await fetch(at('fails'));
  assert.deepEqual([failed.status, await failed.text()], [500, 'Internal Server Error']);
  const late = await fetch(at('slow'));
  assert.deepEqual([late.status, await late.text()], [504, 'upstream request timeout']);
  const unknown = await fetch(at('nothing'));
  assert.equal(unknown.status, 404);
  assert.match(await unknown.text(), /Function us-central1\/nothing does not exist, valid functions are: .*us-central1\/echo/);
  assert.equal((await fetch(at('echo', '', 'asia-east1'))).status, 404);
});

test('an answer that cannot be sent leaves room for another', async () => {
  const answer = await fetch(at('wrong'));
  assert.deepEqual([answer.status, await answer.text()], [422, 'ERR_INVALID_ARG_TYPE']);
});

test('redirects and cookies are those of the framework', async () => {
  const answer = await fetch(at('moved'), { redirect: 'manual' });
  assert.equal(answer.status, 301);
  assert.equal(answer.headers.get('location'), '/elsewhere?a=1');
  assert.match(answer.headers.get('set-cookie'), /^session=a%20b; Max-Age=60; Path=\/; Expires=.*; HttpOnly$/);
});

test('functions of the first generation have their own region and root', async () => {
  const answer = await fetch(at('legacyEcho', '/x?q=1', 'europe-west1'), { method: 'POST', body: 'hi', headers: { 'content-type': 'text/plain' } });
  assert.equal(answer.headers.get('x-generation'), '1');
  assert.deepEqual(await answer.json(), { path: '/x', method: 'POST', query: { q: '1' }, raw: 'hi' });
});

test('an app of express is a function', async () => {
  const hello = await fetch(at('app', '/hello/ada?x=1'));
  assert.deepEqual([hello.headers.get('x-powered-by'), await hello.json()], ['Express', { name: 'ada', query: { x: '1' }, url: '/hello/ada?x=1' }]);
  const posted = await fetch(at('app', '/body'), { method: 'POST', body: '{"a":[1]}', headers: { 'content-type': 'application/json' } });
  assert.deepEqual([posted.status, await posted.json()], [201, { got: { a: [1] } }]);
  const failed = await fetch(at('app', '/fails'));
  assert.deepEqual([failed.status, await failed.json()], [418, { error: 'inside express' }]);
  assert.equal((await fetch(at('app', '/nowhere'))).status, 404);
});
