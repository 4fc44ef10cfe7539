// Measures a release build over HTTP, beside peers, in alternating passes of one run: the machine's speed drifts, ratios do not.
// Repeat with: make bench       (or: node benches/http.mjs [passes] [seconds], with EMU=path/to/emu)
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EMU, PASSES, SECONDS, copy, cpu, printRows, privateMemory, request, row, spread, startEmu, stop, wrk } from './measure.mjs';

async function startPeer(port, command, ...args) {
  const child = spawn(command, args, { stdio: 'ignore', cwd: 'benches/peers' });
  process.once('exit', () => child.kill('SIGKILL'));
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${command} ended before it answered`);
    try {
      await request(`http://127.0.0.1:${port}/`);
      return { child, url: `http://127.0.0.1:${port}` };
    } catch {
      await new Promise((resume) => setTimeout(resume, 20));
    }
  }
}

/** Lua for wrk: a DynamoDB operation over 1,000 keys. */
function dynamodbScript(folder, operation, table) {
  const item = operation === 'PutItem'
    ? `\\"Item\\":{\\"pk\\":{\\"S\\":\\"k%d\\"},\\"sk\\":{\\"S\\":\\"s\\"},\\"v\\":{\\"S\\":\\"${'x'.repeat(100)}\\"}}`
    : '\\"Key\\":{\\"pk\\":{\\"S\\":\\"k%d\\"},\\"sk\\":{\\"S\\":\\"s\\"}}';
  const file = join(folder, `${operation}.lua`);
  writeFileSync(file, `wrk.method = "POST"
wrk.headers["x-amz-target"] = "DynamoDB_20120810.${operation}"
wrk.headers["content-type"] = "application/x-amz-json-1.0"
wrk.headers["authorization"] = "AWS4-HMAC-SHA256 Credential=emu/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
wrk.headers["x-amz-date"] = "20260101T000000Z"
local n = 0
request = function()
  n = (n + 1) % 1000
  return wrk.format(nil, "/", nil, string.format("{\\"TableName\\":\\"${table}\\",${item}}", n))
end
`);
  return file;
}

async function functions() {
  const fresh = await startEmu(copy('bench'), '--ephemeral');
  const warm = await startEmu(copyWarm(), '--ephemeral');
  const framework = existsSync('benches/peers/node_modules')
    ? await startPeer(8089, 'node', 'node_modules/.bin/functions-framework', '--source=hello.js', '--target=hello', '--port=8089') : undefined;
  const servers = [
    ['emu, a fresh sandbox each', fresh, `${fresh.http}/hello`],
    ['emu, warm', warm, `${warm.http}/hello`],
    ...(framework ? [['functions-framework (Node, warm, no sandbox)', framework, `${framework.url}/`]] : []),
  ];
  for (const connections of [1, 16]) {
    const results = servers.map(() => []);
    for (const [, server, url] of servers) wrk(server, url, connections);
    for (let pass = 0; pass < PASSES; pass++) servers.forEach(([, server, url], i) => results[i].push(wrk(server, url, connections)));
    servers.forEach(([name], i) => row(`GET /hello, ${connections} connections: ${name}`, results[i]));
  }
  for (const [, server] of servers) await stop(server);
}

