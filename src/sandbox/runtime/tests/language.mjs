// What the engine does in a way of its own must be what its general way gives: JSON with a reviver or a replacer, regular expressions
// that somebody has touched. And errors look as they do in Node.
const same = (a, b) => {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const [x, y] = [Reflect.ownKeys(a), Reflect.ownKeys(b)];
  return x.length === y.length && x.every((key, i) => key === y[i] && same(a[key], b[key]));
};
const outcome = (call) => {
  try {
    return { value: call() };
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
};
const fail = (what, ...rest) => {
  throw new Error(`${what}: ${rest.map((each) => JSON.stringify(each, (_, value) => (value === undefined ? 'undefined' : value))).join(' | ')}`);
};
const equal = (what, got, wanted) => {
  if (!same(got, wanted)) fail(what, got, wanted);
};

// A generator that gives the same each time.
let seed = 42;
const random = (below) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
};
const pick = (list) => list[random(list.length)];
const texts = ['', 'a', 'constructor', '__proto__', 'toString', '0', '17', '4294967294', '01', 'ein längerer Text', 'quote " here', 'back\\slash', 'line\nend', '\u0000\u001f\u007f\u0080\u00ff', '€', '😀', '\ud800', '\udc00 end', 'x\ud83d', '\u2028\u2029', 'exactly8', 'exactly sixteen!', 'tab\tin the middle of it'];
const numbers = [0, -0, 1, -1, 9, 10, 123456789, 1234567890, -987654321, 2147483647, -2147483648, 4294967296, 1.5, -0.1, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, NaN, Infinity, 2 ** 53, 1795312345678, -999999999999999, 999999999999999, 1234567890123456, 12345678901234567, 0.1 + 0.2];
const value = (depth) => {
  switch (random(depth > 4 ? 6 : 11)) {
    case 0: return pick(texts);
    case 1: return pick(numbers);
    case 2: return pick([true, false, null]);
    case 3: return pick([undefined, () => 1, Symbol('s')]);
    case 4: return pick(texts) + pick(texts);
    case 5: return pick([new Date(0), { toJSON: () => 'said so' }, { get got() { return 'by a getter'; } }, Object(7), Object('boxed'), Object(false), new Map([[1, 2]]), new (class Own { x = 1; })(), Object.create({ inherited: 1 }), [1, , 3], /x/g, new Error('e'), Object.defineProperty({ seen: 1 }, 'hidden', { value: 2 }), JSON.rawJSON('1e1000'), new Uint8Array(2), new Proxy({ p: 1 }, {}), { 2: 'b', 1: 'a', c: 'c' }, Object.assign(() => 1, { toJSON: () => 'a function said so' })]);
    case 6:
    case 7: return Array.from({ length: random(5) }, () => value(depth + 1));
    default: {
      const object = {};
      for (let n = random(6); n > 0; n--) Object.defineProperty(object, pick(texts), { value: value(depth + 1), enumerable: true, configurable: true, writable: true });
      if (random(4) === 0) object[Symbol('left out')] = 1;
      return object;
    }
  }
};
const spoil = (text) => {
  const at = random(text.length + 1);
  const what = pick(['', '"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', '+', '.', 'e', ' ', '\n', '\u0000', 'null', 'tru', '\\u00', '\\ud800', '\\x', 'é', '€', '00', '1.', '.5', '1e', '1e400', '123456789012345678901234567890', '/']);
  return text.slice(0, at) + what + text.slice(at + random(3));
};

