import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { exampleKey } from '@rentapi/api/slices/api-keys/schemas';
import { eventTypes } from '@rentapi/api/slices/registry';
import { FAN_OUT, subscribableTypes } from '@rentapi/api/slices/webhooks/delivery/fan-out';
import { createWebhookSecrets } from '@rentapi/api/slices/webhooks/secrets';
import { newSecret } from '@rentapi/api/slices/webhooks/signature';
import { createKeyring } from '@rentapi/platform/secrets';
import pg from 'pg';
import { createAccounts } from './accounts.ts';
import type { Child } from './child.ts';
import { openClient } from './load.ts';
import { type Receivers, startReceivers } from './receivers.ts';
import { printTable, type Spread, spreadOf, type Verdict } from './report.ts';
import type { SignedLoad } from './signed-loop.ts';
import { openSocket } from './sockets.ts';
import type { Stage } from './stage.ts';

/** As many as the deliverer has under way at most, ten of each webhook. */
const CONNECTIONS = 100;
const WEBHOOKS = 20;
const DELIVERIES = 3000;
const ROUNDS = 11;
const WARM_UPS = 2;
const WINDOWS = 10;
const WINDOW_MS = 2000;
const EVENTS_IN_WINDOW = 20;
const DRAINED = 10_000;
const DRAINED_AT_ONCE = 1000;
const NOTIFIED = 200;

/** Deliveries, alone and beside receivers that fail; events without a subscriber; events to a socket. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const receivers = await startReceivers();
  try {
    const organizationId = await subscribe(stage, receivers);
    const worker = await stage.startServer('worker', {
      REDIS_URL: await stage.redisUrl(),
      WEBHOOK_ALLOWED_TARGETS: new URL(receivers.origin).host,
    });
    const delivered = await measureRate(stage, receivers, organizationId);
    const beside = await measureBesideFailing(stage, receivers, worker, organizationId);
    await worker.stop();
    return [delivered, ...beside, await measureDrain(stage), await measureSocket(stage)];
  } finally {
    await receivers.close();
  }
}

/** Quick webhooks, and two that fail, which get only some of their events: one hangs, one answers without end. */
async function subscribe({ database, secrets, ...stage }: Stage, { origin }: Receivers): Promise<number> {
  await createAccounts({ database, secrets, ...stage }, 1, 1);
  const { rows } = await database.query<{ id: number }>(
    'select default_organization_id::integer as id from users order by users.id desc limit 1',
  );
  const organizationId = rows[0]!.id;
  const box = createWebhookSecrets(createKeyring(secrets.SECRET_KEY));
  const quick = Array.from({ length: WEBHOOKS }, (_, at) => [`/quick${at}`, ['api_key.created', 'api_key.revoked']]);
  for (const [path, events] of [...quick, ['/hanging', ['api_key.revoked']], ['/endless', ['api_key.revoked']]]) {
    await database.query(SUBSCRIBE, [
      organizationId,
      `${origin}${String(path)}`,
      events,
      box.seal('{}', organizationId),
      box.seal(newSecret(), organizationId),
    ]);
  }
  return organizationId;
}

const SUBSCRIBE = `
  insert into webhooks (organization_id, url, events, event_version, headers_sealed, header_names, secret_sealed, enabled,
                        created_at, updated_at)
  values ($1, $2, $3, 1, $4, '{}', $5, true, now(), now())`;

/** As the transactions of calls do, but many events in one. */
const happen = ({ database }: Stage, organizationId: number, type: string, times: number) =>
  database.query(
    `insert into events (organization_id, type, data, created_at)
     select $1, $2, $3, clock_timestamp() from generate_series(1, $4)`,
    [organizationId, type, exampleKey, times],
  );

