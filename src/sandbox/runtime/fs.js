// node:fs over a tree in memory: the bundle under /var/task (read-only) and /tmp (writable).
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.define('fs', () => {
    const { Buffer } = rt;
    const path = rt.require('path');
    const bytesMax = 512 * 1048576;
    let used = 0;
    let inode = 1;
    // What is there from the beginning has no time of its own: it is as old as the sandbox. An image must not depend on when it was made.
    let now = () => undefined;
    const folder = (mode = 0o755) => ({ kind: 'folder', mode, entries: new Map(), time: now(), inode: inode++ });
    const file = (bytes, mode = 0o644) => ({ kind: 'file', mode, bytes, time: now(), inode: inode++ });
    const root = folder();
    for (const name of ['tmp', 'var']) root.entries.set(name, folder(name === 'tmp' ? 0o1777 : 0o755));
    const task = folder();
    root.entries.get('var').entries.set('task', task);
    root.entries.set('dev', folder());
    for (const [name, content] of Object.entries(rt.files ?? {})) {
      let at = task;
      const parts = name.split('/').filter(Boolean);
      for (const part of parts.slice(0, -1)) {
        if (!at.entries.has(part)) at.entries.set(part, folder());
        at = at.entries.get(part);
      }
      at.entries.set(parts.at(-1), file(typeof content === 'string' ? rt.utf8(content) : rt.bytes(content)));
    }
    now = () => emu.now();
    const numbers = { ENOENT: [-2, 'no such file or directory'], EROFS: [-30, 'read-only file system'], ENOTDIR: [-20, 'not a directory'], EISDIR: [-21, 'illegal operation on a directory'], EEXIST: [-17, 'file already exists'], ENOTEMPTY: [-39, 'directory not empty'], EBADF: [-9, 'bad file descriptor'], EINVAL: [-22, 'invalid argument'], ENOSPC: [-28, 'no space left on device'], ELOOP: [-40, 'too many symbolic links encountered'], EPERM: [-1, 'operation not permitted'] };
    const failure = (code, syscall, name, to) => {
      const [errno, message] = numbers[code];
      const error = new Error(`${code}: ${message}, ${syscall}${name === undefined ? '' : ` '${name}'`}${to === undefined ? '' : ` -> '${to}'`}`);
      return Object.assign(error, { errno, code, syscall }, name === undefined ? {} : { path: name }, to === undefined ? {} : { dest: to });
    };
    const nameOf = (value) => {
      if (value instanceof URL) value = rt.require('url').fileURLToPath(value);
      else if (value instanceof Uint8Array) value = rt.fromUtf8(value);
      if (typeof value !== 'string') throw rt.invalidArgument('"path"', 'of type string or an instance of Buffer or URL', value);
      if (value.includes('\0')) throw rt.error(TypeError, 'ERR_INVALID_ARG_VALUE', "The argument 'path' must be a string, Uint8Array, or URL without null bytes.");
      return path.resolve(value);
    };
    const walk = (name, syscall, shown, follow = true, depth = 0) => {
      if (depth > 40) throw failure('ELOOP', syscall, shown);
      let at = root;
      const parts = name.split('/').filter(Boolean);
      for (const [index, part] of parts.entries()) {
        if (at.kind !== 'folder') throw failure('ENOTDIR', syscall, shown);
        const next = at.entries.get(part);
        if (!next) throw failure('ENOENT', syscall, shown);
        if (next.kind === 'link' && (follow || index < parts.length - 1)) {
          const target = path.resolve('/', ...parts.slice(0, index), next.target, ...parts.slice(index + 1));
          return walk(target, syscall, shown, follow, depth + 1);
        }
        at = next;
      }
      return at;
    };
    const find = (value, syscall, follow = true) => walk(nameOf(value), syscall, String(value), follow);
    const writable = (name) => name === '/tmp' || name.startsWith('/tmp/');
    const parent = (value, syscall, to) => {
      const name = nameOf(value);
      if (!writable(name) || name === '/tmp') throw failure(name === '/tmp' ? 'EEXIST' : 'EROFS', syscall, String(value), to);
      const at = walk(path.dirname(name), syscall, String(value));
      if (at.kind !== 'folder') throw failure('ENOTDIR', syscall, String(value));
      return [at, path.basename(name), name];
    };
    const grow = (count, syscall) => {
      if (used + count > bytesMax) throw failure('ENOSPC', syscall);
      used += count;
    };
    class Stats {
      constructor(node, big) {
        const number = big ? BigInt : Number;
        const time = node.time ?? rt.startedAt();
        const size = node.kind === 'file' ? node.bytes.length : node.kind === 'link' ? node.target.length : 4096;
        const type = { file: 0o100000, folder: 0o040000, link: 0o120000 }[node.kind];
        Object.assign(this, { dev: number(1), ino: number(node.inode), mode: number(type | node.mode), nlink: number(1), uid: number(993), gid: number(990), rdev: number(0), size: number(size), blksize: number(4096), blocks: number(Math.ceil(size / 512)), atimeMs: number(Math.floor(time)), mtimeMs: number(Math.floor(time)), ctimeMs: number(Math.floor(time)), birthtimeMs: number(Math.floor(time)) });
        this.atime = this.mtime = this.ctime = this.birthtime = new Date(time);
        Object.defineProperty(this, 'kind', { value: node.kind });
      }
      isFile() { return this.kind === 'file'; }
      isDirectory() { return this.kind === 'folder'; }
      isSymbolicLink() { return this.kind === 'link'; }
      isFIFO() { return false; }
      isSocket() { return false; }
      isBlockDevice() { return false; }
      isCharacterDevice() { return false; }
    }
    class Dirent {
      constructor(name, parentPath, kind) {
        Object.assign(this, { name, parentPath, path: parentPath });
        Object.defineProperty(this, 'kind', { value: kind });
      }
    }
    for (const name of ['isFile', 'isDirectory', 'isSymbolicLink', 'isFIFO', 'isSocket', 'isBlockDevice', 'isCharacterDevice']) Dirent.prototype[name] = Stats.prototype[name];
    const encodingOf = (options) => (typeof options === 'string' ? options : options?.encoding ?? null);
    const output = (bytes, options) => {
      const encoding = encodingOf(options);
      return encoding && encoding !== 'buffer' ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding) : Buffer.from(bytes);
    };
    const input = (data, options) => {
      if (typeof data === 'string') return rt.toBytes(data, encodingOf(options) ?? 'utf8');
      if (ArrayBuffer.isView(data)) return rt.bytes(data).slice();
      throw rt.invalidArgument('"data"', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
    };
    const descriptors = new Map();
    let lastDescriptor = 9;
    const flagsOf = (flags = 'r') => {
      if (typeof flags === 'number') return { read: (flags & 3) !== 1, write: (flags & 3) !== 0, create: Boolean(flags & 64), exclusive: Boolean(flags & 128), truncate: Boolean(flags & 512), append: Boolean(flags & 1024) };
      const text = String(flags).replace('s', '');
      const plus = text.includes('+');
      return { read: text.startsWith('r') || plus, write: !text.startsWith('r') || plus, create: !text.startsWith('r'), exclusive: text.includes('x'), truncate: text.startsWith('w'), append: text.startsWith('a') };
    };
    const opened = (fd, syscall) => {
      const open = descriptors.get(fd);
      if (!open) throw failure('EBADF', syscall);
      return open;
    };
    const sync = {
      openSync(name, flags, mode) {
        const want = flagsOf(flags);
        let node;
        try {
          node = find(name, 'open');
          if (want.create && want.exclusive) throw failure('EEXIST', 'open', String(name));
        } catch (error) {
          if (error.code !== 'ENOENT' || !want.create) throw error;
        }
        if (want.write && !writable(nameOf(name))) throw failure('EROFS', 'open', String(name));
        if (!node) {
          const [at, last] = parent(name, 'open');
          node = file(new Uint8Array(0), (mode ?? 0o666) & ~0o022);
          at.entries.set(last, node);
        }
        if (node.kind === 'folder' && want.write) throw failure('EISDIR', 'open', String(name));
        if (want.truncate && want.write) {
          used -= node.bytes.length;
          node.bytes = new Uint8Array(0);
        }
        const fd = ++lastDescriptor;
        descriptors.set(fd, { node, at: 0, ...want, name: String(name) });
        return fd;
      },
      closeSync(fd) {
        opened(fd, 'close');
        descriptors.delete(fd);
      },
      readSync(fd, buffer, offset = 0, length, position) {
        if (offset !== null && typeof offset === 'object') ({ offset = 0, length, position } = offset);
        const open = opened(fd, 'read');
        if (open.node.kind === 'folder') throw failure('EISDIR', 'read');
        length ??= buffer.byteLength - offset;
        const at = typeof position === 'number' || typeof position === 'bigint' ? Number(position) : open.at;
        const part = open.node.bytes.subarray(at, at + length);
        rt.bytes(buffer).set(part, offset);
        if (position === undefined || position === null || position < 0) open.at = at + part.length;
        return part.length;
      },
      writeSync(fd, data, offset, length, position) {
        if (fd === 1 || fd === 2) {
          const text = typeof data === 'string' ? data : rt.fromUtf8(rt.bytes(data));
          (fd === 1 ? rt.process.stdout : rt.process.stderr).write(text);
          return text.length;
        }
        const open = opened(fd, 'write');
        if (!open.write) throw failure('EBADF', 'write');
        let bytes;
        if (typeof data === 'string') {
          position = offset;
          bytes = rt.toBytes(data, typeof length === 'string' ? length : 'utf8');
        } else {
          if (offset !== null && typeof offset === 'object') ({ offset, length, position } = offset);
          bytes = rt.bytes(data).subarray(offset ?? 0, length === undefined || length === null ? undefined : (offset ?? 0) + length);
        }
        const at = open.append ? open.node.bytes.length : typeof position === 'number' ? position : open.at;
        put(open.node, bytes, at);
        if (typeof position !== 'number') open.at = at + bytes.length;
        return bytes.length;
      },
      fstatSync: (fd, options) => new Stats(opened(fd, 'fstat').node, options?.bigint),
      ftruncateSync(fd, length = 0) { resize(opened(fd, 'ftruncate').node, length); },
      fsyncSync(fd) { opened(fd, 'fsync'); },
      fdatasyncSync(fd) { opened(fd, 'fdatasync'); },
      fchmodSync(fd, mode) { opened(fd, 'fchmod').node.mode = Number(mode); },
      futimesSync(fd, atime, mtime) { opened(fd, 'futimes').node.time = new Date(mtime).getTime(); },
      readFileSync(name, options) {
        const node = typeof name === 'number' ? opened(name, 'read').node : find(name, 'open');
        if (node.kind === 'folder') throw failure('EISDIR', 'read');
        return output(node.bytes, options);
      },
      writeFileSync(name, data, options) {
        const bytes = input(data, options);
        const flag = options?.flag ?? 'w';
        if (typeof name === 'number') {
          sync.writeSync(name, bytes);
          return;
        }
        const fd = sync.openSync(name, flag, options?.mode);
        try {
          sync.writeSync(fd, bytes);
        } finally {
          sync.closeSync(fd);
        }
      },
      appendFileSync(name, data, options) { sync.writeFileSync(name, data, { ...(typeof options === 'string' ? { encoding: options } : options), flag: 'a' }); },
      existsSync(name) {
        try {
          find(name, 'access');
          return true;
        } catch {
          return false;
        }
      },
      accessSync(name, mode = 0) {
        find(name, 'access');
        if (mode & 2 && !writable(nameOf(name))) throw failure('EROFS', 'access', String(name));
      },
      statSync(name, options) {
        try {
          return new Stats(find(name, 'stat'), options?.bigint);
        } catch (error) {
          if (options?.throwIfNoEntry === false && error.code === 'ENOENT') return undefined;
          throw error;
        }
      },
      lstatSync(name, options) {
        try {
          return new Stats(find(name, 'lstat', false), options?.bigint);
        } catch (error) {
          if (options?.throwIfNoEntry === false && error.code === 'ENOENT') return undefined;
          throw error;
        }
      },
      statfsSync: () => ({ type: 0, bsize: 4096, blocks: bytesMax / 4096, bfree: (bytesMax - used) / 4096, bavail: (bytesMax - used) / 4096, files: 0, ffree: 0 }),
      readdirSync(name, options) {
        const node = find(name, 'scandir');
        if (node.kind !== 'folder') throw failure('ENOTDIR', 'scandir', String(name));
        const out = [];
        const list = (folder, base, prefix) => {
          for (const [entry, child] of [...folder.entries].sort((a, b) => (a[0] < b[0] ? -1 : 1))) {
            out.push(options?.withFileTypes ? new Dirent(entry, base, child.kind) : options === 'buffer' || options?.encoding === 'buffer' ? Buffer.from(prefix + entry) : prefix + entry);
            if (options?.recursive && child.kind === 'folder') list(child, path.join(base, entry), `${prefix}${entry}/`);
          }
        };
        list(node, String(name), '');
        return out;
      },
      opendirSync(name) {
        const entries = sync.readdirSync(name, { withFileTypes: true });
        return {
          path: String(name), readSync: () => entries.shift() ?? null, read: async () => entries.shift() ?? null, closeSync() {}, close: async () => {},
          async *[Symbol.asyncIterator]() { yield* entries.splice(0); },
        };
      },
      mkdirSync(name, options) {
        const recursive = typeof options === 'object' && options?.recursive;
        const full = nameOf(name);
        if (recursive) {
          let first;
          let at = '';
          for (const part of full.split('/').filter(Boolean)) {
            at += `/${part}`;
            if (!sync.existsSync(at)) {
              const [folderAt, last] = parent(at, 'mkdir');
              folderAt.entries.set(last, folder());
              first ??= at;
            } else if (!sync.statSync(at).isDirectory()) throw failure('EEXIST', 'mkdir', String(name));
          }
          return first;
        }
        if (sync.existsSync(full)) throw failure('EEXIST', 'mkdir', String(name));
        const [at, last] = parent(name, 'mkdir');
        at.entries.set(last, folder());
      },
      mkdtempSync(prefix) {
        const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
        const name = prefix + [...emu.random(6)].map((byte) => letters[byte % letters.length]).join('');
        sync.mkdirSync(name);
        return name;
      },
      rmdirSync(name, options) {
        if (options?.recursive) return sync.rmSync(name, options);
        const [at, last] = parent(name, 'rmdir');
        const node = at.entries.get(last);
        if (!node) throw failure('ENOENT', 'rmdir', String(name));
        if (node.kind !== 'folder') throw failure('ENOTDIR', 'rmdir', String(name));
        if (node.entries.size) throw failure('ENOTEMPTY', 'rmdir', String(name));
        at.entries.delete(last);
      },
      unlinkSync(name) {
        const [at, last] = parent(name, 'unlink');
        const node = at.entries.get(last);
        if (!node) throw failure('ENOENT', 'unlink', String(name));
        if (node.kind === 'folder') throw failure('EISDIR', 'unlink', String(name));
        forget(node);
        at.entries.delete(last);
      },
      rmSync(name, options) {
        let place;
        try {
          place = parent(name, 'rm');
          if (!place[0].entries.has(place[1])) throw failure('ENOENT', 'rm', String(name));
        } catch (error) {
          if (options?.force && error.code === 'ENOENT') return;
          throw error;
        }
        const node = place[0].entries.get(place[1]);
        if (node.kind === 'folder' && !options?.recursive) throw rt.error(Error, 'ERR_FS_EISDIR', `Path is a directory: rm returned EISDIR (is a directory) ${name}`);
        forget(node);
        place[0].entries.delete(place[1]);
      },
      renameSync(from, to) {
        const [at, last] = parent(from, 'rename', String(to));
        const node = at.entries.get(last);
        if (!node) throw failure('ENOENT', 'rename', String(from), String(to));
        const [target, name, full] = parent(to, 'rename');
        if (full.startsWith(`${nameOf(from)}/`)) throw failure('EINVAL', 'rename', String(from), String(to));
        const old = target.entries.get(name);
        if (old?.kind === 'folder' && old.entries.size) throw failure('ENOTEMPTY', 'rename', String(from), String(to));
        at.entries.delete(last);
        target.entries.set(name, node);
      },
      copyFileSync(from, to, mode = 0) {
        const node = find(from, 'copyfile');
        if (mode & 1 && sync.existsSync(to)) throw failure('EEXIST', 'copyfile', String(from), String(to));
        sync.writeFileSync(to, node.bytes);
      },
      cpSync(from, to, options) {
        const node = find(from, 'cp');
        if (node.kind !== 'folder') {
          if (options?.errorOnExist && options.force === false && sync.existsSync(to)) throw failure('EEXIST', 'cp', String(to));
          return sync.copyFileSync(from, to);
        }
        if (!options?.recursive) throw rt.error(Error, 'ERR_FS_EISDIR', `Recursive option not enabled, cannot copy a directory: ${from}`);
        sync.mkdirSync(to, { recursive: true });
        for (const name of sync.readdirSync(from)) sync.cpSync(path.join(nameOf(from), name), path.join(nameOf(to), name), options);
      },
      symlinkSync(target, name) {
        const [at, last] = parent(name, 'symlink');
        if (at.entries.has(last)) throw failure('EEXIST', 'symlink', String(target), String(name));
        at.entries.set(last, { kind: 'link', target: String(target), mode: 0o777, time: emu.now(), inode: inode++ });
      },
      linkSync(from, to) {
        const node = find(from, 'link');
        const [at, last] = parent(to, 'link');
        at.entries.set(last, node);
      },
      readlinkSync(name) {
        const node = find(name, 'readlink', false);
        if (node.kind !== 'link') throw failure('EINVAL', 'readlink', String(name));
        return node.target;
      },
      realpathSync(name) {
        find(name, 'realpath');
        let full = nameOf(name);
        for (let depth = 0; depth < 40; depth++) {
          const parts = full.split('/').filter(Boolean);
          const at = parts.findIndex((_, index) => walk(`/${parts.slice(0, index + 1).join('/')}`, 'realpath', full, false).kind === 'link');
          if (at < 0) break;
          full = path.resolve('/', ...parts.slice(0, at), walk(`/${parts.slice(0, at + 1).join('/')}`, 'realpath', full, false).target, ...parts.slice(at + 1));
        }
        return full;
      },
      truncateSync(name, length = 0) {
        parent(name, 'truncate');
        resize(find(name, 'truncate'), length);
      },
      chmodSync(name, mode) {
        parent(name, 'chmod');
        find(name, 'chmod').mode = typeof mode === 'string' ? Number.parseInt(mode, 8) : mode;
      },
      chownSync(name) { parent(name, 'chown'); },
      utimesSync(name, atime, mtime) {
        parent(name, 'utime');
        find(name, 'utime').time = mtime instanceof Date ? mtime.getTime() : Number(mtime) * 1000;
      },
    };
    function put(node, bytes, at) {
      const end = at + bytes.length;
      if (end > node.bytes.length) {
        grow(end - node.bytes.length, 'write');
        const next = new Uint8Array(end);
        next.set(node.bytes);
        node.bytes = next;
      }
      node.bytes.set(bytes, at);
      node.time = emu.now();
    }
    function resize(node, length) {
      if (length > node.bytes.length) grow(length - node.bytes.length, 'truncate');
      else used -= node.bytes.length - length;
      const next = new Uint8Array(length);
      next.set(node.bytes.subarray(0, length));
      node.bytes = next;
      node.time = emu.now();
    }
    function forget(node) {
      if (node.kind === 'file') used -= node.bytes.length;
      else if (node.kind === 'folder') for (const child of node.entries.values()) forget(child);
    }
    const constants = { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, COPYFILE_EXCL: 1, COPYFILE_FICLONE: 2, O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_EXCL: 128, O_TRUNC: 512, O_APPEND: 1024, O_SYNC: 1052672, S_IFMT: 61440, S_IFREG: 32768, S_IFDIR: 16384, S_IFLNK: 40960, S_IRWXU: 448, S_IRUSR: 256, S_IWUSR: 128, S_IXUSR: 64 };
    const fs = { ...sync, constants, Stats, Dirent, F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 };
    const promises = { constants };
    for (const name of Object.keys(sync)) {
      const short = name.slice(0, -4);
      const run = sync[name];
      promises[short] = async (...args) => {
        if (args.at(-1)?.signal?.aborted) throw rt.aborted(args.at(-1).signal);
        return run(...args);
      };
      fs[short] = (...args) => {
        const done = args.pop();
        if (typeof done !== 'function') throw rt.invalidArgument('"cb"', 'of type function', done);
        let value;
        try {
          value = run(...args);
        } catch (error) {
          rt.nextTick(done, error);
          return;
        }
        if (short === 'exists') rt.nextTick(done, value);
        else if (short === 'read' || short === 'write') rt.nextTick(done, null, value, args[1]);
        else rt.nextTick(done, null, value);
      };
    }
    const custom = Symbol.for('nodejs.util.promisify.custom');
    fs.exists[custom] = async (name) => sync.existsSync(name);
    fs.read[custom] = async (fd, buffer, ...rest) => ({ bytesRead: sync.readSync(fd, buffer, ...rest), buffer });
    fs.write[custom] = async (fd, buffer, ...rest) => ({ bytesWritten: sync.writeSync(fd, buffer, ...rest), buffer });
    fs.realpath.native = fs.realpath;
    fs.realpathSync.native = sync.realpathSync;
    delete promises.exists;
    class FileHandle extends rt.EventEmitter {
      constructor(fd) {
        super();
        this.fd = fd;
      }
      async read(buffer, offset, length, position) {
        if (!ArrayBuffer.isView(buffer)) ({ buffer = Buffer.alloc(16384), offset = 0, length = undefined, position = null } = buffer ?? {});
        return { bytesRead: sync.readSync(this.fd, buffer, offset ?? 0, length, position), buffer };
      }
      async write(data, ...rest) { return { bytesWritten: sync.writeSync(this.fd, data, ...rest), buffer: data }; }
      async readFile(options) { return sync.readFileSync(this.fd, options); }
      async writeFile(data, options) { sync.writeFileSync(this.fd, data, options); }
      async appendFile(data, options) { sync.writeSync(this.fd, input(data, options)); }
      async stat(options) { return sync.fstatSync(this.fd, options); }
      async truncate(length) { sync.ftruncateSync(this.fd, length); }
      async sync() {}
      async datasync() {}
      async close() {
        if (this.fd >= 0) sync.closeSync(this.fd);
        this.fd = -1;
      }
      createReadStream(options) { return fs.createReadStream('', { ...options, fd: this.fd }); }
      createWriteStream(options) { return fs.createWriteStream('', { ...options, fd: this.fd }); }
      readLines(options) { return rt.require('readline').createInterface({ input: this.createReadStream(options) }); }
      [Symbol.asyncDispose ?? Symbol.for('asyncDispose')]() { return this.close(); }
    }
    promises.open = async (name, flags, mode) => new FileHandle(sync.openSync(name, flags, mode));
    promises.watch = () => { throw rt.missing('watch', 'node:fs/promises'); };
    fs.createReadStream = (name, options) => {
      if (typeof options === 'string') options = { encoding: options };
      const { Readable } = rt.require('stream');
      let fd = options?.fd?.fd ?? options?.fd;
      let at = options?.start;
      const stream = new Readable({
        encoding: options?.encoding, highWaterMark: options?.highWaterMark ?? 65536, signal: options?.signal,
        construct(done) {
          try {
            fd ??= sync.openSync(name, options?.flags ?? 'r', options?.mode);
            stream.fd = fd;
            done();
            stream.emit('open', fd);
            stream.emit('ready');
          } catch (error) {
            done(error);
          }
        },
        read(size) {
          if (options?.end !== undefined) size = Math.min(size, options.end + 1 - (at ?? stream.bytesRead));
          if (size <= 0) return this.push(null);
          try {
            const chunk = Buffer.alloc(size);
            const count = sync.readSync(fd, chunk, 0, size, at ?? null);
            if (at !== undefined) at += count;
            stream.bytesRead += count;
            this.push(count ? chunk.subarray(0, count) : null);
          } catch (error) {
            this.destroy(error);
          }
        },
        destroy(error, done) {
          if (descriptors.has(fd) && options?.autoClose !== false) sync.closeSync(fd);
          done(error);
        },
      });
      stream.path = name;
      stream.bytesRead = 0;
      stream.close = (done) => {
        if (done) stream.once('close', done);
        stream.destroy();
      };
      return stream;
    };
    fs.createWriteStream = (name, options) => {
      if (typeof options === 'string') options = { encoding: options };
      const { Writable } = rt.require('stream');
      let fd = options?.fd?.fd ?? options?.fd;
      let at = options?.start;
      const stream = new Writable({
        defaultEncoding: options?.encoding, highWaterMark: options?.highWaterMark, signal: options?.signal,
        construct(done) {
          try {
            fd ??= sync.openSync(name, options?.flags ?? 'w', options?.mode);
            stream.fd = fd;
            done();
            stream.emit('open', fd);
            stream.emit('ready');
          } catch (error) {
            done(error);
          }
        },
        write(chunk, encoding, done) {
          try {
            const count = sync.writeSync(fd, chunk, 0, chunk.length, at);
            if (at !== undefined) at += count;
            stream.bytesWritten += count;
            done();
          } catch (error) {
            done(error);
          }
        },
        destroy(error, done) {
          if (descriptors.has(fd) && options?.autoClose !== false) sync.closeSync(fd);
          done(error);
        },
      });
      stream.path = name;
      stream.bytesWritten = 0;
      stream.close = (done) => {
        if (done) stream.once('close', done);
        stream.end();
      };
      return stream;
    };
    fs.ReadStream = fs.createReadStream;
    fs.WriteStream = fs.createWriteStream;
    for (const name of ['watch', 'watchFile', 'unwatchFile']) fs[name] = () => { throw rt.missing(name, 'node:fs', 'nothing else changes these files'); };
    Object.defineProperty(fs, 'promises', { enumerable: true, value: promises });
    return fs;
  });
  rt.define('fs/promises', () => rt.require('fs').promises);
})(globalThis.__emu);
