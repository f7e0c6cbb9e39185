import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createApi } from '@rentapi/api/api';
import type { RunControl } from '@rentapi/api/jobs/job';
import { closePorts, openPorts } from '@rentapi/api/ports';
import { startAll } from '@rentapi/api/processes';
import { dropUnread } from '@rentapi/api/wire/connection';
import { createDatabase } from '@rentapi/platform/database';
import { readEnv } from '@rentapi/platform/env';
import { parseAddress } from '@rentapi/platform/ip';
import { createLogger } from '@rentapi/platform/logger';
import type { Mail } from '@rentapi/platform/mail';
import { cloneDatabase } from '@rentapi/testing/postgres';
import { inject } from 'vitest';
import { TRIPPED } from './tenant-tripwire.ts';

const PASSWORD = 'correct horse battery staple';

export interface Answer {
  status: number;
  headers: Headers;
  // What a test reads out of an answer it then compares: unknown would only move the cast into every test.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  body: any;
}

export interface Request {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** What a second app shares with the first. */
interface SharedDatabase {
  databaseUrl: string;
  ownerUrl: string;
}

/**
 * The product on a database of its own: both transports over HTTP, the work behind them, and captured mail. With
 * `shared` it uses only that app's database, as a second process does.
 */
export async function startApp(settings: Record<string, string> = {}, shared?: SharedDatabase) {
  const database = shared
    ? { url: shared.databaseUrl, ownerUrl: shared.ownerUrl, drop: async () => {} }
    : await cloneDatabase(inject('postgres'));
  // Two processes share their files, as they must.
  const dataDir = path.join(tmpdir(), `rentapi-test-files-${new URL(database.url).pathname.slice(1)}`);
  const env = readEnv({
    NODE_ENV: 'test',
    PORT: '0',
    DATA_DIR: dataDir,
    BCRYPT_COST: '4',
    RATE_LIMIT_PER_MINUTE: '100000',
    AUTH_RATE_LIMIT_PER_MINUTE: '100000',
    MAILBOX_LIMIT_PER_HOUR: '100000',
    DEFAULT_PLAN: 'ENTERPRISE', // its limits are the widest
    GITHUB_CLIENT_ID: 'rentapi', // a login can be begun: without discovery, that calls no one
    GITHUB_CLIENT_SECRET: 'the-secret-of-the-client-0123456789',
    ...settings,
  });
  const logs: string[] = [];
  const mails: Mail[] = [];
  let shiftMs = 0;
  const ports = openPorts({
    env,
    log: createLogger({ level: 'info', destination: { write: (line: string) => void logs.push(line) } }),
    databaseUrl: database.url,
    secrets: {
      SECRET_KEY: env.SECRET_KEY ?? 'secret-key-of-the-tests-0123456789',
      ID_SECRET: 'id-secret-of-the-tests-0123456789',
      PASSWORD_PEPPER: 'pepper-of-the-tests-0123456789abc',
    },
    mailer: { send: async (mail) => void mails.push(mail), close: async () => {} },
    version: '0.0.0',
    clock: { now: () => new Date(Date.now() + shiftMs) },
  });
  const work = startAll(ports, database.url);
  const rows = createDatabase({
    url: database.ownerUrl,
    poolMin: 0,
    poolMax: 2,
    acquireTimeoutMs: 60_000,
    statementTimeoutMs: 60_000,
    applicationName: 'rentapi tests',
  });
  const clientAddress = (req: { headers: Record<string, unknown> }) =>
    parseAddress(String(req.headers['x-test-ip'])) ?? '127.0.0.1';
  const { handle, sockets } = createApi({ ports, clientAddress });
  const server = createServer((req, res) => {
    dropUnread(res);
    // `fetch` does not allow a Host header.
    req.headers.host = (req.headers['x-test-host'] as string | undefined) ?? req.headers.host;
    void handle(req, res, () => res.writeHead(404).end());
  });
  server.on('upgrade', sockets.upgrade);
  server.keepAliveTimeout = 60_000; // a test on a busy machine pauses for longer than Node keeps an idle connection
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  /** One raw HTTP request. `path` is whole: `/api/v1/…`. */
  async function request(path: string, { method = 'GET', body, headers = {} }: Request = {}): Promise<Answer> {
    const response = await fetch(url + path, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.match(/[/+]json/);
    return { status: response.status, headers: response.headers, body: isJson && text ? JSON.parse(text) : text };
  }

  /** A new user with an organization of their own, logged in. */
  async function signUp(given: { email?: string } = {}) {
    const email = given.email ?? `${randomUUID()}@example.com`;
    await request('/api/v1/auth/register', { method: 'POST', body: { email, password: PASSWORD } });
    const { body: tokens } = await request('/api/v1/auth/login', {
      method: 'POST',
      body: { email, password: PASSWORD },
    });
    return person(email, tokens);
  }

  function person(
    email: string,
    tokens: { accessToken: string; refreshToken: string; user: { id: string; defaultOrganizationId: string } },
  ) {
    const authorization = { authorization: `Bearer ${tokens.accessToken}` };
    return {
      email,
      password: PASSWORD,
      tokens,
      id: tokens.user.id,
      organizationId: tokens.user.defaultOrganizationId,
      request: (path: string, { headers, ...rest }: Request = {}) =>
        request(path, { ...rest, headers: { ...authorization, ...headers } }),
    };
  }

  /** The newest mail to an address, which may still be on its way. */
  async function mailTo(to: string): Promise<Mail> {
    return eventually(() => mails.findLast((mail) => mail.to === to), `mail to ${to}`);
  }

  /** Makes every login of a person so old that the operations which require a recent one refuse it. */
  async function ageLogins(publicId: string, ms = 3_600_000): Promise<void> {
    const userId = ports.ids.decode('usr', publicId);
    await rows('sessions')
      .where({ userId })
      .update({ authenticatedAt: new Date(Date.now() - ms) });
    ports.actors.forget(`user:${userId}`); // as if the notification of the change had arrived
  }

  return {
    url,
    ports,
    work,
    server,
    sockets,
    mails,
    logs,
    databaseUrl: database.url,
    ownerUrl: database.ownerUrl,
    /** The database without the tripwire, for tests that read or change tables directly. */
    rows,
    request,
    signUp,
    person,
    mailTo,
    ageLogins,
    advance: (ms: number) => void (shiftMs += ms),
    async close() {
      sockets.close();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await work.stop();
      await closePorts(ports);
      await rows.destroy();
      await database.drop();
      if (!shared) await rm(dataDir, { recursive: true, force: true });
      // No answer shows what fails in a background loop.
      const tripped = logs.find((line) => line.includes(TRIPPED));
      if (tripped) throw new Error(tripped);
    },
  };
}

export type TestApp = Awaited<ReturnType<typeof startApp>>;
export type Person = Awaited<ReturnType<TestApp['signUp']>>;

/** What a worker gives a job, where no one stops it. */
export const runControl = (): RunControl => ({ touch() {}, signal: new AbortController().signal });

/** Tries every 10 ms until there is a result. The limit is for what never comes: a busy machine may take long. */
export async function eventually<T>(
  look: () => T | undefined | Promise<T | undefined>,
  what: string,
  timeoutMs = 30_000,
): Promise<T> {
  for (const until = Date.now() + timeoutMs; Date.now() < until; ) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`);
}
