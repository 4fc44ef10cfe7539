import type { ScheduledEvent } from 'aws-lambda';
import * as reminders from '../lib/reminders';

const KEPT_DAYS = 30;

/** Deletes reminders that were sent long ago. */
export const handler = async (event: Pick<ScheduledEvent, 'time'>): Promise<{ deleted: number }> => {
  const before = new Date(Date.parse(event.time) - KEPT_DAYS * 86_400_000);
  let deleted = 0;
  for await (const page of reminders.dueBefore('sent', before)) {
    await Promise.all(page.map(({ id }) => reminders.remove(id)));
    deleted += page.length;
  }
  return { deleted };
};
