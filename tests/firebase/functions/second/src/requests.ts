import { type Request, onRequest } from 'firebase-functions/https';
import * as logger from 'firebase-functions/logger';
import { tell } from './tell.js';

/** What a function sees of a request. */
export const echo = onRequest({ cors: ['http://localhost:5173', /\.example$/] }, (req: Request, res) => {
  logger.info('echo', { path: req.path });
  res.status(req.query.status ? Number(req.query.status) : 200).json({
    method: req.method,
    path: req.path,
    url: req.url,
    query: req.query,
    type: req.get('Content-Type') ?? null,
    body: Buffer.isBuffer(req.body) ? { base64: req.body.toString('base64') } : req.body,
    raw: req.rawBody.toString('base64'),
    ip: req.ip,
  });
});

export const pieces = onRequest(async (req, res) => {
  res.set('Content-Type', 'text/plain');
  for (const piece of ['one ', 'two ', 'three']) {
    res.write(piece);
    await new Promise((resolve) => setTimeout(resolve, Number(req.query.ms ?? 1)));
  }
  res.end();
});

export const about = onRequest({ region: ['europe-west1', 'us-central1'], memory: '512MiB', timeoutSeconds: 5 }, (_req, res) => {
  const names = ['FUNCTION_TARGET', 'K_SERVICE', 'FUNCTIONS_EMULATOR', 'GCLOUD_PROJECT', 'FUNCTION_REGION', 'FUNCTION_MEMORY_MB'];
  res.json({ env: Object.fromEntries(names.map((name) => [name, process.env[name]])), config: JSON.parse(process.env.FIREBASE_CONFIG ?? '{}') });
});

/** Calls a function by its name in the cloud. */
export const relay = onRequest(async (req, res) => {
  const answer = await fetch(`https://europe-west1-${process.env.GCLOUD_PROJECT}.cloudfunctions.net/${req.query.name}`);
  res.status(answer.status).send(await answer.text());
});

export const fails = onRequest(async () => {
  throw new Error('this one fails');
});

export const slow = onRequest({ timeoutSeconds: 1 }, async () => {
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});

export const moved = onRequest((_req, res) => {
  res.cookie('session', 'a b', { httpOnly: true, maxAge: 60_000 });
  res.redirect(301, '/elsewhere?a=1');
});

/** When the request is read, and when the answer is out. */
export const ends = onRequest(async (req, res) => {
  const seen: string[] = [];
  for await (const piece of req) seen.push(`read ${piece}`);
  const closed = new Promise((resolve) => res.on('close', resolve));
  res.on('finish', () => seen.push('finish'));
  if (req.query.pieces) res.write('a');
  res.end('b');
  await closed;
  await tell('ends', [...seen, res.writableFinished]);
});

export const wrong = onRequest((_req, res) => {
  try {
    res.end({ a: 1 });
  } catch (error) {
    res.status(422).send((error as { code: string }).code);
  }
});
