// `firebase-admin/storage`: buckets and files, over the JSON interface of Cloud Storage.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.define('firebase-admin/storage', () => {
    const { errors, codes, appOf, service } = rt.require('firebase-admin-app');
    const { send, exchange } = rt.require('firebase-admin-call');
    const FirebaseStorageError = errors('storage', 'FirebaseStorageError');
    const StorageErrorCode = codes('invalid-argument invalid-emulator-host missing-dependencies invalid-credential no-download-token');
    const host = 'https://storage.googleapis.com';
    const types = { avif: 'image/avif', bin: 'application/octet-stream', css: 'text/css', csv: 'text/csv', gif: 'image/gif', gz: 'application/gzip', htm: 'text/html', html: 'text/html', ico: 'image/x-icon', jpeg: 'image/jpeg', jpg: 'image/jpeg', js: 'text/javascript', json: 'application/json', md: 'text/markdown', mjs: 'text/javascript', mov: 'video/quicktime', mp3: 'audio/mpeg', mp4: 'video/mp4', mpeg: 'video/mpeg', ogg: 'audio/ogg', pdf: 'application/pdf', png: 'image/png', svg: 'image/svg+xml', tar: 'application/x-tar', tiff: 'image/tiff', txt: 'text/plain', wasm: 'application/wasm', wav: 'audio/wav', webm: 'video/webm', webp: 'image/webp', woff2: 'font/woff2', xml: 'application/xml', zip: 'application/zip' };
    const typeOf = (name) => types[/\.([^./]+)$/.exec(name)?.[1].toLowerCase()];
    const encode = (name) => encodeURIComponent(name);
    const query = (parameters) => {
      const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null);
      return given.length ? `?${given.map(([name, value]) => `${name}=${encode(value)}`).join('&')}` : '';
    };
    const conditions = ({ ifGenerationMatch, ifGenerationNotMatch, ifMetagenerationMatch, ifMetagenerationNotMatch } = {}) => ({ ifGenerationMatch, ifGenerationNotMatch, ifMetagenerationMatch, ifMetagenerationNotMatch });
    class ApiError extends Error {
      constructor(status, text) {
        let body;
        try {
          body = JSON.parse(text).error;
        } catch {}
        super(body?.message ?? (text || `The service answered with the status ${status}.`));
        this.code = body?.code ?? status;
        this.errors = body?.errors ?? [];
      }
    }
    /** One call of the interface; answers its JSON. */
    const call = async (method, path, body, headers) => {
      const answer = await exchange(method, host + path, body, headers);
      if (answer.status >= 300) throw new ApiError(answer.status, answer.text);
      return answer.json ?? {};
    };
    // Where clients outside reach the service.
    const outside = () => {
      const { STORAGE_EMULATOR_HOST: whole, FIREBASE_STORAGE_EMULATOR_HOST: bare } = rt.process.env;
      return (whole || (bare && `http://${bare}`) || host).replace(/\/+$/, '');
    };
    /** Every method answers by a promise, or by a last argument as Node's older interfaces do. */
    const callbacks = (Class, names) => {
      for (const name of names) {
        const method = Class.prototype[name];
        Object.defineProperty(Class.prototype, name, {
          configurable: true, writable: true,
          value(...given) {
            const done = typeof given.at(-1) === 'function' ? given.pop() : undefined;
            const promise = method.apply(this, given);
            if (!done) return promise;
            promise.then((answer) => done(null, ...(answer ?? [])), (error) => done(error));
            return undefined;
          },
        });
      }
    };
    const bytesOf = async (data) => {
      if (typeof data === 'string') return rt.utf8(data);
      if (rt.isBytes(data)) return rt.bytes(data);
      if (typeof data?.arrayBuffer === 'function') return new Uint8Array(await data.arrayBuffer());
      if (data?.[Symbol.asyncIterator] || data?.[Symbol.iterator]) {
        const chunks = [];
        for await (const chunk of data) chunks.push(typeof chunk === 'string' ? rt.Buffer.from(chunk) : chunk);
        return rt.Buffer.concat(chunks);
      }
      throw new TypeError('Data to save is text, bytes or a stream.');
    };
    const upload = async (file, data, options = {}) => {
      const metadata = { ...options.metadata, name: file.name };
      const given = options.contentType ?? metadata.contentType;
      const type = given && given !== 'auto' ? given : typeOf(file.name);
      if (type) metadata.contentType = type;
      let bytes = await bytesOf(data);
      if (options.gzip && (options.gzip !== 'auto' || /^text\/|json|javascript|xml/.test(type ?? ''))) {
        bytes = rt.require('zlib').gzipSync(bytes);
        metadata.contentEncoding = 'gzip';
      }
      const border = `emu-${[...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
      const head = rt.utf8(`--${border}\r\ncontent-type: application/json\r\n\r\n${JSON.stringify(metadata)}\r\n--${border}\r\n${type ? `content-type: ${type}\r\n` : ''}\r\n`);
      const body = rt.Buffer.concat([head, bytes, rt.utf8(`\r\n--${border}--\r\n`)]);
      const acl = options.predefinedAcl ?? (options.public ? 'publicRead' : options.private ? 'private' : undefined);
      file.metadata = await call('POST', `/upload/storage/v1/b/${encode(file.bucket.name)}/o${query({ uploadType: 'multipart', name: file.name, predefinedAcl: acl, ...conditions(file.conditions), ...conditions(options.preconditionOpts) })}`, body, { 'content-type': `multipart/related; boundary=${border}` });
      return file.metadata;
    };

    const isThere = async (path) => {
      const answer = await exchange('GET', host + path);
      if (answer.status >= 300 && answer.status !== 404) throw new ApiError(answer.status, answer.text);
      return [answer.status < 300];
    };
    const withMetadata = async (of) => {
      await of.getMetadata();
      return [of, of.metadata];
    };
    class File {
      constructor(bucket, name, options = {}) {
        if (!name) throw new Error('A file name must be specified.');
        Object.assign(this, { bucket, name, id: encode(name), metadata: {}, generation: options.generation });
        Object.defineProperty(this, 'conditions', { value: options.preconditionOpts, writable: true });
      }
      get storage() { return this.bucket.storage; }
      get cloudStorageURI() { return new URL(`gs://${this.bucket.name}/${this.name}`); }
      #path(parameters = {}) { return `/storage/v1/b/${encode(this.bucket.name)}/o/${encode(this.name)}${query({ generation: this.generation, ...parameters })}`; }
      async save(data, options) { await upload(this, data, options); }
      async #read({ start, end } = {}) {
        const range = start === undefined && end === undefined ? {} : { range: end < 0 ? `bytes=${end}` : `bytes=${start ?? 0}-${end ?? ''}` };
        const answer = await send('GET', host + this.#path({ alt: 'media' }), undefined, range);
        if (answer.status >= 300) {
          const text = rt.fromUtf8(answer.bytes);
          throw new ApiError(answer.status, text);
        }
        return rt.wrapBuffer(answer.bytes);
      }
      async download(options = {}) {
        const bytes = await this.#read(options);
        if (options.destination === undefined) return [bytes];
        rt.require('fs').writeFileSync(options.destination, bytes);
        return [undefined];
      }
      createReadStream(options) {
        const { Readable } = rt.require('stream');
        const read = async function* (file) {
          const bytes = await file.#read(options);
          for (let at = 0; at < bytes.length; at += 65536) yield bytes.subarray(at, at + 65536);
        };
        return Readable.from(read(this), { objectMode: false });
      }
      createWriteStream(options) {
        const { Writable } = rt.require('stream');
        const chunks = [];
        const file = this;
        return new Writable({
          write(chunk, encoding, done) {
            chunks.push(typeof chunk === 'string' ? rt.Buffer.from(chunk, encoding) : chunk);
            done();
          },
          final(done) { upload(file, rt.Buffer.concat(chunks), options).then(() => done(), done); },
        });
      }
      exists() { return isThere(this.#path()); }
      get() { return withMetadata(this); }
      async delete(options = {}) {
        try {
          return [await call('DELETE', this.#path({ ...conditions(this.conditions), ...conditions(options) }))];
        } catch (error) {
          if (options.ignoreNotFound && error.code === 404) return [{}];
          throw error;
        }
      }
      async getMetadata() {
        this.metadata = await call('GET', this.#path());
        return [this.metadata, this.metadata];
      }
      async setMetadata(metadata, options = {}) {
        this.metadata = await call('PATCH', this.#path({ ...conditions(this.conditions), ...conditions(options) }), metadata);
        return [this.metadata, this.metadata];
      }
      async setStorageClass(storageClass) {
        const [copied] = await this.copy(this, { metadata: { storageClass: storageClass.toUpperCase().replace(/-/g, '_') } });
        return [copied];
      }
      #target(destination) {
        if (destination instanceof File) return destination;
        if (destination instanceof Bucket) return destination.file(this.name);
        if (typeof destination !== 'string' || destination === '') throw new Error('Destination file should have a name.');
        const whole = /^gs:\/\/([^/]+)\/(.+)$/s.exec(destination);
        return whole ? this.storage.bucket(whole[1]).file(whole[2]) : this.bucket.file(destination);
      }
      async copy(destination, options = {}) {
        const to = this.#target(destination);
        const { metadata, contentType, cacheControl, contentDisposition, contentEncoding, contentLanguage, preconditionOpts } = options;
        const change = { ...(contentType && { contentType }), ...(cacheControl && { cacheControl }), ...(contentDisposition && { contentDisposition }), ...(contentEncoding && { contentEncoding }), ...(contentLanguage && { contentLanguage }), ...(metadata?.storageClass ? metadata : metadata && { metadata }) };
        let rewriteToken;
        for (;;) {
          const answer = await call('POST', `/storage/v1/b/${encode(this.bucket.name)}/o/${encode(this.name)}/rewriteTo/b/${encode(to.bucket.name)}/o/${encode(to.name)}${query({ sourceGeneration: this.generation, rewriteToken, ...conditions(preconditionOpts) })}`, change);
          if (answer.rewriteToken && answer.done === false) {
            ({ rewriteToken } = answer);
            continue;
          }
          to.metadata = answer.resource ?? {};
          return [to, answer];
        }
      }
      async move(destination, options) {
        const [to, answer] = await this.copy(destination, options);
        if (to.name !== this.name || to.bucket.name !== this.bucket.name) await this.delete();
        return [to, answer];
      }
      rename(destination, options) { return this.move(destination, options); }
      async makePublic() {
        const answer = await call('POST', `/storage/v1/b/${encode(this.bucket.name)}/o/${encode(this.name)}/acl`, { entity: 'allUsers', role: 'READER' });
        return [answer];
      }
      async makePrivate() { return this.setMetadata({ acl: null }); }
      async isPublic() {
        const { items = [] } = await call('GET', `/storage/v1/b/${encode(this.bucket.name)}/o/${encode(this.name)}/acl`);
        return [items.some(({ entity }) => entity === 'allUsers')];
      }
      publicUrl() { return `${outside()}/${this.bucket.name}/${encode(this.name)}`; }
      async getSignedUrl(how) {
        const expires = new Date(how.expires).getTime();
        if (Number.isNaN(expires)) throw new Error('The expiration date provided was invalid.');
        if (expires < Date.now()) throw new Error('An expiration date cannot be in the past.');
        const method = { read: 'GET', write: 'PUT', delete: 'DELETE', resumable: 'POST' }[how.action];
        if (!method) throw new Error('The action is not provided or invalid.');
        const base = `${how.cname ?? outside()}/${this.bucket.name}/${this.name.split('/').map(encode).join('/')}`;
        const more = { ...how.queryParams, ...(how.responseType && { 'response-content-type': how.responseType }), ...(how.promptSaveAs && { 'response-content-disposition': `attachment; filename="${how.promptSaveAs}"` }), ...(how.responseDisposition && { 'response-content-disposition': how.responseDisposition }), ...(this.generation && { generation: this.generation }) };
        const account = 'firebase-adminsdk@emu.iam.gserviceaccount.com';
        if (how.version !== 'v4') return [base + query({ GoogleAccessId: account, Expires: Math.floor(expires / 1000), Signature: 'emu', ...more })];
        const seconds = Math.floor((expires - Date.now()) / 1000);
        if (seconds > 604800) throw new Error('Max allowed expiration is seven days (604800 seconds).');
        const now = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
        return [base + query({ 'X-Goog-Algorithm': 'GOOG4-RSA-SHA256', 'X-Goog-Credential': `${account}/${now.slice(0, 8)}/auto/storage/goog4_request`, 'X-Goog-Date': now, 'X-Goog-Expires': seconds, 'X-Goog-SignedHeaders': 'host', ...more, 'X-Goog-Signature': '00' })];
      }
      isSame(other) { return this.name === other.name && this.bucket.name === other.bucket.name; }
    }
    callbacks(File, ['save', 'download', 'exists', 'get', 'delete', 'getMetadata', 'setMetadata', 'setStorageClass', 'copy', 'move', 'rename', 'makePublic', 'makePrivate', 'isPublic', 'getSignedUrl']);

    class Bucket {
      constructor(storage, name) { Object.assign(this, { storage, name, id: name, metadata: {} }); }
      get cloudStorageURI() { return new URL(`gs://${this.name}`); }
      #path(rest = '') { return `/storage/v1/b/${encode(this.name)}${rest}`; }
      file(name, options) { return new File(this, name, options); }
      async getFiles(options = {}) {
        const { prefix, delimiter, maxResults, pageToken, autoPaginate = true, startOffset, endOffset, includeTrailingDelimiter, matchGlob, versions } = options;
        const files = [];
        let next = pageToken;
        let answer;
        do {
          answer = await call('GET', this.#path(`/o${query({ prefix, delimiter, maxResults, pageToken: next, startOffset, endOffset, includeTrailingDelimiter, matchGlob, versions })}`));
          for (const metadata of answer.items ?? []) files.push(Object.assign(this.file(metadata.name, versions ? { generation: metadata.generation } : {}), { metadata }));
          next = answer.nextPageToken;
        } while (next && autoPaginate && (maxResults === undefined || files.length < maxResults));
        return [maxResults !== undefined && autoPaginate ? files.slice(0, maxResults) : files, next && !autoPaginate ? { ...options, pageToken: next } : null, answer];
      }
      getFilesStream(options) {
        const all = async function* (bucket) { yield* (await bucket.getFiles(options))[0]; };
        return rt.require('stream').Readable.from(all(this));
      }
      async deleteFiles(options = {}) {
        const [files] = await this.getFiles(options);
        await Promise.all(files.map((file) => file.delete({ ignoreNotFound: options.force })));
      }
      async upload(path, options = {}) {
        const { destination } = options;
        const file = destination instanceof File ? destination : this.file(destination ?? rt.require('path').basename(path));
        const type = options.contentType ?? options.metadata?.contentType ?? typeOf(path);
        const metadata = await upload(file, rt.require('fs').readFileSync(path), { ...options, ...(type && { contentType: type }) });
        return [file, metadata];
      }
      async combine(sources, destination) {
        const to = destination instanceof File ? destination : this.file(destination);
        const answer = await call('POST', this.#path(`/o/${encode(to.name)}/compose`), { destination: { contentType: to.metadata.contentType ?? typeOf(to.name) }, sourceObjects: sources.map((source) => ({ name: source.name ?? source, ...(source.metadata?.generation && { generation: String(source.metadata.generation) }) })) });
        to.metadata = answer;
        return [to, answer];
      }
      exists() { return isThere(this.#path()); }
      get() { return withMetadata(this); }
      async create(options = {}) {
        this.metadata = await call('POST', '/storage/v1/b', { ...options, name: this.name });
        return [this, this.metadata];
      }
      async delete() { return [await call('DELETE', this.#path())]; }
      async getMetadata() {
        this.metadata = await call('GET', this.#path());
        return [this.metadata, this.metadata];
      }
      async setMetadata(metadata) {
        this.metadata = await call('PATCH', this.#path(), metadata);
        return [this.metadata, this.metadata];
      }
      setCorsConfiguration(cors) { return this.setMetadata({ cors }); }
    }
    callbacks(Bucket, ['getFiles', 'deleteFiles', 'upload', 'combine', 'exists', 'get', 'create', 'delete', 'getMetadata', 'setMetadata']);

    class Storage {
      constructor(app) { Object.defineProperty(this, 'app', { value: app }); }
      bucket(name) {
        const found = name === undefined ? this.app.options.storageBucket : name;
        if (typeof found !== 'string' || found === '') throw new FirebaseStorageError('invalid-argument', 'Bucket name not specified or invalid. Specify a valid bucket name via the storageBucket option when initializing the app, or specify the bucket name explicitly when calling the getBucket() method.');
        return new Bucket(this, found.replace(/^gs:\/\//, ''));
      }
    }
    const getStorage = (app) => service(appOf(app), 'storage', (its) => new Storage(its));
    /** An address under which a client may load a file, by the file's token. */
    const getDownloadURL = async (file) => {
      const answer = await exchange('GET', `https://firebasestorage.googleapis.com/v0/b/${encode(file.bucket.name)}/o/${encode(file.name)}`);
      if (answer.status >= 300) throw new ApiError(answer.status, answer.text);
      if (!answer.json?.downloadTokens) throw new FirebaseStorageError('no-download-token', 'No download token available. Please create one in the Firebase Console.');
      const { STORAGE_EMULATOR_HOST: whole, FIREBASE_STORAGE_EMULATOR_HOST: bare } = rt.process.env;
      const base = whole || bare ? outside() : 'https://firebasestorage.googleapis.com';
      return `${base}/v0/b/${file.bucket.name}/o/${encode(file.name)}?alt=media&token=${answer.json.downloadTokens.split(',')[0]}`;
    };
    return { getStorage, Storage, getDownloadURL, FirebaseStorageError, StorageErrorCode };
  });
})(globalThis.__emu);
