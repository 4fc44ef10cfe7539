// The environment of `@firebase/rules-unit-testing`: it finds emu by the hub, loads rules, and acts as different people. The rules
// themselves are not enforced yet.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { assertSucceeds, initializeTestEnvironment } from '@firebase/rules-unit-testing'

const rules = `rules_version = '2';
service cloud.firestore { match /databases/{database}/documents { match /{all=**} { allow read, write: if request.auth != null; } } }`

const storageRules = `rules_version = '2';
service firebase.storage { match /b/{bucket}/o { match /{all=**} { allow read, write; } } }`

let environment
before(async () => {
  environment = await initializeTestEnvironment({ projectId: `demo-rules-${process.pid}`, firestore: { rules }, storage: { rules: storageRules } })
})
after(() => environment.cleanup())

test('the services are found by the hub', () => {
  const { firestore } = environment.emulators
  assert.equal(`${firestore.host}:${firestore.port}`, process.env.FIRESTORE_EMULATOR_HOST)
})

test('whoever it is, sees what was put there without rules', async () => {
  await environment.withSecurityRulesDisabled(context => context.firestore().doc('notes/one').set({ text: 'hello', by: 'alice' }))
  const alice = environment.authenticatedContext('alice', { email: 'alice@example.com', admin: true }).firestore()
  assert.equal((await assertSucceeds(alice.doc('notes/one').get())).get('text'), 'hello')
  await assertSucceeds(alice.doc('notes/two').set({ text: 'mine', by: 'alice' }))
  const found = await assertSucceeds(alice.collection('notes').where('by', '==', 'alice').get())
  assert.deepEqual(found.docs.map(note => note.id), ['one', 'two'])
  const somebody = environment.unauthenticatedContext().firestore()
  const heard = new Promise((resolve, reject) => somebody.doc('notes/two').onSnapshot(note => note.exists && resolve(note.get('text')), reject))
  assert.equal(await heard, 'mine')
})

test('a file that one puts another gets', async () => {
  const file = environment.authenticatedContext('alice').storage().ref('one.txt')
  await file.putString('hello', undefined, { contentType: 'text/plain' })
  await environment.withSecurityRulesDisabled(async context => {
    const metadata = await context.storage().ref('one.txt').getMetadata()
    assert.deepEqual([metadata.size, metadata.contentType], [5, 'text/plain'])
  })
})

test('everything is cleared between tests', async () => {
  await environment.clearFirestore()
  await environment.clearStorage()
  await environment.withSecurityRulesDisabled(async context => {
    assert.equal((await context.firestore().collection('notes').get()).size, 0)
    assert.deepEqual((await context.storage().ref().listAll()).items, [])
  })
})

