import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeApi, startFakeApi } from './fake-api.ts';

/** What a customer installs: the built files, in a project outside the workspace. */

type Sdk = typeof import('../src/index.ts');

const sdk = fileURLToPath(new URL('..', import.meta.url));
let project: string;
let api: FakeApi;

beforeAll(async () => {
  // Inside the package, so that the compiler and tRPC are found from there as from a project that has installed them.
  mkdirSync(join(sdk, 'node_modules/.cache'), { recursive: true });
  project = mkdtempSync(join(sdk, 'node_modules/.cache/customer-'));
  const installed = join(project, 'node_modules/@rentapi/sdk');
  mkdirSync(installed, { recursive: true });
  cpSync(join(sdk, 'package.json'), join(installed, 'package.json'));
  const tsdown = join(sdk, 'node_modules/tsdown/dist/run.mjs');
  execFileSync(process.execPath, [tsdown, '--log-level', 'warn', '--out-dir', join(installed, 'dist')], { cwd: sdk });
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  api = await startFakeApi();
});
afterAll(async () => {
  rmSync(project, { recursive: true, force: true });
  await api.close();
});

const file = (name: string, text: string) => {
  const path = join(project, name);
  writeFileSync(path, text);
  return path;
};
const asEsm = (): Promise<Sdk> => import(pathToFileURL(join(project, 'node_modules/@rentapi/sdk/dist/index.js')).href);
const asCommonJs = (): Sdk => createRequire(join(project, 'main.js'))('@rentapi/sdk');

const failed = (sdkCopy: Sdk, options = {}) =>
  new sdkCopy.RentApi({ baseUrl: api.baseUrl, apiKey: 'rapi_test_key', ...options }).apiKeys
    .get({ keyId: 'key_9' })
    .then(
      () => expect.fail('The call succeeded.'),
      (error: unknown) => error,
    );

