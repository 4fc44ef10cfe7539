import { EmuTimeoutError, emu } from 'emu-client';
import type { Invocation } from 'emu-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const signUp = (email: string) => fetch(`${process.env.EMU_URL}/members`, { method: 'POST', body: JSON.stringify({ email }) });

describe('emu-client under vitest', () => {
  beforeEach(() => emu.reset());
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('sees a sign-up through', async () => {
    expect((await signUp('ada@example.com')).status).toBe(201);
    const mail = await emu.waitForMail({ to: 'ada@example.com', subject: 'Confirm' });
    expect(mail.link(/confirm/)).toContain('code=1234');
    await emu.waitForIdle();
    const invocations: Invocation[] = await emu.invocations();
    expect(invocations.map((one) => [one.function, one.status])).toEqual([['signUp', 'succeeded'], ['welcome', 'succeeded']]);
  });

  it('has its own sense of time and its own way to emu', async () => {
    vi.useFakeTimers({ now: 0 });
    vi.stubGlobal('fetch', () => Promise.reject(new Error('not to be used')));
    await emu.clock.advance('1d');
    await expect(emu.waitForMail({ to: 'nobody@example.com', timeout: 50 })).rejects.toBeInstanceOf(EmuTimeoutError);
    expect((await emu.inbox({ to: 'all@example.com' })).length).toBe(1);
  });
});
