import { isDeepStrictEqual } from 'node:util';
import { redisIsMissing } from '@rentapi/testing/redis';
import { createAccounts } from './accounts.ts';
import type { Child } from './child.ts';
import { alternate, type Contender, clientOf, type Headers, type Rounds } from './harness.ts';
import { askedAlike, cpuRatio, printRounds, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

/** Requests of a round, too: V8 collects garbage about four times in it. */
const USERS = 5000;
const CONNECTIONS = 16; // fewer than pooled database connections, so that none has to wait for one
/** After 20,000 requests V8 still compiles what a request runs, which takes 6 µs of each until some 70,000. */
const WARM_UPS = 10;
const ROUNDS = 31;
/** Each request is of another session: it is read from the database, as the baseline does. */
const SESSIONS_EACH = WARM_UPS + ROUNDS;
const COMPARED_ANSWERS = 20;
const FLOOR_PATH = '/users/me';
const REST_PATH = '/api/v1/users/me';
const TRPC_PATH = '/trpc/users.me.get';

/**
 * What our own cost is: the current user over REST and tRPC, compared with a handler written by hand on bare
 * `node:http` that does the same I/O.
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
  requests.slice(round * USERS).slice(0, USERS);

/** One process that does everything: each request asks the database, or the caller is remembered. */
async function compareAlone(stage: Stage, requests: readonly Headers[]): Promise<Verdict[]> {
  const setting = 'one process';
  const start = async (
    name: string,
    path: string,
    starting: Promise<Child>,
    requestsOf: Contender['requestsOf'] = (round) => ofRound(requests, round),
  ): Promise<Contender> => ({ name, path, requestsOf, children: [await starting] });
  const bare = await start('bare node:http', FLOOR_PATH, stage.startFloor('http'));
  const express = await start('bare Express 5', FLOOR_PATH, stage.startFloor('express'));
  const rest = await start('REST', REST_PATH, stage.startServer());
  const trpc = await start('tRPC', TRPC_PATH, stage.startServer());
  const callers = requests.slice(0, USERS);
  const remembered = await start('REST, remembered', REST_PATH, stage.startServer(), () => callers);
  const rounds = await compare(stage, setting, [bare, express, rest, trpc, remembered], requests);
  return [
    verdict(rounds, { name: 'REST', setting, of: rest, by: bare, atMost: 1 }),
    verdict(rounds, { name: 'tRPC', setting, of: trpc, by: bare, atMost: 1.15 }),
    // It does not ask the database, which is the point.
    {
      ...verdict(rounds, { name: 'REST, remembered', setting, of: remembered, by: bare, atMost: 0.75 }),
      comparable: true,
    },
  ];
}

/** Two processes that serve, with a worker, and their limits in Redis. */
async function compareTogether(stage: Stage, requests: readonly Headers[]): Promise<Verdict[]> {
  const setting = 'two processes and Redis';
  const settings = { REDIS_URL: await stage.redisUrl() };
  const worker = await stage.startServer('worker', settings);
  const start = async (name: string, path: string, begin: () => Promise<Child>): Promise<Contender> => ({
    name,
    path,
    requestsOf: (round) => ofRound(requests, round),
    children: await Promise.all([begin(), begin()]),
  });
  const bare = await start('bare node:http', FLOOR_PATH, () => stage.startFloor('http', settings));
  const express = await start('bare Express 5', FLOOR_PATH, () => stage.startFloor('express', settings));
  const rest = await start('REST', REST_PATH, () => stage.startServer('api', settings));
  const trpc = await start('tRPC', TRPC_PATH, () => stage.startServer('api', settings));
  const rounds = await compare(stage, setting, [bare, express, rest, trpc], requests);
  await worker.stop();
  return [
    verdict(rounds, { name: 'REST', setting, of: rest, by: bare, atMost: 1 }),
    verdict(rounds, { name: 'tRPC', setting, of: trpc, by: bare, atMost: 1.15 }),
  ];
}

/** The first contender is the baseline. */
async function compare(
  stage: Stage,
  setting: string,
  contenders: readonly [Contender, ...Contender[]],
  requests: readonly Headers[],
): Promise<Rounds> {
  await assertSameAnswers(contenders, requests.slice(0, COMPARED_ANSWERS));
  const rounds = await alternate(stage, { contenders, connections: CONNECTIONS, warmUps: WARM_UPS, rounds: ROUNDS });
  for (const { children } of contenders) for (const child of children) await child.stop();
  process.stdout.write(
    `\nCurrent user, ${setting}: ${ROUNDS} rounds of ${USERS} requests, ${CONNECTIONS} connections\n`,
  );
  printRounds(rounds);
  return rounds;
}

function verdict(
  rounds: Rounds,
  { name, setting, of, by, atMost }: { name: string; setting: string; of: Contender; by: Contender; atMost: number },
): Verdict {
  return {
    promise: `${name}, ${setting}, CPU per request`,
    measured: cpuRatio(rounds, of, by),
    atMost,
    unit: `× ${by.name}`,
    comparable: askedAlike(rounds, of, by),
  };
}

async function assertSameAnswers(contenders: readonly Contender[], requests: readonly Headers[]): Promise<void> {
  const clients = contenders.map((each) => ({ path: each.path, client: clientOf(each, 1) }));
  for (const each of requests) {
    const answers = await Promise.all(clients.map(({ client, path }) => client.getJson(path, each)));
    const same = answers.every((answer, at) =>
      isDeepStrictEqual(answer, clients[at]!.path === TRPC_PATH ? { result: { data: answers[0] } } : answers[0]),
    );
    if (!same) throw new Error(`the contenders answer differently: ${JSON.stringify(answers)}`);
  }
  for (const { client } of clients) await client.close();
}
