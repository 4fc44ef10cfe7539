// The web SDK in Node, as it is: it finds emu by `__FIREBASE_DEFAULTS__`, without a call that connects it.
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { deleteApp, initializeApp } from 'firebase/app'
import {
  EmailAuthProvider, GoogleAuthProvider, applyActionCode, checkActionCode, confirmPasswordReset, createUserWithEmailAndPassword, deleteUser,
  getAuth, getIdTokenResult, isSignInWithEmailLink, linkWithCredential, onAuthStateChanged, reauthenticateWithCredential, reload,
  sendEmailVerification, sendPasswordResetEmail, sendSignInLinkToEmail, signInAnonymously, signInWithCredential, signInWithCustomToken,
  signInWithEmailAndPassword, signInWithEmailLink, signOut, unlink, updateEmail, updatePassword, updateProfile, verifyBeforeUpdateEmail,
  verifyPasswordResetCode,
} from 'firebase/auth'
import { clear, host, lastCode, project } from './rest.mjs'

const app = initializeApp()
const auth = getAuth(app)
const email = 'ada@example.com', password = 'secret-1'

const failsWith = (code, promise) => assert.rejects(promise, error => (assert.equal(error.code, code), true))
const inbox = async to => (await (await fetch(`${process.env.AWS_ENDPOINT_URL}/_aws/ses`)).json()).messages.filter(mail => mail.Destination.ToAddresses.includes(to))

beforeEach(async () => {
  await signOut(auth)
  await clear()
})

test('the SDK is connected without a line of code', () => {
  assert.equal(app.options.projectId, project)
  assert.equal(`http://${auth.emulatorConfig.host}:${auth.emulatorConfig.port}`, host)
})

test('sign up, sign out, sign in, state changes', async () => {
  const seen = []
  const stop = onAuthStateChanged(auth, user => seen.push(user?.email ?? null))
  const { user } = await createUserWithEmailAndPassword(auth, 'Ada@Example.com', password)
  assert.equal(user.email, email)
  assert.equal(user.emailVerified, false)
  assert.deepEqual(user.providerData.map(one => one.providerId), ['password'])
  await updateProfile(user, { displayName: 'Ada', photoURL: 'http://localhost/a.png' })
  await signOut(auth)
  const again = await signInWithEmailAndPassword(auth, email, password)
  assert.equal(again.user.uid, user.uid)
  assert.equal(again.user.displayName, 'Ada')
  stop()
  assert.deepEqual(seen.filter((one, at) => one !== seen[at - 1]), [null, email, null, email])
})

test('the errors that an app shows', async () => {
  await createUserWithEmailAndPassword(auth, email, password)
  await failsWith('auth/email-already-in-use', createUserWithEmailAndPassword(auth, email, password))
  await failsWith('auth/weak-password', createUserWithEmailAndPassword(auth, 'b@example.com', 'short'))
  await failsWith('auth/invalid-email', createUserWithEmailAndPassword(auth, 'nobody', password))
  await failsWith('auth/missing-password', createUserWithEmailAndPassword(auth, 'b@example.com', ''))
  await failsWith('auth/wrong-password', signInWithEmailAndPassword(auth, email, 'wrong-one'))
  await failsWith('auth/user-not-found', signInWithEmailAndPassword(auth, 'b@example.com', password))
  await failsWith('auth/user-not-found', sendPasswordResetEmail(auth, 'b@example.com'))
  await failsWith('auth/invalid-action-code', applyActionCode(auth, 'no-code'))
  await failsWith('auth/invalid-custom-token', signInWithCustomToken(auth, 'no-token'))
})

test('an ID token says who it is, and is refreshed', async () => {
  const { user } = await createUserWithEmailAndPassword(auth, email, password)
  const first = await getIdTokenResult(user)
  assert.equal(first.claims.email, email)
  assert.equal(first.claims.aud, project)
  assert.equal(first.signInProvider, 'password')
  assert.equal(Date.parse(first.expirationTime) - Date.parse(first.issuedAtTime), 3_600_000)
  const fresh = await getIdTokenResult(user, true)
  assert.equal(fresh.claims.user_id, user.uid)
  assert.equal(fresh.authTime, first.authTime)
})

test('an anonymous user becomes one with a password', async () => {
  const { user } = await signInAnonymously(auth)
  assert.equal(user.isAnonymous, true)
  assert.equal((await getIdTokenResult(user)).claims.provider_id, 'anonymous')
  const linked = await linkWithCredential(user, EmailAuthProvider.credential(email, password))
  assert.equal(linked.user.uid, user.uid)
  assert.equal(linked.user.isAnonymous, false)
  await signOut(auth)
  assert.equal((await signInWithEmailAndPassword(auth, email, password)).user.uid, user.uid)
})

