import { isDeepStrictEqual } from 'node:util';
import { createAccounts } from './accounts.ts';
import { alternate, type Contender, type Headers } from './harness.ts';
import { openClient } from './load.ts';
import { cpuRatio, printRounds, sameStatements, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const USERS = 10_000;
const SESSIONS_EACH = 3; // more sessions in all than the server remembers: each request reads its own, as the floor's does
const CONNECTIONS = 16; // fewer than pooled database connections: nobody waits for one
const WARM_UPS = 2;
const ROUNDS = 9;
const COMPARED_ANSWERS = 20;
const FLOOR_PATH = '/users/me';

/**
 * What it costs to be us: the current user over REST and tRPC, beside a handler written by hand that asks the database as
 * often. For information, the same where the server remembers who calls.
 */
export async function run(stage: Stage): Promise<Verdict[]> {
  const tokens = await createAccounts(stage, USERS, SESSIONS_EACH);
  const all = tokens.map((token) => ({ authorization: `Bearer ${token}` }));
  const first = all.slice(0, USERS);
  const inTurn = (round: number) => all.slice((round % SESSIONS_EACH) * USERS).slice(0, USERS);
  const contender = async (name: string, path: string, requestsOf: Contender['requestsOf']): Promise<Contender> => ({
    name,
    path,
    requestsOf,
    child: path === FLOOR_PATH ? await stage.startFloor() : await stage.startServer(),
  });
  const bare = await contender('bare Express 5', FLOOR_PATH, inTurn);
  const rest = await contender('REST', '/api/v1/users/me', inTurn);
  const trpc = await contender('tRPC', '/trpc/users.me.get', inTurn);
  const remembered = await contender('REST, remembered', '/api/v1/users/me', () => first);
  await assertSameAnswers(bare, rest, trpc, first.slice(0, COMPARED_ANSWERS));

  const contenders = [bare, rest, trpc, remembered];
  const rounds = await alternate(stage, { contenders, connections: CONNECTIONS, warmUps: WARM_UPS, rounds: ROUNDS });
  for (const { child } of contenders) await child.stop();
  process.stdout.write(`\nCurrent user: ${ROUNDS} rounds of ${USERS} requests, ${CONNECTIONS} connections\n`);
  printRounds(rounds);
  const verdict = (promise: string, of: Contender, atMost: number): Verdict => ({
    promise,
    measured: cpuRatio(rounds, of, bare),
    atMost,
    unit: '× the bare handler',
    comparable: sameStatements(rounds, of, bare),
  });
  return [verdict('REST, CPU per request', rest, 1.67), verdict('tRPC, CPU per request', trpc, 2.5)];
}

async function assertSameAnswers(
  bare: Contender,
  rest: Contender,
  trpc: Contender,
  requests: readonly Headers[],
): Promise<void> {
  const clients = [bare, rest, trpc].map(({ child, path }) => ({ path, client: openClient(child.origin, 1) }));
  for (const each of requests) {
    const answers = await Promise.all(clients.map(({ client, path }) => client.getJson(path, each)));
    const [expected, fromRest, fromTrpc] = answers;
    if (isDeepStrictEqual(fromRest, expected) && isDeepStrictEqual(fromTrpc, { result: { data: expected } })) continue;
    throw new Error(`the contenders answer differently: ${JSON.stringify(answers)}`);
  }
  for (const { client } of clients) await client.close();
}
