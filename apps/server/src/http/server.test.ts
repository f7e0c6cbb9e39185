import { once } from 'node:events';
import { connect } from 'node:net';
import { ADVISORY_LOCKS } from '@rentapi/platform/advisory-locks';
import { freePort } from '@rentapi/testing/free-port';
import { cloneDatabase } from '@rentapi/testing/postgres';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  killAll,
  rentapi,
  SECRETS,
  type Server,
  startServer,
  temporaryDirectory,
  until,
} from '../../test/processes.ts';

const home = temporaryDirectory();
let database: Awaited<ReturnType<typeof cloneDatabase>>;
let server: Server;

const settings = (url = database.url) => ({ NODE_ENV: 'test', DATABASE_URL: url, DATA_DIR: home.dir, ...SECRETS });

beforeAll(async () => {
  database = await cloneDatabase(inject('postgres'));
  server = await startServer(['start'], settings());
});
afterAll(async () => {
  await server?.stop();
  killAll();
  await database.drop();
  home.remove();
});

/** The raw answer to a request that no client library would send. */
async function answerTo(target: string, headers: string[]): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  socket.write([`GET ${target} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n'));
  const [data] = await once(socket, 'data');
  socket.destroy();
  return String(data);
}

const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket'];

describe('a request', () => {
  it.each(['//', 'http://', '/\\'])(
    'to upgrade %s, which is no valid path, is refused, and the server continues',
    async (target) => {
      expect(await answerTo(target, UPGRADE)).toMatch(/^HTTP\/1.1 4\d\d /);
      expect((await fetch(`${server.url}/health`)).status).toBe(200);
    },
  );

  it('that offers HTTP/2 is answered over HTTP/1.1', async () => {
    const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'];
    expect(await answerTo('/health/liveness', offer)).toContain('{"status":"ok"}');
  });
});

describe('an idle connection', () => {
  it('is kept for KEEP_ALIVE_TIMEOUT_MS, longer than balancers keep theirs, and closed then', async () => {
    expect(await answerTo('/health/liveness', [])).toMatch(/^Keep-Alive: timeout=72\r$/m);
    const brief = await startServer(['start'], { ...settings(), KEEP_ALIVE_TIMEOUT_MS: '300' });
    const socket = connect(brief.port, '127.0.0.1');
    const ask = async () => {
      socket.write('GET /health/liveness HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await once(socket, 'data');
    };
    await ask();
    const closed = once(socket, 'close');
    const askedAt = performance.now();
    await ask(); // the same connection
    await closed;
    expect(performance.now() - askedAt).toBeGreaterThan(290);
    await brief.stop();
  });
});

describe('a server whose port the system chose', () => {
  it('names that port on its start page and in mailed links', async () => {
    const page = await (await fetch(server.url)).text();
    expect(page).toContain(`http://localhost:${server.port}`);
    const email = `${crypto.randomUUID()}@example.com`;
    await fetch(`${server.url}/api/v1/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password: 'correct horse battery staple' }),
    });
    const mailed = async () => (await fetch(`${server.url}/dev/mail.json?to=${encodeURIComponent(email)}`)).text();
    await expect.poll(mailed).toContain(`http://localhost:${server.port}/verify-email?`);
    expect(page + (await mailed())).not.toContain('localhost:0');
  });
});

describe('while the database is being prepared', () => {
  it('a server is alive, so that a long migration is not ended, and not ready', async () => {
    const migrating = new pg.Client(database.url);
    await migrating.connect();
    await migrating.query('select pg_advisory_lock($1)', [ADVISORY_LOCKS.migrations]);
    const port = String(await freePort());
    const starting = rentapi(['start'], { ...settings(), PORT: port });
    const ask = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined))?.status;
    await expect.poll(() => ask('/health/liveness')).toBe(200);
    expect(await ask('/health/readiness')).toBe(503);
    await migrating.end();
    await until(starting, /is ready on/);
    expect(await ask('/health/readiness')).toBe(200);
    starting.child.kill('SIGTERM');
    expect(await starting.ended).toBe(0);
  });
});
