// Takes pictures of the real dashboard for the README: starts the shop in tmux, buys something, and writes what the terminal shows as SVG.
//   EMU=target/release/emu node docs/picture.mjs
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const docs = dirname(fileURLToPath(import.meta.url));
const emu = resolve(process.env.EMU ?? join(docs, '../target/release/emu'));
const folder = mkdtempSync(join(tmpdir(), 'emu-picture-'));
const [columns, rows] = [120, 34];

const tmux = (...args) => execFileSync('tmux', ['-u', '-S', join(folder, 'socket'), ...args], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8' } });
const press = (...keys) => keys.forEach((key) => tmux('send-keys', key));
const screen = () => tmux('capture-pane', '-p');

async function until(what) {
  for (let tries = 0; tries < 1500; tries++) {
    const text = screen();
    if (text.includes(what)) return text;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error(`the screen never showed ${what}:\n${screen()}`);
}

async function shop(overview) {
  const address = (name) => overview.match(new RegExp(`│${name} +(http://\\S+)`))[1];
  const [http, aws, admin] = ['HTTP API', 'AWS', 'admin'].map(address);
  const send = (method, path, body, token) =>
    fetch(http + path, {
      method,
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: body && JSON.stringify(body),
    }).then((answer) => answer.json());
  const person = { email: 'ada@example.com', name: 'Ada', password: 'correct horse' };
  await send('POST', '/register', person);
  const { messages } = await (await fetch(`${aws}/_aws/ses`)).json();
  await send('GET', messages[0].Body.text_part.match(/\/verify\?token=\S+/)[0]);
  const { token } = await send('POST', '/login', person);
  for (const quantity of [1, 2, 1, 3, 1, 200]) {
    await send('POST', '/orders', { items: [{ productId: 'mug', quantity }], payment: 'visa' }, token);
  }
  await send('GET', '/stats');
  await fetch(`${admin}/emu/v1/idle`, { method: 'POST' });
}

const PALETTE = ['#1b1e28', '#e5697e', '#7fc98b', '#e0bb6c', '#7aa2f7', '#c792ea', '#6cc7d6', '#d5dae6'];
const [INK, PAPER] = ['#d5dae6', '#14161e'];
const [WIDE, HIGH, EDGE] = [8.4, 18, 14];
const escape = (text) => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);

/** Lines with SGR sequences as an SVG. */
function svg(text) {
  const parts = [];
  text.split('\n').slice(0, rows).forEach((line, row) => {
    let [column, style] = [0, {}];
    for (const [, codes, run] of line.matchAll(/(?:\x1b\[([\d;]*)m)|([^\x1b]+)/g)) {
      if (run === undefined) {
        for (const code of (codes || '0').split(';').map(Number)) {
          if (code === 0) style = {};
          else if (code === 1) style.bold = true;
          else if (code === 2) style.dim = true;
          else if (code === 7) style.turned = true;
          else if (code >= 30 && code <= 37) style.colour = PALETTE[code - 30];
          else if (code === 39) delete style.colour;
        }
        continue;
      }
      const [x, y, length] = [EDGE + column * WIDE, EDGE + row * HIGH, [...run].length];
      const ink = style.colour ?? INK;
      if (style.turned) parts.push(`<rect x="${x.toFixed(1)}" y="${y}" width="${(length * WIDE).toFixed(1)}" height="${HIGH}" fill="${ink}"/>`);
      if (run.trim()) {
        const extra = `${style.bold ? ' font-weight="bold"' : ''}${style.dim ? ' opacity="0.55"' : ''}`;
        parts.push(`<text x="${x.toFixed(1)}" y="${y + 13.5}" textLength="${(length * WIDE).toFixed(1)}" fill="${style.turned ? PAPER : ink}"${extra} xml:space="preserve">${escape(run)}</text>`);
      }
      column += length;
    }
  });
  const [width, height] = [columns * WIDE + 2 * EDGE, rows * HIGH + 2 * EDGE];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14"><rect width="100%" height="100%" rx="8" fill="${PAPER}"/>\n${parts.join('\n')}\n</svg>\n`;
}

const picture = (name) => writeFileSync(join(docs, `${name}.svg`), svg(tmux('capture-pane', '-p', '-e')));

try {
  const project = join(docs, '../fixtures/shop');
  tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), `${emu} start --ephemeral --ports http=0,aws=0,admin=0 --project ${project}`);
  await shop(await until('HTTP API'));
  await until('payOrders');
  picture('overview');
  press('2', '/');
  tmux('send-keys', '-l', 'createorder');
  press('Enter');
  await until('“createorder”');
  press('g', 'Enter');
  await until('payOrders');
  picture('trace');
  press('q');
} finally {
  try {
    tmux('kill-server');
  } catch {
    // It has ended by itself.
  }
  rmSync(folder, { recursive: true });
}
