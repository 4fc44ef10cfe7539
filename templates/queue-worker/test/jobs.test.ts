// Drives the queue from outside: HTTP, the genuine AWS SDK, and emu's clock. Run it with: emu exec -- npm test
import { GetQueueAttributesCommand, GetQueueUrlCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Job } from '../src/lib/jobs';

const { EMU_URL = '', EMU_ADMIN_URL = '', npm_package_name: service = '' } = process.env;
const sqs = new SQSClient({});

async function submit(job: unknown): Promise<{ status: number; id: string }> {
  const response = await fetch(`${EMU_URL}/jobs`, { method: 'POST', body: JSON.stringify(job) });
  return { status: response.status, id: ((await response.json()) as { id: string }).id };
}

const read = async (id: string): Promise<Job> => (await fetch(`${EMU_URL}/jobs/${id}`)).json() as Promise<Job>;

/** Waits until everything that was sent has been worked on. */
async function idle(): Promise<void> {
  assert.equal((await fetch(`${EMU_ADMIN_URL}/emu/v1/idle`, { method: 'POST' })).status, 200);
}

/** Moves emu's clock, so that nobody waits for a visibility timeout. */
async function advance(seconds: number): Promise<void> {
  const body = JSON.stringify({ ms: seconds * 1000 });
  assert.equal((await fetch(`${EMU_ADMIN_URL}/emu/v1/clock/advance`, { method: 'POST', body })).status, 200);
}

async function queueUrl(name: string): Promise<string> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: `${service}-dev-${name}` }));
  return QueueUrl ?? '';
}

async function dead(): Promise<number> {
  const AttributeNames = ['ApproximateNumberOfMessages' as const];
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: await queueUrl('jobs-dead'), AttributeNames }));
  return Number(Attributes?.ApproximateNumberOfMessages);
}

describe('jobs', () => {
  before(() => assert.ok(EMU_URL && service, 'run this under emu: `emu exec -- npm test`'));

  it('are done in the background', async () => {
    const { status, id } = await submit({ template: 'Hello {{ name }}, {{name}}!', values: { name: 'Ada' } });
    assert.equal(status, 202);
    await idle();
    const job = await read(id);
    assert.deepEqual([job.status, job.result], ['done', 'Hello Ada, Ada!']);
  });

  it('are done once, however often a message arrives', async () => {
    const { id } = await submit({ template: 'once' });
    await idle();
    const { doneAt } = await read(id);
    await advance(1);
    await sqs.send(new SendMessageCommand({ QueueUrl: await queueUrl('jobs'), MessageBody: JSON.stringify({ id }) }));
    await idle();
    assert.equal((await read(id)).doneAt, doneAt);
    assert.equal(await dead(), 0);
  });

  it('that fail are tried three times, then set aside, and hold nobody up', async () => {
    const broken = await submit({ template: 'Hello {{name}}' });
    const fine = await submit({ template: 'fine' });
    for (let tries = 0; tries < 4; tries++) {
      await idle();
      await advance(61);
    }
    await idle();
    assert.equal((await read(fine.id)).status, 'done');
    const job = await read(broken.id);
    assert.deepEqual([job.status, job.error], ['waiting', 'there is no value for name']);
    assert.equal(await dead(), 1);
  });

  it('are refused where they make no sense', async () => {
    assert.equal((await submit({ template: '' })).status, 400);
    assert.equal((await submit({ template: 'x', values: { n: 1 } })).status, 400);
    assert.equal((await fetch(`${EMU_URL}/jobs/none`)).status, 404);
  });
});
