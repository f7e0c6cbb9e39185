import { crc32 } from 'node:zlib';

/**
 * Another body with the CRC-32 of `original`: `before`, letters that make up for the difference, `after`. CRC-32 is
 * linear, so 40 letters with two values each are enough.
 */
export function forged(before: Buffer, after: Buffer, original: Buffer): Buffer {
  const COUNT = 40;
  const wanted = crc32(original);
  const body = (bits: readonly number[]): Buffer =>
    Buffer.concat([before, Buffer.from(bits.map((bit) => 0x61 ^ (bit << 1))), after]); // "a" or "c"
  const none: number[] = Array.from({ length: COUNT }, () => 0);
  const start = crc32(body(none));
  const effects = none.map((_, at) => (crc32(body(none.with(at, 1))) ^ start) >>> 0);
  // Gaussian elimination over two elements: which effects together are the difference?
  const rows = effects.map((effect, at) => ({ effect, picks: 1n << BigInt(at) }));
  let difference = (wanted ^ start) >>> 0;
  let picked = 0n;
  for (let bit = 31; bit >= 0; bit--) {
    const mask = (1 << bit) >>> 0;
    const pivot = rows.findIndex(({ effect }) => (effect & mask) >>> 0 !== 0);
    if (pivot < 0) continue;
    const [{ effect, picks }] = rows.splice(pivot, 1) as [(typeof rows)[number]];
    for (const row of rows) {
      if ((row.effect & mask) >>> 0 === 0) continue;
      row.effect = (row.effect ^ effect) >>> 0;
      row.picks ^= picks;
    }
    if ((difference & mask) >>> 0 === 0) continue;
    difference = (difference ^ effect) >>> 0;
    picked ^= picks;
  }
  if (difference !== 0) throw new Error('there are too few characters');
  return body(none.map((_, at) => Number((picked >> BigInt(at)) & 1n)));
}