const json = () => {
  const keep = (_, each) => each;
  for (let n = 0; n < 4000; n++) {
    const made = value(0);
    const [quick, slow] = [outcome(() => JSON.stringify(made)), outcome(() => JSON.stringify(made, keep))];
    equal('stringify', quick, slow);
    if (typeof slow.value !== 'string') continue;
    for (let text = slow.value, m = 0; m < 3; m++, text = spoil(text)) equal(`parse ${text}`, outcome(() => JSON.parse(text)), outcome(() => JSON.parse(text, keep)));
  }
  const circle = {};
  circle.circle = [circle];
  equal('circle', outcome(() => JSON.stringify(circle)), outcome(() => JSON.stringify(circle, keep)));
  let deep = 'x';
  for (let n = 0; n < 1000; n++) deep = n % 2 ? [deep] : { deep };
  equal('deep', JSON.parse(JSON.stringify(deep)), deep);
  Object.prototype.toJSON = function () { return Array.isArray(this) ? 'a list' : 'an object'; };
  const told = [JSON.stringify({}), JSON.stringify([1]), JSON.stringify(1)];
  delete Object.prototype.toJSON;
  equal('toJSON of all objects', told, ['"an object"', '"a list"', '1']);
  equal('a key twice', JSON.parse('{"a":1,"b":2,"a":3}'), { a: 3, b: 2 });
  equal('__proto__ is a key like any other', Object.keys(JSON.parse('{"__proto__":{"x":1}}')), ['__proto__']);
  // Objects that are like those before them, and what was done to those.
  const alike = ['{"a":1,"b":{"a":2,"b":3}}', '{"a":1}', '{"a":1,"b":2,"c":3}', '{"b":1,"a":2}', '{ "a" : 1 , "b" : [ { "a" : 2 } ] }', '{"a":1,"a":2}', '{"a":1,"b":2,"a":3}', '{"a":1,"0":2}', '{"0":1,"a":2}', '{}', '{"\\u0061":1,"b":2}', '{"a":{},"b":{}}', '{"é":1,"b":2}', '{"Ã©":1,"b":2}', '{"a\\nb":1}', '{"a\\\\nb":1}', '{"a":1,"b":2', '{"a":1,"b"}', '{"a":1,', '{"a":1,}', '{"a":1 "b":2}', '{"__proto__":1,"a":2}', `{"a":1${Array.from({ length: 30 }, (_, n) => `,"name${n}":${n}`).join('')}}`];
  const treatments = [(o) => { delete o.a; }, (o) => { o.c = 1; }, (o) => Object.freeze(o), (o) => Object.setPrototypeOf(o, null), (o) => Object.defineProperty(o, 'a', { get: () => 'made', enumerable: false }), (o) => { o.a = { b: o.b }; }, () => {}];
  for (let n = 0; n < 2000; n++) {
    const text = pick(alike);
    const [quick, slow] = [outcome(() => JSON.parse(text)), outcome(() => JSON.parse(text, keep))];
    equal(`alike ${text}`, quick, slow);
    if (!('value' in quick)) continue;
    equal(`what ${text} is of`, [Object.getPrototypeOf(quick.value) === Object.prototype, Object.isExtensible(quick.value)], [true, true]);
    equal(`attributes of ${text}`, Object.getOwnPropertyDescriptors(quick.value), Object.getOwnPropertyDescriptors(slow.value));
    pick(treatments)(quick.value);
  }
  const parsed = JSON.parse('[1,2,3]');
  parsed.push(4);
  parsed.length = 2;
  equal('a list read is a list', [...parsed, parsed.length], [1, 2, 2]);
};

