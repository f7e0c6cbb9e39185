import { systemContext } from '@rentapi/api/context';
import { closePorts, openPorts } from '@rentapi/api/ports';
import { sumUpHours } from '@rentapi/api/slices/analytics/service/hours';
import { sumUpSpans } from '@rentapi/api/slices/analytics/service/spans';
import { readEnv } from '@rentapi/platform/env';
import { createLogger } from '@rentapi/platform/logger';
import { createAccounts } from './accounts.ts';
import type { Child } from './child.ts';
import { spreadOf, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const CALLS = 10_000_000;
const DAYS = 30;
const WARM_UPS = 10;
const QUERIES = 60;
/** Of a report with a row for each hour of 400 days and each of 104 procedures. */
const REPORT = { days: 400, procedures: 104 };
const MEGABYTE = 1024 ** 2;

/** How long analytics of a month take, and what a report of a million rows needs. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const [asking, reporting] = await createAccounts(stage, 2, 1);
  process.stderr.write(`Filling roll-ups of ${CALLS} calls and a report of a million rows; this takes some minutes.\n`);
  await stage.database.query(FILL_ROLLUPS, [CALLS, DAYS]);
  await stage.database.query(FILL_REPORT, [REPORT.days * 24, REPORT.procedures]);
  await sumUp(stage);
  await stage.database.query('vacuum analyze');
  const verdicts = [await onServer(stage, (server) => measureQuery(stage, server, asking!))];
  for (const format of ['csv', 'ndjson', 'xlsx'])
    verdicts.push(await onServer(stage, (server) => measureReport(server, reporting!, format)));
  return verdicts;
}

/** Each on a server of its own: the heap of one that has worked before has grown already. */
async function onServer<Result>(stage: Stage, work: (server: Child) => Promise<Result>): Promise<Result> {
  const server = await stage.startServer('api', { REDIS_URL: await stage.redisUrl() });
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

async function sumUp(stage: Stage): Promise<void> {
  const ports = openPorts({
    env: readEnv({ NODE_ENV: 'test' }),
    log: createLogger({ level: 'silent' }),
    databaseUrl: stage.databaseUrl,
    secrets: stage.secrets,
    mailer: { send: async () => {}, close: async () => {} },
    version: 'bench',
  });
  const began = performance.now();
  const control = { touch() {}, signal: new AbortController().signal };
  await sumUpHours(systemContext(ports, 'bench'), control);
  process.stdout.write(`\n${DAYS * 24} hours summed up in ${seconds(began)} s\n`);
  const beganSpans = performance.now();
  await sumUpSpans(systemContext(ports, 'bench'), control);
  process.stdout.write(`their spans in ${seconds(beganSpans)} s\n`);
  await closePorts(ports);
}

const seconds = (began: number): string => ((performance.now() - began) / 1000).toFixed(1);

async function measureQuery(stage: Stage, server: Child, token: string): Promise<Verdict> {
  const from = new Date(Date.now() - (DAYS - 1) * 86_400_000).toISOString();
  const query = new URLSearchParams({ from, timeZone: 'Europe/Berlin', groupBy: 'procedure' });
  const [asked, selected]: number[][] = [[], []];
  let requests = 0;
  for (let at = -WARM_UPS; at < QUERIES; at++) {
    const selecting = performance.now();
    await stage.database.query('select 1');
    const asking = performance.now();
    const answer = await get(server, `/analytics/usage?${query}`, token);
    const { total } = (await answer.json()) as { total: { requests: number } };
    requests = total.requests;
    if (at < 0) continue;
    selected!.push(asking - selecting);
    asked!.push(performance.now() - asking);
  }
  const select = spreadOf(selected!).median.toFixed(2);
  process.stdout.write(`Usage of ${DAYS} days by procedure, ${requests} calls; a \`select 1\` took ${select} ms\n`);
  return {
    promise: `Usage of ${DAYS} days of ${CALLS} calls`,
    measured: spreadOf(asked!),
    atMost: 50,
    unit: `ms, beside ${select} ms of a select 1`,
    comparable: requests > CALLS * 0.9,
  };
}

async function measureReport(server: Child, token: string, format: string): Promise<Verdict> {
  const from = new Date(Date.now() - REPORT.days * 86_400_000 + 3_600_000).toISOString();
  const query = new URLSearchParams({ from, interval: 'hour', groupBy: 'procedure', format });
  const before = (await server.usage()).rssBytes;
  let most = before;
  const watch = setInterval(async () => {
    most = Math.max(most, (await server.usage()).rssBytes);
  }, 50);
  const began = performance.now();
  let bytes = 0;
  const answer = await get(server, `/analytics/reports/download?${query}`, token);
  for await (const chunk of answer.body!) bytes += chunk.length;
  clearInterval(watch);
  process.stdout.write(
    `${format}: ${(bytes / MEGABYTE).toFixed(0)} MB in ${seconds(began)} s, RSS ${(before / MEGABYTE).toFixed(0)} to ${(most / MEGABYTE).toFixed(0)} MB\n`,
  );
  return {
    promise: `A report of a million rows as ${format}, RSS above that before`,
    measured: spreadOf([(most - before) / MEGABYTE]),
    atMost: 150,
    unit: 'MB',
    comparable: bytes > 10 * MEGABYTE,
  };
}

async function get({ origin }: Child, path: string, token: string): Promise<Response> {
  const answer = await fetch(`${origin}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}

/** Of the first organization: each quarter of an hour has calls of 5 keys to 10 procedures, in 23 bins. */
const FILL_ROLLUPS = `
  insert into usage_rollups (organization_id, slot, key_id, procedure, status, environment, calls, errors, bytes_in, bytes_out,
                             cost, latency_bins, latency_counts)
  select organization, date_trunc('hour', now()) - slot * interval '15 minutes', key, 'procedure.' || procedure, 200, 'live',
         each * 23, 0, each * 2300, each * 23000, 0, array(select generate_series(300 + procedure, 322 + procedure)),
         array_fill(each, array[23])
  from (select min(id) as organization from organizations) as first, generate_series(0, $2 * 96 - 1) as slot,
       generate_series(1, 5) as key, generate_series(1, 10) as procedure,
       (select round($1::numeric / ($2 * 96 * 5 * 10 * 23))::integer as each) as counted`;

/** Of the last organization: sums of hours, as many as fit. */
const FILL_REPORT = `
  insert into usage_hours (organization_id, environment, grouped_by, hour, name, calls, client_errors, server_errors,
                           bytes_in, bytes_out, cost, latency)
  select organization, 'live', 'procedure', date_trunc('hour', now()) - hour * interval '1 hour', 'procedure.' || procedure,
         20, 1, 0, 2000, 20000, 0,
         (select string_agg(int2send(bin::smallint) || int4send(1), ''::bytea) from generate_series(300, 319) as bin)
  from (select max(id) as organization from organizations) as last, generate_series(0, $1 - 1) as hour,
       generate_series(1, $2) as procedure`;
