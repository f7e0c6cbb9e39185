import { randomUUID } from 'node:crypto';
import { redisIsMissing } from '@rentapi/testing/redis';
import { createAccounts } from './accounts.ts';
import { alternate, type Contender } from './harness.ts';
import { cpuRatio, printRounds, rateRatio, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const OWNERS = 1000;
const WRITES_PER_ROUND = 256;
const WRITES_PER_TURN = 32;
const CONNECTIONS = 16;
/** Ten thousand writes: V8 compiles a server's code meanwhile, of which ours is more. */
const WARM_UPS = 40;
const ROUNDS = 15;
const BODY = JSON.stringify({ name: 'CI', scopes: ['api_keys:read'] });

/**
 * What a write costs that is audited, published and repeatable: `POST /api-keys` with an `Idempotency-Key`, compared
 * with the same statements by hand. A worker of its own processes the events of both.
 */
export async function run(stage: Stage): Promise<Verdict[]> {
  if (redisIsMissing()) {
    process.stdout.write(
      '\nThere is no redis-server here: writes, whose events another process handles, are not measured.\n',
    );
    return [];
  }
  const tokens = await createAccounts(stage, OWNERS, 1);
  const settings = { REDIS_URL: await stage.redisUrl() };
  const worker = await stage.startServer('worker', settings);
  const send = (token: string) => ({ authorization: `Bearer ${token}`, 'idempotency-key': randomUUID() });
  let next = 0;
  const many = await compare(stage, settings, 'many organizations', () =>
    Array.from({ length: WRITES_PER_ROUND }, () => send(tokens[next++ % OWNERS]!)),
  );
  // Another one each round: an organization has at most 1,000 keys.
  const one = await compare(stage, settings, 'one organization', (round) =>
    Array.from({ length: WRITES_PER_ROUND }, () => send(tokens[round]!)),
  );
  await worker.stop();
  const unit = '× the same statements by hand';
  return [
    { promise: 'A write in one of many organizations, CPU', measured: many.cpu, atMost: 1.6, unit, ...many.work },
    { promise: 'Writes in one organization, rate', measured: one.rate, atLeast: 0.9, unit, ...one.work },
  ];
}

async function compare(
  stage: Stage,
  settings: Record<string, string>,
  setting: string,
  requestsOf: Contender['requestsOf'],
) {
  const floor = import.meta.resolve('./keys-by-hand.ts');
  const shared = { body: BODY, requestsOf };
  const bare = { ...shared, name: 'by hand', path: '/keys', children: [await stage.startProgram(floor, settings)] };
  const server = await stage.startServer('api', settings);
  const rest = { ...shared, name: 'REST', path: '/api/v1/api-keys', children: [server] };
  const contenders = [bare, rest];
  const before = await countRows(stage);
  const rounds = await alternate(stage, {
    contenders,
    connections: CONNECTIONS,
    warmUps: WARM_UPS,
    rounds: ROUNDS,
    requestsPerTurn: WRITES_PER_TURN,
  });
  for (const { children } of contenders) for (const child of children) await child.stop();
  process.stdout.write(`\nAPI keys created, ${setting}: ${ROUNDS} rounds of ${WRITES_PER_ROUND} writes\n`);
  printRounds(rounds);
  const written = (await countRows(stage)).map((count, at) => count - before[at]!);
  const expected = (WARM_UPS + ROUNDS) * WRITES_PER_ROUND * contenders.length;
  return {
    cpu: cpuRatio(rounds, rest, bare),
    rate: rateRatio(rounds, rest, bare),
    work: { comparable: written.every((count) => count === expected) },
  };
}

/** What each write leaves behind. */
async function countRows(stage: Stage): Promise<number[]> {
  const { rows } = await stage.database.query<Record<string, number>>(`
    select (select count(*)::integer from api_keys) as keys, (select count(*)::integer from events) as events,
           (select count(*)::integer from audit_logs) as entries,
           (select count(*)::integer from idempotency_keys where answer is not null) as answers`);
  return Object.values(rows[0]!);
}
