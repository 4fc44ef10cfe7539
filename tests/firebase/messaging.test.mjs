// The admin SDK's messaging, which has no switch for an emulator: it reaches emu by what `emu exec` gives every Node, and nothing else.
import assert from 'node:assert/strict'
import { request } from 'node:https'
import { beforeEach, test } from 'node:test'

// Which of the installed versions.
const sdk = process.env.ADMIN_SDK ?? 'firebase-admin'
const { initializeApp } = await import(`${sdk}/app`), { getMessaging } = await import(`${sdk}/messaging`)
initializeApp()
const messaging = getMessaging(), project = process.env.GCLOUD_PROJECT
const failsWith = (code, promise) => assert.rejects(promise, error => (assert.equal(error.code, code), true))
const emu = async (method, path, body) => {
  const answer = await fetch(`${process.env.EMU_ADMIN_URL}/emu/v1/${path}`, { method, body: body && JSON.stringify(body) })
  assert.equal(answer.status, 200, await answer.clone().text())
  return answer.json()
}
const pushes = async () => (await emu('GET', 'pushes')).pushes

beforeEach(() => emu('POST', 'state/reset', { service: 'push' }))

test('a message lands in the inbox as each kind of device shows it', async () => {
  const id = await messaging.send({
    token: 'device-1',
    notification: { title: 'New follower', body: 'Ada follows you' },
    data: { kind: 'follow' },
    android: { priority: 'high', ttl: 3_500, notification: { title: 'Droid', channelId: 'social' } },
    apns: { payload: { aps: { badge: 3, alert: { title: 'Apple' } } } },
    webpush: { notification: { icon: '/i.png' }, fcmOptions: { link: 'https://example.com/' } },
  })
  assert.match(id, new RegExp(`^projects/${project}/messages/`))
  const [push] = await pushes()
  assert.equal(id.endsWith(push.id), true)
  assert.deepEqual([push.target, push.tokens, push.title, push.body, push.data], [{ token: 'device-1' }, ['device-1'], 'Droid', 'Ada follows you', { kind: 'follow' }])
  const shown = Object.fromEntries(push.rendered.map(one => [one.platform, one]))
  assert.deepEqual([shown.apns.title, shown.apns.options.badge, shown.webpush.title, shown.webpush.options.link], ['Apple', 3, 'New follower', 'https://example.com/'])
  assert.deepEqual([shown.android.options.channel_id, shown.android.options.ttl], ['social', '3.500000000s'])
})

test('many messages go at once, over HTTP/2 and over HTTP/1', async () => {
  await emu('PUT', 'push-tokens/gone', { state: 'unregistered' })
  const to = token => ({ token, data: { to: token } })
  const answer = await messaging.sendEach([to('a'), to('gone'), to('b')])
  assert.deepEqual(answer.responses.map(one => one.success), [true, false, true])
  assert.equal(answer.responses[1].error.code, 'messaging/registration-token-not-registered')
  const multicast = await messaging.sendEachForMulticast({ tokens: Array.from({ length: 500 }, (_, at) => `t${at}`), notification: { title: 'All' } })
  assert.deepEqual([multicast.successCount, multicast.failureCount], [500, 0])
  assert.equal((await pushes()).length, 502)
  messaging.enableLegacyHttpTransport()
  assert.equal((await messaging.sendEach([to('c')])).successCount, 1)
})

test('topics are joined, left, sent to, and combined', async () => {
  await emu('PUT', 'push-tokens/gone', { state: 'unregistered' })
  const joined = await messaging.subscribeToTopic(['a', 'b', 'gone'], 'news')
  assert.deepEqual([joined.successCount, joined.failureCount, joined.errors[0].index], [2, 1, 2])
  await messaging.subscribeToTopic('b', '/topics/sport')
  await messaging.send({ topic: 'news', notification: { title: 'News' } })
  await messaging.send({ condition: "'news' in topics && !('sport' in topics)", notification: { title: 'Only news' } })
  await messaging.unsubscribeFromTopic('a', 'news')
  await messaging.send({ topic: 'news', notification: { title: 'Later' } })
  assert.deepEqual((await pushes()).map(push => [push.title, push.tokens]), [['News', ['a', 'b']], ['Only news', ['a']], ['Later', ['b']]])
  assert.deepEqual((await emu('GET', 'pushes?token=a')).pushes.map(push => push.title), ['News', 'Only news'])
  const { tokens } = await emu('GET', 'push-tokens')
  assert.deepEqual(tokens.find(one => one.token === 'b').topics, ['news', 'sport'])
})

