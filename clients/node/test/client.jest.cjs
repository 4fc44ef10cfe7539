const { emu } = require('emu-client');

const signUp = (email) => fetch(`${process.env.EMU_URL}/members`, { method: 'POST', body: JSON.stringify({ email }) });

describe('emu-client under jest', () => {
  beforeEach(() => emu.reset());
  afterEach(() => jest.useRealTimers());

  test('sees a sign-up through', async () => {
    expect((await signUp('ada@example.com')).status).toBe(201);
    await emu.waitForIdle();
    const mail = await emu.waitForMail({ to: 'ada@example.com', subject: /confirm/i });
    expect(mail.link('confirm')).toContain('code=1234');
    expect((await emu.invocations({ function: 'welcome' })).map(({ status }) => status)).toEqual(['succeeded']);
  });

  test('has its own sense of time', async () => {
    jest.useFakeTimers({ now: 0 });
    await emu.clock.advance('1d');
    expect((await emu.inbox({ to: 'all@example.com' })).length).toBe(1);
    await expect(emu.waitForMail({ to: 'nobody@example.com', timeout: 50 })).rejects.toThrow('no mail to nobody@example.com came within 50 ms');
  });
});
