import { readFileSync, writeFileSync } from 'node:fs';

// What functions do with files. `run` begins the names of a run, so that two runs can share a bucket.
export const storage = ({ storage: sdk, run }) => {
  const bucket = sdk.getStorage().bucket();
  const file = (name) => bucket.file(`${run}-${name}`);
  const attempt = async (work) => {
    try {
      return await work();
    } catch (error) {
      return { code: error.code, message: error.message, error: error instanceof Error };
    }
  };
  const plain = ({ name, bucket: its, contentType, size, metadata, contentEncoding, cacheControl, contentDisposition, md5Hash, crc32c, kind, generation, metageneration, timeCreated, updated, storageClass }) => ({ name, bucket: its, contentType, size: Number(size), metadata, contentEncoding, cacheControl, contentDisposition, md5Hash, crc32c, kind, generation: typeof generation, metageneration: String(metageneration), timeCreated: typeof timeCreated, updated: typeof updated, storageClass });
  const collect = async (stream) => {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  return {
    async 'a file is saved, read, described and deleted'() {
      const one = file('a.txt');
      const before = await one.exists();
      await one.save('hello wörld', { metadata: { metadata: { who: 'me' }, cacheControl: 'no-cache' } });
      const [bytes] = await one.download();
      const [metadata] = await one.getMetadata();
      const [changed] = await one.setMetadata({ metadata: { more: 'yes' }, contentDisposition: 'inline' });
      const after = await one.exists();
      await one.delete();
      return [before, bytes, plain(metadata), plain(changed), after, await one.exists(), one.name, one.bucket.name === bucket.name];
    },
    async 'types come from names unless they are told'() {
      const out = [];
      for (const [name, options] of [['x.png', {}], ['x.json', {}], ['x', {}], ['x.html', { contentType: 'text/x-mine' }], ['y.txt', { metadata: { contentType: 'text/x-other' } }]]) {
        await file(name).save('x', options);
        const [metadata] = await file(name).getMetadata();
        out.push([name, metadata.contentType]);
      }
      return out;
    },
    async 'what is not there'() {
      const none = file('none');
      return [await attempt(() => none.download()), await attempt(() => none.getMetadata()), await attempt(() => none.delete()), await attempt(() => none.delete({ ignoreNotFound: true })).then((answer) => Array.isArray(answer)), await attempt(() => none.setMetadata({ contentType: 'a/b' })), await attempt(() => none.copy('x')), await attempt(() => collect(none.createReadStream()))];
    },
    async 'streams and ranges'() {
      const one = file('stream.bin');
      await new Promise((resolve, reject) => {
        const stream = one.createWriteStream({ contentType: 'text/plain', resumable: false });
        stream.on('finish', resolve).on('error', reject);
        stream.write('0123');
        stream.end(Buffer.from('456789'));
      });
      return [await collect(one.createReadStream()), await collect(one.createReadStream({ start: 2, end: 4 })), (await one.download({ start: 5, end: 6 }))[0].toString()];
    },
    async 'copies and moves'() {
      const one = file('from.txt');
      await one.save('content', { contentType: 'text/x-a', metadata: { metadata: { a: '1' } } });
      const [copied] = await one.copy(`${run}-copy.txt`);
      const [moved] = await one.move(file('moved.txt'));
      const [metadata] = await moved.getMetadata();
      return [copied.name, (await copied.download())[0].toString(), moved.name, await one.exists(), metadata.contentType, metadata.metadata];
    },
    async 'lists'() {
      for (const name of ['list/a', 'list/b', 'list/deep/c', 'list/d']) await file(name).save('x');
      const names = (files) => files.map((each) => each.name);
      const [all] = await bucket.getFiles({ prefix: `${run}-list/` });
      const [top, , answer] = await bucket.getFiles({ prefix: `${run}-list/`, delimiter: '/', autoPaginate: false });
      const [two, next] = await bucket.getFiles({ prefix: `${run}-list/`, maxResults: 2, autoPaginate: false });
      const [rest] = await bucket.getFiles({ ...next, autoPaginate: false });
      await bucket.deleteFiles({ prefix: `${run}-list/` });
      return [names(all), names(top), answer.prefixes, names(two), names(rest), (await bucket.getFiles({ prefix: `${run}-list/` }))[0].length];
    },
    async 'conditions'() {
      const one = file('once.txt');
      await one.save('a', { preconditionOpts: { ifGenerationMatch: 0 } });
      return [(await attempt(() => one.save('b', { preconditionOpts: { ifGenerationMatch: 0 } }))).code, (await one.download())[0].toString()];
    },
    async 'uploads of files, and files put together'() {
      writeFileSync(`/tmp/${run}-up.css`, 'p {}');
      const [uploaded, answer] = await bucket.upload(`/tmp/${run}-up.css`, { destination: `${run}-other.css`, metadata: { cacheControl: 'max-age=60' } });
      const [named] = await bucket.upload(`/tmp/${run}-up.css`);
      await file('part').save('q {}');
      await bucket.combine([uploaded, file('part')], file('whole.css'));
      await file('whole.css').download({ destination: `/tmp/${run}-down` });
      return [uploaded.name, answer.contentType ?? answer[0]?.contentType, uploaded.metadata.cacheControl, named.name, readFileSync(`/tmp/${run}-down`, 'utf8')];
    },
    async 'addresses that let anybody in'() {
      const one = file('shared/for all.txt');
      await one.save('shared', { metadata: { metadata: { firebaseStorageDownloadTokens: 'a-token' } } });
      const download = new URL(await sdk.getDownloadURL(one));
      await one.setMetadata({ metadata: { firebaseStorageDownloadTokens: null } });
      await one.makePublic();
      return [download.pathname.endsWith(`/o/${encodeURIComponent(one.name)}`), download.search, await (await fetch(one.publicUrl())).text(), await one.isPublic()];
    },
    async 'callbacks'() {
      const one = file('callback.txt');
      await new Promise((resolve, reject) => one.save('x', (error) => (error ? reject(error) : resolve())));
      return new Promise((resolve) => one.exists((error, exists) => resolve([error, exists])));
    },
    async 'buckets'() {
      const storage = sdk.getStorage();
      return [storage.bucket('other').name, bucket.name === storage.bucket(bucket.name).name, await attempt(async () => storage.bucket('')), file('a b/ä.txt').publicUrl().endsWith(`/${bucket.name}/${encodeURIComponent(`${run}-a b/ä.txt`)}`)];
    },
  };
};
