'use strict';

const { Emu } = require('./emu.cjs');
const { EmuError, EmuTimeoutError, EmuUnreachableError, FunctionError } = require('./errors.cjs');
const { Mail } = require('./mail.cjs');

/** A way to an emu: the one of `EMU_ADMIN_URL`, which `emu exec` sets, unless an address is given. */
const connect = (options) => new Emu(options);

/** The emu that runs the tests. */
const emu = connect();

module.exports = { connect, emu, Emu, Mail, EmuError, EmuTimeoutError, EmuUnreachableError, FunctionError };
