import { once } from 'node:events';
import { WebSocket } from 'ws';
import { createAccounts } from './accounts.ts';
import { openClient } from './load.ts';
import { spreadOf, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const SOCKETS = 1000;
const OPENED_AT_ONCE = 50;
/** The memory is that of so many further sockets, so many times. */
const SAMPLE = 400;
const SAMPLES = 9;
const ROUNDS = 15;
const WARM_UPS = 3;
const TIMEOUT_MS = 20_000;

/** How soon many sockets of one organization hear of a call that caused an event, and what each costs. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const all = SOCKETS + SAMPLES * SAMPLE;
  const tokens = await createAccounts(stage, all, 1);
  await stage.database.query(GATHER, [all]);
  const server = await stage.startServer();
  const headers = { authorization: `Bearer ${tokens[0]}` };
  const client = openClient([server.origin], 1);
  const create = () =>
    client.postJson('/api/v1/api-keys', headers, JSON.stringify({ name: 'CI', scopes: ['api_keys:read'] }));
  for (let warmUp = 0; warmUp < WARM_UPS; warmUp++) await create();
  const sockets = await openSockets(server.origin, tokens.slice(0, SOCKETS));
  // Measured beside those: what the first ones load and compile is no memory of theirs.
  const kilobytes: number[] = [];
  const others: WebSocket[] = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    const from = SOCKETS + sample * SAMPLE;
    const before = await server.usage();
    others.push(...(await openSockets(server.origin, tokens.slice(from, from + SAMPLE))));
    kilobytes.push(((await server.usage()).rssBytes - before.rssBytes) / 1024 / SAMPLE);
  }
  for (const socket of others) socket.terminate();

  const p99s: number[] = [];
  const cpuUs: number[] = [];
  for (let round = -WARM_UPS; round < ROUNDS; round++) {
    const [used, began] = [await server.usage(), performance.now()];
    const received = sockets.map(async (socket) => {
      await once(socket, 'message', { signal: AbortSignal.timeout(TIMEOUT_MS) });
      return performance.now() - began;
    });
    await create();
    const latenciesMs = (await Promise.all(received)).sort((a, b) => a - b);
    if (round < 0) continue;
    p99s.push(latenciesMs[Math.floor(SOCKETS * 0.99)]!);
    cpuUs.push(((await server.usage()).cpuUs - used.cpuUs) / SOCKETS);
  }
  for (const socket of sockets) socket.terminate();
  await client.close();
  await server.stop();
  process.stdout.write(`\n${SOCKETS} sockets: ${spreadOf(cpuUs).median.toFixed(1)} µs CPU for each socket and event\n`);
  return [
    { promise: `Event to ${SOCKETS} sockets, p99 from the call`, measured: spreadOf(p99s), atMost: 100, unit: 'ms' },
    {
      promise: `Memory (RSS) of each socket beside ${SOCKETS}`,
      measured: spreadOf(kilobytes),
      atMost: 80,
      unit: 'kB',
    },
  ];
}

async function openSockets(origin: string, tokens: readonly string[]): Promise<WebSocket[]> {
  const sockets: WebSocket[] = [];
  for (let from = 0; from < tokens.length; from += OPENED_AT_ONCE) {
    const next = tokens.slice(from, from + OPENED_AT_ONCE);
    sockets.push(...(await Promise.all(next.map((token) => openSocket(origin, token)))));
  }
  return sockets;
}

/** An authenticated socket that is subscribed to the events of keys. */
export async function openSocket(origin: string, token: string): Promise<WebSocket> {
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/api/v1/ws/realtime`);
  await once(socket, 'open');
  const subscribed = Promise.withResolvers<void>();
  socket.on('message', function judge(data) {
    const { type } = JSON.parse(String(data)) as { type: string };
    if (type === 'error') subscribed.reject(new Error(`a socket was refused: ${data}`));
    if (type !== 'subscribed') return;
    socket.off('message', judge);
    subscribed.resolve();
  });
  socket.send(JSON.stringify({ action: 'auth', token }));
  socket.send(JSON.stringify({ action: 'subscribe', events: ['api_key.*'] }));
  await subscribed.promise;
  return socket;
}

/** The newest users become members of the organization of the first of them. */
const GATHER = `
  with newest as (select id, default_organization_id from users order by id desc limit $1),
  home as (select default_organization_id as id from newest order by newest.id limit 1),
  moved as (
    update users set default_organization_id = home.id from home where users.id in (select id from newest)
    returning users.id, home.id as organization_id
  )
  insert into organization_members (organization_id, user_id, role, created_at)
  select organization_id, id, 'ADMIN', now() from moved
  on conflict do nothing`;
