// Every row of the tables with the genuine SDK, from outside, and with the sandbox's own, in a function: the answers are the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import admin from 'firebase-admin';
import * as app from 'firebase-admin/app';
import * as auth from 'firebase-admin/auth';
import * as firestore from 'firebase-admin/firestore';
import * as messaging from 'firebase-admin/messaging';
import * as storage from 'firebase-admin/storage';
import { tables } from '../functions/tables.mjs';

app.initializeApp();
const identity = `http://${process.env.FIREBASE_AUTH_EMULATOR_HOST}/identitytoolkit.googleapis.com`;
const genuine = tables({ admin, app, auth, firestore, messaging, storage, run: 'genuine', identity });

// Over HTTP, the genuine client takes ALREADY_EXISTS for ABORTED (both are 409) and tries again for a minute.
const slow = process.env.FIRESTORE_PREFER_REST ? ['create refuses what is there, update and delete what is not'] : [];

for (const [part, name] of genuine.names()) {
  test(`${part}: ${name}`, { skip: slow.includes(name) }, async () => {
    const answer = await fetch(`${process.env.EMU_URL}/run`, { method: 'POST', body: JSON.stringify({ part, name }) });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    const expected = await genuine.run(part, name);
    assert.ok(!expected?.thrown, JSON.stringify(expected, null, 1));
    assert.deepEqual(JSON.parse(text), expected);
  });
}
