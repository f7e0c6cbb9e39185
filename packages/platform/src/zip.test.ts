import { randomBytes } from 'node:crypto';
import { unzipSync } from 'fflate';
import { expect, it } from 'vitest';
import { zip } from './zip.ts';

async function* pieces(...texts: string[]) {
  yield* texts;
}

it('archives files piece by piece', async () => {
  const chunks: Uint8Array[] = [];
  const many = Array.from({ length: 50 }, () => randomBytes(10_000).toString('hex'));
  const entries = [
    { name: 'empty.json', content: pieces() },
    { name: 'one.json', content: pieces('[', '1', ', "zażółć"]') },
    { name: 'large.txt', content: pieces(...many) },
  ];
  for await (const chunk of zip(entries)) chunks.push(chunk);
  const files = unzipSync(new Uint8Array(Buffer.concat(chunks)));
  const textOf = (name: string) => Buffer.from(files[name]!).toString();
  expect([textOf('empty.json'), textOf('one.json')]).toEqual(['', '[1, "zażółć"]']);
  expect(textOf('large.txt') === many.join('')).toBe(true);
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

it('stops compressing where its reader leaves, and fails where its content does', async () => {
  let stopped = false;
  async function* endless() {
    try {
      for (;;) yield randomBytes(50_000).toString('hex');
    } finally {
      stopped = true;
    }
  }
  let read = 0;
  for await (const _ of zip([{ name: 'endless.txt', content: endless() }])) if (++read === 5) break;
  expect(stopped).toBe(true);
  async function* failing() {
    yield 'x'.repeat(100_000);
    throw new Error('the database has gone');
  }
  const readAll = async () => {
    for await (const _ of zip([{ name: 'failing.txt', content: failing() }]));
  };
  await expect(readAll()).rejects.toThrow('the database has gone');
});