function copyWarm() {
  const folder = copy('bench');
  const file = join(folder, 'serverless.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace("${opt:isolation, 'fresh'}", 'warm'));
  return folder;
}

async function dynamodb() {
  const folder = copy('bench');
  const emu = await startEmu(folder);
  const servers = [['emu, durable', emu, emu.aws]];
  const peer = async (name, port, ...command) => {
    const server = await startPeer(port, ...command);
    const target = (operation) => ({ 'x-amz-target': `DynamoDB_20120810.${operation}`, 'content-type': 'application/x-amz-json-1.0',
      authorization: 'AWS4-HMAC-SHA256 Credential=emu/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0', 'x-amz-date': '20260101T000000Z' });
    const body = JSON.stringify({ TableName: 'items', BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }, { AttributeName: 'sk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }] });
    const made = await request(server.url, { method: 'POST', headers: target('CreateTable'), body });
    if (made.status !== 200) throw new Error(`${name} answers ${made.status}: ${made.text}`);
    servers.push([name, server, server.url]);
  };
  if (existsSync('benches/peers/node_modules')) await peer('dynalite, in memory', 8090, 'node', 'node_modules/.bin/dynalite', '--port', '8090', '--createTableMs', '0');
  // A binary of fakecloud (`cargo install fakecloud` takes most of an hour).
  const { FAKECLOUD } = process.env;
  if (FAKECLOUD) {
    await peer('fakecloud, in memory', 8091, FAKECLOUD, '--addr', '127.0.0.1:8091', '--log-level', 'error');
    await peer('fakecloud, on disk', 8092, FAKECLOUD, '--addr', '127.0.0.1:8092', '--log-level', 'error', '--storage-mode', 'persistent', '--data-path', join(folder, 'fakecloud'));
  }
  for (const operation of ['PutItem', 'GetItem']) {
    const script = dynamodbScript(folder, operation, 'items');
    for (const connections of [1, 16]) {
      const results = servers.map(() => []);
      for (let pass = 0; pass < PASSES; pass++) servers.forEach(([, server, url], i) => results[i].push(wrk(server, url, connections, script)));
      servers.forEach(([name], i) => row(`${operation} 100 bytes, ${connections} connections: ${name}`, results[i]));
    }
  }
  for (const [, server] of servers) await stop(server);
  rmSync(folder, { recursive: true });
}

async function starts() {
  const folder = copy('shop');
  // The same function: one answer says what is wrong with the request, the other is what it reads from a table through the AWS SDK.
  const paths = { 'that checks its parameters': ['/stats', 400], 'that asks DynamoDB through the SDK': ['/stats?from=2026-01-01&to=2026-01-02', 200] };
  const first = Object.fromEntries(Object.keys(paths).map((name) => [name, []]));
  const ready = [];
  let memory = 0;
  for (let pass = 0; pass < 8; pass++) {
    for (const [name, [path, status]] of Object.entries(paths)) {
      // On the same ports, as projects are: addresses are part of a function's environment.
      const emu = await startEmu(folder, '--ports', 'http=13000,aws=14566,admin=14400');
      const answer = await request(emu.http + path);
      if (answer.status !== status) throw new Error(`the shop answers ${answer.status}: ${answer.text}`);
      // The first starts fill the caches; they are not counted.
      if (pass > 0) {
        first[name].push(performance.now() - emu.started);
        ready.push(emu.readyMs);
      }
      await new Promise((resume) => setTimeout(resume, 1500));
      memory = privateMemory(emu.child.pid);
      await stop(emu);
    }
  }
  console.log(`start of the shop → ready to answer: ${spread(ready, 1)} ms (spawning it included)`);
  for (const [name, times] of Object.entries(first)) console.log(`start of the shop → first answer of a function ${name}: ${spread(times, 1)} ms (Node's request included)`);
  console.log(`private memory when idle, the shop loaded and called once: ${memory.toFixed(1)} MiB`);
  rmSync(folder, { recursive: true });
}

async function reloads() {
  for (const [fixture, file, path] of [['bench', 'hello.ts', '/hello'], ['shop', 'src/functions/stats.ts', '/stats?from=x&to=x']]) {
    const folder = copy(fixture);
    const emu = await startEmu(folder, '--ephemeral');
    const source = readFileSync(join(folder, file), 'utf8');
    const times = [];
    for (let pass = 0; pass < 15; pass++) {
      const mark = `mark${pass}`;
      const text = fixture === 'bench' ? source.replace('world', mark) : source.replace('from and to are days', `${mark} from and to are days`);
      writeFileSync(join(folder, file), text);
      const saved = performance.now();
      while (!(await request(emu.http + path)).text.includes(mark)) {
        if (performance.now() - saved > 30_000) throw new Error(`the save of ${file} was never served`);
        await new Promise((resume) => setTimeout(resume, 1));
      }
      times.push(performance.now() - saved);
      await new Promise((resume) => setTimeout(resume, 300));
    }
    console.log(`save → served, ${fixture}/${file}: ${spread(times, 1)} ms`);
    await stop(emu);
    rmSync(folder, { recursive: true });
  }
}

/** Where emu answers, as its state folder and then its admin API say. */
async function answering(folder) {
  for (let waited = 0; waited < 60_000; waited += 20) {
    const lock = join(folder, '.emu', 'lock');
    const holder = existsSync(lock) ? readFileSync(lock, 'utf8') : '';
    const admin = holder.includes('http') ? JSON.parse(holder).admin : undefined;
    if (admin) return JSON.parse((await request(`${admin}/emu/v1/health`)).text).addresses;
    await new Promise((resume) => setTimeout(resume, 20));
  }
  throw new Error(`emu did not start in ${folder}`);
}

/** emu that prints its lines where nobody has to read them. */
async function startUnread(folder) {
  const args = ['start', '--no-tui', '--ports', 'http=0,aws=0,admin=0', '--project', folder];
  const child = spawn(EMU, args, { stdio: 'ignore' });
  return { child, ...(await answering(folder)) };
}

/** emu in a terminal of its own, with the dashboard open. */
async function startShown(folder, width, height) {
  const [socket, pidFile] = [join(folder, 'tmux.socket'), join(folder, 'pid')];
  const command = `echo $$ > ${pidFile}; exec ${EMU} start --ports http=0,aws=0,admin=0 --project ${folder}`;
  const args = ['-S', socket, '-f', '/dev/null', 'new-session', '-d', '-x', String(width), '-y', String(height), command];
  execFileSync('tmux', args, { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  const addresses = await answering(folder);
  return { child: { pid: Number(readFileSync(pidFile, 'utf8')) }, ...addresses };
}

/** What the dashboard costs: the same load with and without it, turn by turn, and what it takes while nobody does anything. */
async function dashboard() {
  const [plainFolder, shownFolder] = [copy('bench'), copy('bench')];
  const plain = await startUnread(plainFolder);
  const shown = await startShown(shownFolder, 120, 36);
  const [without, beside] = [[], []];
  for (const server of [plain, shown]) wrk(server, `${server.http}/hello`, 16);
  for (let pass = 0; pass < PASSES; pass++) {
    // Whoever comes second finds a warmer machine: so they take turns.
    const turns = [[plain, without], [shown, beside]];
    for (const [server, results] of pass % 2 ? turns.reverse() : turns) results.push(wrk(server, `${server.http}/hello`, 16));
  }
  row('GET /hello, 16 connections: --no-tui, to /dev/null', without);
  row('GET /hello, 16 connections: with the dashboard, 120×36', beside);
  const ratios = beside.map((result, i) => (100 * result.perSecond) / without[i].perSecond);
  console.log(`throughput with the dashboard: ${spread(ratios, 1)} % of that without`);
  const health = JSON.parse((await request(`${shown.admin}/emu/v1/health`)).text);
  console.log(`invocations shown: about ${Math.round(beside.reduce((sum, r) => sum + r.perSecond, 0) * SECONDS)}; records that the dashboard or the journal missed: ${health.recordsDropped}`);
  for (const [what, seconds] of [['right after the load', 5], ['later', 10]]) {
    await new Promise((resume) => setTimeout(resume, 3_000));
    const before = cpu(shown.child.pid);
    await new Promise((resume) => setTimeout(resume, seconds * 1_000));
    console.log(`left alone for ${seconds} s ${what}: ${((cpu(shown.child.pid) - before) / seconds / 1e4).toFixed(1)} % of a core`);
  }
  process.kill(shown.child.pid, 'SIGTERM');
  await stop(plain);
  while (existsSync(`/proc/${shown.child.pid}`)) await new Promise((resume) => setTimeout(resume, 20));
  for (const folder of [plainFolder, shownFolder]) rmSync(folder, { recursive: true });
}

/** What a test pays between two tests: by its own clock over a connection that is kept, and what emu says of the same requests. */
async function state() {
  const folder = copy('shop');
  const emu = await startEmu(folder, '--ephemeral');
  const ask = async (what, body) => {
    const began = performance.now();
    const answer = await request(`${emu.admin}/emu/v1/state/${what}`, { method: 'POST', body: JSON.stringify(body) });
    if (answer.status !== 200) throw new Error(`${what} answers ${answer.status}: ${answer.text}`);
    return performance.now() - began;
  };
  const times = { reset: [], snapshot: [], restore: [] };
  for (let pass = 0; pass < 30; pass++) {
    const user = { email: `ada${pass}@example.com`, name: 'Ada', password: 'correct horse' };
    const registered = await request(`${emu.http}/register`, { method: 'POST', body: JSON.stringify(user) });
    if (registered.status >= 300) throw new Error(`the shop answers ${registered.status}: ${registered.text}`);
    await request(`${emu.admin}/emu/v1/idle`, { method: 'POST' });
    times.snapshot.push(await ask('snapshot', { name: 'bench', force: true }));
    times.reset.push(await ask('reset', {}));
    times.restore.push(await ask('restore', { name: 'bench' }));
  }
  const records = (await request(`${emu.admin}/emu/v1/records`)).text.trim().split('\n').map((line) => JSON.parse(line));
  for (const [what, wall] of Object.entries(times)) {
    const served = records.filter((record) => record.type === 'request' && record.target === `/emu/v1/state/${what}`);
    const server = served.map((record) => record.span.wallMicros / 1000);
    const goal = what === 'reset' ? '; to be under 5 ms' : '';
    console.log(`${what} of the shop's state: ${spread(wall, 2)} ms by the client's clock, ${spread(server, 2)} ms in emu${goal}`);
  }
  await stop(emu);
  rmSync(folder, { recursive: true });
}

const only = process.env.ONLY?.split(',');
for (const [name, measure] of Object.entries({ starts, reloads, state, functions, dynamodb, dashboard })) {
  if (only && !only.includes(name)) continue;
  await measure();
  printRows();
}
process.exit(0);
