import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/** What a document shows after `<!-- from examples/… -->` is cut from that file, which is compiled and run by CI. */
const top = new URL('../../../', import.meta.url);
const DOCUMENTS = ['docs/guides/react.md', 'sdk/contract/README.md'];

const read = (path: string) => readFileSync(fileURLToPath(new URL(path, top)), 'utf8');
/**
 * Without the margin, which a document cuts off, and without a last semicolon, which the formatter adds to an
 * expression.
 */
const flush = (text: string) => text.replaceAll(/^ +/gm, '').trim().replace(/;$/, '');

const quotes = DOCUMENTS.flatMap((document) =>
  [...read(document).matchAll(/<!-- from (\S+) -->\s*```tsx?\n([\s\S]*?)```/g)].map(([, file = '', code = '']) => ({
    document,
    file,
    code: flush(code),
  })),
);

it.each(quotes)('$document shows what is in $file', ({ file, code }) => {
  expect(code).not.toBe('');
  expect(flush(read(file))).toContain(code);
});

it('every block of the React guide has a source', () => {
  const guide = read('docs/guides/react.md');
  expect(guide.match(/```tsx?\n/g)).toHaveLength(quotes.filter(({ document }) => document.includes('react')).length);
  expect(quotes.length).toBeGreaterThan(10);
});
