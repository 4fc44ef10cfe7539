// Drives the API from outside, as its users do. Run it with: emu exec -- npm test
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

const url = process.env.EMU_URL ?? '';

async function request(method, path, body) {
  const response = await fetch(url + path, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : undefined };
}

describe('tasks', () => {
  before(() => assert.ok(url, 'run this under emu: `emu exec -- npm test`'));

  it('are created, read, changed and deleted', async () => {
    const created = await request('POST', '/lists/home/tasks', { title: ' Water the plants ', due: '2030-01-31' });
    assert.equal(created.status, 201);
    const { id } = created.body;
    assert.deepEqual({ ...created.body, createdAt: '' }, { list: 'home', id, title: 'Water the plants', done: false, due: '2030-01-31', createdAt: '' });

    const path = `/lists/home/tasks/${id}`;
    assert.deepEqual((await request('GET', path)).body, created.body);

    const changed = await request('PATCH', path, { done: true });
    assert.deepEqual(changed, { status: 200, body: { ...created.body, done: true } });

    assert.equal((await request('DELETE', path)).status, 204);
    assert.equal((await request('GET', path)).status, 404);
    assert.equal((await request('DELETE', path)).status, 404);
    assert.equal((await request('PATCH', path, { done: false })).status, 404);
  });

  it('are listed by page, in the order in which they were created', async () => {
    const titles = ['one', 'two', 'three', 'four', 'five'];
    for (const title of titles) await request('POST', '/lists/long/tasks', { title });
    const seen = [];
    let after = '';
    do {
      const { status, body } = await request('GET', `/lists/long/tasks?limit=2${after}`);
      assert.equal(status, 200);
      assert.ok(body.tasks.length <= 2);
      seen.push(...body.tasks.map((task) => task.title));
      after = body.next ? `&after=${body.next}` : '';
    } while (after);
    assert.deepEqual(seen, titles);
    assert.deepEqual((await request('GET', '/lists/empty/tasks')).body.tasks, []);
  });

  for (const [name, method, path, body, reasons] of [
    ['a title that is empty', 'POST', '/lists/home/tasks', { title: ' ' }, ['title: must not be empty']],
    ['a day that does not exist', 'POST', '/lists/home/tasks', { title: 'x', due: '2030-02-31' }, ['due: must be a day such as 2030-01-31']],
    ['an unknown field', 'POST', '/lists/home/tasks', { title: 'x', colour: 'red' }, ["Unrecognized key(s) in object: 'colour'"]],
    ['a change of nothing', 'PATCH', '/lists/home/tasks/1', {}, ['must change something']],
    ['a list with a strange name', 'POST', '/lists/HOME/tasks', { title: 'x' }, ['list: must be 1 to 40 of a-z, 0-9 and -']],
    ['a page of nothing', 'GET', '/lists/home/tasks?limit=0', undefined, ['limit: Number must be greater than or equal to 1']],
    ['a body that is not JSON', 'POST', '/lists/home/tasks', '{"title":', undefined],
  ]) {
    it(`refuse ${name}`, async () => {
      const answer = await request(method, path, body);
      assert.equal(answer.status, 400);
      assert.deepEqual(answer.body.reasons, reasons);
    });
  }
});
