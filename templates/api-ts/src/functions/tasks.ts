import { z } from 'zod';
import { body, HttpError, json, route, valid } from '../lib/http';
import * as tasks from '../lib/tasks';

const List = z.object({ list: z.string().regex(/^[a-z0-9-]{1,40}$/, 'must be 1 to 40 of a-z, 0-9 and -') });
const Item = List.extend({ id: z.string().min(1).max(64) });
const title = z.string().trim().min(1, 'must not be empty').max(200);
const due = z.string().date('must be a day such as 2030-01-31');
const NewTask = z.object({ title, due: due.optional() }).strict();
const TaskChange = z
  .object({ title, due, done: z.boolean() })
  .partial()
  .strict()
  .refine((change) => Object.keys(change).length > 0, 'must change something');
const PageQuery = z.object({ limit: z.coerce.number().int().min(1).max(100).default(20), after: z.string().min(1).max(64).optional() });

const missing = (): HttpError => new HttpError(404, 'There is no such task');

export const create = route(async (event) => {
  const { list } = valid(List, event.pathParameters);
  return json(201, await tasks.create(list, body(NewTask, event)));
});

export const list = route(async (event) => {
  const { list } = valid(List, event.pathParameters);
  const { limit, after } = valid(PageQuery, event.queryStringParameters ?? {});
  return json(200, await tasks.page(list, limit, after));
});

export const get = route(async (event) => {
  const { list, id } = valid(Item, event.pathParameters);
  const task = await tasks.find(list, id);
  if (!task) throw missing();
  return json(200, task);
});

export const update = route(async (event) => {
  const { list, id } = valid(Item, event.pathParameters);
  const task = await tasks.update(list, id, body(TaskChange, event));
  if (!task) throw missing();
  return json(200, task);
});

export const remove = route(async (event) => {
  const { list, id } = valid(Item, event.pathParameters);
  if (!(await tasks.remove(list, id))) throw missing();
  return { statusCode: 204 };
});
