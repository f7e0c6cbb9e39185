import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createIds } from '@rentapi/api/contract/ids';
import { assertSecrets } from '@rentapi/api/deployment-secrets';
import type { Knex } from '@rentapi/platform/database';
import { openDatabase } from '@rentapi/testing/database';
import { cloneDatabase } from '@rentapi/testing/postgres';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { HELP } from '../src/commands/help.ts';
import {
  killAll,
  type RunningProcess,
  rentapi,
  SECRETS,
  type Server,
  startServer,
  temporaryDirectory,
  until,
} from './processes.ts';

const home = temporaryDirectory();
const DATA_DIR = path.join(home.dir, 'data');
let outside: Awaited<ReturnType<typeof cloneDatabase>>;
let database: Knex;

beforeAll(async () => {
  outside = await cloneDatabase(inject('postgres'));
  database = openDatabase(outside.url, { poolMax: 2, acquireTimeoutMs: 5000, statementTimeoutMs: 5000 });
  await assertSecrets(database, SECRETS, {}); // as its first start would have stored them
});
afterAll(async () => {
  killAll();
  await database.destroy();
  await outside.drop();
  home.remove();
});

/** Settings for the external database. */
const elsewhere = () => ({
  DATABASE_URL: outside.url,
  DATA_DIR: path.join(home.dir, 'other'),
  SEED_DEMO: '0',
  ...SECRETS,
});

/** Checks that it failed in a way an operator can read: one line, no stack, exit code 1. */
async function expectRefusal(program: RunningProcess, sentence: RegExp, code = 1): Promise<void> {
  expect(await program.ended).toBe(code);
  const lines = program.said().trimEnd().split('\n');
  expect(lines.at(-1)).toMatch(sentence);
  expect(program.said()).not.toMatch(/^\s+at /m);
}

const postmaster = () => Number(readFileSync(path.join(DATA_DIR, 'pg', 'postmaster.pid'), 'utf8').split('\n')[0]);