const regexps = () => {
  const lines = ['', 'a', 'a,b,,c', ',', ' lead and trail ', 'aXbxc', '😀x😀', 'one1two22three', 'aaa', 'a\nb\r\nc'];
  const made = [/,/, /,+/g, /(,)/, /x/i, /\s+/, /(\d)(\d)?/, /(?:)/, /(?:)/u, /a*?/, /$/, /^/m, /\r?\n/, /(?<=a)/, /b|(z)/, /[^]/u, /./s, /,/y, /a/v];
  for (const line of lines) {
    for (const plain of made) {
      // One whose flags are its own is no longer plain.
      const touched = Object.defineProperty(new RegExp(plain), 'flags', { value: plain.flags });
      for (const limit of [undefined, 0, 1, 2, -1]) equal(`split ${JSON.stringify(line)} ${plain} ${limit}`, line.split(plain, limit), line.split(touched, limit));
      equal(`replace ${plain}`, line.replace(plain, '<$&>'), line.replace(touched, '<$&>'));
    }
  }
  equal('flags', [/a/.flags, /a/dgimsuy.flags, /a/v.flags, new RegExp('a', 'yg').flags], ['', 'dgimsuy', 'v', 'gy']);
  const own = /a/g;
  Object.defineProperty(own, 'global', { value: false });
  equal('flags of one with an own `global`', own.flags, '');
  const { get } = Object.getOwnPropertyDescriptor(RegExp.prototype, 'global');
  for (const changed of [{ get: () => false }, { value: get }, { value: undefined }]) {
    Object.defineProperty(RegExp.prototype, 'global', { ...changed, configurable: true });
    equal('flags where the prototype was changed', /a/g.flags, changed.value ? 'g' : '');
    delete RegExp.prototype.global;
    equal('flags where the prototype lacks one', /a/g.flags, '');
    Object.defineProperty(RegExp.prototype, 'global', { get, configurable: true });
    equal('flags where it has it again', /a/g.flags, 'g');
  }
  class Loud extends RegExp { get flags() { return 'i'; } }
  equal('flags of a subclass', 'aXb'.split(new Loud('x')), ['a', 'b']);
  const exec = RegExp.prototype.exec;
  RegExp.prototype.exec = function (text) { const found = exec.call(this, text); return found && Object.assign(found, { 0: '' }); };
  const changed = 'a-b'.replace(/-/, '+');
  RegExp.prototype.exec = exec;
  equal('a replaced exec is asked', changed, 'a+-b');
};

const errors = () => {
  function thrower() { return new TypeError('told'); }
  const error = thrower();
  const lines = error.stack.split('\n');
  equal('head', lines[0], 'TypeError: told');
  equal('the innermost call first', /^    at thrower \(.+:\d+:\d+\)$/.test(lines[1]), true);
  error.message = 'changed';
  equal('the head stays', error.stack.split('\n')[0], 'TypeError: told');
  equal('read twice', error.stack === error.stack, true);
  const limit = Error.stackTraceLimit;
  const recurse = (n) => (n ? recurse(n - 1) : new Error('deep'));
  equal('ten calls', recurse(30).stack.split('\n').length, 11);
  Error.stackTraceLimit = 2;
  equal('two calls', recurse(30).stack.split('\n').length, 3);
  Error.stackTraceLimit = 0;
  equal('no calls', recurse(30).stack, 'Error: deep');
  Error.stackTraceLimit = limit;
  const target = {};
  const outer = () => inner();
  const inner = () => Error.captureStackTrace(target, inner);
  outer();
  equal('captured from its caller on', [Object.hasOwn(target, 'stack'), /^Error\n    at outer /.test(target.stack)], [true, true]);
  class Own extends Error { name = 'Own'; constructor(text) { super(text); Error.captureStackTrace(this, Own); } }
  equal('captured by a constructor', new Own('x').stack.includes('at new Own'), false);
  Error.prepareStackTrace = (_, sites) => sites.map((site) => site.getFunctionName());
  const sites = thrower().stack;
  Error.prepareStackTrace = undefined;
  equal('prepared by the project', sites[0], 'thrower');
  let caught;
  try {
    null.x;
  } catch (thrown) {
    caught = thrown;
  }
  equal('of the engine', /^TypeError: .+\n    at /.test(caught.stack), true);
  try {
    throw error;
  } catch (thrown) {
    equal('thrown again', thrown.stack.split('\n')[1], lines[1]);
  }
  for (const call of [() => JSON.parse('{"a":}'), () => new Function('let let')]) {
    try {
      call();
    } catch (mistake) {
      const [head, place] = mistake.stack.split('\n');
      equal('the mistake of a text', [head, /^    at .+:\d+:\d+/.test(place), mistake.stack.endsWith('\n')], [`SyntaxError: ${mistake.message}`, true, false]);
    }
  }
  let named;
  try {
    Buffer.alloc('x');
  } catch (thrown) {
    named = thrown;
  }
  equal('with a code', [named.code, named.stack.startsWith('TypeError [ERR_INVALID_ARG_TYPE]: ')], ['ERR_INVALID_ARG_TYPE', true]);
  error.stack = 'my own';
  equal('set', error.stack, 'my own');
  for (const given of [undefined, null, 7]) {
    const other = new Error('x');
    other.stack = given;
    equal('set to what is no text', other.stack, given);
  }
  class Silent extends Error { get message() { throw new Error('not to be read'); } }
  equal('a message that throws', typeof new Silent().stack, 'string');
};

