import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, paginateQuery, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { randomUUID } from 'node:crypto';

type Status = 'waiting' | 'sent';

export interface Reminder {
  id: string;
  status: Status;
  to: string;
  text: string;
  /** When it is due, as an ISO date in UTC: these sort by time. */
  at: string;
}

// Made once for all invocations of an instance.
const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const TableName = process.env.REMINDERS_TABLE;

export async function create(input: Pick<Reminder, 'to' | 'text' | 'at'>): Promise<Reminder> {
  const reminder: Reminder = { id: randomUUID(), status: 'waiting', ...input };
  await db.send(new PutCommand({ TableName, Item: reminder, ConditionExpression: 'attribute_not_exists(id)' }));
  return reminder;
}

/** Those of a status that are due before a time, page by page, the oldest first. */
export async function* dueBefore(status: Status, time: Date): AsyncGenerator<Reminder[]> {
  const pages = paginateQuery(
    { client: db },
    {
      TableName,
      IndexName: 'byStatus',
      KeyConditionExpression: '#status = :status AND #at < :time',
      ExpressionAttributeNames: { '#status': 'status', '#at': 'at' },
      ExpressionAttributeValues: { ':status': status, ':time': time.toISOString() },
    },
  );
  for await (const page of pages) yield (page.Items ?? []) as Reminder[];
}

/** Marks it as sent; false where that was done before. */
export async function markSent(id: string): Promise<boolean> {
  try {
    await db.send(
      new UpdateCommand({
        TableName,
        Key: { id },
        UpdateExpression: 'SET #status = :sent',
        ConditionExpression: '#status = :waiting',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':sent': 'sent', ':waiting': 'waiting' },
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

export async function remove(id: string): Promise<void> {
  await db.send(new DeleteCommand({ TableName, Key: { id } }));
}
