import { type FlakyProxy, startFlakyProxy } from '@rentapi/testing/flaky-proxy';
import { cloneDatabase } from '@rentapi/testing/postgres';
import pg from 'pg';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { killAll, SECRETS, type Server, startServer, temporaryDirectory } from './processes.ts';

const PASSWORD = 'correct horse battery staple';
const home = temporaryDirectory();
const databases: Awaited<ReturnType<typeof cloneDatabase>>[] = [];

/** A server whose database connections all pass through a network that can stall. */
async function startBehind(): Promise<{ server: Server; network: FlakyProxy; ownerUrl: string }> {
  const database = await cloneDatabase(inject('postgres'));
  databases.push(database);
  const network = await startFlakyProxy(database.url);
  const server = await startServer(['start'], {
    NODE_ENV: 'test',
    DATABASE_URL: network.url,
    DATA_DIR: home.dir,
    DB_STATEMENT_TIMEOUT_MS: '1000',
    ...SECRETS,
  });
  return { server, network, ownerUrl: database.ownerUrl };
}

const register = (server: Server, email: string) =>
  fetch(`${server.url}/api/v1/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: PASSWORD }),
  });

afterAll(async () => {
  killAll();
  for (const database of databases) await database.drop();
  home.remove();
});

describe.concurrent('a database whose connections fall silent without closing', () => {
  it('is given up: requests are answered, and events get their position, on new connections', async () => {
    const { server, network, ownerUrl } = await startBehind();
    expect((await register(server, 'before@example.com')).status).toBe(201);
    network.silence();
    await expect
      .poll(async () => (await register(server, 'after@example.com')).status, { timeout: 30_000, interval: 100 })
      .toBe(201);
    const owner = new pg.Client(ownerUrl);
    await owner.connect();
    const waiting = async () => (await owner.query('select 1 from events where position is null')).rowCount;
    await expect.poll(waiting).toBe(0);
    await owner.end();
    await network.close();
    await server.stop();
  });

  it('does not keep a process from stopping', async () => {
    const { server, network } = await startBehind();
    expect((await register(server, 'before@example.com')).status).toBe(201);
    network.stall();
    expect(await server.stop()).toBe(0);
    await network.close();
  });
});
