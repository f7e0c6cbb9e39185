import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createKeyring } from '@rentapi/platform/secrets';
import { redisIsMissing } from '@rentapi/testing/redis';
import { createAccounts } from '../accounts.ts';
import { type Child, PYTHON, startPython } from '../child.ts';
import { alternate, type Contender } from '../harness.ts';
import { printRounds, rateRatio, type Verdict } from '../report.ts';
import type { Stage } from '../stage.ts';

const USERS = 10_000;
const CONNECTIONS = 32;
const WARM_UPS = 2;
const ROUNDS = 11;
const REQUESTS_PER_ROUND = 5000;
/** Each request is of another session: it asks the database, as a peer's does. */
const SESSIONS_EACH = Math.ceil(((WARM_UPS + ROUNDS) * REQUESTS_PER_ROUND) / USERS);
const FASTAPI = fileURLToPath(import.meta.resolve('./fastapi_me.py'));
/** Debian's names of what the peer imports. */
const PACKAGES = [
  'python3-fastapi',
  'uvicorn',
  'python3-asyncpg',
  'python3-redis',
  'python3-uvloop',
  'python3-httptools',
];

/** Requests a second of the current user, beside programs that others would write. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const tokens = await createAccounts(stage, USERS, SESSIONS_EACH);
  const requests = tokens.map((token) => ({ authorization: `Bearer ${token}` }));
  const verdicts = await compare(stage, 'memory', requests, {});
  if (!redisIsMissing()) {
    return [...verdicts, ...(await compare(stage, 'Redis', requests, { REDIS_URL: await stage.redisUrl() }))];
  }
  process.stdout.write('\nThere is no redis-server here: peers that share one are not measured.\n');
  return verdicts;
}

async function compare(
  stage: Stage,
  limits: 'memory' | 'Redis',
  requests: readonly Record<string, string>[],
  settings: Record<string, string>,
): Promise<Verdict[]> {
  const contender = (name: string, path: string, child: Child): Contender => ({
    name,
    path,
    children: [child],
    requestsOf: (round) => requests.slice(round * REQUESTS_PER_ROUND).slice(0, REQUESTS_PER_ROUND),
  });
  const ours = contender('REST', '/api/v1/users/me', await stage.startServer('start', settings));
  const bare = contender('bare node:http', '/users/me', await stage.startFloor('http', settings));
  const fastApi = fastApiIsMissing()
    ? undefined
    : contender('FastAPI', '/users/me', await startFastApi(stage, settings));
  const contenders = [bare, ours, ...(fastApi ? [fastApi] : [])];
  const rounds = await alternate(stage, { contenders, connections: CONNECTIONS, warmUps: WARM_UPS, rounds: ROUNDS });
  for (const { children } of contenders) for (const child of children) await child.stop();
  process.stdout.write(`\nPeers, limits in ${limits}: ${ROUNDS} rounds of ${REQUESTS_PER_ROUND} requests\n`);
  printRounds(rounds);
  const verdict = (by: Contender, atLeast: number): Verdict => ({
    promise: `REST, limits in ${limits}, requests a second`,
    measured: rateRatio(rounds, ours, by),
    atLeast,
    unit: `× ${by.name}`,
  });
  return [verdict(bare, 0.9), ...(fastApi ? [verdict(fastApi, 3)] : [])];
}

function startFastApi(stage: Stage, settings: Record<string, string>): Promise<Child> {
  const key = createKeyring(stage.secrets.SECRET_KEY).key('rentapi/jwt').export();
  const own = { DATABASE_URL: stage.databaseUrl, PUBLIC_URL: stage.issuer, JWT_KEY: key.toString('base64') };
  return stage.own(startPython(FASTAPI, { ...own, ...settings }));
}

function fastApiIsMissing(): boolean {
  const { status } = spawnSync(PYTHON, ['-c', 'import fastapi, uvicorn, asyncpg, redis, uvloop, httptools']);
  if (status === 0) return false;
  process.stdout.write(`\nFastAPI is not measured here. On Debian: apt-get install ${PACKAGES.join(' ')}\n`);
  return true;
}
