'use strict';

/** Whatever emu refuses. Its message says what happened and what to do. */
class EmuError extends Error {
  /** @param {string} message @param {{status?: number, cause?: unknown}} [more] */
  constructor(message, { status, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.status = status;
  }
}

/** No emu answers. */
class EmuUnreachableError extends EmuError {}

/** Something did not happen in time; `busy` is what was still being done. */
class EmuTimeoutError extends EmuError {
  constructor(message, busy = []) {
    super(message);
    this.busy = busy;
  }
}

/** A function that was invoked failed. */
class FunctionError extends EmuError {
  constructor(name, { error, payload, logs, requestId, trace }) {
    const lines = logs.map((line) => `\n  ${line.level} ${line.text}`).join('');
    super(`function \`${name}\` failed with ${error.kind}: ${error.message}${lines && `\nIt logged:${lines}`}`);
    this.functionName = name;
    this.kind = error.kind;
    this.payload = payload;
    this.logs = logs;
    this.requestId = requestId;
    this.trace = trace;
  }
}

module.exports = { EmuError, EmuUnreachableError, EmuTimeoutError, FunctionError };
