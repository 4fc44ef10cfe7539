// Run by tests/integration/clients.rs: emu exec --project fixtures/clients -- node --test test/
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { EmuError, EmuTimeoutError, EmuUnreachableError, FunctionError, Mail, connect, emu } from 'emu-client';

const { EMU_URL, AWS_ENDPOINT_URL } = process.env;
const DAY_MS = 86_400_000;

const signUp = async (email) => {
  const response = await fetch(`${EMU_URL}/members`, { method: 'POST', body: JSON.stringify({ email }) });
  assert.equal(response.status, 201);
  return response.headers.get('x-emu-trace-id');
};
const members = async () => (await (await fetch(`${EMU_URL}/members`)).json()).map(({ email }) => email).sort();
const aws = async (target, body) => {
  const headers = { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.0' };
  const response = await fetch(AWS_ENDPOINT_URL, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal(response.status, 200, await response.clone().text());
};
const welcomeLater = (email, waitMs) =>
  aws('AmazonSQS.SendMessage', { QueueUrl: `${AWS_ENDPOINT_URL}/000000000000/welcomes`, MessageBody: JSON.stringify({ email, waitMs }) });
const invokeLater = async (name, event) => {
  const url = `${AWS_ENDPOINT_URL}/2015-03-31/functions/${name}/invocations`;
  const headers = { 'x-amz-invocation-type': 'Event' };
  assert.equal((await fetch(url, { method: 'POST', headers, body: JSON.stringify(event) })).status, 202);
};
const message = (error) => error.message;

describe('emu-client', () => {
  beforeEach(() => emu.reset());

  it('is the same for import and require', () => {
    const required = createRequire(import.meta.url)('emu-client');
    assert.equal(required.emu, emu);
    assert.equal(required.EmuError, EmuError);
  });

  it('goes back to the seeded state', async () => {
    await signUp('ada@example.com');
    await emu.clock.advance('1h');
    assert.deepEqual(await members(), ['ada@example.com', 'seeded@example.com']);
    await emu.reset();
    assert.deepEqual(await members(), ['seeded@example.com']);
    assert.deepEqual(await emu.inbox(), []);
    assert.equal((await emu.clock.state()).aheadMs, 0);
    await signUp('ada@example.com');
    await emu.waitForIdle();
    await emu.reset('mail');
    assert.deepEqual([(await emu.inbox()).length, (await members()).length], [0, 2], 'one service only');
    await assert.rejects(emu.reset('mial'), { name: 'EmuError', status: 400, message: /there is no service `mial`; there are: tables, / });
  });

  it('knows the pushes and the tokens', async () => {
    await emu.setPushToken('t1', { state: 'unregistered', platform: 'android' });
    assert.deepEqual(await emu.pushTokens(), [{ token: 't1', state: 'unregistered', platform: 'android', topics: [] }]);
    await assert.rejects(emu.setPushToken('t1', { state: 'lost' }), { name: 'EmuError', status: 400, message: /`lost` is none of registered, / });
    assert.deepEqual(await emu.pushes({ token: 't1' }), []);
    await assert.rejects(emu.waitForPush({ title: 'Hello', timeout: 50 }), { name: 'EmuTimeoutError', message: /no push with the title Hello came within 50 ms; there is none/ });
    await emu.clearPushes();
  });

  it('saves the state and puts it back', async () => {
    await signUp('ada@example.com');
    await emu.waitForIdle();
    const saved = await emu.snapshot();
    assert.ok(saved.taken instanceof Date && saved.bytes > 0);
    await signUp('bob@example.com');
    await emu.restore(saved);
    assert.deepEqual(await members(), ['ada@example.com', 'seeded@example.com']);
    await emu.snapshot('named');
    await assert.rejects(emu.snapshot('named'), /named/);
    await emu.snapshot('named', { replace: true });
    const names = (await emu.snapshots()).map(({ name }) => name);
    assert.ok(names.includes('named') && names.includes(saved.name));
    await assert.rejects(emu.restore('nothing'), (error) => error instanceof EmuError && error.message.includes('nothing'));
  });

  it('writes the state as files and reads it', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'emu-client-'));
    after(() => rm(dir, { recursive: true }));
    await signUp('ada@example.com');
    await emu.waitForIdle();
    await emu.exportState(join(dir, 'state'));
    assert.ok((await readdir(join(dir, 'state'))).includes('tables'));
    await emu.reset();
    await emu.importState(join(dir, 'state'));
    assert.deepEqual(await members(), ['ada@example.com', 'seeded@example.com']);
  });

  it('waits until all that was set off is done', async () => {
    await signUp('ada@example.com');
    await emu.waitForIdle();
    const subjects = (await emu.inbox({ to: 'ada@example.com' })).map(({ subject }) => subject);
    assert.deepEqual(subjects, ['Confirm your address', 'Welcome']);
  });

  it('says what is still being done where it waits in vain', async () => {
    await emu.clock.freeze();
    await welcomeLater('ada@example.com', 20_000);
    const late = await emu.waitForIdle({ timeout: 300 }).catch((error) => error);
    assert.ok(late instanceof EmuTimeoutError);
    assert.match(late.message, /^emu was not idle within 300 ms; still busy: .*queue `welcomes`.*`welcome`.*; the clock stands still/);
    assert.match(late.busy[0].kind, /^(batches|queue)$/);
    const mail = await emu.waitForMail({ to: 'ada@example.com', subject: 'Welcome', timeout: 200 }).catch(message);
    assert.match(mail, /^no mail to ada@example.com with the subject Welcome came within 200 ms; the inbox is empty; still busy: .*`welcome`/);
    await emu.clock.advance('20s');
    await emu.waitForIdle();
    assert.equal((await emu.inbox()).length, 1);
  });

  it('finds mails, waits for them, and pulls links out', async () => {
    const [mail] = await Promise.all([emu.waitForMail({ to: 'ADA@example.com', subject: /^confirm/i }), signUp('ada@example.com')]);
    assert.deepEqual([mail.from, mail.to, mail.function], ['Club <club@example.com>', ['ada@example.com'], 'signUp']);
    assert.ok(mail.at instanceof Date && mail.text.startsWith('Hello!'));
    const link = 'https://club.example.com/confirm?email=ada%40example.com&code=1234';
    assert.deepEqual(mail.links(), ['https://club.example.com/', link]);
    assert.equal(mail.link('confirm'), link);
    assert.equal(mail.link(/code=\d+/), link);
    assert.throws(() => mail.link('unsubscribe'), /the mail `Confirm your address` has no link with unsubscribe; it has https:/);
    const welcome = await emu.waitForMail({ to: 'ada@example.com', after: mail });
    assert.equal(welcome.subject, 'Welcome');
    assert.throws(() => welcome.link(), /has no link; it has none/);
    assert.deepEqual((await emu.inbox({ subject: /welcome/i })).length, 1);
    assert.match(await emu.waitForMail({ to: 'bob@example.com', timeout: 50 }).catch(message), /the inbox has 2, the latest: .*`Welcome` to ada/);
    await emu.clearInbox();
    assert.deepEqual(await emu.inbox(), []);
  });

  it('reads links as they are written', () => {
    const html = '<A HREF=https://a.example/1>x</A> <a href=\'https://a.example/?x=1&#38;y=&quot;2&quot;\'>y</a> <a href="#top">z</a> <a data-href="no">';
    const mail = new Mail({ subject: '', html, text: 'See (https://b.example/path). Or <https://a.example/1>!', at: 0, to: [], cc: [], bcc: [] });
    assert.deepEqual(mail.links(), ['https://a.example/1', 'https://a.example/?x=1&y="2"', 'https://b.example/path']);
  });

  it('moves the clock for everything', async () => {
    const noon = new Date(Math.ceil(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2);
    const day = (n) => new Date(noon.getTime() + n * DAY_MS);
    const frozen = await emu.clock.freeze(noon);
    assert.deepEqual(frozen, { time: noon, frozen: true, aheadMs: null });
    assert.equal((await emu.invoke('echo')).payload.now, noon.toISOString());
    await emu.waitForIdle();
    await emu.clearInbox();
    assert.deepEqual((await emu.clock.advance('1d24h')).time, day(2));
    await emu.waitForIdle();
    const subjects = (await emu.inbox()).map(({ subject }) => subject);
    assert.deepEqual(subjects, [1, 2].map((n) => `News of ${day(n).toISOString().slice(0, 10)}`), 'each run at its time');
    assert.deepEqual((await emu.clock.advance(-DAY_MS)).time, day(1));
    assert.deepEqual(await emu.clock.now(), day(1));
    assert.deepEqual((await emu.clock.set(day(3).toISOString())).time, day(3));
    assert.equal((await emu.clock.resume()).frozen, false);
    assert.equal((await emu.clock.set('now')).aheadMs, 0);
    await assert.rejects(emu.clock.advance('1y'), /`1y` is no length of time; write 500ms, 90s/);
    await assert.rejects(emu.clock.set('noon'), /`noon` is no time/);
  });

  it('runs functions', async () => {
    const { payload, logs, requestId, trace } = await emu.invoke('echo', { a: [1, 'ü'] });
    assert.deepEqual(payload.event, { a: [1, 'ü'] });
    assert.deepEqual([logs.length, logs[0].level, logs[0].at instanceof Date], [1, 'WARN', true]);
    assert.match(requestId, /^[0-9a-f-]{36}$/);
    assert.equal((await emu.trace(trace)).trace, trace);
    const error = await emu.invoke('broken').catch((error) => error);
    assert.ok(error instanceof FunctionError && error instanceof EmuError);
    assert.deepEqual([error.kind, error.functionName], ['TypeError', 'broken']);
    assert.match(error.message, /^function `broken` failed with TypeError: it is broken\nIt logged:\n  INFO about to break/);
    await assert.rejects(emu.invoke('ehco'), { status: 404, message: 'there is no function `ehco`; did you mean `echo`?' });
    await emu.clock.freeze();
    const late = await emu.invoke('nap', { ms: 60_000 }, { timeout: 300 }).catch((error) => error);
    assert.ok(late instanceof EmuTimeoutError, String(late));
    assert.match(late.message, /^the invocation of `nap` took longer than 300 ms/);
  });

  it('tells what ran, with logs and costs', async () => {
    const trace = await signUp('ada@example.com');
    await emu.invoke('broken').catch(() => {});
    await emu.waitForIdle();
    const all = await emu.invocations();
    assert.deepEqual(all.map((one) => one.function).sort(), ['broken', 'signUp', 'welcome']);
    const [signedUp] = await emu.invocations({ function: 'signUp' });
    assert.deepEqual([signedUp.status, signedUp.error, signedUp.trigger, signedUp.trace], ['succeeded', null, 'POST /members', trace]);
    assert.deepEqual(signedUp.logs.map(({ text }) => text), ['signing up ada@example.com']);
    assert.equal(JSON.parse(signedUp.event.body).email, 'ada@example.com');
    assert.equal(signedUp.answer.statusCode, 201);
    assert.ok(signedUp.durationMs > 0 && signedUp.at instanceof Date && typeof signedUp.cold === 'boolean');
    // A request for the function, a write, a mail and a message, at least.
    assert.ok(signedUp.cost.provider === 'aws' && signedUp.cost.low > 100e-6 && signedUp.cost.high >= signedUp.cost.low, JSON.stringify(signedUp.cost));
    const [broken] = await emu.invocations({ function: 'broken' });
    assert.deepEqual([broken.status, broken.error.kind, broken.error.message], ['failed', 'TypeError', 'it is broken']);
    assert.match(broken.error.stack.join('\n'), /members\.js/);
    const traced = await emu.invocations({ trace });
    assert.deepEqual(traced.map((one) => one.function), ['signUp', 'welcome']);
    assert.equal((await emu.invocations({ limit: 1 })).length, 1);
    assert.notEqual((await emu.invocations({ function: 'signUp', provider: 'azure' }))[0].cost.low, signedUp.cost.low);
    await assert.rejects(emu.invocations({ function: 'signup' }), /did you mean `signUp`/);
    await assert.rejects(emu.invocations({ provider: 'aol' }), /there are aws, aws-arm/);
    await emu.reset();
    assert.deepEqual(await emu.invocations(), [], 'what ran before a reset is not told');
    assert.ok((await emu.invocations({ all: true })).length >= 3, 'unless it is asked for');
  });

  it('tells what could not be delivered', async () => {
    assert.deepEqual(await emu.deadLetters(), []);
    await invokeLater('broken', { n: 1 });
    await emu.waitForIdle();
    assert.deepEqual(await emu.deadLetters(), [], 'it is tried again first');
    await emu.clock.advance('10m');
    const [letter, ...more] = await emu.deadLetters();
    assert.deepEqual([letter.target, letter.attempts, letter.event, more], ['function:broken', 3, { n: 1 }, []]);
    assert.ok(letter.time instanceof Date);
  });

  it('says what to do where there is no emu, or none of that World', async () => {
    const none = createServer().listen(0);
    const { port } = none.address();
    await new Promise((resolve) => none.close(resolve));
    const gone = await connect({ url: `http://127.0.0.1:${port}` }).reset().catch((error) => error);
    assert.ok(gone instanceof EmuUnreachableError);
    assert.equal(gone.message, `emu does not answer at http://127.0.0.1:${port} (ECONNREFUSED): run your tests under \`emu exec -- COMMAND\``);
    await assert.rejects(connect({ url: EMU_URL }).health(), /is not emu's admin API; EMU_ADMIN_URL is the address of that/);
    await assert.rejects(connect({ url: 'localhost' }).health(), /`localhost` is no address/);
    const other = connect({ world: 'branch' });
    const calls = [() => other.health(), () => other.reset(), () => other.clock.now(), () => other.inbox(), () => other.invocations(),
      () => other.invoke('echo'), () => other.waitForIdle()];
    for (const call of calls) {
      await assert.rejects(call, { status: 404, message: 'there is no World `branch`; this emu has one, `default`: ask for that, or for none' });
    }
    assert.deepEqual((await connect({ world: 'default' }).health()).worlds, ['default']);
    const { EMU_ADMIN_URL } = process.env;
    delete process.env.EMU_ADMIN_URL;
    await assert.rejects(emu.health(), /^EmuUnreachableError: EMU_ADMIN_URL is not set, .* run your tests under `emu exec -- COMMAND`/);
    process.env.EMU_ADMIN_URL = EMU_ADMIN_URL;
  });

  it('asks again where a connection that was kept has ended, and only then', async () => {
    let asked = 0;
    const forgetful = createServer((request, response) => {
      asked += 1;
      if (asked === 2) return request.socket.destroy();
      response.setHeader('x-emu-world', 'default').end(JSON.stringify({ time: '2030-01-01T00:00:00.000Z', frozen: true, aheadMs: null }));
    }).listen(0);
    after(() => forgetful.close());
    const client = connect({ url: `http://127.0.0.1:${forgetful.address().port}` });
    await client.clock.now();
    await client.clock.now();
    assert.equal(asked, 3);
    asked = 1;
    const fresh = connect({ url: `http://127.0.0.1:${forgetful.address().port}` });
    await assert.rejects(fresh.clock.now(), /does not answer/);
    forgetful.closeAllConnections();
  });
});
