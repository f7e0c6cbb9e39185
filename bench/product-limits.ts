import { Pool } from 'undici';
import { createAccounts } from './accounts.ts';
import { exactness, off, REQUESTS, repeat, SENDERS } from './exactness.ts';
import { atOnce } from './in-process.ts';
import { openClient } from './load.ts';
import type { Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const HOUR_MS = 3_600_000;
/** Wider than the plan, so that every layer counts and the plan refuses. */
const OWN_LIMITS = { rateLimitPerMinute: 10_000, rateLimitPerHour: 100_000, rateLimitPerDay: 1_000_000 };
const PATH = '/api/v1/api-keys?limit=1';

/**
 * The hour of the plan FREE, which is 100 calls, in the whole product: calls with a key that has limits of its own,
 * over HTTP, in turn to each process.
 */
export async function measureProduct(stage: Stage, processCounts: readonly number[]): Promise<Verdict[]> {
  const verdicts = [await measure(stage, 'in process, 1 process', 1, {})];
  for (const count of processCounts) {
    const settings = { REDIS_URL: await stage.redisUrl() };
    verdicts.push(await measure(stage, `Redis, ${count} process(es)`, count, settings));
  }
  return verdicts;
}

async function measure(
  stage: Stage,
  name: string,
  processes: number,
  settings: Record<string, string>,
): Promise<Verdict> {
  const role = processes > 1 ? 'api' : 'start';
  const servers = await Promise.all(Array.from({ length: processes }, () => stage.startServer(role, settings)));
  const pools = servers.map(({ origin }) => new Pool(origin, { connections: SENDERS }));
  const client = openClient([servers[0]!.origin], 1);
  try {
    const all = await repeat(async () => {
      const [token] = await createAccounts(stage, 1, 1);
      await stage.database.query(
        `update organizations set plan = 'FREE' where id = (select max(id) from organizations)`,
      );
      const body = JSON.stringify({ name: 'CI', scopes: ['api_keys:read'], ...OWN_LIMITS });
      const key = await client.postJson('/api/v1/api-keys', { authorization: `Bearer ${token}` }, body);
      return offByCalls(pools, (key as { secret: string }).secret);
    });
    return exactness(`Product, limits ${name}, ${REQUESTS} calls, ${SENDERS} at once`, all);
  } finally {
    await client.close();
    await Promise.all(pools.map((pool) => pool.destroy()));
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function offByCalls(pools: readonly Pool[], secret: string): Promise<number> {
  let allowed = 0;
  const began = performance.now();
  await atOnce(SENDERS, REQUESTS, async (at) => {
    const answer = await pools[at % pools.length]!.request({
      method: 'GET',
      path: PATH,
      headers: { 'x-api-key': secret },
    });
    const text = await answer.body.text();
    if (answer.statusCode === 200) allowed++;
    else if (answer.statusCode !== 429 || !text.includes('`plan-hour`'))
      throw new Error(`answered ${answer.statusCode}: ${text}`);
  });
  return off(allowed, { windowMs: HOUR_MS, shortestMs: 0, longestMs: performance.now() - began });
}
