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
import { type ApiKey, type AppRouter, type EventMap, type EventPattern, isRentApiError, type RouterInputs, type RouterOutputs } from '@rentapi/contract';
import { createTRPCClient, httpBatchLink } from '@trpc/client';

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
  if (isRentApiError(error) && error.data.problem.code === 'rate_limited') console.log(error.data.problem.requestId);
}
const patterns: EventPattern[] = ['api_key.*', 'an_event.of_a_newer_server'];
client.realtime.events.subscribe(
  { events: patterns },
  {
    onData(message) {
      const event = 'event' in message ? message : message.data;
      if (event.event === 'api_key.created') console.log(event.data.prefix);
      else if (event.event === 'member.added') console.log(event.data.joinedAt);
      else if (event.event === 'api_call') console.log(event.data.keyId);
    },
  },
);
const input: RouterInputs['apiKeys']['create'] = { name: 'CI', scopes: ['api_keys:read'] };
const listed: RouterOutputs['apiKeys']['list'] = page;
const first: ApiKey | undefined = listed.items[0];
console.log(secret, expiresAt, names, next, input, first);
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
  [
    "client.users.me.get.query().catch((e) => isRentApiError(e) && e.data.problem.code === 'no_such_code');",
    `and '"no_such_code"' have no overlap`,
  ],
  ["export const prefix = (message: EventMap['invitation.created']) => message.prefix;", "'prefix' does not exist"],
  ["export const input: RouterInputs['apiKeys']['create'] = {};", 'is missing the following properties'],
  ["await client.users.me.get.query({ id: '' });", "'string' is not assignable to type 'never'"],
];

/** What a guide shows is a program too; what it leaves to the reader is declared. */
const programsOf = (document: string) =>
  readFileSync(join(here, document), 'utf8').match(/(?<=```ts\n)[\s\S]*?(?=```)/g) ?? [];
const [GUIDE = ''] = programsOf('../../docs/guides/realtime.md');
const README = programsOf('README.md').join('');

/** The code samples of the document, which are for a client named `trpc`. */
const document = JSON.parse(readFileSync(join(here, '../../docs/openapi.json'), 'utf8'));
const SAMPLES = Object.values<Record<string, { 'x-codeSamples': { label: string; source: string }[] }>>(document.paths)
  .flatMap((path) => Object.values(path))
  .flatMap((operation) => operation['x-codeSamples'])
  .filter(({ label }) => label === 'tRPC')
  .map(({ source }) => `async () => {${source}}`);

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
  writeFileSync(join(project, 'readme.ts'), `${README}\ndeclare const process: { env: Record<string, string> };\n`);
  writeFileSync(
    join(project, 'samples.ts'),
    `${CLIENT}const trpc = client;\nexport const samples = [${SAMPLES.join(',')}];`,
  );
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
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

describe('a program outside this repository', () => {
  it('calls procedures and reads their answers and errors, typed', () => {
    expect(GUIDE).toContain('realtime.events.subscribe');
    expect(SAMPLES.length).toBeGreaterThan(40);
    expect(README).toContain('isRentApiError(error)');
    expect(report.split('\n').filter((line) => !line.startsWith('wrong-') && !line.startsWith(' '))).toEqual(['']);
  });

  it.each(WRONG.map(([program, complaint], at) => ({ program, complaint, at })))(
    'gets the reason why $program is wrong',
    ({ complaint, at }) => {
      expect(report.split(/\n(?! )/).filter((line) => line.startsWith(`wrong-${at}.ts`))).toEqual([
        expect.stringContaining(complaint),
      ]);
    },
  );

  it('may be a CommonJS one', () => {
    expect(commonJsReport).toBe('');
  });

  it.each([
    ['an ES module', 'module', "import { isRentApiError } from '@rentapi/contract';"],
    ['CommonJS', 'commonjs', "const { isRentApiError } = require('@rentapi/contract');"],
  ])('distinguishes refusals from other errors at run time, as %s', (_, kind, load) => {
    const errors = `[
      Object.assign(new Error('refused'), { data: { problem: { code: 'not_found', requestId: 'r' } } }),
      Object.assign(new Error('no answer'), { data: undefined }),
      Object.assign(new Error('of another API'), { data: { code: 'NOT_FOUND' } }),
      Object.assign(new Error('of another API'), { data: { problem: 'none' } }),
      new Error('another'),
      { data: { problem: { code: 'not_found', requestId: 'r' } } },
      null,
    ]`;
    const program = `${load} console.log(JSON.stringify(${errors}.map(isRentApiError)))`;
    const ran = spawnSync(process.execPath, [`--input-type=${kind}`, '-e', program], {
      cwd: project,
      encoding: 'utf8',
    });
    expect([ran.stderr, JSON.parse(ran.stdout)]).toEqual(['', [true, false, false, false, false, false, false]]);
  });

  it('gets the type, the guard, its license and how to use it, and nothing of the server', () => {
    const folder = join(project, 'node_modules/@rentapi/contract');
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const names = files.map(({ name }) => name).sort();
    const generated = ['index.cjs', 'index.d.cts', 'index.d.ts', 'index.js'];
    expect(names).toEqual(['LICENSE', 'README.md', ...generated, 'package.json']);
    const imports = generated.map((name) => {
      const text = readFileSync(join(folder, 'generated', name), 'utf8');
      return [...text.matchAll(/from '(.*?)'|import\('?(.*?)'?\)|require\(/g)].map(
        ([, from, inline]) => from ?? inline,
      );
    });
    expect(imports).toEqual([[], ['@trpc/server'], ['@trpc/server'], []]);
  });
});
