// Paths of a site that functions answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';

const hub = await (await fetch(`http://${process.env.FIREBASE_EMULATOR_HUB}/emulators`)).json();
const site = `http://127.0.0.1:${hub.hosting.port}`;

test('a rewrite leads to a function, which sees the whole path', async () => {
  const answer = await fetch(`${site}/api/users/1?x=1`, { method: 'POST', body: 'hi', headers: { 'content-type': 'text/plain', cookie: 'a=b; __session=s' } });
  const seen = await answer.json();
  assert.deepEqual([answer.status, seen.path, seen.query, seen.body], [200, '/api/users/1', { x: '1' }, 'hi']);
  const legacy = await (await fetch(`${site}/old/x`)).json();
  assert.equal(legacy.path, '/old/x');
});