test('topics are joined and left over HTTP/1, too, and again by who is there', async () => {
  messaging.enableLegacyHttpTransport()
  for (const round of ['first', 'again']) assert.equal((await messaging.subscribeToTopic(['a', 'b'], 'news')).successCount, 2, round)
  for (const round of ['first', 'again']) assert.equal((await messaging.unsubscribeFromTopic(['a'], '/topics/news')).successCount, 1, round)
  await messaging.send({ topic: 'news', notification: { title: 'News' } })
  assert.deepEqual((await pushes())[0].tokens, ['b'])
})

test('installations are sent to by their IDs', { skip: sdk === 'firebase-admin' && 'since version 14' }, async () => {
  await emu('PUT', 'push-tokens/gone', { state: 'unregistered' })
  const sent = await messaging.sendEachForMulticast({ tokens: ['a'], fids: ['cXf0', 'gone'], notification: { title: 'T' } })
  assert.deepEqual(sent.responses.map(one => one.success), [true, true, false])
  assert.equal(sent.responses[2].error.code, 'messaging/installation-id-not-registered')
  assert.deepEqual((await pushes()).map(push => push.tokens), [['a'], ['cXf0']])
})

test('what production refuses is refused, and a dry run sends nothing', async () => {
  await emu('PUT', 'push-tokens/gone', { state: 'unregistered' })
  await emu('PUT', 'push-tokens/other', { state: 'sender-mismatch' })
  await failsWith('messaging/registration-token-not-registered', messaging.send({ token: 'gone' }))
  await failsWith('messaging/mismatched-credential', messaging.send({ token: 'other' }))
  await failsWith('messaging/invalid-argument', messaging.send({ token: 'no token' }))
  await failsWith('messaging/invalid-argument', messaging.send({ token: 'a', data: { big: 'x'.repeat(5_000) } }))
  await failsWith('messaging/invalid-argument', messaging.send({ token: 'a', data: { from: 'me' } }))
  await failsWith('messaging/invalid-argument', messaging.send({ condition: 'nonsense' }))
  assert.equal(await messaging.send({ token: 'a', notification: { title: 'T' } }, true), `projects/${project}/messages/fake_message_id`)
  await failsWith('messaging/registration-token-not-registered', messaging.send({ token: 'gone' }, true))
  assert.deepEqual(await pushes(), [])
})

test('whoever asks by hand is led to emu, too, and other hosts are left alone', async () => {
  const path = `/v1/projects/${project}/messages:send`, body = JSON.stringify({ message: { token: 'a', notification: { title: 'By hand' } } })
  const headers = { authorization: 'Bearer ya29.x', 'content-type': 'application/json' }
  const fetched = await fetch(new URL(path, 'https://fcm.googleapis.com'), { method: 'POST', headers, body })
  assert.equal(fetched.status, 200)
  assert.equal((await fetch(new Request(`https://fcm.googleapis.com${path}`, { method: 'POST', headers, body }))).status, 200)
  const status = await new Promise((resolve, reject) => {
    const asked = request({ hostname: 'fcm.googleapis.com', path, method: 'POST', headers: { ...headers, Host: 'fcm.googleapis.com' } }, answer => {
      answer.resume()
      answer.on('end', () => resolve(answer.statusCode))
    })
    asked.on('error', reject)
    asked.end(body)
  })
  assert.equal(status, 200)
  assert.equal((await pushes()).length, 3)
  await assert.rejects(fetch('https://fcm.googleapis.com.invalid/'), 'no such host')
  assert.equal((await fetch(`https://fcm.googleapis.com${path}`, { method: 'POST', body })).status, 401, 'nobody said who they are')
})
