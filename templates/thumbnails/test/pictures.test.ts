// Uploads pictures from outside, as an app does, and looks at what comes back with the genuine sharp. Run it with: emu exec -- npm test
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import sharp from 'sharp';
import type { Picture, Thumbnail } from '../src/lib/pictures';

const { EMU_URL = '', EMU_ADMIN_URL = '', npm_package_name: service = '' } = process.env;

type Shown = Omit<Picture, 'thumbnails'> & { thumbnails: (Thumbnail & { url: string })[] };

const post = (body: unknown): Promise<Response> => fetch(`${EMU_URL}/pictures`, { method: 'POST', body: JSON.stringify(body) });
const show = async (id: string): Promise<Shown> => (await fetch(`${EMU_URL}/pictures/${id}`)).json() as Promise<Shown>;

/** Waits until everything that was uploaded has been worked on. */
async function idle(): Promise<void> {
  assert.equal((await fetch(`${EMU_ADMIN_URL}/emu/v1/idle`, { method: 'POST' })).status, 200);
}

async function upload(type: string, data: Uint8Array): Promise<Shown> {
  const { id, uploadUrl } = (await (await post({ type })).json()) as { id: string; uploadUrl: string };
  const put = await fetch(uploadUrl, { method: 'PUT', headers: { 'content-type': type }, body: new Uint8Array(data) });
  assert.equal(put.status, 200, await put.text());
  await idle();
  return show(id);
}

const red = { r: 220, g: 40, b: 40 };
const create = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: red } });

describe('pictures', () => {
  before(() => assert.ok(EMU_URL && service, 'run this under emu: `emu exec -- npm test`'));

  it('get thumbnails of every size', async () => {
    const picture = await upload('image/jpeg', await create(1500, 1000).jpeg().toBuffer());
    assert.deepEqual([picture.status, picture.format, picture.width, picture.height], ['ready', 'jpeg', 1500, 1000]);
    const sizes = picture.thumbnails.map(({ name, width, height }) => `${name} ${width}×${height}`);
    assert.deepEqual(sizes, ['small 160×160', 'large 1024×683']);
    for (const { url, width, height, bytes } of picture.thumbnails) {
      const response = await fetch(url);
      assert.equal(response.headers.get('content-type'), 'image/webp');
      const data = Buffer.from(await response.arrayBuffer());
      assert.equal(data.length, bytes);
      const thumbnail = await sharp(data).metadata();
      assert.deepEqual([thumbnail.format, thumbnail.width, thumbnail.height], ['webp', width, height]);
      const [r = 0, g = 0, b = 0] = await sharp(data).resize(1, 1).raw().toBuffer();
      assert.ok(Math.abs(r - red.r) < 8 && Math.abs(g - red.g) < 8 && Math.abs(b - red.b) < 8, `${r} ${g} ${b}`);
    }
  });

  it('stand upright, and are not enlarged', async () => {
    const lying = await create(300, 200).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const picture = await upload('image/jpeg', lying);
    assert.deepEqual([picture.width, picture.height], [200, 300]);
    assert.deepEqual(picture.thumbnails.map(({ width, height }) => [width, height]), [[160, 160], [200, 300]]);
  });

  it('are refused where they are none', async () => {
    const picture = await upload('image/png', Buffer.from('this is no picture'));
    assert.equal(picture.status, 'refused');
    assert.match(picture.reason ?? '', /unsupported image format/);
    assert.equal((await post({ type: 'text/html' })).status, 400);
    assert.equal((await fetch(`${EMU_URL}/pictures/none`)).status, 404);
  });

  it('may also be put there by others', async () => {
    const Body = await create(10, 10).png().toBuffer();
    await new S3Client({}).send(new PutObjectCommand({ Bucket: `${service}-dev-pictures`, Key: 'uploads/by hand', Body }));
    await idle();
    const picture = await show('by%20hand');
    assert.deepEqual([picture.status, picture.format, picture.thumbnails.length], ['ready', 'png', 2]);
  });
});
