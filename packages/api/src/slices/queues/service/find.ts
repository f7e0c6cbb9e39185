import type { UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { newestFirst, type QueriedRows } from '../../../contract/pagination.ts';
import type { Attempt, JobDetails, JobPage, ListJobs } from '../schemas.ts';
import { presentInput } from './input.ts';
import { findJobRow, type JobRow, newestJobs, presentJob } from './rows.ts';

export async function listJobs(ctx: UserContext, input: ListJobs): Promise<JobPage> {
  const names = namesOf(ctx, input);
  const { status } = input;
  let below: number | null = null;
  const rows: QueriedRows<JobRow> = {
    where: (_column, _operator, value) => {
      below = Number(value);
    },
    orderBy() {}, // the statement has the order of every page
    read: (count) => newestJobs(ctx.db, { status, names }, below, count),
  };
  const found = await newestFirst(ctx.ports.cursors, { name: 'jobs', of: 0 }, input, rows);
  return { items: found.rows.map((row) => presentJob(ctx, row)), nextCursor: found.nextCursor };
}

/** Undefined where every name is wanted. */
function namesOf({ ports }: UserContext, { queue, name }: ListJobs): string[] | undefined {
  if (queue === undefined) return name === undefined ? undefined : [name];
  const inQueue = ports.jobs.all.filter((job) => job.queue === queue).map((job) => job.name);
  return name === undefined ? inQueue : inQueue.filter((each) => each === name);
}

export async function getJob(ctx: UserContext, jobId: string): Promise<JobDetails> {
  const row = await findJobRow(ctx.db, ctx.ids.decode('job', jobId));
  if (!row) throw new ApiError('not_found');
  return {
    ...presentJob(ctx, row),
    input: presentInput(ctx, row.data),
    log: row.log.toReversed().map(presentAttempt),
  };
}

/** Postgres writes times in JSON in its own form. */
function presentAttempt({ attempt, outcome, startedAt, endedAt, error }: Attempt): Attempt {
  const time = (text: string | null) => text && new Date(text).toISOString();
  return { attempt, outcome, startedAt: time(startedAt), endedAt: time(endedAt), error };
}
