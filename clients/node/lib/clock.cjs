'use strict';

const { EmuError } = require('./errors.cjs');

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `25h`, `1d12h`, `-90s` or a number, in milliseconds. */
function milliseconds(length) {
  if (Number.isSafeInteger(length)) return length;
  const [, sign, parts] = /^(-?)((?:\d+(?:ms|min|[smhdw]))+)$/.exec(String(length)) ?? [];
  if (parts === undefined) {
    throw new EmuError(`\`${length}\` is no length of time; write 500ms, 90s, 10m, 25h, 2d, 1w, several of them as 1d12h, or milliseconds`);
  }
  const sum = [...parts.matchAll(/(\d+)(ms|min|[smhdw])/g)].reduce((ms, [, amount, unit]) => ms + Number(amount) * UNITS_MS[unit], 0);
  return sign ? -sum : sum;
}

/** A time as emu reads it: a date, ISO 8601, or `now` for the machine's. */
function instant(time) {
  if (time === 'now') return time;
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) throw new EmuError(`\`${time}\` is no time; write a Date, 2026-01-31T12:00:00Z or now`);
  return date.toISOString();
}

/** One clock for everything in emu: schedules, expiries, retries, delays, `Date.now()` and timers in functions. */
class Clock {
  #ask;

  constructor(ask) {
    this.#ask = ask;
  }

  /** The time in emu. */
  async now() {
    return (await this.state()).time;
  }

  /** The time, whether it stands still, and how far it is ahead of the machine's. */
  state() {
    return this.#change('GET', 'clock', 'reading the clock');
  }

  /** Moves on through every time at which something is due, in order, and is there once all of that is done. */
  async advance(length, { timeout } = {}) {
    return this.#change('POST', 'clock/advance', 'advancing the clock', { ms: milliseconds(length) }, timeout);
  }

  /** As `advance`, to a time; back to an earlier one it jumps. */
  async set(time, { timeout } = {}) {
    return this.#change('POST', 'clock/set', 'setting the clock', { time: instant(time) }, timeout);
  }

  /** Stops the clock, at a time if one is given. */
  async freeze(at) {
    const frozen = await this.#change('POST', 'clock/freeze', 'freezing the clock');
    return at === undefined ? frozen : this.set(at);
  }

  /** Lets a clock that was stopped run on. */
  resume() {
    return this.#change('POST', 'clock/resume', 'resuming the clock');
  }

  async #change(method, path, doing, body, timeout) {
    const { time, frozen, aheadMs } = await this.#ask(method, path, { body, doing, timeout });
    return { time: new Date(time), frozen, aheadMs };
  }
}

module.exports = { Clock, milliseconds };
