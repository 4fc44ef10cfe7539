// The SDK of apps, which finds emu by the variables of `emu exec` alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { initializeApp } from 'firebase/app'
import {
  deleteObject, getBytes, getDownloadURL, getMetadata, getStorage, getStream, list, listAll, ref, updateMetadata, uploadBytes, uploadBytesResumable,
  uploadString,
} from 'firebase/storage'

const storage = getStorage(initializeApp())
const failsWith = (code, promise) => assert.rejects(promise, error => (assert.equal(error.code, code), true))
const text = bytes => Buffer.from(bytes).toString()
const noise = size => Uint8Array.from({ length: size }, (_, at) => (at * 2654435761) >>> 13)

test('a file is stored with what is said of it, and read', async () => {
  const file = ref(storage, 'users/ada/photo one+two%.png')
  const { metadata } = await uploadBytes(file, Buffer.from('hello'), {
    contentType: 'image/png', cacheControl: 'public, max-age=60', contentDisposition: 'attachment', contentLanguage: 'de', customMetadata: { owner: 'ada' },
  })
  assert.equal(metadata.fullPath, 'users/ada/photo one+two%.png')
  assert.equal(metadata.size, 5)
  assert.equal(metadata.md5Hash, 'XUFAKrxLKna5cZ2REBfFkg==')
  assert.deepEqual(metadata.customMetadata, { owner: 'ada' })
  const found = await getMetadata(file)
  assert.deepEqual(
    [found.contentType, found.cacheControl, found.contentDisposition, found.contentLanguage, found.metageneration, found.name],
    ['image/png', 'public, max-age=60', 'attachment', 'de', '1', 'photo one+two%.png'],
  )
  assert.ok(Math.abs(Date.parse(found.timeCreated) - Date.now()) < 60_000)
  assert.equal(text(await getBytes(file)), 'hello')
  assert.equal(text(await getBytes(file, 3)), 'hel')
  const pieces = []
  for await (const piece of getStream(file)) pieces.push(piece)
  assert.equal(text(Buffer.concat(pieces)), 'hello')
})

test('strings of every format are stored as what they mean', async () => {
  for (const [name, value, format, bytes, type] of [
    ['raw', 'grüße', 'raw', 'grüße', undefined],
    ['base64', 'aGVsbG8=', 'base64', 'hello', undefined],
    ['base64url', 'aGk_', 'base64url', 'hi?', undefined],
    ['url', 'data:text/plain;base64,aGVsbG8=', 'data_url', 'hello', 'text/plain'],
  ]) {
    const file = ref(storage, `strings/${name}`)
    await uploadString(file, value, format)
    assert.equal(text(await getBytes(file)), bytes, name)
    if (type) assert.equal((await getMetadata(file)).contentType, type)
  }
})

test('whoever has the URL of a file can read it, with ranges', async () => {
  const file = ref(storage, 'links/a b.txt')
  await uploadString(file, 'hello world')
  const url = await getDownloadURL(file)
  assert.match(url, /alt=media&token=[0-9a-f-]{36}$/)
  const whole = await fetch(url)
  assert.deepEqual([whole.status, await whole.text()], [200, 'hello world'])
  assert.equal(whole.headers.get('content-disposition'), "inline; filename*=utf-8''a%20b.txt")
  assert.equal(whole.headers.get('cache-control'), 'private, max-age=0')
  const part = await fetch(url, { headers: { range: 'bytes=6-' } })
  assert.deepEqual([part.status, await part.text(), part.headers.get('content-range')], [206, 'world', 'bytes 6-10/11'])
  assert.equal((await fetch(url, { headers: { range: 'bytes=20-' } })).status, 416)
})

test('what is said of a file is changed, and taken away by null', async () => {
  const file = ref(storage, 'meta.txt')
  await uploadString(file, 'x', 'raw', { contentType: 'text/plain', customMetadata: { a: '1', b: '2' } })
  const url = await getDownloadURL(file)
  const changed = await updateMetadata(file, { contentType: 'text/html', customMetadata: { a: null, c: '3' } })
  assert.deepEqual([changed.contentType, changed.customMetadata, changed.metageneration], ['text/html', { b: '2', c: '3' }, '2'])
  const bare = await updateMetadata(file, { customMetadata: null })
  assert.equal(bare.customMetadata, undefined)
  assert.equal(await getDownloadURL(file), url, 'the token stays')
})

test('folders are listed, a page at a time', async () => {
  for (const name of ['tree/a', 'tree/b', 'tree/c', 'tree/deep/d', 'tree/deep/e', 'tree/far/f']) await uploadString(ref(storage, name), name)
  const all = await listAll(ref(storage, 'tree'))
  assert.deepEqual(all.items.map(item => item.name), ['a', 'b', 'c'])
  assert.deepEqual(all.prefixes.map(prefix => prefix.fullPath), ['tree/deep', 'tree/far'])
  const seen = []
  let pageToken
  do {
    const page = await list(ref(storage, 'tree'), { maxResults: 2, pageToken })
    seen.push(...page.items.map(item => item.name), ...page.prefixes.map(prefix => prefix.name))
    pageToken = page.nextPageToken
  } while (pageToken)
  assert.deepEqual(seen.sort(), ['a', 'b', 'c', 'deep', 'far'])
  assert.deepEqual((await listAll(ref(storage, 'tree/nothing'))).items, [])
})

test('large files arrive in parts, tell how far they are, and can rest', async () => {
  const bytes = noise(3_000_000)
  const task = uploadBytesResumable(ref(storage, 'large.bin'), bytes, { contentType: 'application/x-noise' })
  const seen = []
  let rested = false
  task.on('state_changed', snapshot => {
    seen.push(snapshot.bytesTransferred)
    if (!rested && snapshot.bytesTransferred > 0 && snapshot.bytesTransferred < snapshot.totalBytes) {
      rested = task.pause()
      setTimeout(() => task.resume(), 20)
    }
  })
  const { metadata, state } = await task
  assert.equal(state, 'success')
  assert.ok(rested && seen.length > 3 && seen.at(-1) === bytes.length, String(seen))
  assert.deepEqual([metadata.size, metadata.contentType], [bytes.length, 'application/x-noise'])
  assert.ok(Buffer.from(await getBytes(ref(storage, 'large.bin'))).equals(Buffer.from(bytes)))
  const empty = await uploadBytesResumable(ref(storage, 'empty.bin'), new Uint8Array())
  assert.equal(empty.metadata.size, 0)
  assert.equal((await getBytes(ref(storage, 'empty.bin'), 10)).byteLength, 0)
})

test('an upload that is cancelled leaves nothing', async () => {
  const task = uploadBytesResumable(ref(storage, 'cancelled.bin'), noise(4_000_000))
  task.on('state_changed', snapshot => { if (snapshot.bytesTransferred > 0) task.cancel() }, () => {})
  await failsWith('storage/canceled', task)
  await failsWith('storage/object-not-found', getMetadata(ref(storage, 'cancelled.bin')))
})

test('files are deleted, and what is not there is told', async () => {
  const file = ref(storage, 'gone.txt')
  await uploadString(file, 'x')
  await deleteObject(file)
  for (const attempt of [deleteObject, getBytes, getDownloadURL, getMetadata]) await failsWith('storage/object-not-found', attempt(file))
  await failsWith('storage/object-not-found', updateMetadata(file, { contentType: 'text/plain' }))
})
