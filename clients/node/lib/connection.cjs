'use strict';

const http = require('node:http');
const { EmuError, EmuTimeoutError, EmuUnreachableError } = require('./errors.cjs');

/** How long the answer may take where it is emu that waits and says what for, beyond that, in ms. */
const GRACE_MS = 5_000;
const HOW = 'run your tests under `emu exec -- COMMAND`';
// Not `fetch`, which tests replace and some environments lack; and by emu's own measure of time, which fake timers do not touch.
const hrtime = process.hrtime.bigint.bind(process.hrtime);

/** The machine's time since some moment, in ms. */
const elapsed = () => Number(hrtime() / 1_000_000n);

/** The way to the admin API of one World. */
class Connection {
  #url;
  #world;
  #agent = new http.Agent({ keepAlive: true });

  constructor(url, world) {
    this.#url = url;
    this.#world = world;
  }

  /** Where emu is asked. */
  get url() {
    const url = this.#url ?? process.env.EMU_ADMIN_URL;
    if (!url) {
      throw new EmuUnreachableError(
        `EMU_ADMIN_URL is not set, so there is no emu to ask: ${HOW}. ` +
          'To use an emu that runs already, set it to the admin address that `emu start` shows; mind that a reset throws its data away.',
      );
    }
    if (!/^http:\/\/[^/]/.test(url)) throw new EmuUnreachableError(`\`${url}\` is no address of emu's admin API; write http://127.0.0.1:4400`);
    return url.replace(/\/+$/, '');
  }

  /**
   * Asks; answers what emu does, as JSON.
   * @param {string} method
   * @param {string} path below `/emu/v1/`
   * @param {{body?: unknown, query?: Record<string, unknown>, timeout: number, doing: string, waits?: boolean}} more `waits`: emu
   * itself answers after `timeout`
   */
  async ask(method, path, { body, query = {}, timeout, doing, waits = false }) {
    const asked = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...query, world: this.#world })) {
      if (value !== undefined) asked.set(name, String(value));
    }
    const target = `${this.url}/emu/v1/${path}${`${asked}` && `?${asked}`}`;
    const answer = await this.#send({ method, target, body, timeout, doing, waits }, true);
    if (answer.world === undefined) {
      throw new EmuUnreachableError(`what answers at ${this.url} is not emu's admin API; EMU_ADMIN_URL is the address of that`);
    }
    const json = JSON.parse(answer.text);
    if (answer.status >= 400) {
      if (Array.isArray(json.busy)) throw new EmuTimeoutError(json.message, json.busy);
      throw new EmuError(json.message ?? `emu answered ${answer.status} to ${method} ${target}`, { status: answer.status });
    }
    return { json, trace: answer.trace };
  }

  /** What emu is at just now; nothing where it cannot say. */
  async busy() {
    try {
      await this.ask('POST', 'idle', { body: { timeoutMs: 0 }, timeout: 0, doing: 'idle', waits: true });
      return [];
    } catch (error) {
      return error.busy ?? [];
    }
  }

  #send(asked, again) {
    const { method, target, body, timeout, doing, waits } = asked;
    return new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const signal = AbortSignal.timeout(Math.min(timeout + (waits ? GRACE_MS : 0), 2 ** 31 - 1));
      const headers = { 'content-length': Buffer.byteLength(text), ...(text && { 'content-type': 'application/json' }) };
      const request = http.request(target, { method, headers, agent: this.#agent, signal }, (response) => {
        let received = '';
        response.setEncoding('utf8');
        response.on('data', (piece) => (received += piece));
        response.on('error', failed);
        response.on('end', () => {
          const { 'x-emu-trace-id': trace, 'x-emu-world': world } = response.headers;
          resolve({ status: response.statusCode, trace, world, text: received });
        });
      });
      const failed = async (cause) => {
        if (signal.aborted) return reject(await this.#late(timeout, doing));
        // emu has let go of a connection that was not used for a while: a new one is as good.
        if (again && request.reusedSocket && cause.code === 'ECONNRESET') {
          return resolve(this.#send(asked, false));
        }
        const why = cause.code ?? cause.message;
        reject(new EmuUnreachableError(`emu does not answer at ${this.url} (${why}): ${HOW}`, { cause }));
      };
      request.on('error', failed);
      request.end(text);
    });
  }

  /** Says what emu was still at, if it can. */
  async #late(timeout, doing) {
    const busy = doing === 'idle' ? [] : await this.busy();
    return new EmuTimeoutError(`${doing} took longer than ${timeout} ms${still(busy)}`, busy);
  }
}

/** What was still being done, for the end of a message. */
const still = (busy) => (busy.length === 0 ? '; emu has nothing left to deliver' : `; still busy: ${busy.map((one) => one.text).join('; ')}`);

module.exports = { Connection, elapsed, still };
