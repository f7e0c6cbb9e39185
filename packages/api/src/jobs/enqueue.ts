import { execute, type Statement } from '@rentapi/platform/database';
import type { z } from 'zod';
import type { Context } from '../context.ts';
import { writeAtEnd } from '../data/transaction.ts';
import type { DataJob } from './job.ts';

/** When work in the outbox is due that is due at once: by the clock of the database, as in the queue. */
export const AT_ONCE = 'now()';

const ENQUEUE: Statement = {
  name: 'enqueue',
  text: `
    with row as (
      insert into outbox (job, data, key, available_at)
      select job, data, key, coalesce(at, ${AT_ONCE})
      from json_to_recordset($1) as given (job text, data jsonb, key text, at timestamptz)
    ) select pg_notify('recorded', '')`,
};

/**
 * Requests work in the caller's transaction, due at `at` or at once. It adds nothing while a job with the same key
 * waits or runs: what may change while a job reads it needs a sequence in the key, or its last change is lost.
 */
export async function enqueue<Data extends z.ZodType>(
  ctx: Context,
  job: DataJob<Data>,
  data: z.input<Data>,
  options: { key?: string; at?: Date } = {},
): Promise<void> {
  if (!ctx.db.isTransaction) throw new Error(`${job.name} must be enqueued in the transaction of its cause`);
  await writeAtEnd(ctx.db, ENQUEUE, {
    job: job.name,
    data: job.data.parse(data),
    key: options.key ?? null,
    at: options.at ?? null,
  });
}

const ENQUEUE_NUMBERED: Statement = {
  text: `
    with queued as (
      insert into agenda_jobs (name, data, next_run_at) values ($1, $2, now()) returning number
    ) select number, pg_notify('enqueued', $1) from queued`,
};

/** The same for work that a caller can ask about: returns the number of the job, whose public id is `job_…`. */
export async function enqueueNumbered<Data extends z.ZodType>(
  ctx: Context,
  job: DataJob<Data>,
  data: z.input<Data>,
): Promise<number> {
  if (!ctx.db.isTransaction) throw new Error(`${job.name} must be enqueued in the transaction of its cause`);
  const [queued] = await execute<{ number: number }>(ctx.db, ENQUEUE_NUMBERED, [
    job.name,
    JSON.stringify(job.data.parse(data)),
  ]);
  return queued!.number;
}
