// The SDKs of servers, which find emu by the variables of `emu exec` alone: firebase-admin, @google-cloud/storage; and S3's own on the
// same objects.
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { createRequire } from 'node:module'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { beforeEach, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { Storage } from '@google-cloud/storage'
import { initializeApp as initializeWeb } from 'firebase/app'
import { getBytes, getMetadata, getStorage as getWeb, ref, uploadString } from 'firebase/storage'

// Which of the installed versions.
const sdk = process.env.ADMIN_SDK ?? 'firebase-admin'
const { initializeApp } = await import(`${sdk}/app`), { getDownloadURL, getStorage } = await import(`${sdk}/storage`)
initializeApp()
const bucket = getStorage().bucket()
const noise = size => Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * 2654435761) >>> 13))
const failsWith = (code, promise) => assert.rejects(promise, error => (assert.equal(error.code, code), true))

beforeEach(() => bucket.deleteFiles({ force: true }))

test('a file is saved and read by every way there is', async () => {
  const bytes = noise(700_000)
  for (const [name, options] of [
    ['simple', { resumable: false }],
    ['md5', { resumable: false, validation: 'md5' }],
    ['resumable', { resumable: true }],
    ['chunks', { resumable: true, chunkSize: 256 * 1024 }],
  ]) {
    const file = bucket.file(`saved/${name}.png`)
    await file.save(bytes, { ...options, metadata: { cacheControl: 'no-cache', metadata: { by: name } } })
    const [metadata] = await file.getMetadata()
    assert.equal(metadata.md5Hash, createHash('md5').update(bytes).digest('base64'), name)
    assert.deepEqual([metadata.size, metadata.contentType, metadata.cacheControl, metadata.metadata.by], ['700000', 'image/png', 'no-cache', name])
    const [read] = await file.download({ validation: 'md5' })
    assert.ok(read.equals(bytes), name)
    const [part] = await file.download({ start: 10, end: 19 })
    assert.ok(part.equals(bytes.subarray(10, 20)))
  }
})

test('streams of unknown length go in and out', async () => {
  const file = bucket.file('stream.bin')
  const pieces = Array.from({ length: 40 }, (_, at) => noise(20_000 + at))
  await pipeline(Readable.from(pieces), file.createWriteStream({ chunkSize: 256 * 1024 }))
  const read = []
  for await (const piece of file.createReadStream()) read.push(piece)
  assert.ok(Buffer.concat(read).equals(Buffer.concat(pieces)))
  await pipeline(Readable.from(pieces), file.createWriteStream({ resumable: false }))
  assert.equal((await file.getMetadata())[0].size, String(Buffer.concat(pieces).length))
})

test('an upload goes on where it broke off', async () => {
  const file = bucket.file('resumed.bin')
  const bytes = noise(600_000)
  const [uri] = await file.createResumableUpload({ metadata: { contentType: 'x/y' } })
  const send = (from, to, total, body) =>
    fetch(uri, { method: 'PUT', headers: { 'content-range': `bytes ${from}-${to}/${total}` }, body, redirect: 'manual' })
  assert.equal((await send(0, 262_143, '*', bytes.subarray(0, 262_144))).status, 308)
  const asked = await fetch(uri, { method: 'PUT', headers: { 'content-range': 'bytes */*' }, redirect: 'manual' })
  assert.deepEqual([asked.status, asked.headers.get('range')], [308, 'bytes=0-262143'])
  assert.equal((await send(400_000, 599_999, 600_000, bytes.subarray(400_000))).status, 400, 'a gap')
  await file.save(bytes, { uri, resumable: true })
  const done = await fetch(uri, { method: 'PUT', headers: { 'content-range': 'bytes */600000' } })
  assert.deepEqual([done.status, (await done.json()).contentType], [200, 'x/y'], 'asked once more')
  assert.ok((await file.download())[0].equals(bytes))
  const [other] = await bucket.file('never.bin').createResumableUpload()
  assert.equal((await fetch(other, { method: 'DELETE' })).status, 499)
  assert.equal((await fetch(other, { method: 'PUT', body: 'x' })).status, 410)
})

test('wrong checksums are refused', async () => {
  await assert.rejects(bucket.file('bad').save('hello', { resumable: false, metadata: { md5Hash: 'kAFQmDzST7DWlj99KOF/cg==' }, validation: false }), /MD5/)
  assert.deepEqual(await bucket.file('bad').exists(), [false])
})

