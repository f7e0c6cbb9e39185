import { randomUUID } from 'node:crypto';
import { execute, type Knex, type Statement } from '@rentapi/platform/database';
import type { Logger } from '@rentapi/platform/logger';
import { startLoop } from '@rentapi/platform/loop';

const EVERY_MS = 10_000;
/** A worker that was not seen for this long has died, or lost the database. */
export const ABSENT_AFTER_S = 35;

const SEEN: Statement = {
  text: `
  with gone as (
    delete from job_workers where seen_at < now() - interval '1 hour'
  )
  insert into job_workers (id, concurrency, seen_at) values ($1, $2, now())
  on conflict (id) do update set seen_at = excluded.seen_at`,
};

/** Lets operators see which queues have a worker, and how much it runs at once. */
export function startPresence(options: {
  database: Knex;
  log: Logger;
  concurrency: Readonly<Record<string, number>>;
}): { stop(): Promise<void> } {
  const { database, log, concurrency } = options;
  const id = randomUUID();
  const loop = startLoop({
    name: 'presence',
    everyMs: EVERY_MS,
    log,
    async round() {
      await execute(database, SEEN, [id, JSON.stringify(concurrency)]);
      return false;
    },
  });
  return {
    async stop() {
      await loop.stop();
      await database('job_workers')
        .where({ id })
        .delete()
        .catch((error: unknown) => log.warn({ err: error }, 'jobs: the worker is still listed for a while'));
    },
  };
}
