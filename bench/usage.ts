import { once } from 'node:events';
import { systemContext } from '@rentapi/api/context';
import { createMetrics } from '@rentapi/api/pipeline/observe-metrics';
import { createUsageLog, type UsageCall } from '@rentapi/api/pipeline/usage-log';
import { closePorts, openPorts } from '@rentapi/api/ports';
import { createPostgresSink } from '@rentapi/api/slices/usage/postgres-sink';
import { rollUp } from '@rentapi/api/slices/usage/service/roll-up';
import { readEnv } from '@rentapi/platform/env';
import { createLogger } from '@rentapi/platform/logger';
import { from } from 'pg-copy-streams';
import { printSamples, takeTurns, type Work } from './in-process.ts';
import { spreadOf, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const CALLS = 2000;
const BATCHES = 5;
const TURNS = 4;
const ROUNDS = 9;
const INGEST_AT_LEAST = 0.5;
const ROLLED_UP = 5_000_000;
const ROLL_UPS = 5;
const ROLL_UP_AT_MOST = 1.5;
const HOUR_MS = 3_600_000;

/** The usage log beside a bare loop of COPY, and its roll-up beside the same in one statement. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const ports = openPorts({
    env: readEnv({ NODE_ENV: 'test', DB_STATEMENT_TIMEOUT_MS: '600000' }),
    log: createLogger({ level: 'silent' }),
    databaseUrl: stage.databaseUrl,
    secrets: stage.secrets,
    mailer: { send: async () => {}, close: async () => {} },
    version: '0.0.0',
  });
  try {
    const verdicts = [await measureIngest(stage, ports), await measureRollUp(stage, ports)];
    return verdicts;
  } finally {
    await closePorts(ports);
    await stage.database.query('drop table if exists calls_by_hand, rollups_by_hand');
  }
}

type Ports = ReturnType<typeof openPorts>;

async function measureIngest({ database }: Stage, ports: Ports): Promise<Verdict> {
  await database.query('create table calls_by_hand (like usage_calls including all)');
  const ours: Work = {
    name: 'the usage log',
    async run(times) {
      const { database, log } = ports;
      const usage = createUsageLog({
        sink: createPostgresSink(database),
        flushMs: 1000,
        log,
        metrics: createMetrics(),
      });
      for (let at = 0; at < times * CALLS; at++) usage.note(callOf(at));
      await usage.close();
    },
  };
  const byHand: Work = {
    name: 'a loop of COPY',
    async run(times) {
      for (let batch = 0; batch < times; batch++) {
        let text = '';
        for (let at = 0; at < CALLS; at++) text += lineOf(callOf(at));
        const copy = database.query(from('copy calls_by_hand from stdin'));
        copy.end(text);
        await once(copy, 'finish');
      }
    },
  };
  const samples = await takeTurns([byHand, ours], { timesPerTurn: BATCHES, turns: TURNS, rounds: ROUNDS });
  printSamples(`Batches of ${CALLS} calls`, samples);
  const base = samples.get(byHand)!;
  const measured = spreadOf(samples.get(ours)!.map(({ elapsedNs }, at) => base[at]!.elapsedNs / elapsedNs));
  return { promise: 'Usage ingest', measured, atLeast: INGEST_AT_LEAST, unit: '× the calls/s of COPY' };
}

let lastId = 0;

function callOf(at: number): UsageCall {
  return {
    callId: ++lastId,
    occurredAt: new Date(),
    organizationId: 1 + (at % 20),
    keyId: at % 3 === 0 ? null : 1 + (at % 50),
    userId: at % 3 === 0 ? 1 + (at % 100) : null,
    procedure: at % 2 === 0 ? 'apiKeys.list' : 'users.me.get',
    transport: 'rest',
    environment: at % 3 === 0 ? null : 'live',
    status: at % 10 === 0 ? 404 : 200,
    latencyUs: 100 + ((at * 37) % 90_000),
    bytesIn: 0,
    bytesOut: 500 + (at % 700),
    ip: `192.0.2.${at % 250}`,
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36',
    cost: 0,
    requestId: `b3c1e6a2-7f0d-4a77-9d6f-${String(lastId).padStart(12, '0')}`,
  };
}

/** In the order of the columns. */
function lineOf(call: UsageCall): string {
  const { callId, organizationId, keyId, userId, procedure, transport, environment, status, latencyUs } = call;
  const first = [
    organizationId,
    call.occurredAt.toISOString(),
    callId,
    keyId,
    userId,
    procedure,
    transport,
    environment,
  ];
  const rest = [status, latencyUs, call.bytesIn, call.bytesOut, call.ip, call.userAgent, call.cost, call.requestId];
  return `${[...first, ...rest].map((value) => value ?? '\\N').join('\t')}\n`;
}

/** Calls of the twelve hours before the last one, in 48 slots. */
const FILL = `
  insert into usage_calls
  select 1 + n % 20, $1::timestamptz + n * ('12 hours'::interval / $2), n, case when n % 3 > 0 then 1 + n % 50 end,
         case when n % 3 = 0 then 1 + n % 100 end, case n % 2 when 0 then 'apiKeys.list' else 'users.me.get' end, 'rest',
         case when n % 3 > 0 then 'live' end, case n % 10 when 0 then 404 else 200 end, 100 + n * 37 % 90000, 0,
         500 + n % 700, null, null, 0, 'bench'
  from generate_series(0::bigint, $2::bigint - 1) as n`;

const MARK = `
  insert into usage_pending_slots (slot, batch_id)
  select $1::timestamptz + n * interval '15 minutes', 1 from generate_series(0, 47) as n`;

const BY_HAND = `
  with binned as (
    select organization_id, date_bin('15 minutes', occurred_at, 'epoch') as slot, key_id, procedure, status, environment,
           ceil(ln(greatest(latency_us, 1)::double precision) / ln(1.01::double precision / 0.99))::smallint as bin,
           count(*) as calls, sum(bytes_in) as bytes_in, sum(bytes_out) as bytes_out, sum(cost) as cost
    from usage_calls where occurred_at >= $1 and occurred_at < $1::timestamptz + interval '12 hours'
    group by 1, 2, 3, 4, 5, 6, 7
  )
  insert into rollups_by_hand
  select organization_id, slot, coalesce(key_id, 0), procedure, status, coalesce(environment, 'none'), sum(calls),
         sum(calls) filter (where status >= 400), sum(bytes_in), sum(bytes_out), sum(cost), array_agg(bin order by bin),
         array_agg(calls::integer order by bin)
  from binned group by organization_id, slot, key_id, procedure, status, environment`;

async function measureRollUp({ database }: Stage, ports: Ports): Promise<Verdict> {
  const start = new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 13 * HOUR_MS);
  await database.query('truncate usage_calls, usage_pending_slots');
  await database.query("select create_day_partition('usage_calls', current_date - 1)");
  await database.query(FILL, [start, ROLLED_UP]);
  await database.query('vacuum analyze usage_calls');
  await database.query('create table rollups_by_hand (like usage_rollups including indexes)');
  await database.query('alter table rollups_by_hand alter errors drop not null');
  const times = { ours: [] as number[], byHand: [] as number[] };
  for (let round = 0; round < ROLL_UPS; round++) {
    await database.query('truncate usage_rollups, rollups_by_hand');
    await database.query(MARK, [start]);
    times.ours.push(
      await timed(() => rollUp(systemContext(ports, 'bench'), { touch() {}, signal: new AbortController().signal })),
    );
    times.byHand.push(await timed(() => database.query(BY_HAND, [start])));
  }
  const { rows } = await database.query<{ ours: string; hand: string }>(
    'select (select sum(calls) from usage_rollups) as ours, (select sum(calls) from rollups_by_hand) as hand',
  );
  const comparable = Number(rows[0]!.ours) === ROLLED_UP && Number(rows[0]!.hand) === ROLLED_UP;
  const [ours, byHand] = [spreadOf(times.ours).median, spreadOf(times.byHand).median];
  process.stdout.write(
    `${ROLLED_UP} calls: ${ours.toFixed(0)} ms rolled up, ${byHand.toFixed(0)} ms in one statement\n\n`,
  );
  const measured = spreadOf(times.ours.map((each, at) => each / times.byHand[at]!));
  return { promise: 'Usage roll-up', measured, atMost: ROLL_UP_AT_MOST, unit: '× one statement by hand', comparable };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