test('preconditions on generations hold', async () => {
  const file = bucket.file('once.txt')
  await file.save('a', { preconditionOpts: { ifGenerationMatch: 0 } })
  await failsWith(412, file.save('b', { preconditionOpts: { ifGenerationMatch: 0 }, resumable: false }))
  const [{ generation, metageneration }] = await file.getMetadata()
  assert.equal(metageneration, '1')
  await file.save('c', { preconditionOpts: { ifGenerationMatch: generation } })
  await failsWith(412, file.delete({ ifGenerationMatch: generation }))
  await failsWith(412, file.setMetadata({ cacheControl: 'x' }, { ifMetagenerationMatch: 9 }))
  const [changed] = await file.setMetadata({ cacheControl: 'max-age=1', metadata: { a: 'b' } }, { ifMetagenerationMatch: 1 })
  assert.deepEqual([changed.metageneration, changed.cacheControl, changed.metadata], ['2', 'max-age=1', { a: 'b' }])
  assert.equal(String((await file.download())[0]), 'c')
  await file.setMetadata({ metadata: { a: null } })
  assert.equal((await file.getMetadata())[0].metadata, undefined)
})

test('files are copied, moved, composed and deleted', async () => {
  const file = bucket.file('from.txt')
  await file.save('hello ', { contentType: 'text/plain', metadata: { metadata: { a: '1' } } })
  const [copy] = await file.copy(bucket.file('copies/to.txt'))
  const [copied] = await copy.getMetadata()
  assert.deepEqual([copied.contentType, copied.metadata], ['text/plain', { a: '1' }])
  const [renamed] = await file.copy('other.txt', { contentType: 'text/html' })
  assert.equal((await renamed.getMetadata())[0].contentType, 'text/html')
  await bucket.file('world.txt').save('world')
  const [whole] = await bucket.combine(['from.txt', 'world.txt'], 'whole.txt')
  assert.equal(String((await whole.download())[0]), 'hello world')
  const [composed] = await whole.getMetadata()
  assert.deepEqual([composed.componentCount, composed.md5Hash, composed.size], [2, undefined, '11'])
  await file.move('moved.txt')
  assert.deepEqual([await file.exists(), await bucket.file('moved.txt').exists()], [[false], [true]])
  await failsWith(404, file.delete())
  await file.delete({ ignoreNotFound: true })
  await failsWith(404, file.getMetadata())
  await failsWith(404, file.download())
})

test('files are listed by prefix, delimiter and page', async () => {
  await Promise.all(['a/1', 'a/2', 'a/b/3', 'a/c/4', 'z'].map(name => bucket.file(name).save(name, { resumable: false })))
  assert.deepEqual((await bucket.getFiles()).at(0).map(file => file.name), ['a/1', 'a/2', 'a/b/3', 'a/c/4', 'z'])
  const [files, , answer] = await bucket.getFiles({ prefix: 'a/', delimiter: '/', autoPaginate: false })
  assert.deepEqual([files.map(file => file.name), answer.prefixes], [['a/1', 'a/2'], ['a/b/', 'a/c/']])
  const [, next] = await bucket.getFiles({ maxResults: 2, autoPaginate: false })
  const [rest] = await bucket.getFiles(next)
  assert.deepEqual(rest.map(file => file.name), ['a/b/3', 'a/c/4'])
  assert.deepEqual((await bucket.getFiles({ startOffset: 'a/2', endOffset: 'a/c/' })).at(0).map(file => file.name), ['a/2', 'a/b/3'])
  for (const [matchGlob, names] of [['a/*', ['a/1', 'a/2']], ['a/**', ['a/1', 'a/2', 'a/b/3', 'a/c/4']], ['**/{1,4}', ['a/1', 'a/c/4']], ['?', ['z']], ['*/[!1]', ['a/2']], ['!z', []]]) {
    assert.deepEqual((await bucket.getFiles({ matchGlob })).at(0).map(file => file.name), names, matchGlob)
  }
  const [, , folders] = await bucket.getFiles({ matchGlob: 'a/*/3', delimiter: '/', prefix: 'a/', autoPaginate: false })
  assert.deepEqual(folders.prefixes, ['a/b/'])
})