/** One file of `text`, as a bundler makes it for browsers. */
async function bundle(text: string): Promise<string> {
  const entry = file(`entry-${Math.random()}.js`, text);
  const lib = { entry, formats: ['es' as const], fileName: 'bundle' };
  const result = await build({
    root: project,
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: true,
      target: 'safari15',
      lib,
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
  const [output] = [result].flat();
  if (!output || !('output' in output)) return expect.fail('The bundler watches.');
  return output.output[0].code;
}

describe('an error of the package', () => {
  it('is an instance of its class in every copy that a program has loaded', async () => {
    const copies = [await asEsm(), asCommonJs()];
    expect(copies[0]?.NotFoundError).not.toBe(copies[1]?.NotFoundError);
    for (const thrower of copies) {
      const error = await failed(thrower);
      for (const { RentApiError, NotFoundError, ConnectionError } of copies) {
        expect(error).toBeInstanceOf(RentApiError);
        expect(error).toBeInstanceOf(NotFoundError);
        expect(error).not.toBeInstanceOf(ConnectionError);
      }
      const offline = await failed(thrower, {
        maxRetries: 0,
        baseUrl: 'http://127.0.0.1:9',
        fetch: () => Promise.reject(new Error('off')),
      });
      for (const { ConnectionError, TimeoutError } of copies) {
        expect(offline).toBeInstanceOf(ConnectionError);
        expect(offline).not.toBeInstanceOf(TimeoutError);
      }
    }
  });

  it('is no error of another library with the same name, nor one of a class that a program derives', async () => {
    const { NotFoundError, RentApiError } = await asEsm();
    class OtherNotFound extends Error {}
    Object.defineProperty(OtherNotFound.prototype, 'name', { value: 'NotFoundError' });
    expect(new OtherNotFound()).not.toBeInstanceOf(NotFoundError);
    class Own extends NotFoundError {}
    expect(new Own('x')).toBeInstanceOf(Own);
    expect(new Own('x')).toBeInstanceOf(asCommonJs().NotFoundError);
    expect(new NotFoundError('x')).not.toBeInstanceOf(Own);
    for (const value of [null, undefined, 'x', {}, new Error('x')]) expect(value).not.toBeInstanceOf(RentApiError);
  });

  it('keeps its name and its classes in a minified bundle', async () => {
    const code = await bundle(`
      import { NotFoundError, RentApi, RentApiError } from '@rentapi/sdk';
      export const run = (baseUrl) =>
        new RentApi({ baseUrl, apiKey: 'rapi_test_key' }).apiKeys.get({ keyId: 'key_9' }).catch((error) => ({
          error, text: String(error), stack: error.stack, known: error instanceof NotFoundError && error instanceof RentApiError,
        }));`);
    expect(code).not.toMatch(/class NotFoundError/);
    const bundled = file('bundled.mjs', code);
    const { run } = await import(pathToFileURL(bundled).href);
    const { error, text, stack, known } = await run(api.baseUrl);
    expect(error.name).toBe('NotFoundError');
    expect(text).toBe('NotFoundError: 404 not_found: It is not_found.');
    expect(stack).toMatch(/^NotFoundError: 404 not_found/);
    expect(known).toBe(true);
    expect(error).toBeInstanceOf((await asEsm()).NotFoundError);
  });
});

/** A whole program, for every runtime: calls, a refusal, a guard and, where there is a WebSocket, an event. */
const PROGRAM = `
const client = new RentApi({ baseUrl, apiKey: 'rapi_test_key' });
const { id } = await client.apiKeys.create({ name: 'everywhere', scopes: [] });
const names = await client.apiKeys.list().toArray({ limit: 100 });
const refusal = await client.apiKeys.get({ keyId: 'key_none' }).catch((error) => error);
let event = null;
if (typeof WebSocket === 'function') {
  const subscription = client.realtime.subscribe(['api_key.*'], { lastEventId: null });
  for await (const heard of subscription) { event = heard.event; break; }
}
const service = fetchGuard({ client }, (_, key) => new Response(key.code));
const guarded = async (key) => (await service(new Request('http://service/', { headers: { 'x-api-key': key } }))).status;
const guards = (await guarded('rapi_live_right')) === 200 && (await guarded('rapi_live_wrong')) === 401;
const ok = guards && typeof id === 'string' && names.length > 0 && refusal instanceof NotFoundError && refusal.name === 'NotFoundError';
`;

describe('the package runs', () => {
  beforeAll(() => api.emit('api_key.created', {}));

  /** The version before and after the one that runs the tests, and others, where the machine has them on its PATH. */
  const onPath = (name: string) =>
    (process.env.PATH ?? '')
      .split(delimiter)
      .map((folder) => join(folder, name))
      .find((path) => existsSync(path));
  const runtimes: [string, string | undefined, string[]][] = [
    ['the Node of the tests', process.execPath, []],
    ['the Node of the machine', onPath('node'), []],
    ['Bun', onPath('bun'), []],
    ['Deno', onPath('deno'), ['run', '--allow-net=127.0.0.1']],
  ];

  for (const [name, path, args] of runtimes)
    for (const format of ['mjs', 'cjs'])
      it.skipIf(!path)(
        `in ${name}, as ${format}${path ? '' : ' (SKIPPED: this machine has none on its PATH)'}`,
        async () => {
          const names = '{ NotFoundError, RentApi }';
          const imported = [
            [names, 'index'],
            ['{ fetchGuard }', 'guard'],
          ].map(([names, entry]) => {
            const extension = format === 'mjs' ? 'js' : 'cjs';
            const source = JSON.stringify(join(project, `node_modules/@rentapi/sdk/dist/${entry}.${extension}`));
            return format === 'mjs' ? `import ${names} from ${source};` : `const ${names} = require(${source});`;
          });
          const program = `${imported.join('\n')}\nconst baseUrl = ${JSON.stringify(api.baseUrl)};
(async () => {${PROGRAM}\nconsole.log(JSON.stringify({ ok, event }));\n})();`;
          const { stdout } = await promisify(execFile)(path ?? '', [...args, file(`program.${format}`, program)], {
            env: { PATH: process.env.PATH, NO_COLOR: '1' },
          });
          const result = JSON.parse(stdout);
          expect(result.ok).toBe(true);
          expect([null, 'api_key.created']).toContain(result.event);
        },
      );

  it('at the edge, where there is nothing of Node', async () => {
    const code = await bundle(`import { NotFoundError, RentApi } from '@rentapi/sdk';
      import { fetchGuard } from '@rentapi/sdk/guard';
      globalThis.main = async (baseUrl) => { ${PROGRAM} return { ok, event }; };`);
    const web = {
      fetch,
      URL,
      URLSearchParams,
      Headers,
      Request,
      Response,
      FormData,
      Blob,
      AbortController,
      AbortSignal,
      TextEncoder,
      TextDecoder,
      WebSocket,
      crypto,
      setTimeout,
      clearTimeout,
      setInterval,
      clearInterval,
      console,
    };
    const context = createContext({ ...web });
    runInContext(code.replace(/export\s*\{[^}]*\};?/g, ''), context);
    expect(await runInContext(`main(${JSON.stringify(api.baseUrl)})`, context)).toEqual({
      ok: true,
      event: 'api_key.created',
    });
  });
});

describe('the declarations', () => {
  const compile = (config: object) => {
    const tsconfig = file('tsconfig.json', JSON.stringify(config));
    const tsc = createRequire(join(sdk, 'package.json')).resolve('typescript/bin/tsc');
    return promisify(execFile)(process.execPath, [tsc, '-p', tsconfig]).then(
      () => '',
      ({ stdout }: { stdout: string }) => stdout,
    );
  };
  const compilerOptions = {
    target: 'es2022',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
  };

  it.each([
    ['Node without a DOM', { lib: ['es2022'], types: ['node'], module: 'nodenext' }],
    [
      'browsers',
      {
        lib: ['es2022', 'dom', 'dom.iterable', 'dom.asynciterable'],
        types: [],
        module: 'esnext',
        moduleResolution: 'bundler',
      },
    ],
  ])('are checked whole for %s', async (_, options) => {
    file(
      'customer.ts',
      `import { NotFoundError, RentApi, type RentApiOptions, VERSION } from '@rentapi/sdk';
       import { createClient, UsersResource } from '@rentapi/sdk/core';
       import { expressGuard, fetchGuard, honoGuard, type VerifiedKey } from '@rentapi/sdk/guard';
       export const options: RentApiOptions = { baseUrl: 'https://api.example.com', apiKey: async () => 'k', credentials: 'include' };
       const client = new RentApi(options);
       const headers: Headers = (await client.users.me.get().withResponse()).headers;
       await client.users.me.update({ fullName: VERSION }, { ifMatch: headers.get('etag') });
       const small = createClient({ users: UsersResource }, options).withOptions({ timeoutMs: 1_000 });
       await small.users.me.update({ fullName: VERSION });
       export const guards = [expressGuard({ client }), honoGuard({ client, cost: 2 })];
       export const handle: (request: Request) => Promise<Response> = fetchGuard(
         { client, permissions: ({ method }) => (method === 'GET' ? 'documents.read' : 'documents.write') },
         (_, key: VerifiedKey | null) => new Response(key?.externalId),
       );
       // @ts-expect-error a client that cannot verify keys
       expressGuard({ client: small });
       // @ts-expect-error a group that it was not made of
       small.apiKeys;
       // @ts-expect-error no such way to treat cookies
       new RentApi({ credentials: 'sometimes' });
       // @ts-expect-error no such option
       new RentApi({ apikey: 'k' });
       export const isNotFound = (error: unknown) => error instanceof NotFoundError && error.code === 'not_found';`,
    );
    expect(await compile({ compilerOptions: { ...compilerOptions, ...options }, files: ['customer.ts'] })).toBe('');
  });

  it('fit every code sample of the document', async () => {
    const { paths } = JSON.parse(readFileSync(join(sdk, '../../docs/openapi.json'), 'utf8'));
    const calls = Object.values<Record<string, { 'x-codeSamples': { label: string; source: string }[] }>>(paths)
      .flatMap((path) => Object.values(path))
      .flatMap((operation) => operation['x-codeSamples'].filter(({ label }) => label === 'SDK'))
      .map(({ source }) => `async () => {${source}}`);
    expect(calls.length).toBeGreaterThan(40);
    // The file that an upload sends is the reader's own.
    const client = `import { RentApi } from '@rentapi/sdk';\nconst client = new RentApi({ baseUrl: 'https://api.example.com' });\ndeclare const file: File;\n`;
    file('samples.ts', `${client}export const samples = [\n${calls.join(',\n')}\n];`);
    const options = { ...compilerOptions, lib: ['es2022', 'dom'], types: [], module: 'nodenext' };
    expect(await compile({ compilerOptions: options, files: ['samples.ts'] })).toBe('');
  });

  it('fit tRPC, in CommonJS too', async () => {
    file(
      'links.ts',
      `import { RentApi } from '@rentapi/sdk';
       import { rentapiLink } from '@rentapi/sdk/trpc';
       import { createTRPCClient } from '@trpc/client';
       import { initTRPC } from '@trpc/server';
       const t = initTRPC.create();
       const router = t.router({ hello: t.procedure.query(() => 'hello') });
       export const trpc = createTRPCClient<typeof router>({ links: [rentapiLink(new RentApi({ apiKey: null }))] });
       export const hello: Promise<string> = trpc.hello.query();`,
    );
    writeFileSync(join(project, 'links.cts'), readFileSync(join(project, 'links.ts')));
    // The README's own program, with a router in place of the server's.
    const readme =
      readFileSync(join(sdk, 'README.md'), 'utf8').match(/(?<=## With tRPC[\s\S]*?```ts\n)[\s\S]*?(?=```)/)?.[0] ?? '';
    expect(readme).toContain('rentapiLink(client)');
    file(
      'readme.ts',
      `${readme.replace(/import type \{ AppRouter \}.*/, "import type { TRPCBuiltRouter } from '@trpc/server';")}
       type AppRouter = TRPCBuiltRouter<{ ctx: object; meta: object; errorShape: object; transformer: false }, {}>;
       declare const baseUrl: string;
       declare const session: import('@rentapi/sdk').SessionStore;
       export { trpc };`,
    );
    const options = { lib: ['es2022', 'dom'], types: ['node'], module: 'nodenext', skipLibCheck: true };
    expect(
      await compile({
        compilerOptions: { ...compilerOptions, ...options },
        files: ['links.ts', 'links.cts', 'readme.ts'],
      }),
    ).toBe('');
  });
});
