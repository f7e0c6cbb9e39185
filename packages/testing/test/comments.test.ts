import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const ROOT = path.join(import.meta.dirname, '../../..');
const MAX_COLUMNS = 120;
const COMMENT = /^\s*(?:\/\/|\/\*|\*)/;

it('keeps every line of a comment within 120 columns, as the formatter keeps code', () => {
  const files = globSync('{apps,bench,examples,packages,sdk,tools}/**/*.{ts,tsx,mjs}', {
    cwd: ROOT,
    exclude: (name) => /^(?:node_modules|dist|generated|coverage)$/.test(path.basename(String(name))),
  });
  expect(files.length).toBeGreaterThan(300);
  const long = files.flatMap((file) =>
    readFileSync(path.join(ROOT, file), 'utf8')
      .split('\n')
      .flatMap((line, at) => (COMMENT.test(line) && [...line].length > MAX_COLUMNS ? [`${file}:${at + 1}`] : [])),
  );
  expect(long).toEqual([]);
});