test('what is stored compressed is opened for those who cannot read it', async () => {
  const plain = 'x'.repeat(100_000)
  const file = bucket.file('packed.txt')
  await file.save(plain, { gzip: true, resumable: false })
  assert.equal((await file.getMetadata())[0].contentEncoding, 'gzip')
  assert.equal(String((await file.download())[0]), plain)
  assert.equal(String(gunzipSync((await file.download({ decompress: false }))[0])), plain)
  const url = `${process.env.STORAGE_EMULATOR_HOST}/${bucket.name}/packed.txt`
  const opened = await fetch(url, { headers: { 'accept-encoding': 'identity' } })
  assert.deepEqual([opened.headers.get('content-encoding'), opened.headers.get('x-goog-stored-content-encoding')], [null, 'gzip'])
  assert.equal(await opened.text(), plain)
  assert.equal(gzipSync(plain).length < 1_000, true)
})

test('buckets are made, described, listed and removed; the project has its own', async () => {
  const storage = new Storage()
  assert.deepEqual(await bucket.exists(), [true])
  assert.deepEqual(await storage.bucket('nobody-made-this').exists(), [false])
  await failsWith(404, storage.bucket('nobody-made-this').file('a').save('a', { resumable: false }))
  const [made] = await storage.createBucket('made-here', { versioning: { enabled: true }, labels: { a: 'b' } })
  await failsWith(409, storage.createBucket('made-here'))
  const [metadata] = await made.getMetadata()
  assert.deepEqual([metadata.name, metadata.labels, metadata.versioning], ['made-here', { a: 'b' }, { enabled: true }])
  await made.setMetadata({ labels: { a: null, c: 'd' }, website: { mainPageSuffix: 'index.html' } })
  assert.deepEqual((await made.getMetadata())[0].labels, { c: 'd' })
  const names = (await storage.getBuckets()).at(0).map(one => one.name)
  assert.ok(names.includes('made-here') && names.includes(bucket.name), String(names))
  await made.file('v').save('1', { resumable: false })
  await made.file('v').save('2', { resumable: false })
  const [versions] = await made.getFiles({ versions: true })
  assert.equal(versions.length, 2)
  assert.equal(String((await made.file('v', { generation: versions[0].metadata.generation }).download())[0]), '1')
  await failsWith(409, made.delete())
  await made.deleteFiles({ versions: true, force: true })
  await made.delete()
  assert.deepEqual(await made.exists(), [false])
})

test('grants are kept and told', async () => {
  const file = bucket.file('public.txt')
  await file.save('x', { resumable: false })
  await file.makePublic()
  assert.deepEqual((await file.acl.get({ entity: 'allUsers' })).at(0).role, 'READER')
  assert.deepEqual(await file.isPublic(), [true])
  assert.equal(await (await fetch(file.publicUrl())).text(), 'x')
  await file.makePrivate()
  await failsWith(404, file.acl.get({ entity: 'allUsers' }))
  await bucket.acl.default.add({ entity: 'allUsers', role: 'READER' })
  assert.equal((await bucket.acl.default.get({ entity: 'allUsers' })).at(0).role, 'READER')
  assert.deepEqual((await bucket.iam.testPermissions(['storage.objects.get'])).at(0), { 'storage.objects.get': true })
})

