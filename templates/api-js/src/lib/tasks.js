import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { randomBytes } from 'node:crypto';

/** @typedef {{ list: string, id: string, title: string, done: boolean, due?: string, createdAt: string }} Task */

// Made once for all invocations of an instance.
const db = DynamoDBDocumentClient.from(new DynamoDBClient({}), { marshallOptions: { removeUndefinedValues: true } });
const TableName = process.env.TASKS_TABLE;

/** Identifiers that sort by time, so that a list is read in the order in which it was written. */
const newId = (now) => now.getTime().toString(36).padStart(9, '0') + randomBytes(8).toString('hex');

/** @returns {Promise<Task>} */
export async function create(list, { title, due }) {
  const now = new Date();
  const task = { list, id: newId(now), title, done: false, due, createdAt: now.toISOString() };
  await db.send(new PutCommand({ TableName, Item: task, ConditionExpression: 'attribute_not_exists(id)' }));
  return task;
}

/** @returns {Promise<Task | undefined>} */
export async function find(list, id) {
  const { Item } = await db.send(new GetCommand({ TableName, Key: { list, id } }));
  return Item;
}

/**
 * A page of a list; `next` is the last task's id, where there are more.
 * @returns {Promise<{ tasks: Task[], next?: string }>}
 */
export async function page(list, limit, after) {
  const { Items, LastEvaluatedKey } = await db.send(
    new QueryCommand({
      TableName,
      KeyConditionExpression: '#list = :list',
      ExpressionAttributeNames: { '#list': 'list' },
      ExpressionAttributeValues: { ':list': list },
      Limit: limit,
      ExclusiveStartKey: after === undefined ? undefined : { list, id: after },
    }),
  );
  return { tasks: Items, next: LastEvaluatedKey?.id };
}

/**
 * Changes what is given; undefined where there is no such task.
 * @returns {Promise<Task | undefined>}
 */
export async function update(list, id, change) {
  const fields = Object.entries(change);
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
    return Attributes;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

/** Whether there was such a task. */
export async function remove(list, id) {
  const { Attributes } = await db.send(new DeleteCommand({ TableName, Key: { list, id }, ReturnValues: 'ALL_OLD' }));
  return Attributes !== undefined;
}
