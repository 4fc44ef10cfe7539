// Run by `emu exec -- npm test`: the SDKs find the services in the environment.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { deleteApp, initializeApp } from 'firebase/app';
import { createUserWithEmailAndPassword, getAuth, signOut } from 'firebase/auth';
import { getFirestore, terminate } from 'firebase/firestore';
import { getFunctions } from 'firebase/functions';
import { getStorage } from 'firebase/storage';
import { initializeApp as initializeAdmin } from 'firebase-admin/app';
import { getFirestore as getAdminFirestore } from 'firebase-admin/firestore';
import { addNote, clearNotes, countNotes, listNotes, type Note, type Services } from '../web/notes.js';

const { projectId, storageBucket } = JSON.parse(process.env.FIREBASE_CONFIG ?? '{}') as { projectId: string; storageBucket: string };
const app = initializeApp({ apiKey: 'key', projectId, storageBucket });
const services: Services = { auth: getAuth(app), db: getFirestore(app), functions: getFunctions(app), storage: getStorage(app) };
initializeAdmin();
const db = getAdminFirestore();

before(() => createUserWithEmailAndPassword(services.auth, 'ann@example.com', 'secret'));
after(async () => {
  await terminate(services.db);
  await deleteApp(app);
});

/** The first that is told which is as wanted. */
function first<T>(listen: (services: Services, tell: (value: T) => void, fail: (error: Error) => void) => () => void, wanted: (value: T) => boolean): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = listen(services, (value) => {
      if (!wanted(value)) return;
      resolve(value);
      queueMicrotask(() => stop());
    }, reject);
  });
}

test('notes are listed newest first, and counted', async () => {
  await addNote(services, 'Water the plants');
  await addNote(services, 'Call Bob');
  const notes = await first<Note[]>(listNotes, (all) => all.length === 2);
  assert.deepEqual(notes.map((note) => note.text), ['Call Bob', 'Water the plants']);
  assert.equal(await first<number>(countNotes, (count) => count === 2), 2);
});

test('a note may have a picture', async () => {
  const picture = new Uint8Array([137, 80, 78, 71]);
  await addNote(services, 'Look', picture);
  const notes = await first<Note[]>(listNotes, (all) => all[0]?.text === 'Look');
  const loaded = await fetch(notes[0]?.picture ?? assert.fail('there is none'));
  assert.deepEqual(new Uint8Array(await loaded.arrayBuffer()), picture);
});

test('clearing takes one’s own notes and no others', async () => {
  await db.collection('notes').add({ uid: 'bob', text: 'Of Bob', createdAt: new Date() });
  assert.equal(await clearNotes(services), 3);
  const left = await db.collection('notes').get();
  assert.deepEqual(left.docs.map((note) => note.get('text')), ['Of Bob']);
  assert.equal(await first<number>(countNotes, (count) => count === 0), 0);
});

test('nobody else may clear them', async () => {
  await signOut(services.auth);
  await assert.rejects(clearNotes(services), { code: 'functions/unauthenticated', message: /^Sign in to clear your notes\./ });
});
