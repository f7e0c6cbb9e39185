import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const read = (directory: string) => JSON.parse(readFileSync(path.join(ROOT, directory, 'package.json'), 'utf8'));

/** What a package's page on npm is made of, and what a provenance statement is compared with. */
describe.each(readdirSync(path.join(ROOT, 'sdk')).map((name) => `sdk/${name}`))('%s', (directory) => {
  const manifest = read(directory);
  const root = read('.');

  it('names the repository that the root names, and its own directory there', () => {
    expect(manifest.repository).toEqual({ ...root.repository, directory });
    for (const field of ['homepage', 'bugs', 'author', 'license']) expect(manifest[field]).toBe(root[field]);
    expect(manifest.keywords.length).toBeGreaterThan(3);
  });

  it('brings its changelog', () => {
    expect(manifest.files).toContain('CHANGELOG.md');
  });

  it('has no link in its README that leads nowhere on npm', () => {
    const readme = readFileSync(path.join(ROOT, directory, 'README.md'), 'utf8');
    expect([...readme.matchAll(/\]\((?!https:|#)[^)]*\)/g)].map(([link]) => link)).toEqual([]);
  });
});