/** The state letter of a process in the kernel: Z is one that has ended and is not reaped yet. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('rentapi start', () => {
  let server: Server;
  let postgres: number;

  it('makes a database and demo data the first time, serves, and says where everything is', async () => {
    server = await startServer(['start'], { DATA_DIR });
    await expect.poll(() => server.said()).toMatch(/Demo account +admin@example.com \/ /);
    for (const place of ['/api/v1', '/docs', '/dev/mail']) expect(server.said()).toContain(place);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    const login = await fetch(`${server.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'admin@example.com', password: 'Admin123!@#' }),
    });
    expect(login.status).toBe(200);
    postgres = postmaster();
  });

  it('refuses a second start on the same directory, and names the running process', async () => {
    await expectRefusal(
      rentapi(['start'], { DATA_DIR, PORT: '8123' }),
      new RegExp(`already used by a running RentAPI \\(pid ${server.child.pid}\\b.*http`),
    );
  });

  it('serves under a role that may not change tables, and migrates under another (V13.2.2)', async () => {
    const port = readFileSync(path.join(DATA_DIR, 'pg', 'postmaster.pid'), 'utf8').split('\n')[3]!;
    const password = readFileSync(path.join(DATA_DIR, 'pg', 'rentapi.password'), 'utf8');
    const owner = new pg.Client(`postgres://rentapi:${password}@127.0.0.1:${port}/postgres`);
    await owner.connect();
    const { rows } = await owner.query(
      `select distinct usename as name, has_schema_privilege(usename, 'public', 'create') as creates,
              has_table_privilege(usename, 'audit_logs', 'update') as rewrites
       from pg_stat_activity where datname = 'postgres' and pid <> pg_backend_pid() and application_name <> $1`,
      [`rentapi ${server.child.pid} http 0`], // the one that guards the directory
    );
    await owner.end();
    expect(rows).toEqual([{ name: 'rentapi_serving', creates: false, rewrites: false }]);
  });

  it('lets read-only commands use the database of a running server, and refuses to change its tables', async () => {
    for (const args of [
      ['migrate', 'status'],
      ['migrate', 'check'],
      ['audit', 'verify'],
    ]) {
      const program = rentapi(args, { DATA_DIR });
      expect([args.join(' '), await program.ended]).toEqual([args.join(' '), 0]);
    }
    await expectRefusal(rentapi(['migrate', 'down'], { DATA_DIR }), /already used by a running RentAPI/);
    expect((await fetch(`${server.url}/health/readiness`)).status).toBe(200);
  });

  it('refuses a port that is in use, before it touches the database', async () => {
    await expectRefusal(
      rentapi(['start'], { ...elsewhere(), PORT: String(server.port) }),
      new RegExp(`^Port ${server.port} is in use: .*PORT\\.$`),
    );
  });

  it('stops with everything at SIGTERM', async () => {
    expect(await server.stop()).toBe(0);
    expect(isRunning(postgres)).toBe(false);
  });

  it('recovers by itself from kill -9, and stops at Ctrl-C', async () => {
    const killed = await startServer(['start'], { DATA_DIR });
    postgres = postmaster();
    expect(await killed.stop('SIGKILL')).toBeNull();
    const next = await startServer(['start'], { DATA_DIR });
    expect((await fetch(`${next.url}/health`)).status).toBe(200);
    expect(await next.stop('SIGINT')).toBe(0);
    expect(isRunning(postgres)).toBe(false);
  });

  it('does not open demo accounts to others', async () => {
    await expectRefusal(rentapi(['start'], { DATA_DIR, HOST: '0.0.0.0' }), /^HOST: 0\.0\.0\.0 is open to others/);
  });
});

describe('a start that cannot succeed', () => {
  it.concurrent.each([
    ['a bad setting', { PORT: 'many' }, /^PORT: /],
    [
      'a database that does not answer',
      { ...SECRETS, DATABASE_URL: 'postgres://u:hidden@127.0.0.1:1/x' },
      /^The database at 127\.0\.0\.1:1 .*DATABASE_URL\.$/,
    ],
    [
      'a database without the secrets it needs',
      { DATABASE_URL: 'postgres://127.0.0.1/x' },
      /^SECRET_KEY, ID_SECRET, PASSWORD_PEPPER: required/,
    ],
    [
      'a data directory that cannot be made',
      { DATA_DIR: '/dev/null/x' },
      /^Cannot create the data directory \/dev\/null\/x: /,
    ],
  ])('refuses %s in one sentence', async (_, settings, sentence) => {
    const program = rentapi(['start'], { DATA_DIR: path.join(home.dir, 'none'), ...settings });
    await expectRefusal(program, sentence);
    expect(program.said()).not.toContain('hidden');
  });

  it.concurrent('refuses another secret than its database has', async () => {
    const other = { ...elsewhere(), ID_SECRET: 'another-secret-that-is-long-enough-01' };
    await expectRefusal(rentapi(['start'], other), /^ID_SECRET is not the one/);
  });
});

describe('rentapi start in production', () => {
  let clone: Awaited<ReturnType<typeof cloneDatabase>>;
  const secret = () => randomBytes(32).toString('base64');
  const secrets = { SECRET_KEY: secret(), ID_SECRET: secret(), PASSWORD_PEPPER: secret() };

  beforeAll(async () => {
    clone = await cloneDatabase(inject('postgres'));
  });
  afterAll(() => clone.drop());

  const production = () => ({
    ...elsewhere(),
    ...secrets,
    DATABASE_URL: clone.url,
    BCRYPT_COST: '10',
    NODE_ENV: 'production',
    PUBLIC_URL: 'https://api.example.com',
    LOG_LEVEL: 'warn',
  });
  const smtp = { MAIL_DRIVER: 'smtp', SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'Acme <hello@example.com>' };

  it('warns on the terminal and in the log that captured mail keeps every user from logging in', async () => {
    const server = await startServer(['start'], { ...production(), SHUTDOWN_GRACE_MS: '0' });
    await server.stop();
    expect(server.said()).toMatch(/^No mail is sent: .* Set MAIL_DRIVER to smtp or resend/m);
    expect(server.printed()).toMatch(/"level":"warn".*"msg":"No mail is sent/);
    expect(server.said()).not.toContain('/dev/mail'); // it answers 404 there
  });

  it('warns on the terminal and in the log of a connection that leaves the machine without TLS (V12.3.1)', async () => {
    const plain = { SMTP_URL: 'smtp://mail.example.com?ignoreTLS=true' };
    const server = await startServer(['start'], { ...production(), ...smtp, ...plain, SHUTDOWN_GRACE_MS: '0' });
    await server.stop();
    expect(server.said().match(/^SMTP_URL names a connection without TLS/gm)).toHaveLength(1);
    expect(server.printed()).toMatch(/"level":"warn".*"msg":"SMTP_URL names a connection without TLS/);
  });

  it('refuses published and unsafe settings, all at once', async () => {
    const program = rentapi(['start'], { ...production(), ...SECRETS, PUBLIC_URL: 'http://api.example.com' });
    await expectRefusal(program, /^SECRET_KEY: looks like/);
    expect(program.said()).toMatch(/^PUBLIC_URL: must begin with https:/m);
  });

  it('does not warn where mail is sent', async () => {
    const server = await startServer(['start'], { ...production(), ...smtp, SHUTDOWN_GRACE_MS: '0' });
    await server.stop();
    expect(server.said() + server.printed()).not.toMatch(/No mail is sent|without TLS/);
  });
});

describe('rentapi api and rentapi worker', () => {
  it.concurrent('says at its start that Redis does not answer', async () => {
    const clone = await cloneDatabase(inject('postgres'));
    const settings = { ...elsewhere(), ...SECRETS, DATABASE_URL: clone.url, REDIS_URL: 'redis://127.0.0.1:1/0' };
    const server = await startServer(['start'], settings);
    await until(server, /Redis does not answer: readiness is 503 and sign-in is refused until it does\./);
    expect(await server.stop()).toBe(0);
    await clone.drop();
  });

  it.concurrent('are refused without a Redis to share', async () => {
    await expectRefusal(rentapi(['api'], elsewhere()), /^REDIS_URL: required by `rentapi api`.*`rentapi start`/);
  });

  it.concurrent('are refused on a database of their own', async () => {
    await expectRefusal(rentapi(['worker'], { DATA_DIR }), /^DATABASE_URL: required by `rentapi worker`/);
  });

  it.concurrent('name the existing queues when a queue is unknown', async () => {
    await expectRefusal(rentapi(['worker', '--queues=mails'], elsewhere()), /emails/, 2);
  });
});

describe('the other commands', () => {
  it.concurrent('list the commands when none is named', async () => {
    await expectRefusal(rentapi(['sing']), /version {2}.*print the version/, 2);
  });

  it.concurrent.each([['help'], ['--help'], ['-h'], ['help', 'help']])('print their usage: %s', async (...args) => {
    const program = rentapi(args);
    expect([await program.ended, program.said()]).toEqual([0, '']);
    expect(program.printed()).toMatch(/^Usage: rentapi <command>/);
  });

  it.concurrent.each(Object.keys(HELP).filter((name) => name !== 'help'))('explain themselves: %s', async (name) => {
    const program = rentapi([name, '--help']);
    expect([await program.ended, program.said()]).toEqual([0, '']);
    expect(program.printed()).toBe(HELP[name]);
    expect(program.printed()).toMatch(new RegExp(`^Usage: rentapi ${name}.*\n\n.+`));
  });

  it.concurrent('warn of a variable that is nearly a setting', async () => {
    const program = rentapi(['migrate', 'status'], { ...elsewhere(), SECRET_KEYS: 'x' });
    await program.ended;
    expect(program.said()).toContain('SECRET_KEYS is no setting and is ignored: is it SECRET_KEY?\n');
  });

  it.concurrent.each(['version', '--version', '-v'])('print the version: %s', async (name) => {
    const program = rentapi([name]);
    expect([await program.ended, program.printed()]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
  });

  it.concurrent('refuse unknown arguments', async () => {
    const program = rentapi(['seed', '--force']);
    expect(await program.ended).toBe(2);
    expect(program.said()).toMatch(/^`seed` does not take `--force`\.\nUsage: /);
  });

  it.concurrent('end with their database when their reader stops reading', async () => {
    const alone = path.join(home.dir, 'unread');
    const program = rentapi(['migrate', 'status'], { DATA_DIR: alone });
    program.child.stdout!.destroy();
    expect(await program.ended).toBe(1); // migrations are pending
    expect(program.said()).not.toContain('EPIPE');
    expect(existsSync(path.join(alone, 'pg', 'postmaster.pid'))).toBe(false);
  });

  it.concurrent('migrate status lists what is done, migrate check finds no difference', async () => {
    const [status, check] = [rentapi(['migrate', 'status'], elsewhere()), rentapi(['migrate', 'check'], elsewhere())];
    expect([await status.ended, await check.ended]).toEqual([0, 0]);
    expect(status.printed()).toMatch(/^done {5}0001_foundation$/m);
    expect(check.said()).toContain('agree');
  });

  it.concurrent('openapi prints the document with an empty environment', async () => {
    const program = rentapi(['openapi'], { PATH: undefined });
    expect(await program.ended).toBe(0);
    expect(JSON.parse(program.printed())).toMatchObject({ openapi: expect.stringMatching(/^3\.1/) });
  });

  it.concurrent('id decodes a public id of this deployment, and no other', async () => {
    const encode = (secret: string) => createIds(secret).encode('usr', 42);
    const ours = rentapi(['id', encode(SECRETS.ID_SECRET)], elsewhere());
    const theirs = rentapi(['id', encode('an id secret of another one here 0123')], elsewhere());
    expect([await ours.ended, ours.printed()]).toEqual([0, '42\n']);
    await expectRefusal(theirs, /was not made with this deployment's ID_SECRET/);
  });

  it.concurrent('create-admin makes a SUPER_ADMIN with the password it reads', async () => {
    const program = rentapi(['create-admin', 'root@example.com'], elsewhere(), 'a password of some length\n');
    expect([await program.ended, program.said()]).toEqual([0, 'root@example.com is SUPER_ADMIN.\n']);
    expect(await database('users').where({ email: 'root@example.com' }).first()).toMatchObject({ role: 'SUPER_ADMIN' });
    const again = rentapi(['create-admin', 'root@example.com'], elsewhere(), 'another password\n');
    expect([await again.ended, again.said()]).toEqual([0, expect.stringContaining('its password was replaced')]);
  });

  it.concurrent('create-admin refuses a password that is too short in one sentence', async () => {
    const program = rentapi(['create-admin', 'short@example.com'], elsewhere(), '\n');
    await expectRefusal(program, /^The password must have at least 8 characters\.$/);
    expect(program.said()).toMatch(/^The password/);
  });
});
