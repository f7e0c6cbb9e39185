/** What people upload as pictures, by the bytes that each begins with. */
export const IMAGE_TYPES = {
  'image/jpeg': { extensions: ['jpg', 'jpeg'], isOf: (bytes: Buffer) => bytes.readUIntBE(0, 3) === 0xffd8ff },
  'image/png': { extensions: ['png'], isOf: (bytes: Buffer) => bytes.readUIntBE(0, 6) === 0x89504e470d0a },
  'image/webp': {
    extensions: ['webp'],
    isOf: (bytes: Buffer) => /^RIFF.{4}WEBP/s.test(bytes.toString('latin1', 0, 12)),
  },
} as const;

/** Width times height. A small file can hold a huge picture, so this is compared before any pixel is decoded. */
export const MAX_PIXELS = 40_000_000;
const SHORTEST = 12;

/**
 * `type`: not one of IMAGE_TYPES. `pixels`: too many. `broken`: it cannot be decoded. `unavailable`: none can be
 * decoded on this server.
 */
export class ImageError extends Error {
  override name = 'ImageError';
  readonly reason: 'type' | 'pixels' | 'broken' | 'unavailable';
  constructor(reason: ImageError['reason'], cause?: unknown) {
    super(`The image cannot be used: ${reason}`, { cause });
    this.reason = reason;
  }
}

type Sharp = typeof import('sharp')['default'];
let loading: Promise<Sharp> | undefined;

/** Loaded with the first picture: the server runs without it where there is no build for the platform. */
function loadSharp(): Promise<Sharp> {
  loading ??= prepareSharp().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function prepareSharp(): Promise<Sharp> {
  const { default: sharp } = await import('sharp');
  // Only what IMAGE_TYPES lists is ever read: SVG, PDF and many more have parsers too.
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: ['VipsForeignLoadJpeg', 'VipsForeignLoadPng', 'VipsForeignLoadWebp'] });
  sharp.cache(false);
  sharp.concurrency(1);
  return sharp;
}

/**
 * A picture as square WebP files of these sizes. It is decoded and encoded again, upright, so nothing but its pixels is
 * left: no camera, place or profile, and no bytes that are also something else.
 */
export async function squareWebps(bytes: Buffer, sizes: readonly number[]): Promise<Map<number, Buffer>> {
  if (bytes.length < SHORTEST || !Object.values(IMAGE_TYPES).some(({ isOf }) => isOf(bytes)))
    throw new ImageError('type');
  const sharp = await loadSharp().catch((error: unknown) => {
    throw new ImageError('unavailable', error);
  });
  try {
    const { width, height } = await sharp(bytes, { limitInputPixels: false }).metadata(); // reads the header only
    if (width * height > MAX_PIXELS) throw new ImageError('pixels');
    const image = sharp(bytes, { limitInputPixels: MAX_PIXELS, sequentialRead: true }).autoOrient();
    const largest = Math.max(...sizes);
    const { data, info } = await image
      .resize(largest, largest, { fit: 'cover' })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    const raw = { width: info.width, height: info.height, channels: info.channels };
    const made = await Promise.all(
      sizes.map(async (size) => [size, await sharp(data, { raw }).resize(size, size).webp().toBuffer()] as const),
    );
    return new Map(made);
  } catch (error) {
    throw error instanceof ImageError ? error : new ImageError('broken', error);
  }
}
