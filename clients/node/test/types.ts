// Never run: what a user writes has the right types, and what is wrong is refused.
import { EmuTimeoutError, FunctionError, connect, emu } from 'emu-client';
import type { ClockState, DeadLetter, Emu, Invocation, Mail, Snapshot } from 'emu-client';

export async function right(): Promise<void> {
  const other: Emu = connect({ url: 'http://127.0.0.1:4400', world: 'default', timeout: 1_000 });
  const saved: Snapshot = await other.snapshot();
  await other.restore(saved);
  await emu.restore('before');
  await emu.reset('mail');
  const clock: ClockState = await emu.clock.advance('25h', { timeout: 1_000 });
  const later: Date = clock.time;
  await emu.clock.freeze(later);
  await emu.clock.set('now');
  const mail: Mail = await emu.waitForMail({ to: 'a@example.com', subject: /x/, after: 'id', timeout: 5 });
  const link: string = mail.link(/x/);
  const [first]: (Mail | undefined)[] = await emu.inbox({ subject: link });
  const html: string | null | undefined = first?.html;
  const invocations: Invocation[] = await emu.invocations({ function: html ?? 'f', provider: 'aws-arm' });
  const cost: number | undefined = invocations[0]?.cost?.high;
  const letters: DeadLetter[] = await emu.deadLetters();
  const { payload } = await emu.invoke<{ n: number }>('f', { cost, letters });
  payload.n.toFixed();
  try {
    await emu.waitForIdle({ timeout: 5 });
  } catch (error) {
    if (error instanceof EmuTimeoutError) error.busy[0]?.text.trim();
    if (error instanceof FunctionError) error.logs[0]?.level.trim();
  }
}

export async function wrong(): Promise<void> {
  // @ts-expect-error a length of time is text or milliseconds
  await emu.clock.advance({ hours: 1 });
  // @ts-expect-error there is no such option
  await emu.waitForIdle({ timeOut: 5 });
  // @ts-expect-error there is no such provider
  await emu.invocations({ provider: 'aol' });
  // @ts-expect-error a mail's subject is text
  (await emu.inbox())[0]?.subject.getTime();
  // @ts-expect-error what a function answers is not known unless it is said
  (await emu.invoke('f')).payload.n;
}
