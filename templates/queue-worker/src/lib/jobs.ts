import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { randomUUID } from 'node:crypto';

export interface Job {
  id: string;
  status: 'waiting' | 'done';
  template: string;
  values: Record<string, string>;
  result?: string;
  /** Why the last try failed. */
  error?: string;
  submittedAt: string;
  doneAt?: string;
}

export type NewJob = Pick<Job, 'template' | 'values'>;

// Made once for all invocations of an instance.
const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const TableName = process.env.JOBS_TABLE;

export async function create(input: NewJob): Promise<Job> {
  const job: Job = { id: randomUUID(), status: 'waiting', ...input, submittedAt: new Date().toISOString() };
  await db.send(new PutCommand({ TableName, Item: job, ConditionExpression: 'attribute_not_exists(id)' }));
  return job;
}

export async function find(id: string): Promise<Job | undefined> {
  // Read consistently: the worker may be quicker than the table's copies.
  const { Item } = await db.send(new GetCommand({ TableName, Key: { id }, ConsistentRead: true }));
  return Item as Job | undefined;
}

/** Stores the result, once; false where another delivery of the same message was quicker. */
export async function finish(id: string, result: string): Promise<boolean> {
  try {
    await db.send(
      new UpdateCommand({
        TableName,
        Key: { id },
        UpdateExpression: 'SET #status = :done, #result = :result, doneAt = :now REMOVE #error',
        ConditionExpression: '#status = :waiting',
        ExpressionAttributeNames: { '#status': 'status', '#result': 'result', '#error': 'error' },
        ExpressionAttributeValues: { ':done': 'done', ':waiting': 'waiting', ':result': result, ':now': new Date().toISOString() },
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

/** Notes why a try failed. */
export async function note(id: string, error: string): Promise<void> {
  await db.send(
    new UpdateCommand({
      TableName,
      Key: { id },
      UpdateExpression: 'SET #error = :error',
      ConditionExpression: 'attribute_exists(id)',
      ExpressionAttributeNames: { '#error': 'error' },
      ExpressionAttributeValues: { ':error': error },
    }),
  );
}
