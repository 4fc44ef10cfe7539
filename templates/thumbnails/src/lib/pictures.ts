import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { randomUUID } from 'node:crypto';

export interface Thumbnail {
  name: string;
  key: string;
  width: number;
  height: number;
  bytes: number;
}

export interface Picture {
  id: string;
  status: 'waiting' | 'ready' | 'refused';
  createdAt: string;
  /** Of the upload, as it is seen: upright. */
  width?: number;
  height?: number;
  format?: string;
  thumbnails?: Thumbnail[];
  /** Why it was refused. */
  reason?: string;
}

// Made once for all invocations of an instance.
const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const TableName = process.env.PICTURES_TABLE;

export const uploadKey = (id: string): string => `uploads/${id}`;
export const idOf = (key: string): string => key.slice('uploads/'.length);

export async function create(): Promise<Picture> {
  const picture: Picture = { id: randomUUID(), status: 'waiting', createdAt: new Date().toISOString() };
  await db.send(new PutCommand({ TableName, Item: picture, ConditionExpression: 'attribute_not_exists(id)' }));
  return picture;
}

export async function find(id: string): Promise<Picture | undefined> {
  const { Item } = await db.send(new GetCommand({ TableName, Key: { id }, ConsistentRead: true }));
  return Item as Picture | undefined;
}

/** Records what became of an upload; an upload that nobody announced has its record made now. */
export async function record(id: string, facts: Omit<Picture, 'id' | 'createdAt'>): Promise<void> {
  const entries = Object.entries({ createdAt: new Date().toISOString(), ...facts });
  await db.send(
    new UpdateCommand({
      TableName,
      Key: { id },
      UpdateExpression: `SET ${entries.map(([name]) => (name === 'createdAt' ? '#createdAt = if_not_exists(#createdAt, :createdAt)' : `#${name} = :${name}`)).join(', ')}`,
      ExpressionAttributeNames: Object.fromEntries(entries.map(([name]) => [`#${name}`, name])),
      ExpressionAttributeValues: Object.fromEntries(entries.map(([name, value]) => [`:${name}`, value])),
    }),
  );
}