async function measureRate(stage: Stage, receivers: Receivers, organizationId: number): Promise<Verdict> {
  const loop = await stage.startProgram(import.meta.resolve('./signed-loop.ts'));
  const client = openClient([loop.origin], 1, 60_000);
  const load: SignedLoad = {
    origin: receivers.origin,
    paths: Array.from({ length: WEBHOOKS }, (_, at) => `/quick${at}`),
    times: DELIVERIES,
    connections: CONNECTIONS,
    data: exampleKey,
  };
  const contenders: Record<string, () => Promise<unknown>> = {
    'a loop of signed requests': () => client.postJson('/', {}, JSON.stringify(load)),
    'a loop that also claims and stores': () =>
      client.postJson('/', {}, JSON.stringify({ ...load, storedIn: stage.databaseUrl })),
    'one worker': () => happen(stage, organizationId, 'api_key.created', DELIVERIES / WEBHOOKS),
  };
  const ratesOf = new Map<string, number[]>(Object.keys(contenders).map((name) => [name, []]));
  for (let round = -WARM_UPS; round < ROUNDS; round++) {
    process.stderr.write(round < 0 ? 'Warming up.\n' : `Round ${round + 1} of ${ROUNDS}.\n`);
    const order = Object.entries(contenders);
    for (const [name, begin] of round % 2 === 0 ? order : order.toReversed()) {
      const began = performance.now();
      const begun = begin();
      await receivers.untilCame(DELIVERIES);
      if (round >= 0) ratesOf.get(name)!.push((DELIVERIES / (performance.now() - began)) * 1000);
      await begun;
      await untilSettled(stage);
    }
  }
  await client.close();
  await loop.stop();
  const [byHand, , ours] = [...ratesOf.values()] as [number[], number[], number[]];
  process.stdout.write(`\nDeliveries to ${WEBHOOKS} webhooks, ${CONNECTIONS} at once\n`);
  const timesByHand = (rates: readonly number[]) => spreadOf(rates.map((rate, at) => rate / byHand[at]!));
  const rowOf = ([name, rates]: [string, number[]]) => [
    name,
    spreadOf(rates).median.toFixed(0),
    timesByHand(rates).median.toFixed(2),
  ];
  printTable([['', 'deliveries/s', '× the loop'], ...[...ratesOf].map(rowOf)]);
  return {
    promise: 'Webhook deliveries of one worker',
    measured: timesByHand(ours),
    atLeast: 0.5,
    unit: '× a loop of signed requests',
  };
}

/** The events about deliveries as well: they would disturb the next measurement. */
async function untilSettled({ database }: Stage): Promise<void> {
  for (;;) {
    const { rows } = await database.query<{ waiting: boolean }>(`
      select exists (select from webhook_deliveries where status = 'PENDING')
        or exists (select from events where position is null)
        or (select position from webhook_cursor) < (select max(position) from events) as waiting`);
    if (!rows[0]!.waiting) return;
    await sleep(20);
  }
}

async function measureBesideFailing(
  stage: Stage,
  receivers: Receivers,
  worker: Child,
  organizationId: number,
): Promise<Verdict[]> {
  const before = (await worker.usage()).rssBytes;
  receivers.takeAgesMs();
  const p99s: number[] = [];
  let highest = before;
  for (let window = 0; window < WINDOWS; window++) {
    process.stderr.write(
      `Window ${window + 1} of ${WINDOWS}, beside one receiver that hangs and one that never ends.\n`,
    );
    for (let at = 0; at < EVENTS_IN_WINDOW; at++) {
      await happen(stage, organizationId, 'api_key.revoked', 1);
      await sleep(WINDOW_MS / EVENTS_IN_WINDOW);
    }
    await receivers.untilCame(EVENTS_IN_WINDOW * WEBHOOKS);
    p99s.push(percentile(receivers.takeAgesMs(), 0.99));
    highest = Math.max(highest, (await worker.usage()).rssBytes);
  }
  return [
    {
      promise: 'Event to a healthy receiver beside one that hangs and one that streams 1 GB, p99',
      measured: spreadOf(p99s),
      atMost: 2000,
      unit: 'ms',
    },
    {
      promise: 'Growth of the memory (RSS) of that worker',
      measured: spreadOf([(highest - before) / 1024 ** 2]),
      atMost: 50,
      unit: 'MB',
    },
  ];
}

const percentile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * part)]!;

