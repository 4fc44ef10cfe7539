import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { body, HttpError, json, route } from '../lib/http';
import * as jobs from '../lib/jobs';

const NewJob = z.object({ template: z.string().min(1).max(10_000), values: z.record(z.string().max(1_000)).default({}) }).strict();

const sqs = new SQSClient({});

export const submit = route(async (event) => {
  const job = await jobs.create(body(NewJob, event));
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.JOBS_QUEUE_URL, MessageBody: JSON.stringify({ id: job.id }) }));
  return json(202, { id: job.id, status: job.status });
});

export const status = route(async (event) => {
  const job = await jobs.find(event.pathParameters?.id ?? '');
  if (!job) throw new HttpError(404, 'There is no such job');
  return json(200, job);
});
