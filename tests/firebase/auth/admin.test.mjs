// The admin SDK, which finds emu by the variables of `emu exec` alone.
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { initializeApp as initializeWeb } from 'firebase/app'
import { createUserWithEmailAndPassword, getAuth as getWeb, signInWithCustomToken, signInWithEmailAndPassword, signOut } from 'firebase/auth'
import { clear, project } from './rest.mjs'

// Which of the installed versions.
const sdk = process.env.ADMIN_SDK ?? 'firebase-admin'
const { initializeApp } = await import(`${sdk}/app`), { getAuth } = await import(`${sdk}/auth`)
initializeApp()
const admin = getAuth(), web = getWeb(initializeWeb())
const failsWith = (code, promise) => assert.rejects(promise, error => (assert.equal(error.code, code), true))

beforeEach(async () => {
  await signOut(web)
  web.tenantId = null
  await clear()
})

test('users are made, found, changed, listed and removed', async () => {
  const made = await admin.createUser({ uid: 'u1', email: 'A@example.com', password: 'secret-1', displayName: 'A', phoneNumber: '+15555550100', emailVerified: true })
  assert.equal(made.email, 'a@example.com')
  assert.deepEqual(made.providerData.map(one => one.providerId).sort(), ['password', 'phone'])
  assert.ok(Math.abs(Date.parse(made.metadata.creationTime) - Date.now()) < 60_000)
  assert.equal((await admin.getUserByEmail('a@example.com')).uid, 'u1')
  assert.equal((await admin.getUserByPhoneNumber('+15555550100')).uid, 'u1')
  const found = await admin.getUsers([{ uid: 'u1' }, { email: 'nobody@example.com' }])
  assert.equal(found.users.length, 1)
  assert.equal(found.notFound.length, 1)
  const changed = await admin.updateUser('u1', { displayName: null, photoURL: 'http://localhost/p.png', disabled: true, phoneNumber: null })
  assert.deepEqual([changed.displayName, changed.photoURL, changed.disabled, changed.phoneNumber], [undefined, 'http://localhost/p.png', true, undefined])
  await failsWith('auth/email-already-exists', admin.createUser({ email: 'a@example.com' }))
  await failsWith('auth/uid-already-exists', admin.createUser({ uid: 'u1' }))
  await failsWith('auth/user-not-found', admin.getUser('nobody'))
  await failsWith('auth/invalid-password', admin.createUser({ password: 'short' }))
  await Promise.all([2, 3, 4].map(n => admin.createUser({ uid: `u${n}` })))
  const first = await admin.listUsers(3)
  const rest = await admin.listUsers(3, first.pageToken)
  assert.deepEqual([...first.users, ...rest.users].map(user => user.uid), ['u1', 'u2', 'u3', 'u4'])
  await admin.deleteUser('u1')
  await failsWith('auth/user-not-found', admin.getUser('u1'))
  const gone = await admin.deleteUsers(['u2', 'u3', 'unknown'])
  assert.deepEqual([gone.successCount, gone.failureCount], [3, 0])
  assert.deepEqual((await admin.listUsers()).users.map(user => user.uid), ['u4'])
})

test('ID tokens are verified and revoked', async () => {
  const { user } = await createUserWithEmailAndPassword(web, 'a@example.com', 'secret-1')
  const token = await user.getIdToken()
  const claims = await admin.verifyIdToken(token, true)
  assert.deepEqual([claims.uid, claims.aud, claims.firebase.sign_in_provider], [user.uid, project, 'password'])
  await failsWith('auth/argument-error', admin.verifyIdToken('no token'))
  await admin.updateUser(user.uid, { disabled: true })
  await failsWith('auth/user-disabled', admin.verifyIdToken(token, true))
  await failsWith('auth/user-disabled', signInWithEmailAndPassword(web, 'a@example.com', 'secret-1'))
})

test('custom claims reach the token', async () => {
  const { user } = await createUserWithEmailAndPassword(web, 'a@example.com', 'secret-1')
  await admin.setCustomUserClaims(user.uid, { admin: true, level: 3 })
  const { claims } = await user.getIdTokenResult(true)
  assert.deepEqual([claims.admin, claims.level], [true, 3])
  assert.deepEqual((await admin.getUser(user.uid)).customClaims, { admin: true, level: 3 })
  await failsWith('auth/reserved-claim', admin.setCustomUserClaims(user.uid, { iss: 'me' }))
  await admin.setCustomUserClaims(user.uid, null)
  assert.equal((await user.getIdTokenResult(true)).claims.admin, undefined)
})

test('a custom token of the admin SDK signs in', async () => {
  const token = await admin.createCustomToken('own', { role: 'editor' })
  const { user } = await signInWithCustomToken(web, token)
  assert.equal(user.uid, 'own')
  assert.equal((await user.getIdTokenResult()).claims.role, 'editor')
})

