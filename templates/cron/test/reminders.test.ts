// Drives the schedules from outside, by emu's clock: nobody waits. Run it with: emu exec -- npm test
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

const { EMU_URL = '', EMU_ADMIN_URL = '', AWS_ENDPOINT_URL = '', npm_package_name: service = '' } = process.env;
const MINUTE_MS = 60_000;
const lambda = new LambdaClient({});

interface Mail {
  Subject: string;
  Destination: { ToAddresses: string[] };
  Body: { text_part: string };
}

const add = (reminder: unknown): Promise<Response> => fetch(`${EMU_URL}/reminders`, { method: 'POST', body: JSON.stringify(reminder) });

/** The mails that emu kept in place of sending them. */
async function mailsTo(address: string): Promise<Mail[]> {
  const { messages } = (await (await fetch(`${AWS_ENDPOINT_URL}/_aws/ses`)).json()) as { messages: Mail[] };
  return messages.filter((mail) => mail.Destination.ToAddresses.includes(address));
}

/** Moves emu's clock; every schedule that becomes due meanwhile runs. Then waits until all of it is done. */
async function advance(ms: number): Promise<void> {
  for (const [path, body] of [['clock/advance', JSON.stringify({ ms })], ['idle', '']] as const) {
    assert.equal((await fetch(`${EMU_ADMIN_URL}/emu/v1/${path}`, { method: 'POST', body })).status, 200);
  }
}

async function invoke(name: string, event: unknown): Promise<unknown> {
  const { Payload, FunctionError } = await lambda.send(
    new InvokeCommand({ FunctionName: `${service}-dev-${name}`, Payload: JSON.stringify(event) }),
  );
  const answer = Buffer.from(Payload ?? []).toString();
  assert.equal(FunctionError, undefined, answer);
  return JSON.parse(answer);
}

describe('reminders', () => {
  before(() => assert.ok(EMU_URL && service, 'run this under emu: `emu exec -- npm test`'));

  it('are sent when they are due, once', async () => {
    const at = new Date(Date.now() + 10 * MINUTE_MS).toISOString();
    const added = await add({ to: 'ada@example.com', text: 'Water the plants', at });
    assert.equal(added.status, 201);
    await advance(5 * MINUTE_MS);
    assert.deepEqual(await mailsTo('ada@example.com'), []);
    await advance(10 * MINUTE_MS);
    const [mail, ...more] = await mailsTo('ada@example.com');
    assert.deepEqual([mail?.Subject, mail?.Body.text_part, more], ['A reminder', 'Water the plants', []]);
  });

  it('are deleted a month later', async () => {
    const month = 31 * 24 * 60 * MINUTE_MS;
    assert.deepEqual(await invoke('cleanUp', { time: new Date().toISOString() }), { deleted: 0 });
    assert.deepEqual(await invoke('cleanUp', { time: new Date(Date.now() + month).toISOString() }), { deleted: 1 });
    assert.deepEqual(await invoke('cleanUp', { time: new Date(Date.now() + month).toISOString() }), { deleted: 0 });
  });

  it('are refused with every reason at once', async () => {
    const answer = await add({ to: 'nobody', text: ' ', at: 'tomorrow' });
    assert.equal(answer.status, 400);
    assert.deepEqual(((await answer.json()) as { reasons: string[] }).reasons, [
      'to: must be an e-mail address',
      'text: must not be empty',
      'at: must be a time such as 2030-01-31T09:00:00Z',
    ]);
  });
});
