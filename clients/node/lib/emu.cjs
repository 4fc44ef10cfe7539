'use strict';

const { resolve } = require('node:path');
const { Clock } = require('./clock.cjs');
const { Connection, elapsed, still } = require('./connection.cjs');
const { EmuTimeoutError, FunctionError } = require('./errors.cjs');
const { Mail, fits, told } = require('./mail.cjs');

/** How long to wait unless told otherwise, in ms: for what is quick, and for a clock that walks through a month. */
const TIMEOUT_MS = 10_000;
const CLOCK_TIMEOUT_MS = 60_000;
/** Mails that are named where the one that is waited for does not come. */
const NAMED_MAX = 5;

/** A running emu, as tests see it. */
class Emu {
  #connection;
  #timeout;

  constructor({ url, world, timeout = TIMEOUT_MS } = {}) {
    this.#connection = new Connection(url, world);
    this.#timeout = timeout;
    const clockTimeout = Math.max(timeout, CLOCK_TIMEOUT_MS);
    this.clock = new Clock((method, path, more) => this.#ask(method, path, { ...more, timeout: more.timeout ?? clockTimeout }));
  }

  /** Where the admin API is asked. */
  get url() {
    return this.#connection.url;
  }

  /** Addresses, functions, and how much is pending. */
  health() {
    return this.#ask('GET', 'health', { doing: 'asking how emu is' });
  }

  /** Back to what a new start begins with: resources, seed, the machine's time. Or that for one service only. */
  async reset(service) {
    await this.#ask('POST', 'state/reset', { body: service === undefined ? {} : { service }, doing: 'the reset' });
  }

  /** Saves the state, to go back to with `restore`; under a name of its own unless one is given. */
  async snapshot(name, { replace = false } = {}) {
    const chosen = name ?? `test-${Math.random().toString(36).slice(2, 10)}`;
    return moment(await this.#ask('POST', 'state/snapshot', { body: { name: chosen, force: replace }, doing: 'the snapshot' }));
  }

  /** Puts a saved state, and its clock, in the place of the present one. */
  async restore(snapshot) {
    const name = typeof snapshot === 'string' ? snapshot : snapshot.name;
    return moment(await this.#ask('POST', 'state/restore', { body: { name }, doing: 'the restore' }));
  }

  /** The saved states. */
  async snapshots() {
    return (await this.#ask('GET', 'state', { doing: 'listing the snapshots' })).snapshots.map(moment);
  }

  /** Writes the state as text files. */
  async exportState(dir, { replace = false } = {}) {
    await this.#ask('POST', 'state/export', { body: { dir: resolve(dir), force: replace }, doing: 'the export' });
  }

  /** Puts the state of an export in the place of the present one. */
  async importState(dir, { triggers = true } = {}) {
    await this.#ask('POST', 'state/import', { body: { dir: resolve(dir), triggers }, doing: 'the import' });
  }

  /** Waits until every event that was committed has been delivered, with all that it led to. */
  async waitForIdle({ timeout = this.#timeout } = {}) {
    await this.#ask('POST', 'idle', { body: { timeoutMs: timeout }, timeout, doing: 'idle', waits: true });
  }

  /** The mails that were sent, oldest first: all, or those to or from an address, with a subject, after another mail. */
  async inbox({ to, from, subject, after } = {}) {
    const mails = await this.#mails({ to, from, subject, after }, 0);
    return mails.filter((mail) => !(subject instanceof RegExp) || fits(subject, mail.subject));
  }

  /** The latest such mail; waits for one where there is none. */
  async waitForMail({ to, from, subject, after, timeout = this.#timeout } = {}) {
    const until = elapsed() + timeout;
    let last = after;
    for (;;) {
      const mails = await this.#mails({ to, from, subject, after: last }, Math.max(until - elapsed(), 0));
      const found = mails.filter((mail) => !(subject instanceof RegExp) || fits(subject, mail.subject)).pop();
      if (found) return found;
      if (mails.length === 0) throw await this.#noMail({ to, from, subject, after }, timeout);
      last = mails[mails.length - 1];
    }
  }

  /** Empties the inbox. */
  async clearInbox() {
    await this.#ask('DELETE', 'mails', { doing: 'emptying the inbox' });
  }

  /** The pushes that were sent, oldest first: all, or those to a token or a topic, with a title, after another push. */
  pushes({ token, topic, title, after } = {}) {
    return this.#pushes({ token, topic, title, after }, 0);
  }

  /** The latest such push; waits for one where there is none. */
  async waitForPush({ token, topic, title, after, timeout = this.#timeout } = {}) {
    const found = await this.#pushes({ token, topic, title, after }, timeout);
    if (found.length > 0) return found.pop();
    const wanted = [token && `to the token ${token}`, topic && `to the topic ${topic}`, title && `with the title ${title}`].filter(Boolean);
    const there = await this.pushes();
    const named = there.slice(-NAMED_MAX).map((push) => `\`${push.title ?? ''}\` to ${Object.values(push.target)[0]}`).join('; ');
    const inbox = there.length === 0 ? 'there is none' : `there are ${there.length}, the latest: ${named}`;
    const busy = await this.#connection.busy();
    const which = wanted.length > 0 ? ` ${wanted.join(' ')}` : '';
    throw new EmuTimeoutError(`no push${which} came within ${timeout} ms; ${inbox}${still(busy)}`, busy);
  }

  /** Forgets the pushes that were sent. */
  async clearPushes() {
    await this.#ask('DELETE', 'pushes', { doing: 'forgetting the pushes' });
  }

  /** Says what becomes of pushes to a device's token: it is registered, unregistered, or another project's. */
  async setPushToken(token, { state = 'registered', platform } = {}) {
    const path = `push-tokens/${encodeURIComponent(token)}`;
    await this.#ask('PUT', path, { body: { state, platform }, doing: 'changing a token' });
  }

  /** The tokens that are known, with their topics. */
  async pushTokens() {
    return (await this.#ask('GET', 'push-tokens', { doing: 'listing the tokens' })).tokens;
  }

  /** What ran since the last reset, restore or import (`all`: before it too), in the order in which it began. */
  async invocations({ function: name, trace, limit, all, provider } = {}) {
    const query = { function: name, trace, limit, all, provider };
    const { invocations } = await this.#ask('GET', 'invocations', { query, doing: 'reading the invocations' });
    return invocations.map(({ at, logs, ...more }) => ({ ...more, at: new Date(at), logs: logs.map(line) }));
  }

  /** What could not be delivered, newest first. */
  async deadLetters() {
    const { deadLetters } = await this.#ask('GET', 'dead-letters', { doing: 'reading the dead letters' });
    return deadLetters.map(({ time, ...more }) => ({ ...more, time: new Date(time) }));
  }

  /** Runs a function once; fails with a `FunctionError` where it does. */
  async invoke(name, event = {}, { timeout = this.#timeout } = {}) {
    const path = `functions/${encodeURIComponent(name)}/invocations`;
    const more = { body: event, timeout, doing: `the invocation of \`${name}\`` };
    const { json, trace } = await this.#connection.ask('POST', path, more);
    const { payload, error, logs, requestId } = json;
    const result = { payload, requestId, trace, logs: logs.map(line) };
    if (error) throw new FunctionError(name, { error, ...result });
    return result;
  }

  /** What a request led to: `id` is the header `x-emu-trace-id` of its answer, its beginning, or `latest`. */
  trace(id = 'latest') {
    return this.#ask('GET', `traces/${encodeURIComponent(id)}`, { doing: 'reading the trace' });
  }

  async #ask(method, path, { timeout = this.#timeout, ...more }) {
    return (await this.#connection.ask(method, path, { ...more, timeout })).json;
  }

  async #mails({ to, from, subject, after }, waitMs) {
    const text = subject instanceof RegExp ? undefined : subject;
    const query = { to, from, subject: text, after: after?.id ?? after, waitMs: waitMs || undefined };
    const { mails } = await this.#ask('GET', 'mails', { query, timeout: Math.max(waitMs, this.#timeout), doing: 'reading the inbox', waits: true });
    return mails.map((mail) => new Mail(mail));
  }

  async #pushes({ token, topic, title, after }, waitMs) {
    const query = { token, topic, title, after: after?.id ?? after, waitMs: waitMs || undefined };
    const more = { query, timeout: Math.max(waitMs, this.#timeout), doing: 'reading the pushes', waits: true };
    const { pushes } = await this.#ask('GET', 'pushes', more);
    return pushes.map(({ at, ...push }) => ({ ...push, at: new Date(at) }));
  }

  async #noMail({ to, from, subject, after }, timeout) {
    const wanted = [to && `to ${to}`, from && `from ${from}`, subject && `with the subject ${subject}`, after && 'after the one given'];
    const there = await this.inbox();
    const named = there.slice(-NAMED_MAX).map(told).join('; ');
    const inbox = there.length === 0 ? 'the inbox is empty' : `the inbox has ${there.length}, the latest: ${named}`;
    const busy = await this.#connection.busy();
    const which = wanted.filter(Boolean).join(' ');
    return new EmuTimeoutError(`no mail${which && ` ${which}`} came within ${timeout} ms; ${inbox}${still(busy)}`, busy);
  }
}

const line = ({ at, ...more }) => ({ ...more, at: new Date(at) });
const moment = ({ taken, time, ...more }) => ({ ...more, taken: new Date(taken), time: new Date(time) });

module.exports = { Emu };
