import { z } from 'zod';
import { body, json, route } from '../lib/http';
import * as reminders from '../lib/reminders';

const NewReminder = z
  .object({
    to: z.string().email('must be an e-mail address'),
    text: z.string().trim().min(1, 'must not be empty').max(2_000),
    at: z
      .string()
      .datetime({ offset: true, message: 'must be a time such as 2030-01-31T09:00:00Z' })
      .transform((time) => new Date(time).toISOString()),
  })
  .strict();

export const handler = route(async (event) => {
  const { id, at } = await reminders.create(body(NewReminder, event));
  return json(201, { id, at });
});
