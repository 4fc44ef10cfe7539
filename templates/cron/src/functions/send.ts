import type { ScheduledEvent } from 'aws-lambda';
import { send } from '../lib/mail';
import * as reminders from '../lib/reminders';

/**
 * Sends what is due. A reminder is claimed before it is sent, so that two runs at once send it once; one whose mail fails is lost, and
 * logged. Where that is worse than a second mail, send first and mark it then.
 */
export const handler = async (event: Pick<ScheduledEvent, 'time'>): Promise<{ sent: number }> => {
  let sent = 0;
  // The time that this run was due, not the time that it is: a late run does the same as one in time.
  for await (const page of reminders.dueBefore('waiting', new Date(event.time))) {
    for (const { id, to, text } of page) {
      if (!(await reminders.markSent(id))) continue;
      try {
        await send(to, 'A reminder', text);
        sent++;
      } catch (error) {
        console.error(JSON.stringify({ event: 'reminder lost', id, reason: String(error) }));
      }
    }
  }
  if (sent > 0) console.log(JSON.stringify({ event: 'reminders sent', sent }));
  return { sent };
};