test('a link that was mailed signs in', async () => {
  await sendSignInLinkToEmail(auth, email, { url: 'http://localhost:5173/finish?x=1', handleCodeInApp: true })
  const { oobLink } = await lastCode(email)
  // The mail's link leads to the app, with all that it needs.
  const followed = await fetch(oobLink, { redirect: 'manual' })
  assert.equal(followed.status, 303)
  const link = followed.headers.get('location')
  assert.match(link, /^http:\/\/localhost:5173\/finish\?x=1&/)
  assert.ok(isSignInWithEmailLink(auth, link))
  const { user } = await signInWithEmailLink(auth, email, link)
  assert.equal(user.emailVerified, true)
  await failsWith('auth/invalid-action-code', signInWithEmailLink(auth, email, link))
})

test('mails lie in the inbox, and their links do what they say', async () => {
  const { user } = await createUserWithEmailAndPassword(auth, email, password)
  await sendEmailVerification(user)
  const { oobLink } = await lastCode(email)
  for (let tries = 0; !(await inbox(email)).some(mail => mail.Body.text_part.includes(oobLink)); tries++) assert.ok(tries < 200, 'the mail has arrived')
  const page = await fetch(oobLink, { headers: { accept: 'text/html' } })
  assert.match(await page.text(), /successfully verified[^]*ada@example\.com/)
  await reload(user)
  assert.equal(user.emailVerified, true)
  assert.equal((await fetch(oobLink)).status, 400)
})

test('a forgotten password is replaced', async () => {
  await createUserWithEmailAndPassword(auth, email, password)
  await sendPasswordResetEmail(auth, email)
  const { oobCode, oobLink, requestType } = await lastCode(email)
  assert.equal(requestType, 'PASSWORD_RESET')
  assert.equal(await verifyPasswordResetCode(auth, oobCode), email)
  assert.match(await (await fetch(oobLink, { headers: { accept: 'text/html' } })).text(), /<form[^]*New password/)
  await confirmPasswordReset(auth, oobCode, 'another-one')
  await failsWith('auth/wrong-password', signInWithEmailAndPassword(auth, email, password))
  await signInWithEmailAndPassword(auth, email, 'another-one')
})

test('an address is changed, and can be had back', async () => {
  const { user } = await createUserWithEmailAndPassword(auth, email, password)
  await verifyBeforeUpdateEmail(user, 'new@example.com')
  const { oobCode } = await lastCode(email)
  assert.equal((await checkActionCode(auth, oobCode)).operation, 'VERIFY_AND_CHANGE_EMAIL')
  await applyActionCode(auth, oobCode)
  const changed = (await signInWithEmailAndPassword(auth, 'new@example.com', password)).user
  assert.equal(changed.uid, user.uid)
  await updateEmail(changed, 'newer@example.com')
  const recover = await lastCode(email)
  assert.equal(recover.requestType, 'RECOVER_EMAIL')
  await fetch(recover.oobLink)
  assert.equal((await signInWithEmailAndPassword(auth, email, password)).user.uid, user.uid)
})

test('a custom token in plain JSON signs in', async () => {
  const { user } = await signInWithCustomToken(auth, JSON.stringify({ uid: 'own', claims: { role: 'editor' } }))
  assert.equal(user.uid, 'own')
  assert.equal((await getIdTokenResult(user)).claims.role, 'editor')
})

test('Google with a token that is made up', async () => {
  const claims = JSON.stringify({ sub: 'g1', email: 'g@example.com', email_verified: true, name: 'Grace' })
  const { user } = await signInWithCredential(auth, GoogleAuthProvider.credential(claims))
  assert.equal(user.displayName, 'Grace')
  assert.deepEqual(user.providerData.map(one => [one.providerId, one.uid]), [['google.com', 'g1']])
  assert.equal((await getIdTokenResult(user)).signInProvider, 'google.com')
  await linkWithCredential(user, EmailAuthProvider.credential('g@example.com', password))
  assert.deepEqual(user.providerData.map(one => one.providerId).sort(), ['google.com', 'password'])
  await unlink(user, 'google.com')
  assert.deepEqual(user.providerData.map(one => one.providerId), ['password'])
})

test('a password is changed after signing in anew, and a user leaves', async () => {
  const { user } = await createUserWithEmailAndPassword(auth, email, password)
  await reauthenticateWithCredential(user, EmailAuthProvider.credential(email, password))
  await updatePassword(user, 'another-one')
  await deleteUser(user)
  await failsWith('auth/user-not-found', signInWithEmailAndPassword(auth, email, 'another-one'))
})

test('time passes by the clock of emu', async () => {
  const { user } = await createUserWithEmailAndPassword(auth, email, password)
  await sendPasswordResetEmail(auth, email)
  const { oobCode } = await lastCode(email)
  const advance = ms => fetch(`${process.env.EMU_ADMIN_URL}/emu/v1/clock/advance`, { method: 'POST', body: JSON.stringify({ ms }) })
  await advance(2 * 3_600_000)
  try {
    await failsWith('auth/expired-action-code', verifyPasswordResetCode(auth, oobCode))
    await user.getIdToken(true)
    await reload(user)
  } finally {
    await advance(-2 * 3_600_000)
  }
})

test.after(() => deleteApp(app))
