import { unzipSync } from 'fflate';
import { expect, it } from 'vitest';
import { zip } from './zip.ts';

async function* pieces(...texts: string[]) {
  yield* texts;
}

it('archives files piece by piece', async () => {
  const chunks: Uint8Array[] = [];
  const entries = [
    { name: 'empty.json', content: pieces() },
    { name: 'one.json', content: pieces('[', '1', ', "zażółć"]') },
    { name: 'large.txt', content: pieces(...Array.from({ length: 50 }, (_, at) => `${at}`.repeat(10_000))) },
  ];
  for await (const chunk of zip(entries)) chunks.push(chunk);
  const files = unzipSync(new Uint8Array(Buffer.concat(chunks)));
  const textOf = (name: string) => Buffer.from(files[name]!).toString();
  expect([textOf('empty.json'), textOf('one.json')]).toEqual(['', '[1, "zażółć"]']);
  expect(textOf('large.txt')).toHaveLength(900_000);
});

it('makes nothing of a file before it is asked for', async () => {
  let begun = 0;
  async function* entries() {
    for (;;) {
      begun++;
      yield { name: `${begun}.txt`, content: pieces('x'.repeat(100_000)) };
    }
  }
  const archive = zip(entries());
  await archive.next();
  expect(begun).toBe(1);
  await archive.return(undefined);
});
