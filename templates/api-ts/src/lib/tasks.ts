import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { randomBytes } from 'node:crypto';

export interface Task {
  list: string;
  id: string;
  title: string;
  done: boolean;
  due?: string;
  createdAt: string;
}

export type NewTask = Pick<Task, 'title' | 'due'>;
export type TaskChange = Partial<Pick<Task, 'title' | 'done' | 'due'>>;

export interface Page {
  tasks: Task[];
  /** The last task's id, where there are more. */
  next?: string;
}

// Made once for all invocations of an instance.
const db = DynamoDBDocumentClient.from(new DynamoDBClient({}), { marshallOptions: { removeUndefinedValues: true } });
const TableName = process.env.TASKS_TABLE;

/** Identifiers that sort by time, so that a list is read in the order in which it was written. */
const newId = (now: Date): string => now.getTime().toString(36).padStart(9, '0') + randomBytes(8).toString('hex');

export async function create(list: string, input: NewTask): Promise<Task> {
  const now = new Date();
  const task: Task = { list, id: newId(now), title: input.title, done: false, due: input.due, createdAt: now.toISOString() };
  await db.send(new PutCommand({ TableName, Item: task, ConditionExpression: 'attribute_not_exists(id)' }));
  return task;
}

export async function find(list: string, id: string): Promise<Task | undefined> {
  const { Item } = await db.send(new GetCommand({ TableName, Key: { list, id } }));
  return Item as Task | undefined;
}

export async function page(list: string, limit: number, after?: string): Promise<Page> {
  const { Items = [], LastEvaluatedKey } = await db.send(
    new QueryCommand({
      TableName,
      KeyConditionExpression: '#list = :list',
      ExpressionAttributeNames: { '#list': 'list' },
      ExpressionAttributeValues: { ':list': list },
      Limit: limit,
      ExclusiveStartKey: after === undefined ? undefined : { list, id: after },
    }),
  );
  return { tasks: Items as Task[], next: LastEvaluatedKey?.id as string | undefined };
}

/** Changes what is given; undefined where there is no such task. */
export async function update(list: string, id: string, change: TaskChange): Promise<Task | undefined> {
  const fields = Object.entries(change).filter(([, value]) => value !== undefined);
  try {
    const { Attributes } = await db.send(
      new UpdateCommand({
        TableName,
        Key: { list, id },
        UpdateExpression: `SET ${fields.map(([name]) => `#${name} = :${name}`).join(', ')}`,
        ConditionExpression: 'attribute_exists(id)',
        ExpressionAttributeNames: Object.fromEntries(fields.map(([name]) => [`#${name}`, name])),
        ExpressionAttributeValues: Object.fromEntries(fields.map(([name, value]) => [`:${name}`, value])),
        ReturnValues: 'ALL_NEW',
      }),
    );
    return Attributes as Task;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

/** Whether there was such a task. */
export async function remove(list: string, id: string): Promise<boolean> {
  const { Attributes } = await db.send(new DeleteCommand({ TableName, Key: { list, id }, ReturnValues: 'ALL_OLD' }));
  return Attributes !== undefined;
}
