import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { z } from 'zod';
import { body, HttpError, json, route } from '../lib/http';
import * as pictures from '../lib/pictures';

const NewPicture = z.object({ type: z.enum(['image/jpeg', 'image/png', 'image/webp', 'image/gif']) }).strict();

const s3 = new S3Client({});
const Bucket = process.env.PICTURES_BUCKET;
const expiresIn = 900;

/** Answers where to put the picture: the upload goes to the bucket itself, not through this function. */
export const create = route(async (event) => {
  const { type } = body(NewPicture, event);
  const { id } = await pictures.create();
  const command = new PutObjectCommand({ Bucket, Key: pictures.uploadKey(id), ContentType: type });
  return json(201, { id, uploadUrl: await getSignedUrl(s3, command, { expiresIn }), expiresIn });
});

export const show = route(async (event) => {
  const picture = await pictures.find(event.pathParameters?.id ?? '');
  if (!picture) throw new HttpError(404, 'There is no such picture');
  const signed = async ({ key, ...thumbnail }: pictures.Thumbnail) => ({
    ...thumbnail,
    url: await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: key }), { expiresIn }),
  });
  return json(200, { ...picture, thumbnails: await Promise.all((picture.thumbnails ?? []).map(signed)) });
});
