import sharp, { fit, gravity } from 'sharp';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const red = { r: 220, g: 40, b: 40 };
const create = (width, height, more = {}) => sharp({ create: { width, height, channels: 3, background: red, ...more } });
const refuses = (call, message) => assert.throws(call, typeof message === 'string' ? { message } : message);

export const handler = async () => {
  // ---- what the module is
  assert.equal(createRequire('/var/task/index.js')('sharp'), sharp);
  assert.deepEqual([fit.cover, gravity.north, sharp.strategy.attention, sharp.kernel.lanczos3], ['cover', 1, 17, 'lanczos3']);
  assert.ok(sharp() instanceof sharp && new sharp() instanceof sharp);
  assert.equal(sharp.format.webp.output.buffer, true);
  assert.equal(sharp.format.heif.output.buffer, false);

  // ---- files in, files out
  const jpeg = await create(300, 200).jpeg().toBuffer();
  assert.ok(Buffer.isBuffer(jpeg) && jpeg.subarray(0, 2).toString('hex') === 'ffd8');
  const about = await sharp(jpeg).metadata();
  assert.deepEqual([about.format, about.width, about.height, about.channels, about.space, about.hasAlpha, about.size, about.chromaSubsampling], ['jpeg', 300, 200, 3, 'srgb', false, jpeg.length, '4:2:0']);
  assert.deepEqual(about.autoOrient, { width: 300, height: 200 });
  assert.equal('blobs' in about, false);
  for (const [make, format] of [[(s) => s.png(), 'png'], [(s) => s.webp({ quality: 50 }), 'webp'], [(s) => s.jpeg({ quality: 30, progressive: true, mozjpeg: true }), 'jpeg'], [(s) => s.gif(), 'gif'], [(s) => s.toFormat('JPG'), 'jpeg'], [(s) => s.toFormat(sharp.format.png), 'png'], [(s) => s, 'jpeg']]) {
    const { data, info } = await make(sharp(jpeg).resize(30)).toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.format, info.width, info.height, info.size], [format, 30, 20, data.length]);
    assert.equal((await sharp(data).metadata()).format, format);
  }
  assert.equal((await sharp(jpeg).png().jpeg({ force: false }).toBuffer({ resolveWithObject: true })).info.format, 'png');

  // ---- every kind of bytes
  const own = new Uint8Array(jpeg);
  for (const input of [jpeg, own, own.buffer, new Uint8ClampedArray(own)]) assert.equal((await sharp(input).metadata()).width, 300);
  const raw = await create(2, 1).raw().toBuffer();
  assert.deepEqual([...raw], [220, 40, 40, 220, 40, 40]);
  assert.equal((await sharp(raw, { raw: { width: 1, height: 2, channels: 3 } }).png().toBuffer({ resolveWithObject: true })).info.height, 2);
  const { data, info } = await create(1, 1).raw().toUint8Array();
  assert.ok(data instanceof Uint8Array && info.depth === 'uchar');

  // ---- steps
  const size = async (picture) => {
    const { info } = await picture.raw().toBuffer({ resolveWithObject: true });
    return [info.width, info.height, info.channels];
  };
  assert.deepEqual(await size(create(100, 60).resize(20, 10)), [20, 10, 3]);
  assert.deepEqual(await size(create(100, 60).resize({ height: 30 })), [50, 30, 3]);
  assert.deepEqual(await size(create(100, 60).resize(200, null, { withoutEnlargement: true })), [100, 60, 3]);
  assert.deepEqual(await size(create(100, 60).resize(50, 50, { fit: 'contain', background: 'rgba(0, 0, 0, 0)' })), [50, 50, 4]);
  assert.deepEqual(await size(create(100, 60).rotate(90).resize(20, 10)), [20, 10, 3]);
  assert.deepEqual(await size(create(100, 60).resize(20, 10).rotate(90)), [12, 10, 3]);
  assert.deepEqual(await size(create(100, 60).rotate(-450)), [60, 100, 3]);
  assert.deepEqual(await size(create(100, 60).rotate(45, { background: '#fff8' })), [113, 113, 4]);
  assert.deepEqual(await size(create(100, 60).extract({ left: 10, top: 20, width: 30, height: 40 })), [30, 40, 3]);
  assert.deepEqual(await size(create(100, 60).extend({ top: 1, right: 2, bottom: 3, left: 4 })), [106, 64, 3]);
  assert.deepEqual(await size(create(10, 10).greyscale()), [10, 10, 1]);
  assert.deepEqual(await size(create(10, 10).ensureAlpha().removeAlpha().flip().flop().blur(2).negate().threshold().linear(1.1, -2)), [10, 10, 4]);
  const pixel = async (picture) => [...(await picture.raw().toBuffer()).subarray(0, 4)];
  assert.deepEqual(await pixel(create(1, 1, { channels: 4, background: 'hsl(120, 100%, 50%)' })), [0, 255, 0, 255]);
  assert.deepEqual(await pixel(create(1, 1, { channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } }).flatten({ background: 'rebeccapurple' })), [102, 51, 153]);
  const over = await create(1, 1, { background: 'blue' }).png().toBuffer();
  assert.deepEqual(await pixel(create(3, 3).composite([{ input: over, gravity: 'northwest' }])), [0, 0, 255, 255]);
  assert.deepEqual(await pixel(create(3, 3).composite([{ input: { create: { width: 1, height: 1, channels: 4, background: '#00ff00' } }, left: 0, top: 0, blend: 'screen' }])), [220, 255, 40, 255]);

  // ---- the same picture for several answers
  const base = sharp(jpeg).resize(40);
  const copies = await Promise.all(['png', 'webp', 'jpeg'].map((format) => base.clone().toFormat(format).toBuffer({ resolveWithObject: true })));
  assert.deepEqual(copies.map(({ info }) => [info.format, info.width]), [['png', 40], ['webp', 40], ['jpeg', 40]]);
  const grey = base.clone().greyscale();
  assert.equal((await size(base))[2], 3);
  assert.equal((await size(grey))[2], 1);

  // ---- callbacks, streams, files
  await new Promise((resolve, reject) => {
    const picture = sharp(jpeg).resize(10);
    assert.equal(picture.toBuffer((error, data, info) => (error ? reject(error) : resolve(assert.deepEqual([info.width, data.length], [10, info.size])))), picture);
  });
  const failed = await new Promise((resolve) => sharp(Buffer.from('nothing')).metadata(resolve));
  assert.equal(failed.message, 'Input buffer contains unsupported image format');
  const chunks = [];
  await pipeline(Readable.from([jpeg.subarray(0, 100), jpeg.subarray(100)]), sharp().resize(7).png(), new PassThrough().on('data', (chunk) => chunks.push(chunk)));
  assert.equal((await sharp(Buffer.concat(chunks)).metadata()).width, 7);
  assert.deepEqual((await sharp(jpeg).resize(9).toFile('/tmp/nine.webp')).format, 'webp');
  assert.equal((await sharp('/tmp/nine.webp').metadata()).width, 9);
  assert.equal(fs.readFileSync('/tmp/nine.webp').toString('latin1', 8, 12), 'WEBP');
  await assert.rejects(sharp('/tmp/nine.webp').toFile('/tmp/nine.webp'), { message: 'Cannot use same file for input and output' });
  await assert.rejects(sharp('/tmp/none.jpg').toBuffer(), { message: 'Input file is missing: /tmp/none.jpg' });

  // ---- what makes no sense
  refuses(() => sharp(undefined), 'Invalid input');
  refuses(() => sharp(Buffer.alloc(0)), 'Input Buffer is empty');
  refuses(() => sharp(5), "Unsupported input '5' of type number");
  refuses(() => create(1, 1).resize(0), 'Expected positive integer between 1 and 100000000 for width but received 0 of type number');
  refuses(() => create(1, 1).resize({ fit: 'x' }), 'Expected valid fit for fit but received x of type string');
  refuses(() => create(1, 1).jpeg({ quality: 101 }), 'Expected integer between 1 and 100 for quality but received 101 of type number');
  refuses(() => create(1, 1).rotate('x'), 'Expected numeric for angle but received x of type string');
  refuses(() => create(1, 1).toFormat('bmp'), /^Error: Expected one of: heic, heif, .* for format but received bmp/);
  refuses(() => create(1, 1).extract({ left: 0 }), 'Expected integer between 0 and 100000000 for top but received undefined of type undefined');
  refuses(() => create(1, 1).flatten({ background: 'nocolour' }), 'Unable to parse color from string: nocolour');
  refuses(() => create(1, 1, { channels: 5 }), 'Expected number between 3 and 4 for create.channels but received 5 of type number');
  await assert.rejects(sharp(jpeg.subarray(0, jpeg.length - 30)).toBuffer(), { message: 'VipsJpeg: premature end of JPEG image' });
  await assert.rejects(sharp(jpeg, { limitInputPixels: 59_999 }).toBuffer(), { message: 'Input image exceeds pixel limit' });
  await assert.rejects(create(20_000, 20_000).png().toBuffer(), /Input image exceeds pixel limit/);
  await assert.rejects(sharp({ create: { width: 16_000, height: 16_000, channels: 4, background: 'red' }, limitInputPixels: false }).png().toBuffer(), /raise its `memorySize`/);
  // A failure holds up nobody.
  assert.equal((await sharp(jpeg).metadata()).width, 300);

  // ---- what the sandbox does not have says so
  refuses(() => create(1, 1).avif(), /^Error: sharp: avif is not available inside the sandbox; run this code outside/);
  refuses(() => create(1, 1).sharpen(), /sharp: sharpen is not available/);
  refuses(() => create(1, 1).resize(1, 1, { position: 'attention' }), /the strategy attention is not available/);
  refuses(() => sharp(jpeg, { animated: true }), /animated/);
  await assert.rejects(sharp(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')).png().toBuffer(), /sharp: SVG input is not available inside the sandbox/);
  return { ok: true };
};
