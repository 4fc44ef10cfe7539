// Measures Firestore through the admin SDK (gRPC): documents set and read, a query of 20, a write heard by 100 listeners.
// Run under emu: target/release/emu exec --project FOLDER_WITH_FIREBASE_JSON -- node benches/firebase.mjs [passes] [seconds]
// The client is a good part of what is measured: compare ratios in one run, not runs.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../tests/firebase/package.json', import.meta.url));
const { Firestore } = require('@google-cloud/firestore');

const PASSES = Number(process.argv[2] ?? 3);
const SECONDS = Number(process.argv[3] ?? 3);
const db = new Firestore({ projectId: `demo-bench-${process.pid}` });
const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];

/** Repeats `once` from so many clients at a time; answers operations a second and how long they took. */
async function load(clients, once) {
  const [took, end] = [[], performance.now() + SECONDS * 1_000];
  let n = 0;
  await Promise.all(Array.from({ length: clients }, async () => {
    while (performance.now() < end) {
      const began = performance.now();
      await once(n++);
      took.push(performance.now() - began);
    }
  }));
  took.sort((a, b) => a - b);
  return { rate: took.length / SECONDS, p50: quantile(took, 0.5), p99: quantile(took, 0.99) };
}

const document = (n) => ({ n, author: `a${n % 50}`, title: `Post number ${n}`, tags: ['all', `t${n % 7}`], likes: n % 13 });
const posts = db.collection('posts');
for (let from = 0; from < 2_000; from += 500) {
  const batch = db.batch();
  for (let n = from; n < from + 500; n++) batch.set(posts.doc(`p${n}`), document(n));
  await batch.commit();
}
const rows = {
  set: (n) => posts.doc(`w${n % 5_000}`).set(document(n)),
  get: (n) => posts.doc(`p${n % 2_000}`).get(),
  'query of 20': (n) => posts.where('author', '==', `a${n % 50}`).orderBy('n', 'desc').limit(20).get(),
};
for (const [name, once] of Object.entries(rows)) {
  for (const clients of [1, 16]) {
    for (let pass = 0; pass < PASSES; pass++) {
      const { rate, p50, p99 } = await load(clients, once);
      console.log(`${name}, ${clients} at a time: ${rate.toFixed(0)}/s, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
    }
  }
}

// From the write to each of the listeners, which are streams of one client.
for (const listeners of [1, 100]) {
  const fan = db.collection(`fan${listeners}`);
  let [heard, wake, told] = [0, () => {}, 0];
  const stops = Array.from({ length: listeners }, () => fan.onSnapshot(() => ++heard === told && wake()));
  const all = (number) => new Promise((resolve) => {
    [told, wake] = [heard + number, resolve];
  });
  await all(listeners);
  const took = [];
  for (let n = 0; n < 50; n++) {
    const began = performance.now();
    const everybody = all(listeners);
    await Promise.all([everybody, fan.doc('one').set({ n })]);
    took.push(performance.now() - began);
  }
  took.sort((a, b) => a - b);
  console.log(`a write heard by ${listeners}: p50 ${quantile(took, 0.5).toFixed(2)} ms, p99 ${quantile(took, 0.99).toFixed(2)} ms`);
  stops.forEach((stop) => stop());
}
await db.terminate();
