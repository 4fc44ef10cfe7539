import client from './index.cjs';

export const { connect, emu, Emu, Mail, EmuError, EmuTimeoutError, EmuUnreachableError, FunctionError } = client;
