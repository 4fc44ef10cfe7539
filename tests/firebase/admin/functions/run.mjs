// Runs one row of a table with the sandbox's own firebase-admin.
import admin from 'firebase-admin';
import * as app from 'firebase-admin/app';
import * as auth from 'firebase-admin/auth';
import * as firestore from 'firebase-admin/firestore';
import * as functions from 'firebase-admin/functions';
import * as messaging from 'firebase-admin/messaging';
import * as storage from 'firebase-admin/storage';
import { installations } from './messaging.mjs';
import { names, tables } from './tables.mjs';

app.initializeApp();
const sdk = { admin, app, auth, firestore, messaging, storage, run: 'own', identity: 'https://identitytoolkit.googleapis.com' };
const all = tables(sdk);
const since14 = {
  names: () => names({ root: admin, app, auth, firestore, functions, messaging, storage }),
  installations: () => installations(messaging),
};

export async function handler(event) {
  const { part, name } = JSON.parse(event.body);
  const answer = part === 'since 14' ? await since14[name]() : await all.run(part, name);
  return { statusCode: 200, body: JSON.stringify(answer) };
}
