import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Event } from 'aws-lambda';
import * as pictures from '../lib/pictures';
import { describe, scale, sizes } from '../lib/scale';

const s3 = new S3Client({});

/** A larger upload is refused before it is read, in bytes. */
const UPLOAD_MAX = 20_000_000;

async function refuse(id: string, reason: string): Promise<void> {
  console.warn(JSON.stringify({ event: 'picture refused', id, reason }));
  await pictures.record(id, { status: 'refused', reason });
}

/** Makes the thumbnails of an upload. An event may arrive twice: the second time the same files are written again. */
async function work(Bucket: string, key: string): Promise<void> {
  const id = pictures.idOf(key);
  const { Body, ContentLength = 0 } = await s3.send(new GetObjectCommand({ Bucket, Key: key }));
  if (!Body || ContentLength > UPLOAD_MAX) return refuse(id, `an upload may have ${UPLOAD_MAX} bytes`);
  const upload = await Body.transformToByteArray();
  let made;
  try {
    const about = await describe(upload);
    const scaled = await Promise.all(sizes.map(async (size) => ({ ...(await scale(upload, size)), name: size.name })));
    made = { about, scaled };
  } catch (error) {
    // What is no picture will be none the next time either.
    return refuse(id, error instanceof Error ? error.message : String(error));
  }
  const thumbnails = await Promise.all(
    made.scaled.map(async ({ data, name, width, height }): Promise<pictures.Thumbnail> => {
      const thumbnail = { name, key: `thumbnails/${id}/${name}.webp`, width, height, bytes: data.length };
      const CacheControl = 'public, max-age=31536000, immutable';
      await s3.send(new PutObjectCommand({ Bucket, Key: thumbnail.key, Body: data, ContentType: 'image/webp', CacheControl }));
      return thumbnail;
    }),
  );
  await pictures.record(id, { status: 'ready', ...made.about, thumbnails });
  console.log(JSON.stringify({ event: 'thumbnails made', id, ...made.about }));
}

export const handler = async (event: S3Event): Promise<void> => {
  for (const { s3: { bucket, object } } of event.Records) {
    // Keys come as in a URL, with a plus for a space.
    await work(bucket.name, decodeURIComponent(object.key.replace(/\+/g, ' ')));
  }
};