/** Events that no webhook subscribes to, beside rows that are claimed and deleted in batches of the same size. */
async function measureDrain({ database }: Stage): Promise<Verdict> {
  await database.query('create table events_by_hand (id bigint primary key, data jsonb)');
  const types = subscribableTypes(eventTypes);
  const ratios: number[] = [];
  for (let round = -WARM_UPS; round < ROUNDS; round++) {
    await database.query(FILL_EVENTS, [exampleKey, DRAINED]);
    await database.query('insert into events_by_hand select n, $1 from generate_series(1, $2::integer) n', [
      exampleKey,
      DRAINED,
    ]);
    await database.query('vacuum analyze events, events_by_hand');
    const drains = {
      byHand: async () => (await database.query(CLAIM_AND_DELETE, [DRAINED_AT_ONCE])).rowCount!,
      ours: async () => (await database.query<{ events: number }>(FAN_OUT.text, [types, new Date()])).rows[0]!.events,
    };
    const tookMs = { byHand: 0, ours: 0 };
    for (const name of round % 2 === 0 ? (['byHand', 'ours'] as const) : (['ours', 'byHand'] as const)) {
      const began = performance.now();
      for (let drained = 0; drained < DRAINED; ) {
        const batch = await drains[name]();
        if (batch === 0) throw new Error(`${DRAINED - drained} rows are left`);
        drained += batch;
      }
      tookMs[name] = performance.now() - began;
    }
    if (round >= 0) ratios.push(tookMs.byHand / tookMs.ours);
  }
  await database.query('drop table events_by_hand');
  return {
    promise: `Events without subscribers, ${DRAINED} in batches`,
    measured: spreadOf(ratios),
    atLeast: 0.6,
    unit: '× rows claimed and deleted by hand',
  };
}

const FILL_EVENTS = `
  with stranger as (
    insert into organizations (name, personal, plan, created_at, updated_at) values ('Stranger', false, 'FREE', now(), now())
    returning id
  ), last as (select coalesce(max(position), 0) as position from events),
  made as (
    insert into events (organization_id, type, data, created_at, position)
    select stranger.id, 'api_key.created', $1, now(), last.position + n from stranger, last, generate_series(1, $2::integer) n
  )
  update webhook_cursor set position = last.position from last`;

const CLAIM_AND_DELETE = `
  with batch as (select id from events_by_hand order by id limit $1 for update skip locked)
  delete from events_by_hand using batch where events_by_hand.id = batch.id returning events_by_hand.id, events_by_hand.data`;

/** From the commit of an event to the socket, beside a notification from one connection to another. */
async function measureSocket(stage: Stage): Promise<Verdict> {
  const [token] = await createAccounts(stage, 1, 1);
  const { rows } = await stage.database.query<{ id: number }>(
    'select default_organization_id::integer as id from users order by users.id desc limit 1',
  );
  const server = await stage.startServer();
  const socket = await openSocket(server.origin, token!);
  const listener = new pg.Client({ connectionString: stage.databaseUrl });
  await listener.connect();
  await listener.query('listen by_hand');
  const ratios: number[] = [];
  const medians = { event: [] as number[], notification: [] as number[] };
  for (let round = -WARM_UPS; round < ROUNDS; round++) {
    const [event, notification]: [number[], number[]] = [[], []];
    for (let at = 0; at < NOTIFIED; at++) {
      notification.push(
        await timed(once(listener, 'notification'), () => stage.database.query("select pg_notify('by_hand', '')")),
      );
      event.push(await timed(once(socket, 'message'), () => happen(stage, rows[0]!.id, 'api_key.created', 1)));
    }
    if (round < 0) continue;
    medians.event.push(percentile(event, 0.5));
    medians.notification.push(percentile(notification, 0.5));
    ratios.push(percentile(event, 0.5) / percentile(notification, 0.5));
  }
  socket.terminate();
  await listener.end();
  await server.stop();
  process.stdout.write(
    `\nEvent to socket ${inMs(spreadOf(medians.event))}, notification ${inMs(spreadOf(medians.notification))}\n`,
  );
  return {
    promise: 'Event to socket, p50',
    measured: spreadOf(ratios),
    atMost: 5,
    unit: '× a notification from one connection to another',
  };
}

const inMs = ({ median }: Spread): string => `${median.toFixed(2)} ms`;

async function timed(arrival: Promise<unknown>, begin: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  const [tookMs] = await Promise.all([arrival.then(() => performance.now() - began), begin()]);
  return tookMs;
}
