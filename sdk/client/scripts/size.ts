/** Fails when what npm ships has grown past what a browser application should have to load. */
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const MAX_PACKED_BYTES = 60_000;
const dist = new URL('../dist/', import.meta.url);
let packedBytes = 0;
for (const name of readdirSync(dist).sort()) {
  const file = readFileSync(new URL(name, dist));
  const packed = gzipSync(file).length;
  packedBytes += packed;
  process.stdout.write(
    `${name.padEnd(16)} ${String(file.length).padStart(8)} B ${String(packed).padStart(8)} B gzip\n`,
  );
}
process.stdout.write(
  `${'in all'.padEnd(16)} ${' '.repeat(10)} ${String(packedBytes).padStart(8)} B gzip, at most ${MAX_PACKED_BYTES}\n`,
);
if (packedBytes === 0 || packedBytes > MAX_PACKED_BYTES) process.exit(1);
