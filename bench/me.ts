import { isDeepStrictEqual } from 'node:util';
import { createAccounts } from './accounts.ts';
import { alternate, type Contender } from './harness.ts';
import { openClient } from './load.ts';
import { cpuRatio, printRounds, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const USERS = 10_000; // distinct, so that no cache of a few answers can shine
const CONNECTIONS = 16; // fewer than pooled database connections: nobody waits for one
const WARM_UPS = 2;
const ROUNDS = 9;
const COMPARED_ANSWERS = 20;

/** What it costs to be us: the current user over REST and tRPC, beside a handler written by hand. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const tokens = await createAccounts(stage, USERS);
  const headers = tokens.map((token) => ({ authorization: `Bearer ${token}` }));
  const [floor, server] = [await stage.startFloor(), await stage.startServer()];
  const bare: Contender = { name: 'bare Express 5', child: floor, path: '/users/me' };
  const rest: Contender = { name: 'REST', child: server, path: '/api/v1/users/me' };
  const trpc: Contender = { name: 'tRPC', child: server, path: '/trpc/users.me.get' };
  await assertSameAnswers(bare, rest, trpc, headers.slice(0, COMPARED_ANSWERS));

  const contenders = [bare, rest, trpc];
  const rounds = await alternate(stage, {
    contenders,
    headers,
    connections: CONNECTIONS,
    warmUps: WARM_UPS,
    rounds: ROUNDS,
  });
  await Promise.all([floor.stop(), server.stop()]);
  process.stdout.write(`\nCurrent user: ${ROUNDS} rounds of ${USERS} requests, ${CONNECTIONS} connections\n`);
  printRounds(rounds);
  const unit = '× the bare handler';
  return [
    { promise: 'REST, CPU per request', measured: cpuRatio(rounds, rest, bare), atMost: 1.67, unit },
    { promise: 'tRPC, CPU per request', measured: cpuRatio(rounds, trpc, bare), atMost: 2.5, unit },
  ];
}

async function assertSameAnswers(
  bare: Contender,
  rest: Contender,
  trpc: Contender,
  headers: readonly Record<string, string>[],
): Promise<void> {
  const clients = [bare, rest, trpc].map(({ child, path }) => ({ path, client: openClient(child.origin, 1) }));
  for (const each of headers) {
    const answers = await Promise.all(clients.map(({ client, path }) => client.getJson(path, each)));
    const [expected, fromRest, fromTrpc] = answers;
    if (isDeepStrictEqual(fromRest, expected) && isDeepStrictEqual(fromTrpc, { result: { data: expected } })) continue;
    throw new Error(`the contenders answer differently: ${JSON.stringify(answers)}`);
  }
  for (const { client } of clients) await client.close();
}