test('signed URLs are honoured while they are good', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } })
  const signing = new Storage({ credentials: { client_email: 'a@b.iam.gserviceaccount.com', private_key: privateKey } }).bucket(bucket.name)
  const local = url => url.replace(/^https:\/\/storage\.googleapis\.com/, process.env.STORAGE_EMULATOR_HOST)
  for (const version of ['v2', 'v4']) {
    const file = signing.file(`signed/${version} ü.txt`)
    const [put] = await file.getSignedUrl({ version, action: 'write', expires: Date.now() + 60_000, contentType: 'text/plain' })
    assert.equal((await fetch(local(put), { method: 'PUT', body: version, headers: { 'content-type': 'text/plain' } })).status, 200)
    const [get] = await file.getSignedUrl({ version, action: 'read', expires: Date.now() + 60_000, promptSaveAs: 'a.txt' })
    const answer = await fetch(local(get))
    assert.equal(await answer.text(), version)
    assert.match(answer.headers.get('content-disposition'), /a\.txt/)
    const [gone] = await file.getSignedUrl({ version, action: 'delete', expires: Date.now() + 60_000 })
    assert.equal((await fetch(local(gone), { method: 'DELETE' })).status, 204)
    assert.equal((await fetch(local(get))).status, 404)
  }
  const [begin] = await signing.file('begun.txt').getSignedUrl({ version: 'v4', action: 'resumable', expires: Date.now() + 60_000 })
  const begun = await fetch(local(begin), { method: 'POST', headers: { 'x-goog-resumable': 'start' } })
  assert.equal(begun.status, 201)
  assert.equal((await fetch(begun.headers.get('location'), { method: 'PUT', body: 'later' })).status, 200)
  assert.equal(String((await bucket.file('begun.txt').download())[0]), 'later')
  const [old] = await signing.file('begun.txt').getSignedUrl({ version: 'v4', action: 'read', expires: Date.now() + 60_000, accessibleAt: Date.now() - 50_000 })
  const past = local(old).replace(/X-Goog-Expires=\d+/, 'X-Goog-Expires=1')
  const refused = await fetch(past)
  assert.deepEqual([refused.status, /ExpiredToken/.test(await refused.text())], [400, true])
  const [form] = await signing.file('form.txt').generateSignedPostPolicyV4({ expires: Date.now() + 60_000, conditions: [['content-length-range', 1, 10]] })
  const send = async text => {
    const data = new FormData()
    for (const [name, value] of Object.entries(form.fields)) data.append(name, value)
    data.append('file', new Blob([text]), 'x.txt')
    return (await fetch(`${process.env.STORAGE_EMULATOR_HOST}/${bucket.name}`, { method: 'POST', body: data })).status
  }
  assert.deepEqual([await send('hello'), await send('much too long'), await send('')], [204, 400, 400])
  assert.equal(String((await bucket.file('form.txt').download())[0]), 'hello')
})

test('apps, servers and S3 have the same files', async () => {
  const web = getWeb(initializeWeb())
  await uploadString(ref(web, 'shared/app.txt'), 'from an app', 'raw', { contentType: 'text/plain', customMetadata: { by: 'app' } })
  const [metadata] = await bucket.file('shared/app.txt').getMetadata()
  assert.deepEqual([metadata.contentType, metadata.metadata.by], ['text/plain', 'app'])
  assert.ok(metadata.metadata.firebaseStorageDownloadTokens, 'as in production, the token is metadata')
  const url = await getDownloadURL(bucket.file('shared/app.txt'))
  assert.equal(await (await fetch(url)).text(), 'from an app')
  await bucket.file('shared/server.txt').save('from a server', { contentType: 'text/plain' })
  assert.equal(Buffer.from(await getBytes(ref(web, 'shared/server.txt'))).toString(), 'from a server')
  assert.ok(await getDownloadURL(bucket.file('shared/server.txt')))
  if (!process.env.S3_PACKAGES) return
  const { GetObjectCommand, PutObjectCommand, S3Client } = createRequire(process.env.S3_PACKAGES)('@aws-sdk/client-s3')
  const s3 = new S3Client({ forcePathStyle: true })
  const got = await s3.send(new GetObjectCommand({ Bucket: bucket.name, Key: 'shared/app.txt' }))
  assert.deepEqual([await got.Body.transformToString(), got.ContentType, got.Metadata.by], ['from an app', 'text/plain', 'app'])
  await s3.send(new PutObjectCommand({ Bucket: bucket.name, Key: 'shared/s3.txt', Body: 'from S3', ContentType: 'text/x', Metadata: { by: 's3' } }))
  assert.deepEqual((await getMetadata(ref(web, 'shared/s3.txt'))).customMetadata, { by: 's3' })
  assert.equal(String((await bucket.file('shared/s3.txt').download())[0]), 'from S3')
})

test('a large file passes without being kept in memory', async () => {
  const file = bucket.file('huge.bin')
  const piece = noise(1 << 20), count = 24
  async function* pieces() { for (let at = 0; at < count; at++) yield piece }
  await pipeline(Readable.from(pieces()), file.createWriteStream({ resumable: false }))
  let size = 0
  const stream = file.createReadStream()
  stream.on('data', chunk => { size += chunk.length })
  await once(stream, 'end')
  assert.equal(size, piece.length * count)
})