test('session cookies', async () => {
  const { user } = await createUserWithEmailAndPassword(web, 'a@example.com', 'secret-1')
  const cookie = await admin.createSessionCookie(await user.getIdToken(), { expiresIn: 3_600_000 })
  const claims = await admin.verifySessionCookie(cookie, true)
  assert.equal(claims.uid, user.uid)
  assert.equal(claims.iss, `https://session.firebase.google.com/${project}`)
  assert.equal(claims.exp - claims.iat, 3_600)
})

test('links for mails of one\'s own', async () => {
  await admin.createUser({ email: 'a@example.com', password: 'secret-1' })
  const settings = { url: 'http://localhost:5173/done' }
  const verify = await admin.generateEmailVerificationLink('a@example.com', settings)
  const followed = await fetch(verify, { redirect: 'manual' })
  assert.deepEqual([followed.status, followed.headers.get('location')], [303, settings.url])
  assert.equal((await admin.getUserByEmail('a@example.com')).emailVerified, true)
  const reset = await admin.generatePasswordResetLink('a@example.com')
  await fetch(`${reset}&newPassword=another-one`)
  await signInWithEmailAndPassword(web, 'a@example.com', 'another-one')
  assert.match(await admin.generateSignInWithEmailLink('b@example.com', settings), /mode=signIn&/)
  await failsWith('auth/email-not-found', admin.generatePasswordResetLink('nobody@example.com'))
  const change = await admin.generateVerifyAndChangeEmailLink('a@example.com', 'c@example.com')
  await fetch(change)
  assert.equal((await admin.getUserByEmail('c@example.com')).emailVerified, true)
})

test('users are imported with their passwords', async () => {
  const { createHmac } = await import('node:crypto')
  const key = Buffer.from('signing key'), salt = Buffer.from('salt')
  const hash = createHmac('sha256', key).update(Buffer.concat([Buffer.from('secret-1'), salt])).digest()
  const result = await admin.importUsers(
    [
      { uid: 'i1', email: 'i1@example.com', passwordHash: hash, passwordSalt: salt, customClaims: { imported: true } },
      { uid: 'i2', email: 'i2@example.com', providerData: [{ uid: 'g2', providerId: 'google.com', email: 'i2@example.com', displayName: 'I' }] },
      { uid: 'i3', phoneNumber: '+15555550103', metadata: { creationTime: 'Sat, 01 Jan 2022 00:00:00 GMT', lastSignInTime: 'Sun, 02 Jan 2022 00:00:00 GMT' } },
    ],
    { hash: { algorithm: 'HMAC_SHA256', key } },
  )
  assert.deepEqual([result.successCount, result.errors], [3, []])
  const { user } = await signInWithEmailAndPassword(web, 'i1@example.com', 'secret-1')
  assert.equal((await user.getIdTokenResult()).claims.imported, true)
  assert.equal((await admin.getUserByProviderUid('google.com', 'g2')).uid, 'i2')
  assert.equal((await admin.getUser('i3')).metadata.creationTime, 'Sat, 01 Jan 2022 00:00:00 GMT')
  const twice = await admin.importUsers([{ uid: 'i4', email: 'i1@example.com' }])
  assert.deepEqual([twice.successCount, twice.failureCount], [0, 1])
})

test('second factors are set by an administrator', async () => {
  const user = await admin.createUser({
    email: 'a@example.com', password: 'secret-1', emailVerified: true,
    multiFactor: { enrolledFactors: [{ phoneNumber: '+15555550100', displayName: 'phone', factorId: 'phone' }] },
  })
  assert.equal(user.multiFactor.enrolledFactors[0].phoneNumber, '+15555550100')
  await failsWith('auth/multi-factor-auth-required', signInWithEmailAndPassword(web, 'a@example.com', 'secret-1'))
  await admin.updateUser(user.uid, { multiFactor: { enrolledFactors: null } })
  await signInWithEmailAndPassword(web, 'a@example.com', 'secret-1')
})

test('tenants keep their users apart', async () => {
  const manager = admin.tenantManager()
  const tenant = await manager.createTenant({ displayName: 'acme', emailSignInConfig: { enabled: true, passwordRequired: true } })
  assert.match(tenant.tenantId, /^acme-/)
  const of = manager.authForTenant(tenant.tenantId)
  const made = await of.createUser({ email: 'a@example.com', password: 'secret-1' })
  assert.equal(made.tenantId, tenant.tenantId)
  await failsWith('auth/user-not-found', admin.getUser(made.uid))
  web.tenantId = tenant.tenantId
  const { user } = await signInWithEmailAndPassword(web, 'a@example.com', 'secret-1')
  assert.equal(user.tenantId, tenant.tenantId)
  assert.equal((await of.verifyIdToken(await user.getIdToken(true), true)).firebase.tenant, tenant.tenantId)
  await manager.updateTenant(tenant.tenantId, { displayName: 'renamed' })
  assert.equal((await manager.getTenant(tenant.tenantId)).displayName, 'renamed')
  assert.ok((await manager.listTenants()).tenants.some(one => one.tenantId === tenant.tenantId))
  await manager.deleteTenant(tenant.tenantId)
  await failsWith('auth/tenant-not-found', manager.getTenant(tenant.tenantId))
})
