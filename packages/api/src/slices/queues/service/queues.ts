import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { isoOrNull } from '../../../contract/common-schemas.ts';
import { QUEUES } from '../../../jobs/job.ts';
import { ABSENT_AFTER_S } from '../../../jobs/presence.ts';
import { MAX_COUNTED, type QueueState, type Queues } from '../schemas.ts';

const counted = (rows: string): string =>
  `(select count(*)::integer from (select from ${rows} limit ${MAX_COUNTED}) as found)`;
const MINE = 'name = any(queue.names)';

/** Each count reads an index, and stops. */
const STATES: Statement = {
  text: `
  select queue.name as queue,
    ${counted(`agenda_jobs where ${MINE} and disabled = false and locked_at is null and next_run_at > now()`)} as waiting,
    ${counted(`agenda_jobs where ${MINE} and disabled = false and locked_at is null and next_run_at <= now()`)} as due,
    ${counted(`agenda_jobs where ${MINE} and locked_at is not null`)} as running,
    ${counted(`dead_jobs where ${MINE}`)} as failed,
    (select extract(epoch from now() - min(first.next_run_at))::double precision
     from unnest(queue.names) as job_name cross join lateral (
       select next_run_at from agenda_jobs
       where name = job_name and disabled = false and locked_at is null and next_run_at <= now()
       order by next_run_at limit 1) as first) as "oldestDueSeconds",
    worker.workers, worker.concurrency
  from jsonb_to_recordset($1::jsonb) as queue (name text, names text[])
  cross join lateral (
    select count(*)::integer as workers, coalesce(sum((concurrency ->> queue.name)::integer), 0)::integer as concurrency
    from job_workers
    where concurrency ? queue.name and seen_at > now() - interval '${ABSENT_AFTER_S} seconds'
  ) as worker`,
};

export async function listQueues(ctx: Context): Promise<Queues> {
  const jobs = Map.groupBy(ctx.ports.jobs.all, ({ queue }) => queue);
  const names = QUEUES.map((name) => ({ name, names: (jobs.get(name) ?? []).map((job) => job.name) }));
  const states = await execute<Omit<QueueState, 'schedules'>>(ctx.db, STATES, [JSON.stringify(names)]);
  const scheduled: { name: string; nextAt: Date }[] = await ctx.db('jobSchedules').select('name', 'nextAt');
  const nextAt = new Map(scheduled.map((row) => [row.name, row.nextAt]));
  const items = states.map((state) => ({
    ...state,
    schedules: (jobs.get(state.queue) ?? []).flatMap(({ name, every }) =>
      every ? [{ name, every, nextAt: isoOrNull(nextAt.get(name) ?? null) }] : [],
    ),
  }));
  return { items, nextCursor: null };
}