const scheduled = async () => {
  const order = [];
  process.nextTick((...args) => order.push(['tick', ...args]), 1, 2);
  queueMicrotask(() => order.push(['microtask']));
  Promise.resolve().then(() => order.push(['promise']));
  order.push(['now']);
  await new Promise((resume) => setTimeout(resume, 1));
  equal('order', order, [['now'], ['tick', 1, 2], ['microtask'], ['promise']]);
  const { AsyncLocalStorage } = await import('node:async_hooks');
  const storage = new AsyncLocalStorage();
  const seen = [];
  storage.run('inside', () => {
    process.nextTick(() => seen.push(storage.getStore()));
    queueMicrotask(() => seen.push(storage.getStore()));
  });
  seen.push(storage.getStore());
  await null;
  equal('scope', seen, [undefined, 'inside', 'inside']);
  const uncaught = [];
  process.once('uncaughtException', (error) => uncaught.push(error.message));
  process.nextTick(() => { throw new Error('nobody'); });
  await null;
  equal('thrown by a tick', uncaught, ['nobody']);
};

const headers = async () => {
  const http = await import('node:http');
  for (const name of ['', 'a b', 'a:b', 'é', 'a\n', '€', 7]) equal(`name ${name}`, outcome(() => http.validateHeaderName(name)).error?.includes('valid HTTP token'), true);
  for (const name of ['a', 'X-Y_z', "!#$%&'*+-.^_`|~09"]) equal(`name ${name}`, outcome(() => http.validateHeaderName(name)).error, undefined);
  for (const value of ['a\nb', '\u0000', '\u007f', '€']) equal(`value ${value}`, outcome(() => http.validateHeaderValue('x', value)).error?.includes('Invalid character'), true);
  for (const value of ['', 'a\tb', '\u00ff ~', 7, ['a', 'b']]) equal(`value ${value}`, outcome(() => http.validateHeaderValue('x', value)).error, undefined);
};

const hashes = async () => {
  const { createHash, createHmac } = await import('node:crypto');
  const { pipeline } = await import('node:stream/promises');
  const { Readable } = await import('node:stream');
  const wanted = createHash('sha256').update('ab').digest('hex');
  const piped = createHash('SHA256');
  await pipeline(Readable.from(['a', 'b']), piped);
  equal('a hash is a stream', piped.read().toString('hex'), wanted);
  const written = createHash('sha256');
  const ended = new Promise((resolve) => written.on('finish', resolve));
  written.write('a');
  written.end('b');
  await ended;
  equal('written', written.read().toString('hex'), wanted);
  equal('an unknown one', outcome(() => createHash('nothing')).error, 'Error: Digest method not supported');
  equal('hmac', createHmac('sha256', 'k').update('x').digest('base64').length, 44);
  const path = await import('node:path');
  equal('paths', [path.join('/a', '', '../b//c/', './d'), path.join(''), path.normalize('/a/./b/../../..'), path.normalize('a//b/'), path.resolve('/x', 'y', '..', 'z'), path.relative('/a/b', '/a/c/d'), path.win32.join('C:\\a', '..\\b')], ['/b/c/d', '.', '/', 'a/b/', '/x/z', '../c/d', 'C:\\b']);
};

export const handler = async () => {
  json();
  regexps();
  errors();
  await scheduled();
  await headers();
  await hashes();
  return { ok: true };
};
