// Never run: the types of `require`.
import client = require('emu-client');

export const now: Promise<Date> = client.emu.clock.now();
export const error: Error = new client.EmuError('x');
