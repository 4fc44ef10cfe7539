// How tools find emu: by the hub, as they find the Firebase CLI.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { initializeTestEnvironment } from '@firebase/rules-unit-testing'

const hub = `http://${process.env.FIREBASE_EMULATOR_HUB}`

test('the hub says which services there are', async () => {
  const services = await (await fetch(`${hub}/emulators`)).json()
  assert.equal(`${services.auth.host}:${services.auth.port}`, process.env.FIREBASE_AUTH_EMULATOR_HOST)
  assert.equal(services.hub.name, 'hub')
})

test('the locator file leads to the hub', () => {
  const file = JSON.parse(readFileSync(join(tmpdir(), `hub-${process.env.GCLOUD_PROJECT}.json`), 'utf8'))
  assert.ok(file.origins.includes(hub), file.origins.join())
  assert.equal(typeof file.pid, 'number')
})

test('the environment of rules-unit-testing finds its way', async () => {
  const environment = await initializeTestEnvironment({ projectId: 'demo-rules' })
  assert.equal(typeof environment.emulators, 'object')
  await environment.cleanup()
})

test('background triggers are switched off and on', async () => {
  for (const [action, enabled] of [['disable', false], ['enable', true]]) {
    const answer = await fetch(`${hub}/functions/${action}BackgroundTriggers`, { method: 'PUT' })
    assert.deepEqual([answer.status, await answer.json()], [200, { enabled }])
  }
})
