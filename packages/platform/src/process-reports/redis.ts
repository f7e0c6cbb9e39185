import { createMemoryProcessReports, type ProcessReports } from '../process-reports.ts';
import { REDIS_PREFIX, type Redis, RedisUnavailableError } from '../redis.ts';

const REPORT_EVERY_MS = 5000;
/** The report of a process that was killed is gone after this. */
const LEASE_MS = 15_000;
/** Beyond it, those that began to report first are left out. */
const MAX_PROCESSES = 500;

/** The tag keeps all reports on one node of a Redis Cluster. */
const NAMES = `${REDIS_PREFIX}processes:{all}`;
const keyOf = (process: string): string => `${NAMES}:${process}`;

/** Through Redis. While it is away, a process knows itself only. */
export function createRedisProcessReports(
  redis: Redis,
  process: string,
  { everyMs = REPORT_EVERY_MS, leaseMs = LEASE_MS } = {},
): ProcessReports {
  const own = createMemoryProcessReports(process);
  let timer: NodeJS.Timeout | undefined;

  async function report(): Promise<void> {
    const text = JSON.stringify((await own.read()).get(process));
    await redis.run(async (client) => {
      await client.set(keyOf(process), text, 'PX', leaseMs);
      await client.zadd(NAMES, 'NX', Date.now(), process);
    });
  }

  async function readOthers(): Promise<[process: string, report: unknown][]> {
    return redis.run(async (client) => {
      const names = (await client.zrange(NAMES, -MAX_PROCESSES, -1)).filter((name) => name !== process);
      if (names.length === 0) return [];
      const texts = await client.mget(names.map(keyOf));
      const gone = names.filter((_, at) => texts[at] === null);
      if (gone.length > 0) await client.zrem(NAMES, ...gone);
      return names.flatMap((name, at): [string, unknown][] => (texts[at] ? [[name, JSON.parse(texts[at])]] : []));
    });
  }

  return {
    process,
    begin(describe) {
      own.begin(describe);
      timer ??= setInterval(() => void report().catch(() => {}), everyMs).unref();
      report().catch(() => {}); // the next one follows
    },
    async read() {
      const others = await readOthers().catch((error: unknown) => {
        if (error instanceof RedisUnavailableError) return [];
        throw error;
      });
      return new Map([...(await own.read()), ...others]);
    },
    async close() {
      clearInterval(timer);
      await own.close();
      await redis.run((client) => client.del(keyOf(process))).catch(() => {}); // it ends by itself
    },
  };
}
