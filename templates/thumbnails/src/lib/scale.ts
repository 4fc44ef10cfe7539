import sharp from 'sharp';

/** What is made of each picture: put your sizes here. */
export const sizes = [
  { name: 'small', width: 160, height: 160, fit: 'cover' },
  { name: 'large', width: 1024, height: 1024, fit: 'inside' },
] as const;

export type Size = (typeof sizes)[number];

export interface Scaled {
  data: Buffer;
  width: number;
  height: number;
}

/** What a picture is: its format, and its width and height as they are seen. Throws where it is none. */
export async function describe(picture: Uint8Array): Promise<{ format: string; width: number; height: number }> {
  const { format, autoOrient } = await sharp(picture).metadata();
  return { format, ...autoOrient };
}

/** Upright, within a size, as WebP. Nothing is enlarged beyond what it was, but for `cover`, which always has its size. */
export async function scale(picture: Uint8Array, { width, height, fit }: Size): Promise<Scaled> {
  const { data, info } = await sharp(picture)
    .rotate()
    .resize({ width, height, fit, withoutEnlargement: fit === 'inside' })
    .webp({ quality: 80 })
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}
