import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const files = globSync(['package.json', '{apps,packages,sdk,examples}/*/package.json', 'bench/package.json'], {
  cwd: root,
});

it.each(files)('%s says where it comes from, and where to report what is wrong', (file) => {
  const { homepage, bugs, repository } = JSON.parse(readFileSync(`${root}/${file}`, 'utf8'));
  const directory = file === 'package.json' ? undefined : file.replace('/package.json', '');
  expect([homepage, bugs, repository?.directory]).toEqual([
    'https://github.com/rentapi/rentapi#readme',
    'https://github.com/rentapi/rentapi/issues',
    directory,
  ]);
});
