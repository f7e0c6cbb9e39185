import { isDeepStrictEqual } from 'node:util';
import { redisIsMissing } from '@rentapi/testing/redis';
import { createAccounts } from './accounts.ts';
import type { Child } from './child.ts';
import { alternate, type Contender, clientOf, type Headers } from './harness.ts';
import { askedAlike, cpuRatio, printRounds, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const USERS = 10_000;
// More sessions in all than the servers cache, though requests go to two of them in turn: each reads its own, as the
// baseline does.
const SESSIONS_EACH = 6;
const CONNECTIONS = 16; // fewer than pooled database connections, so that none has to wait for one
const WARM_UPS = 2;
const ROUNDS = 11;
const COMPARED_ANSWERS = 20;
const FLOOR_PATH = '/users/me';
const REST_PATH = '/api/v1/users/me';
const TRPC_PATH = '/trpc/users.me.get';

/**
 * What our own cost is: the current user over REST and tRPC, compared with a handler written by hand that does the same
 * I/O.
 */
export async function run(stage: Stage): Promise<Verdict[]> {
  const tokens = await createAccounts(stage, USERS, SESSIONS_EACH);
  const requests = tokens.map((token) => ({ authorization: `Bearer ${token}` }));
  const verdicts = await compareAlone(stage, requests);
  if (!redisIsMissing()) return [...verdicts, ...(await compareTogether(stage, requests))];
  process.stdout.write('\nThere is no redis-server here: processes that share one are not measured.\n');
  return verdicts;
}

const ofRound = (requests: readonly Headers[], round: number): readonly Headers[] =>
  requests.slice((round % SESSIONS_EACH) * USERS).slice(0, USERS);

/** One process that does everything. For information, the same with a warm actor cache. */
async function compareAlone(stage: Stage, requests: readonly Headers[]): Promise<Verdict[]> {
  const inTurn = (round: number) => ofRound(requests, round);
  const one = async (starting: Promise<Child>) => [await starting];
  const bare = {
    name: 'bare Express 5',
    path: FLOOR_PATH,
    requestsOf: inTurn,
    children: await one(stage.startFloor()),
  };
  const rest = { name: 'REST', path: REST_PATH, requestsOf: inTurn, children: await one(stage.startServer()) };
  const trpc = { name: 'tRPC', path: TRPC_PATH, requestsOf: inTurn, children: await one(stage.startServer()) };
  const remembered = {
    name: 'REST, remembered',
    path: REST_PATH,
    requestsOf: () => requests.slice(0, USERS),
    children: await one(stage.startServer()),
  };
  return compare(stage, 'one process', [bare, rest, trpc, remembered], requests);
}

/** Two processes that serve, with a worker, and their limits in Redis. */
async function compareTogether(stage: Stage, requests: readonly Headers[]): Promise<Verdict[]> {
  const settings = { REDIS_URL: await stage.redisUrl() };
  const worker = await stage.startServer('worker', settings);
  const two = (start: () => Promise<Child>) => Promise.all([start(), start()]);
  // An odd shift, so that in time every session comes to each of the two.
  const inTurn = (round: number) => {
    const all = ofRound(requests, round);
    return Math.floor(round / SESSIONS_EACH) % 2 === 0 ? all : [...all.slice(1), all[0]!];
  };
  // Each has its own, or one would fill the cache for the other
  const serving = () => two(() => stage.startServer('api', settings));
  const bare = {
    name: 'bare Express 5',
    path: FLOOR_PATH,
    requestsOf: inTurn,
    children: await two(() => stage.startFloor(settings)),
  };
  const rest = { name: 'REST', path: REST_PATH, requestsOf: inTurn, children: await serving() };
  const trpc = { name: 'tRPC', path: TRPC_PATH, requestsOf: inTurn, children: await serving() };
  const verdicts = await compare(stage, 'two processes and Redis', [bare, rest, trpc], requests);
  await worker.stop();
  return verdicts;
}

/** The first contender is the baseline; the second and third are compared with it. */
async function compare(
  stage: Stage,
  setting: string,
  contenders: [bare: Contender, rest: Contender, trpc: Contender, ...more: Contender[]],
  requests: readonly Headers[],
): Promise<Verdict[]> {
  const [bare, rest, trpc] = contenders;
  await assertSameAnswers(bare, rest, trpc, requests.slice(0, COMPARED_ANSWERS));
  const rounds = await alternate(stage, { contenders, connections: CONNECTIONS, warmUps: WARM_UPS, rounds: ROUNDS });
  for (const { children } of contenders) for (const child of children) await child.stop();
  process.stdout.write(
    `\nCurrent user, ${setting}: ${ROUNDS} rounds of ${USERS} requests, ${CONNECTIONS} connections\n`,
  );
  printRounds(rounds);
  const verdict = (name: string, of: Contender, atMost: number): Verdict => ({
    promise: `${name}, ${setting}, CPU per request`,
    measured: cpuRatio(rounds, of, bare),
    atMost,
    unit: '× the bare handler',
    comparable: askedAlike(rounds, of, bare),
  });
  return [verdict('REST', rest, 1.67), verdict('tRPC', trpc, 2.5)];
}

async function assertSameAnswers(
  bare: Contender,
  rest: Contender,
  trpc: Contender,
  requests: readonly Headers[],
): Promise<void> {
  const clients = [bare, rest, trpc].map((each) => ({ path: each.path, client: clientOf(each, 1) }));
  for (const each of requests) {
    const answers = await Promise.all(clients.map(({ client, path }) => client.getJson(path, each)));
    const [expected, fromRest, fromTrpc] = answers;
    if (isDeepStrictEqual(fromRest, expected) && isDeepStrictEqual(fromTrpc, { result: { data: expected } })) continue;
    throw new Error(`the contenders answer differently: ${JSON.stringify(answers)}`);
  }
  for (const { client } of clients) await client.close();
}
