// What an export of Firebase's own emulators has, seen by the genuine SDKs after `emu exec --import`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { initializeApp } from 'firebase-admin/app'
import { getAuth } from 'firebase-admin/auth'
import { getFirestore } from 'firebase-admin/firestore'
import { getDownloadURL, getStorage } from 'firebase-admin/storage'
import { initializeApp as initializeWeb } from 'firebase/app'
import { getAuth as getWebAuth, signInWithEmailAndPassword } from 'firebase/auth'

initializeApp()

test('users are there, with their passwords and claims', async () => {
  const users = (await getAuth().listUsers()).users
  assert.deepEqual(users.map(user => user.uid).sort(), ['ada', 'anonymous'])
  const { user } = await signInWithEmailAndPassword(getWebAuth(initializeWeb()), 'ada@example.com', 'secret-1')
  const { claims } = await user.getIdTokenResult()
  assert.deepEqual([user.uid, user.displayName, claims.admin], ['ada', 'Ada', true])
})

test('documents have the fields of every kind, and the names of this project', async () => {
  const firestore = getFirestore()
  const ada = await firestore.doc('users/ada').get()
  const { joined, photo, place, ...plain } = ada.data()
  assert.deepEqual(plain, {
    name: 'Ada', born: 1815, height: 1.65, active: true, nothing: null, tags: ['math', 2], none: [], address: { city: 'London', zip: 7 },
  })
  assert.deepEqual([joined.seconds, joined.nanoseconds, [...photo], place.latitude, place.longitude], [1_700_000_000, 1_000, [0, 255], 51.5, -0.1])
  const post = (await firestore.doc('users/ada/posts/p1').get()).data()
  assert.equal(post.text.length, 45_000)
  assert.equal((await post.author.get()).get('name'), 'Ada', 'a reference leads to the document')
  assert.deepEqual((await firestore.collection('users').where('born', '>', 1800).get()).docs.map(doc => doc.id), ['ada'], 'and there are indexes')
})

test('files have their bytes, metadata and tokens', async () => {
  const file = getStorage().bucket('demo-imported.appspot.com').file('photos/ada.txt')
  assert.equal(String((await file.download())[0]), 'from a suite')
  const [metadata] = await file.getMetadata()
  assert.deepEqual([metadata.contentType, metadata.cacheControl, metadata.metadata.by], ['text/plain', 'public, max-age=60', 'ada'])
  assert.match(await getDownloadURL(file), /token=11111111-2222-3333-4444-555555555555$/)
})

test('the hub writes an export of emu\'s own', async () => {
  const path = `${process.cwd()}/written`
  const ask = body => fetch(`http://${process.env.FIREBASE_EMULATOR_HUB}/_admin/export`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  assert.equal((await ask({ path, initiatedBy: 'test' })).status, 200)
  assert.equal((await ask({ path: 'not-from-the-root' })).status, 400)
  assert.equal((await ask({ path: `${process.cwd()}/export` })).ok, false, 'an export of the suite is not written over')
})
