import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { z } from 'zod';
import * as jobs from '../lib/jobs';
import { render } from '../lib/render';

const Message = z.object({ id: z.string() });

/** Does the job that a message names. A queue may deliver a message twice: the second time there is nothing to do. */
async function work(record: SQSRecord): Promise<void> {
  const { id } = Message.parse(JSON.parse(record.body));
  const job = await jobs.find(id);
  if (!job) throw new Error(`there is no job ${id}`);
  if (job.status === 'done') return;
  try {
    const first = await jobs.finish(id, render(job.template, job.values));
    if (first) console.log(JSON.stringify({ event: 'job done', id }));
  } catch (error) {
    await jobs.note(id, error instanceof Error ? error.message : String(error));
    throw error;
  }
}

/** Only the messages that failed are delivered again; after three times they go to the dead-letter queue. */
export const handler = async (event: SQSEvent): Promise<SQSBatchResponse> => {
  const results = await Promise.allSettled(event.Records.map(work));
  const batchItemFailures = event.Records.flatMap((record, index) => {
    const result = results[index];
    if (result?.status !== 'rejected') return [];
    console.error(JSON.stringify({ event: 'job failed', messageId: record.messageId, reason: String(result.reason) }));
    return [{ itemIdentifier: record.messageId }];
  });
  return { batchItemFailures };
};
