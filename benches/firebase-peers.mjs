// Measures Firebase's services over HTTP beside the official emulators from npm, in alternating passes of one run.
// Repeat with: make bench       (or: node benches/firebase-peers.mjs [passes] [seconds], with EMU=path/to/emu)
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PASSES, children, printRows, privateMemory, request, row, spread, startEmu, stop, wrk } from './measure.mjs';

const PROJECT = 'demo-bench';
const BUCKET = `${PROJECT}.appspot.com`;
const PORTS = { auth: 19099, storage: 19199, functions: 15001 };

const FUNCTIONS = `const { onCall, onRequest } = require('firebase-functions/v2/https')
exports.echo = onCall((request) => ({ got: request.data }))
exports.hello = onRequest((request, response) => response.send('hello'))
`;

/** A project of a page of functions, rules that permit everything, and the official emulators' ports. */
function project() {
  const folder = mkdtempSync(join(tmpdir(), 'emu-bench-'));
  const emulators = Object.fromEntries(Object.entries(PORTS).map(([name, port]) => [name, { port }]));
  const files = {
    'firebase.json': JSON.stringify({
      functions: { source: 'functions' }, storage: { rules: 'storage.rules' },
      emulators: { ...emulators, hub: { port: 14400 }, logging: { port: 14500 }, eventarc: { port: 19299 }, tasks: { port: 19499 }, ui: { enabled: false } },
    }),
    '.firebaserc': JSON.stringify({ projects: { default: PROJECT } }),
    'storage.rules': "rules_version = '2';\nservice firebase.storage { match /b/{bucket}/o { match /{all=**} { allow read, write; } } }\n",
    'functions/package.json': JSON.stringify({ name: 'functions', main: 'index.js', engines: { node: '20' }, dependencies: { 'firebase-functions': '*', 'firebase-admin': '*' } }),
    'functions/index.js': FUNCTIONS,
    'java/java': `#!/bin/sh\nexec node ${resolve('benches/peers/rules-runtime.mjs')} "$@"\n`,
    'jars/cloud-storage-rules-runtime-v1.1.3.jar': 'the stand-in of benches/peers is run in its place',
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  chmodSync(join(folder, 'java/java'), 0o755);
  symlinkSync(resolve('benches/peers/node_modules'), join(folder, 'functions/node_modules'));
  return folder;
}

/** Waits until a path is answered with less than 500. */
async function answered(url, body) {
  for (;;) {
    try {
      const { status, text } = await request(url, body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      if (status < 400) return text;
    } catch {}
    await new Promise((resume) => setTimeout(resume, 10));
  }
}

const signUp = (auth) => `${auth}/identitytoolkit.googleapis.com/v1/accounts:signUp?key=k`;
const call = (functions, name) => `${functions}/${PROJECT}/us-central1/${name}`;

/** Google's emulators; answers how long they took to answer first. */
async function startOfficial(folder, only) {
  const began = performance.now();
  const child = spawn(resolve('benches/peers/node_modules/.bin/firebase'), ['emulators:start', '--only', only, '--project', PROJECT], {
    cwd: folder, stdio: 'ignore', detached: true,
    env: { ...process.env, PATH: `${join(folder, 'java')}:${process.env.PATH}`, FIREBASE_EMULATORS_PATH: join(folder, 'jars'), CI: '1' },
  });
  // A run that breaks off must not leave its ports taken.
  process.once('exit', () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {}
  });
  const urls = Object.fromEntries(Object.entries(PORTS).map(([name, port]) => [name, `http://127.0.0.1:${port}`]));
  if (only.includes('auth')) await answered(signUp(urls.auth), '{}');
  if (only.includes('functions')) await answered(call(urls.functions, 'hello'));
  return { child, ...urls, firstMs: performance.now() - began };
}

async function startOurs(folder) {
  const began = performance.now();
  const emu = await startEmu(folder, '--ephemeral', '--ports', 'auth=0,storage=0,functions=0,firestore=0,pubsub=0,hosting=0,tasks=0,messaging=0');
  await answered(signUp(emu.auth), '{}');
  await answered(call(emu.functions, 'hello'));
  return { ...emu, firstMs: performance.now() - began };
}

async function starts(folder) {
  const times = { emu: [], official: [] };
  let [ours, theirs] = [0, 0];
  for (let pass = 0; pass < PASSES; pass++) {
    const emu = await startOurs(folder);
    times.emu.push(emu.firstMs);
    ours = privateMemory(emu.child.pid);
    await stop(emu);
    const official = await startOfficial(folder, 'auth,storage,functions');
    times.official.push(official.firstMs);
    theirs = treeMemory(official.child.pid);
    await end(official);
  }
  const ratios = times.official.map((time, i) => time / times.emu[i]);
  console.log(`start → first answers of auth and of a function: emu ${spread(times.emu)} ms, the official emulators ${spread(times.official)} ms; ${spread(ratios, 1)} times as long`);
  console.log(`private memory then: emu ${ours.toFixed(0)} MiB, the official emulators ${theirs.toFixed(0)} MiB`);
}

/** The memory of a process and those it has begun, in MiB. */
function treeMemory(pid) {
  return privateMemory(pid) + children(pid).reduce((sum, child) => sum + treeMemory(child), 0);
}

/** The official emulators end in their own time, and leave workers behind when they are killed. */
async function end(server) {
  const ended = new Promise((resume) => server.child.once('exit', resume));
  process.kill(-server.child.pid, 'SIGINT');
  const late = setTimeout(() => process.kill(-server.child.pid, 'SIGKILL'), 15_000);
  await ended;
  clearTimeout(late);
}

/** Measures while another server and what it has begun stand still: what it goes on with is not this one's time. */
function alone(other, measure) {
  const all = (pid) => [pid, ...children(pid).flatMap(all)];
  const processes = all(other.child.pid);
  const signal = (name) => processes.forEach((pid) => {
    try {
      process.kill(pid, name);
    } catch {}
  });
  signal('SIGSTOP');
  try {
    return measure();
  } finally {
    signal('SIGCONT');
  }
}

/** Lua for wrk: one request, in which `%d` counts up. */
function lua(folder, { name, method = 'POST', path, body, kind = 'application/json' }, owner) {
  const file = join(folder, `${name}.lua`);
  const text = typeof body === 'number' ? `string.rep("x", ${body})` : JSON.stringify(body ?? '').replaceAll('%d', '" .. n .. "');
  writeFileSync(file, `wrk.method = "${method}"
wrk.headers["content-type"] = "${kind}"
${owner ? 'wrk.headers["authorization"] = "Bearer owner"' : ''}
local n = (os.time() % 1000000) * 1000000
local blob = ${typeof body === 'number' ? text : '""'}
request = function()
  n = n + 1
  return wrk.format(nil, ${JSON.stringify(path).replaceAll('%d', '" .. n % 1000 .. "')}, nil, ${typeof body === 'number' ? 'blob' : text})
end
`);
  return file;
}

const objects = `/v0/b/${BUCKET}/o`;
const ROWS = [
  ['auth', { name: 'signUp', path: '/identitytoolkit.googleapis.com/v1/accounts:signUp?key=k', body: '{"email":"u%d@example.com","password":"secret-word","returnSecureToken":true}' }],
  ['auth', { name: 'signInWithPassword', path: '/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=k', body: '{"email":"known@example.com","password":"secret-word","returnSecureToken":true}' }],
  ['storage', { name: 'upload of 1 KiB', path: `${objects}?uploadType=media&name=small%d`, body: 1 << 10, kind: 'text/plain' }],
  ['storage', { name: 'upload of 1 MiB', path: `${objects}?uploadType=media&name=large`, body: 1 << 20, kind: 'text/plain' }],
  ['storage', { name: 'download of 1 KiB', method: 'GET', path: `${objects}/kib?alt=media` }],
  ['storage', { name: 'download of 1 MiB', method: 'GET', path: `${objects}/mib?alt=media` }],
  ['functions', { name: 'callable', path: `/${PROJECT}/us-central1/echo`, body: '{"data":{"n":%d}}' }],
  ['functions', { name: 'HTTP function', method: 'GET', path: `/${PROJECT}/us-central1/hello` }],
];

async function loads(folder) {
  const servers = [['emu', await startOurs(folder)], ['the official emulators', await startOfficial(folder, 'auth,storage,functions')]];
  for (const [, server] of servers) {
    await answered(signUp(server.auth), '{"email":"known@example.com","password":"secret-word"}');
    for (const [name, bytes] of [['kib', 1 << 10], ['mib', 1 << 20]]) {
      await request(`${server.storage}${objects}?uploadType=media&name=${name}`, { method: 'POST', headers: { 'content-type': 'text/plain', authorization: 'Bearer owner' }, body: 'x'.repeat(bytes) });
    }
  }
  const services = process.env.SERVICES?.split(',');
  const wanted = ROWS.filter(([service]) => !services || services.includes(service));
  // All rows with one connection come first: what the official functions emulator begins for sixteen stays.
  for (const connections of [1, 16]) {
    for (const [service, what] of wanted) {
      // A function takes the token for a user's.
      const script = lua(folder, what, service === 'storage');
      const results = servers.map(() => []);
      const load = ([, server], i) => alone(servers[1 - i][1], () => wrk(server, server[service] + what.path.replace('%d', '0'), connections, script));
      servers.forEach(load);
      for (let pass = 0; pass < PASSES; pass++) servers.forEach((server, i) => results[i].push(load(server, i)));
      servers.forEach(([name], i) => row(`${what.name}, ${connections} connections: ${name}`, results[i]));
      const ratio = results[0].map((ours, i) => ours.perSecond / results[1][i].perSecond);
      console.log(`${what.name}, ${connections} connections: ${spread(ratio, 1)} times the official emulators' throughput`);
    }
  }
  await stop(servers[0][1]);
  await end(servers[1][1]);
  printRows();
}

const folder = project();
const only = process.env.ONLY?.split(',');
for (const [name, measure] of Object.entries({ starts, loads })) {
  if (!only || only.includes(name)) await measure(folder);
}
rmSync(folder, { recursive: true, force: true });
process.exit(0);
