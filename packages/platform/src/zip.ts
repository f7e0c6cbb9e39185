import { once } from 'node:events';
import { crc32, createDeflateRaw, type DeflateRaw } from 'node:zlib';
import { type AsyncFlateStreamHandler, Zip } from 'fflate';

/** One file of an archive, in pieces of any number. */
export interface ZipEntry {
  name: string;
  content: AsyncIterable<string>;
}

const DEFLATE = 8;
/** Most of the gain for a third of the time of the default. */
const LEVEL = 3;

/**
 * A ZIP archive as it is made: it needs the memory of one piece, however large it becomes. Compression runs beside the
 * event loop.
 */
export async function* zip(entries: AsyncIterable<ZipEntry> | Iterable<ZipEntry>): AsyncGenerator<Uint8Array> {
  let made: Uint8Array[] = [];
  const archive = new Zip((error, chunk) => {
    if (error) throw error;
    made.push(chunk);
  });
  const taken = (): Uint8Array[] => {
    const chunks = made;
    made = [];
    return chunks;
  };
  for await (const { name, content } of entries) {
    const file = { filename: name, compression: DEFLATE, size: 0, crc: 0, ondata: NO_ARCHIVE };
    archive.add(file);
    for await (const chunks of deflated(content, file)) {
      for (const chunk of chunks) file.ondata(null, chunk, false);
      yield* taken();
    }
    file.ondata(null, new Uint8Array(0), true);
    yield* taken();
  }
  archive.end();
  yield* taken();
}

/** Replaced by the archive that the file is added to. */
const NO_ARCHIVE: AsyncFlateStreamHandler = () => {};

const FIRST_BYTES = 64 * 1024;
/** Of one UTF-16 unit in UTF-8. */
const MAX_BYTES = 3;

/**
 * The pieces in UTF-8, compressed; what the archive's directory says of them is added up on the way. While one piece is
 * compressed, the next is written to the other of two buffers: one for each piece would wait for the garbage collector,
 * which does not hurry for memory outside of its heap.
 */
async function* deflated(
  content: AsyncIterable<string>,
  file: { size: number; crc: number },
): AsyncGenerator<Uint8Array<ArrayBuffer>[]> {
  const deflate = createDeflateRaw({ level: LEVEL });
  let made: Uint8Array<ArrayBuffer>[] = [];
  deflate.on('data', (chunk: Uint8Array<ArrayBuffer>) => made.push(chunk));
  deflate.on('error', () => {}); // thrown by the next `await`
  const taken = (): Uint8Array<ArrayBuffer>[] => {
    const chunks = made;
    made = [];
    return chunks;
  };
  let [buffer, other] = [Buffer.allocUnsafeSlow(FIRST_BYTES), Buffer.allocUnsafeSlow(FIRST_BYTES)];
  let compressing: Promise<void> | undefined;
  try {
    for await (const piece of content) {
      if (buffer.length < MAX_BYTES * piece.length) buffer = Buffer.allocUnsafeSlow(MAX_BYTES * piece.length);
      const bytes = buffer.subarray(0, buffer.write(piece));
      file.size += bytes.length;
      file.crc = crc32(bytes, file.crc);
      await compressing;
      yield taken();
      compressing = compress(deflate, bytes);
      compressing.catch(() => {}); // no one waits for it where the reader has gone
      [buffer, other] = [other, buffer];
    }
    await compressing;
    const ended = once(deflate, 'end');
    deflate.end();
    await ended;
    yield taken();
  } finally {
    deflate.destroy();
  }
}

/** Until all of it is compressed, and its memory may be used again. */
function compress(deflate: DeflateRaw, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    deflate.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
