// What only the emulator's own endpoints tell: codes that would have been mailed or sent to a phone.
export const host = `http://${process.env.FIREBASE_AUTH_EMULATOR_HOST}`
export const project = process.env.GCLOUD_PROJECT
const own = `${host}/emulator/v1/projects/${project}`

const get = async path => (await fetch(`${own}/${path}`)).json()

export const clear = () => fetch(`${own}/accounts`, { method: 'DELETE' })
export const oobCodes = async email => (await get('oobCodes')).oobCodes.filter(code => code.email === email)
export const lastCode = async email => (await oobCodes(email)).at(-1)
export const smsCode = async (phone, session) =>
  (await get('verificationCodes')).verificationCodes.filter(sent => sent.phoneNumber === phone && (!session || sent.sessionInfo === session)).at(-1).code
