// What the benchmarks share: starting emu, asking it, loading a server with wrk, and what its processes used.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

export const EMU = resolve(process.env.EMU ?? 'target/release/emu');
export const PASSES = Number(process.argv[2] ?? 3);
export const SECONDS = Number(process.argv[3] ?? 4);
export const agent = new http.Agent({ keepAlive: true });

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
export const spread = (values, digits = 0) => {
  const fixed = (value) => value.toFixed(digits);
  return `${fixed(median(values))} (${fixed(Math.min(...values))}–${fixed(Math.max(...values))})`;
};

/** The CPU time of a process, of those it has begun and of those that have ended, in microseconds. */
export function cpu(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const own = stat.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * 10_000;
  return children(pid).reduce((sum, child) => sum + cpu(child), own);
}

/** The processes that one has begun and that have not ended. */
export function children(pid) {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      return readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
    } catch {
      // It has ended since.
      return [];
    }
  });
}

/** Memory of a process that it does not share, in MiB. */
export function privateMemory(pid) {
  const rows = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').matchAll(/^Private_\w+:\s+(\d+)/gm);
  return [...rows].reduce((sum, row) => sum + Number(row[1]), 0) / 1024;
}

export function copy(fixture) {
  const folder = mkdtempSync(join(tmpdir(), 'emu-bench-'));
  for (const name of readdirSync(`fixtures/${fixture}`)) {
    if (name === 'node_modules') symlinkSync(resolve(`fixtures/${fixture}/node_modules`), join(folder, name));
    else if (name !== '.emu') cpSync(`fixtures/${fixture}/${name}`, join(folder, name), { recursive: true });
  }
  return folder;
}

/** What this run has begun does not outlive it. */
const begun = new Set();
process.once('exit', () => begun.forEach((child) => child.kill('SIGKILL')));

export async function startEmu(folder, ...more) {
  const started = performance.now();
  const args = ['start', '--no-tui', '--log-format', 'json', '--ports', 'http=0,aws=0,admin=0', '--project', folder, ...more];
  const child = spawn(EMU, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  begun.add(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const record = JSON.parse(line);
    if (record.type === 'ready') {
      child.stdout.resume();
      return { child, ...record.addresses, readyMs: performance.now() - started, started };
    }
  }
  throw new Error('emu ended before it was ready');
}

export async function stop(server) {
  const ended = new Promise((resume) => server.child.once('exit', resume));
  server.child.kill('SIGTERM');
  await ended;
}

export function request(url, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((answer, refuse) => {
    const sent = http.request(url, { method, headers, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => (text += piece)).on('end', () => answer({ status: response.statusCode, text }));
    });
    sent.on('error', refuse).end(body);
  });
}

/** One pass of wrk; answers requests/s, p50 in ms, and the server's CPU µs a request. */
export function wrk(server, url, connections, script) {
  const args = ['-t1', `-c${connections}`, `-d${SECONDS}s`, '--latency', ...(script ? ['-s', script] : []), url];
  const before = cpu(server.child.pid);
  const out = execFileSync('wrk', args, { encoding: 'utf8' });
  const used = cpu(server.child.pid) - before;
  const requests = Number(out.match(/(\d+) requests in/)[1]);
  const bad = out.match(/Non-2xx or 3xx responses: (\d+)/);
  if (bad) throw new Error(`${bad[1]} bad answers from ${url}`);
  const [, p50, unit] = out.match(/50%\s+([\d.]+)(us|ms|s)/);
  return { perSecond: Number(out.match(/Requests\/sec:\s+([\d.]+)/)[1]), p50: Number(p50) * { us: 1e-3, ms: 1, s: 1e3 }[unit], cpu: used / requests };
}

export const rows = [];
export const row = (name, results) => rows.push([name, spread(results.map((r) => r.perSecond)), spread(results.map((r) => r.p50), 3), spread(results.map((r) => r.cpu))]);


/** Prints the rows so far, and begins anew. */
export function printRows() {
  if (rows.length === 0) return;
  console.log(`\nmedian (lowest–highest) of ${PASSES} alternating passes of ${SECONDS} s; wrk -t1 on the same 2 cores`);
  console.table(Object.fromEntries(rows.map(([name, perSecond, p50, used]) => [name, { 'requests/s': perSecond, 'p50 ms': p50, 'server CPU µs/request': used }])));
  rows.length = 0;
}
