import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Programs outside the repository: in their own directory, with the packed package and what its README installs. */
const here = fileURLToPath(new URL('..', import.meta.url));
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
const COMPILER_OPTIONS = {
  strict: true,
  skipLibCheck: false,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  target: 'es2022',
  lib: ['es2022', 'dom', 'dom.iterable', 'dom.asynciterable', 'esnext.disposable'],
  module: 'nodenext',
  types: [],
};

const CLIENT = `
import type { AppRouter } from '@rentapi/contract';
import { createTRPCClient, httpBatchLink, TRPCClientError } from '@trpc/client';

export const isRefusal = (error: unknown): error is TRPCClientError<AppRouter> => error instanceof TRPCClientError;
const client = createTRPCClient<AppRouter>({
  links: [httpBatchLink({ url: 'http://localhost:8000/trpc', headers: { authorization: 'Bearer token' } })],
});
`;

const RIGHT = `
const created = await client.apiKeys.create.mutate({ name: 'CI', scopes: ['api_keys:read'] });
const secret: string = created.secret;
const expiresAt: string | null = created.expiresAt;
const page = await client.apiKeys.list.query();
const names: string[] = page.items.map((key) => key.name);
const next: string | null = page.nextCursor;
await client.apiKeys.revoke.mutate({ keyId: created.id });
try {
  await client.users.me.get.query();
} catch (error) {
  if (isRefusal(error) && error.data?.problem.code === 'rate_limited') console.log(error.data.problem.requestId);
}
console.log(secret, expiresAt, names, next);
`;

const WRONG: [program: string, complaint: string][] = [
  ["await client.apiKeys.create.mutate({ nam: 'CI', scopes: [] });", "'nam' does not exist in type 'CreateApiKey'"],
  ["await client.apiKeys.create.mutate({ name: 'CI' });", "Property 'scopes' is missing"],
  ['await client.apiKeys.create.mutate({ name: 1, scopes: [] });', "'number' is not assignable to type 'string'"],
  [
    "await client.apiKeys.create.mutate({ name: 'CI', scopes: ['api_keys:fly'] });",
    `'"api_keys:fly"' is not assignable`,
  ],
  ["console.log((await client.apiKeys.get.query({ keyId: 'key_' })).secret);", "'secret' does not exist"],
  ["await client.apiKeys.create.query({ name: 'CI', scopes: [] });", "'query' does not exist"],
  ['await client.apiKeys.fly.mutate({});', "'fly' does not exist"],
  ["await client.users.me.get.query({ id: '' });", "'string' is not assignable to type 'never'"],
];

/** What a guide shows is a program too; what it leaves out is declared. */
const [GUIDE = ''] =
  readFileSync(join(here, '../../docs/guides/realtime.md'), 'utf8').match(/(?<=```ts\n)[\s\S]*?(?=```)/) ?? [];

let project: string;
let report: string;
let commonJsReport: string;

beforeAll(() => {
  project = mkdtempSync(join(realpathSync(tmpdir()), 'rentapi-outside-'));
  const modules = join(project, 'node_modules');
  const folder = join(modules, '@rentapi/contract');
  for (const path of [folder, join(modules, '@trpc')]) mkdirSync(path, { recursive: true });
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', project];
  const tarball = execFileSync('npm', pack, { cwd: here, encoding: 'utf8', shell: process.platform === 'win32' });
  execFileSync('tar', ['-xzf', tarball.trim(), '--strip-components=1', '-C', folder], { cwd: project });
  for (const name of ['@trpc/client', '@trpc/server']) {
    symlinkSync(join(here, 'node_modules', name), join(modules, name), 'junction');
  }
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: COMPILER_OPTIONS, exclude: ['commonjs'] }),
  );
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(project, 'right.ts'), CLIENT + RIGHT);
  writeFileSync(join(project, 'guide.ts'), `${GUIDE}\ndeclare function freshToken(): Promise<string>;\n`);
  for (const [at, [program]] of WRONG.entries()) writeFileSync(join(project, `wrong-${at}.ts`), CLIENT + program);
  const compile = (folder: string) =>
    spawnSync(process.execPath, [tsc, '-p', folder], { cwd: project, encoding: 'utf8' }).stdout;
  report = compile('.');
  const commonJs = join(project, 'commonjs');
  mkdirSync(commonJs);
  writeFileSync(
    join(commonJs, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...COMPILER_OPTIONS, module: 'node16' } }),
  );
  writeFileSync(join(commonJs, 'package.json'), '{ "type": "commonjs" }');
  writeFileSync(join(commonJs, 'right.ts'), `${CLIENT}export async function run() {${RIGHT}}\n`);
  commonJsReport = compile('commonjs');
}, 120_000);

afterAll(() => rmSync(project, { recursive: true, force: true }));

describe('a program outside this repository', () => {
  it('calls procedures and reads their answers and errors, typed', () => {
    expect(GUIDE).toContain('realtime.events.subscribe');
    expect(report.split('\n').filter((line) => !line.startsWith('wrong-') && !line.startsWith(' '))).toEqual(['']);
  });

  it('may be a CommonJS one', () => {
    expect(commonJsReport).toBe('');
  });

  it.each(WRONG.map(([program, complaint], at) => ({ program, complaint, at })))(
    'gets the reason why $program is wrong',
    ({ complaint, at }) => {
      expect(report.split(/\n(?! )/).filter((line) => line.startsWith(`wrong-${at}.ts`))).toEqual([
        expect.stringContaining(complaint),
      ]);
    },
  );

  it('fails at once where the type is imported as a value', () => {
    const ran = spawnSync(process.execPath, ['-e', "import('@rentapi/contract')"], { cwd: project, encoding: 'utf8' });
    expect(ran.stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
    expect(ran.status).toBe(1);
  });

  it('gets the type, its license and how to use it, and nothing of the server', () => {
    const folder = join(project, 'node_modules/@rentapi/contract');
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map(({ name }) => name).sort()).toEqual([
      'LICENSE',
      'README.md',
      'index.d.cts',
      'index.d.ts',
      'package.json',
    ]);
    const text = readFileSync(join(folder, 'generated/index.d.ts'), 'utf8');
    const imports = [...text.matchAll(/from '(.*?)'|import\('?(.*?)'?\)/g)].map(([, from, inline]) => from ?? inline);
    expect(imports).toEqual(['@trpc/server']);
  });
});
