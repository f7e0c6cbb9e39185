import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { ImageError, MAX_PIXELS, squareWebps } from './images.ts';

const SIZES = [64, 256];
const blank = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#c33' }, limitInputPixels: false });
const reasonOf = (bytes: Buffer) =>
  squareWebps(bytes, SIZES).then(
    () => 'taken',
    (error: unknown) => (error instanceof ImageError ? error.reason : error),
  );

/** A PNG that claims another size: its header is right, and there is not one pixel. */
function claiming(width: number, height: number): Buffer {
  const crcOf = (bytes: Buffer): number => {
    let crc = 0xffffffff;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return (crc ^ 0xffffffff) >>> 0;
  };
  const chunk = (name: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const framed = Buffer.alloc(body.length + 8);
    framed.writeUInt32BE(data.length);
    body.copy(framed, 4);
    framed.writeUInt32BE(crcOf(body), body.length + 4);
    return framed;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', Buffer.alloc(0)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('a picture', () => {
  it.each(['png', 'jpeg', 'webp'] as const)('from %s becomes a square WebP of each size', async (format) => {
    const made = await squareWebps(await blank(300, 120).toFormat(format).toBuffer(), SIZES);
    for (const size of SIZES)
      expect(await sharp(made.get(size)).metadata()).toMatchObject({ format: 'webp', width: size, height: size });
  });

  it('keeps no camera, place or profile, and is upright', async () => {
    const left = blank(100, 100).composite([
      { input: await blank(100, 50).negate().png().toBuffer(), top: 0, left: 0 },
    ]);
    const bytes = await left
      .jpeg()
      .withExif({ IFD0: { Make: 'Camera of Ada' }, IFD3: { GPSLatitude: '52/1 12/1 0/1' } })
      .withMetadata({ orientation: 3 })
      .toBuffer();
    expect((await sharp(bytes).metadata()).exif).toBeDefined();
    const made = (await squareWebps(bytes, [64])).get(64)!;
    const { exif, icc, xmp, orientation } = await sharp(made).metadata();
    expect([exif, icc, xmp, orientation]).toEqual([undefined, undefined, undefined, undefined]);
    const { data } = await sharp(made).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const red = (x: number, y: number) => data[(y * 64 + x) * 3]!;
    expect(red(32, 8)).toBeGreaterThan(150); // turned by 180°: what was below is above
    expect(red(32, 56)).toBeLessThan(100);
  });

  it('of another type is refused by its content, before it is parsed', async () => {
    const others = [
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
      '<?xml version="1.0"?><svg/>',
      'GIF89a/*\n*/=1;alert(1)',
      '%PDF-1.7',
      '',
      'x',
    ];
    for (const text of others) expect([text, await reasonOf(Buffer.from(text))]).toEqual([text, 'type']);
    expect(await reasonOf(await blank(9, 9).tiff().toBuffer())).toBe('type');
  });

  it('that would be huge is refused from its header', async () => {
    const side = Math.ceil(Math.sqrt(MAX_PIXELS)) + 1;
    expect(await reasonOf(claiming(side, side))).toBe('pixels');
    expect(await reasonOf(claiming(60_000, 60_000))).toBe('pixels');
  });

  it('that is broken is refused', async () => {
    const whole = await blank(300, 300).png().toBuffer();
    expect(await reasonOf(whole.subarray(0, 60))).toBe('broken');
    expect(await reasonOf(Buffer.concat([whole.subarray(0, 16), Buffer.alloc(100)]))).toBe('broken');
    expect(await reasonOf(Buffer.from('RIFF\x10\0\0\0WEBPVP8 '))).toBe('broken');
  });
});
