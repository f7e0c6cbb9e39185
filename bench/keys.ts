import { MIGRATIONS } from '@rentapi/api/data/migrations';
import { displayPrefix, hashSecret, newSecret } from '@rentapi/api/slices/api-keys/secret';
import { migrateUp } from '@rentapi/platform/migrations';
import { redisIsMissing } from '@rentapi/testing/redis';
import pg from 'pg';
import { createAccounts } from './accounts.ts';
import type { Child } from './child.ts';
import { alternate, type Contender, type Headers, type Plan, type Round, type Rounds } from './harness.ts';
import { askedAlike, cpuRatio, printRounds, rateRatio, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const CONNECTIONS = 16;
const WARM_UPS = 2;
const ROUNDS = 11;
const CALLS = 5_000;
/** Each call is made with another key, which is read from the database. */
const KEYS = CALLS * (WARM_UPS + ROUNDS);
const VERIFICATIONS = 2_000;
const VERIFICATION_ROUNDS = 41;
/** Twenty thousand: V8 compiles a server's code meanwhile, of which ours is more. */
const VERIFICATION_WARM_UPS = 10;
/** Ten thousand calls of each server. */
const SIZE_WARM_UPS = 10;
const SIZE_ROUNDS = 41;
const FEW_KEYS = 1_000;
const MANY_KEYS = 1_000_000;
const FLOOR = new URL('keys-floor.ts', import.meta.url).href;

/** What a call with a key costs, a verification, and a key among many. */
export async function run(stage: Stage): Promise<Verdict[]> {
  await createAccounts(stage, 1, 1);
  const { rows } = await stage.database.query<{ id: number }>(GRANT);
  const organizationId = rows[0]!.id;
  const secrets = await createKeys(stage.database, organizationId, KEYS);
  await stage.database.query('vacuum analyze api_keys');
  const verdicts = await compareCalls(stage, secrets);
  if (redisIsMissing()) process.stdout.write('\nThere is no redis-server here: verifications are not measured.\n');
  else verdicts.push(...(await compareVerifications(stage, organizationId)));
  return [...verdicts, ...(await compareSizes(stage))];
}

const withKey = (secret: string): Headers => ({ 'x-api-key': secret });

/** A GET with a key, all its limits and its record in the usage log. */
async function compareCalls(stage: Stage, secrets: readonly string[]): Promise<Verdict[]> {
  const requestsOf = (round: number) => secrets.slice(round * CALLS, (round + 1) * CALLS).map(withKey);
  const floor = contender('bare Express 5', '/users/me', await stage.startProgram(FLOOR), requestsOf);
  const ours = contender('a GET with a key', '/api/v1/users/me', await stage.startServer(), requestsOf);
  const rounds = await compare(stage, [floor, ours]);
  return [
    {
      promise: 'A GET with a key, its limits and its usage record, CPU per request',
      measured: cpuRatio(rounds, ours, floor),
      atMost: 1.33,
      unit: `× ${floor.name}`,
      comparable: askedAlike(rounds, ours, floor),
    },
  ];
}

/** A verification of a key with credits and limits that is known already. */
async function compareVerifications(stage: Stage, organizationId: number): Promise<Verdict[]> {
  const settings = { REDIS_URL: await stage.redisUrl() };
  const [verifier] = await createKeys(stage.database, organizationId, 1);
  const [customer] = await createKeys(stage.database, organizationId, 1);
  await stage.database.query(EQUIP, [hashSecret(customer!)]);
  const requestsOf = () => Array<Headers>(VERIFICATIONS).fill(withKey(verifier!));
  const body = JSON.stringify({ key: customer, permissions: 'documents.read AND team.alpha', cost: 1 });
  const floor = {
    ...contender('bare Express 5', '/api-keys/verify', await stage.startProgram(FLOOR, settings), requestsOf),
    body,
  };
  const ours = {
    ...contender('verify', '/api/v1/api-keys/verify', await stage.startServer('start', settings), requestsOf),
    body,
  };
  const rounds = await compare(stage, [floor, ours], {
    warmUps: VERIFICATION_WARM_UPS,
    rounds: VERIFICATION_ROUNDS,
  });
  return [
    {
      promise: 'Verifications a second',
      measured: rateRatio(rounds, ours, floor),
      atLeast: 0.75,
      unit: `× ${floor.name}`,
    },
  ];
}

/** A call with a key that is not remembered, among few keys and among many. */
async function compareSizes(stage: Stage): Promise<Verdict[]> {
  const few = await openSecond(stage, FEW_KEYS);
  const many = await openSecond(stage, MANY_KEYS);
  try {
    const among = (name: string, { child, secrets }: Second) =>
      contender(name, '/api/v1/users/me', child, () => secrets.map(withKey));
    const [little, large] = [among('1,000 keys', few), among('1,000,000 keys', many)];
    const rounds = await compare(stage, [little, large], {
      warmUps: SIZE_WARM_UPS,
      rounds: SIZE_ROUNDS,
      async beforeRound() {
        for (const { database, organizationId } of [few, many]) await database.query(CHANGED, [organizationId]);
      },
    });
    return [
      {
        promise: 'A key that is not remembered, among 1,000,000, CPU per request',
        measured: cpuRatio(rounds, large, little),
        atMost: 1.2,
        unit: '× among 1,000',
        comparable: askedAlike(rounds, large, little) && asksEachTime(rounds),
      },
    ];
  } finally {
    for (const { database } of [few, many]) await database.end();
  }
}

/** Whether the answers were read from the database. */
const asksEachTime = (rounds: Rounds): boolean =>
  [...rounds.values()].every((of) => sumOf(of, 'statements') >= 0.98 * sumOf(of, 'requests'));

const sumOf = (rounds: readonly Round[], what: 'statements' | 'requests'): number =>
  rounds.reduce((sum, round) => sum + round[what], 0);

interface Second {
  child: Child;
  database: pg.Client;
  organizationId: number;
  secrets: string[];
}

/** A server on a database of its own, with so many keys, of which the first are known. */
async function openSecond(stage: Stage, keys: number): Promise<Second> {
  const url = new URL(stage.databaseUrl);
  url.pathname = `/keys_${keys}`;
  await stage.database.query(`create database keys_${keys}`);
  await migrateUp(url.href, MIGRATIONS);
  const database = new pg.Client({ connectionString: url.href });
  await database.connect();
  await createAccounts({ ...stage, database }, 1, 1);
  const { rows } = await database.query<{ id: number }>(GRANT);
  const organizationId = rows[0]!.id;
  const secrets = await createKeys(database, organizationId, FEW_KEYS);
  await database.query(FILL, [organizationId, keys - FEW_KEYS]);
  await database.query('vacuum analyze');
  const child = await stage.startServer('start', { DATABASE_URL: url.href });
  return { child, database, organizationId, secrets };
}

const contender = (name: string, path: string, child: Child, requestsOf: Contender['requestsOf']): Contender => ({
  name,
  path,
  children: [child],
  requestsOf,
});

async function compare(stage: Stage, contenders: readonly Contender[], plan: Partial<Plan> = {}): Promise<Rounds> {
  const rounds = await alternate(stage, {
    contenders,
    connections: CONNECTIONS,
    warmUps: WARM_UPS,
    rounds: ROUNDS,
    ...plan,
  });
  for (const { children } of contenders) for (const child of children) await child.stop();
  process.stdout.write(
    `\n${contenders.map(({ name }) => name).join(' and ')}: ${rounds.get(contenders[0]!)!.length} rounds\n`,
  );
  printRounds(rounds);
  return rounds;
}

async function createKeys(database: Stage['database'], organizationId: number, count: number): Promise<string[]> {
  const secrets = Array.from({ length: count }, () => newSecret('rapi', 'live'));
  await database.query(ADD, [
    organizationId,
    secrets.map(hashSecret),
    secrets.map(displayPrefix),
    secrets.map((secret) => secret.slice(-4)),
  ]);
  return secrets;
}

/** The organization of the one account, whose plan must not end the bench. */
const GRANT = `
  update organizations
  set limit_override = '{"id":0,"perHour":1000000000,"perDay":1000000000,"sockets":null,"subscriptions":null,"untilMs":9007199254740991}'
  where id = (select max(id) from organizations)
  returning id::integer as id`;

const COLUMNS = `organization_id, name, secret_hash, prefix, last4, environment, scopes, rate_limit_per_minute,
  rate_limit_per_hour, created_by, created_at, updated_at`;

const ADD = `
  insert into api_keys (${COLUMNS})
  select $1, 'Bench', made.hash, made.prefix, made.last4, 'live', array['*'], 1000000000, 1000000000,
    (select user_id from organization_members where organization_id = $1 limit 1), now(), now()
  from unnest($2::bytea[], $3::text[], $4::text[]) as made (hash, prefix, last4)`;

/** Keys that are there, and that no call uses. */
const FILL = `
  insert into api_keys (${COLUMNS})
  select $1, 'Bench', sha256(convert_to('filler ' || n, 'UTF8')), 'rapi_live_fill', 'fill', 'live', array['*'],
    1000000000, 1000000000,
    (select user_id from organization_members where organization_id = $1 limit 1), now(), now()
  from generate_series(1, $2::integer) n`;

/** What a server remembers of the organization counts as changed. */
const CHANGED = "select pg_notify('actors', 'organization:' || $1::text)";

/** Credits, and limits that the bench does not reach. */
const EQUIP = `
  with equipped as (
    update api_keys
    set external_id = 'customer-42', permissions = array['documents.*', 'team.alpha'],
      credits = '{"remaining":1000000000000,"refill":null,"generation":1,"setAt":"2026-01-31T12:00:00.000Z"}',
      rate_limits = '{"requests":{"limit":1000000000,"windowS":60}}'
    where secret_hash = $1
    returning organization_id, id
  )
  insert into api_key_credits (organization_id, api_key_id, generation, remaining)
  select organization_id, id, 1, 1000000000000 from equipped`;
