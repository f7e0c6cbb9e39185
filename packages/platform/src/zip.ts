import { Zip, ZipDeflate } from 'fflate';

/** One file of an archive, in pieces of any number. */
export interface ZipEntry {
  name: string;
  content: AsyncIterable<string>;
}

/** A ZIP archive as it is made: it needs the memory of one piece, however large it becomes. */
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
  const encoder = new TextEncoder();
  for await (const { name, content } of entries) {
    const file = new ZipDeflate(name);
    archive.add(file);
    for await (const piece of content) {
      file.push(encoder.encode(piece));
      yield* taken();
    }
    file.push(new Uint8Array(0), true);
    yield* taken();
  }
  archive.end();
  yield* taken();
}
