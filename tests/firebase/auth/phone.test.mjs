// Phones and second factors: only the browser's build of the SDK knows them, so that is what runs here.
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { clear, host, lastCode, smsCode } from './rest.mjs'

globalThis.self ??= globalThis
globalThis.window ??= globalThis
globalThis.document ??= { visibilityState: 'visible', addEventListener() {}, removeEventListener() {} }
globalThis.location ??= new URL('http://localhost:5173/')
globalThis.addEventListener ??= () => {}
globalThis.removeEventListener ??= () => {}

const { initializeApp } = await import('firebase/app')
const {
  PhoneAuthProvider, PhoneMultiFactorGenerator, applyActionCode, connectAuthEmulator, createUserWithEmailAndPassword, getMultiFactorResolver,
  inMemoryPersistence, initializeAuth, multiFactor, reload, sendEmailVerification, signInWithEmailAndPassword, signInWithPhoneNumber, signOut,
} = await import('../node_modules/@firebase/auth/dist/esm/index.js')

const app = initializeApp({ apiKey: 'any', projectId: process.env.GCLOUD_PROJECT }, 'browser')
const auth = initializeAuth(app, { persistence: inMemoryPersistence })
connectAuthEmulator(auth, host, { disableWarnings: true })
const phone = '+15555550100'
const verifier = { type: 'recaptcha', verify: async () => 'nobody looks at this', _reset() {}, clear() {} }

beforeEach(async () => {
  await signOut(auth)
  await clear()
})

test('a phone signs in by the code that was sent to it', async () => {
  const confirmation = await signInWithPhoneNumber(auth, phone, verifier)
  const wrong = (await smsCode(phone)) === '000000' ? '000001' : '000000'
  await assert.rejects(confirmation.confirm(wrong), error => error.code === 'auth/invalid-verification-code')
  const { user } = await confirmation.confirm(await smsCode(phone))
  assert.equal(user.phoneNumber, phone)
  assert.deepEqual(user.providerData.map(one => one.providerId), ['phone'])
})

test('a second factor is enrolled and then asked for', async () => {
  const email = 'mfa@example.com', password = 'secret-1'
  const { user } = await createUserWithEmailAndPassword(auth, email, password)
  await sendEmailVerification(user)
  await applyActionCode(auth, (await lastCode(email)).oobCode)
  await reload(user)
  const provider = new PhoneAuthProvider(auth)
  const session = await multiFactor(user).getSession()
  const enrolling = await provider.verifyPhoneNumber({ phoneNumber: phone, session }, verifier)
  const credential = async id => PhoneMultiFactorGenerator.assertion(PhoneAuthProvider.credential(id, await smsCode(phone, id)))
  await multiFactor(user).enroll(await credential(enrolling), 'my phone')
  assert.deepEqual(multiFactor(user).enrolledFactors.map(factor => [factor.displayName, factor.factorId]), [['my phone', 'phone']])
  await signOut(auth)
  const stopped = await signInWithEmailAndPassword(auth, email, password).then(() => null, error => error)
  assert.equal(stopped?.code, 'auth/multi-factor-auth-required')
  const resolver = getMultiFactorResolver(auth, stopped)
  assert.match(resolver.hints[0].phoneNumber, /^\+\*+0100$/)
  const sent = await provider.verifyPhoneNumber({ multiFactorHint: resolver.hints[0], session: resolver.session }, verifier)
  const signed = await resolver.resolveSignIn(await credential(sent))
  assert.equal((await signed.user.getIdTokenResult()).claims.firebase.sign_in_second_factor, 'phone')
  await multiFactor(signed.user).unenroll(multiFactor(signed.user).enrolledFactors[0])
  assert.equal(multiFactor(signed.user).enrolledFactors.length, 0)
})
