import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FlakyProxy, startFlakyProxy } from '@rentapi/testing/flaky-proxy';
import { cloneDatabase } from '@rentapi/testing/postgres';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import { WebSocket } from 'ws';
import { killAll, SECRETS, type Server, startServer, temporaryDirectory } from './processes.ts';

const PROMISED_MS = 1000;
const PASSWORD = 'correct horse battery staple';
const home = temporaryDirectory();

let database: Awaited<ReturnType<typeof cloneDatabase>>;
let operator: pg.Client;
/** A network between both processes and their notifications; their queries do not pass through it. */
let network: FlakyProxy;
let here: Server;
let there: Server;

beforeAll(async () => {
  database = await cloneDatabase(inject('postgres'));
  operator = new pg.Client(database.url);
  await operator.connect();
  network = await startFlakyProxy(database.url);
  const settings = (name: string): NodeJS.ProcessEnv => ({
    NODE_ENV: 'test',
    DATABASE_URL: database.url,
    DATABASE_DIRECT_URL: network.url,
    DATA_DIR: path.join(home.dir, name),
    ...SECRETS,
  });
  [here, there] = await Promise.all([
    startServer(['start'], settings('here')),
    startServer(['start'], settings('there')),
  ]);
});
afterEach(() => network.heal());
afterAll(async () => {
  await Promise.all([here, there].map((server) => server?.stop()));
  killAll();
  await operator?.end();
  await network?.close();
  await database?.drop();
  home.remove();
});

async function send(server: Server, method: string, at: string, token?: string, body?: object): Promise<Response> {
  return fetch(`${server.url}/api/v1${at}`, {
    method,
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    ...(body && { body: JSON.stringify(body) }),
  });
}

async function signUp(): Promise<string> {
  const email = `${crypto.randomUUID()}@example.com`;
  await send(here, 'POST', '/auth/register', undefined, { email, password: PASSWORD });
  const login = await send(here, 'POST', '/auth/login', undefined, { email, password: PASSWORD });
  return ((await login.json()) as { accessToken: string }).accessToken;
}

const killListeners = () =>
  operator.query(`select pg_terminate_backend(pid) from pg_stat_activity
                  where application_name = 'rentapi notifications' and datname = current_database()`);

it.each([
  ['while notifications arrive', async () => {}],
  ['while no listener is connected', async () => void (await killListeners())],
  ['while its notifications stall silently', async () => network.stall()],
  ['while its notifications are cut off', async () => network.cut()],
])(
  'a session that ends in one process is refused by another, which answers nothing older than a second, %s',
  async (_, disturb) => {
    for (let round = 0; round < 3; round++) {
      const token = await signUp();
      for (const server of [here, there]) expect((await send(server, 'GET', '/users/me', token)).status).toBe(200);
      const socket = new WebSocket(`${there.url.replace('http', 'ws')}/api/v1/ws/realtime?token=${token}`);
      const closed = new Promise<unknown[]>((resolve) =>
        socket.once('close', (code, reason) => resolve([code, String(reason)])),
      );
      await new Promise((resolve) => socket.once('message', resolve));
      await sleep(Math.random() * 500);

      await disturb();
      expect((await send(here, 'POST', '/auth/logout', token)).status).toBe(204);
      // Whatever the speed: a call that still passes was answered from a row that was read before the session ended.
      const endedAt = performance.now();
      const passes = async () => (await send(there, 'GET', '/users/me', token)).status === 200;
      for (let sentAt = endedAt; await passes(); sentAt = performance.now()) {
        expect(sentAt - endedAt).toBeLessThan(PROMISED_MS);
      }
      expect(await closed).toEqual([4401, 'session_revoked']);
      expect((await send(here, 'GET', '/users/me', token)).status).toBe(401);
      network.heal();
    }
  },
);
