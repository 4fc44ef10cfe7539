// Every row of the tables with the genuine SDK, from outside, and with the sandbox's own, in a function: the answers are the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import admin from 'firebase-admin';
import * as app from 'firebase-admin/app';
import * as auth from 'firebase-admin/auth';
import * as firestore from 'firebase-admin/firestore';
import * as messaging from 'firebase-admin/messaging';
import * as storage from 'firebase-admin/storage';
import { installations } from '../functions/messaging.mjs';
import { names, tables } from '../functions/tables.mjs';

app.initializeApp();
const identity = `http://${process.env.FIREBASE_AUTH_EMULATOR_HOST}/identitytoolkit.googleapis.com`;
const genuine = tables({ admin, app, auth, firestore, messaging, storage, run: 'genuine', identity });

// Over HTTP, the genuine client takes ALREADY_EXISTS for ABORTED (both are 409) and tries again for a minute.
const slow = process.env.FIRESTORE_PREFER_REST ? ['create refuses what is there, update and delete what is not'] : [];

const ask = async (of) => {
  const answer = await fetch(`${process.env.EMU_URL}/run`, { method: 'POST', body: JSON.stringify(of) });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text);
};

// What emu has nothing to answer with.
const absent = { auth: ['Tenant', 'TenantManager', 'ProjectConfig', 'ProjectConfigManager', 'MultiFactorInfo', 'MultiFactorSettings', 'PhoneMultiFactorInfo'], firestore: ['v1'] };

const own = { skip: 'FIRESTORE_PREFER_REST' in process.env && 'the sandbox has another version installed' };

test('what version 14 names is there', own, async () => {
  const part = (name) => import(`firebase-admin-14/${name}`);
  const newest = { root: await import('firebase-admin-14'), app: await part('app'), auth: await part('auth'), firestore: await part('firestore'), functions: await part('functions'), messaging: await part('messaging'), storage: await part('storage') };
  const expected = names(newest), found = await ask({ part: 'since 14', name: 'names' });
  for (const [module, its] of Object.entries(expected)) {
    const others = ['default', 'module.exports', '__esModule', ...(absent[module] ?? [])];
    // Some names of the package stand for nothing: what they name is not told by Firestore's own.
    const names = Object.keys(its).filter((name) => !others.includes(name) && its[name] !== 'undefined');
    const only = (all) => Object.fromEntries(names.map((name) => [name, all[name]]));
    assert.deepEqual(only(found[module]), only(its), module);
  }
});

test('installations are sent to as with version 14', own, async () => {
  const gone = await fetch(`${process.env.EMU_ADMIN_URL}/emu/v1/push-tokens/gone`, { method: 'PUT', body: JSON.stringify({ state: 'unregistered' }) });
  assert.equal(gone.status, 200);
  const { initializeApp } = await import('firebase-admin-14');
  initializeApp();
  const expected = await installations(await import('firebase-admin-14/messaging'));
  assert.deepEqual(await ask({ part: 'since 14', name: 'installations' }), JSON.parse(JSON.stringify(expected)));
});

for (const [part, name] of genuine.names()) {
  test(`${part}: ${name}`, { skip: slow.includes(name) }, async () => {
    const answer = await ask({ part, name });
    const expected = await genuine.run(part, name);
    assert.ok(!expected?.thrown, JSON.stringify(expected, null, 1));
    assert.deepEqual(answer, expected);
  });
}
