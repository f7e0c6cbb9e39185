import { execute, type Statement } from '@rentapi/platform/database';
import type { UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { assertStaff } from '../../users/staff.ts';
import { JobRetried } from '../events.ts';
import type { Job } from '../schemas.ts';
import { findJobRow, presentJob } from './rows.ts';

/** Due now, under the same number, unless a later job with its key waits or runs. */
const RETRY: Statement = {
  text: `
  with dead as (
    delete from dead_jobs where id = $1 returning *
  ), queued as (
    insert into agenda_jobs (number, name, data, next_run_at, unique_key, log, created_at) overriding system value
    select id, name, data, now(), unique_key, log, created_at from dead
    on conflict (unique_key) do nothing
    returning name
  )
  select name, pg_notify('enqueued', name) from queued`,
};

export async function retryJob(ctx: UserContext, jobId: string): Promise<Job> {
  const number = ctx.ids.decode('job', jobId);
  return transaction(ctx, async (ctx) => {
    const dead = await ctx.db('deadJobs').where({ id: number }).forUpdate().first('name');
    await assertStaff(ctx, 'system:manage');
    if (!dead) throw new ApiError((await findJobRow(ctx.db, number)) ? 'job_not_failed' : 'not_found');
    if (!ctx.ports.jobs.named(dead.name)) throw new ApiError('job_unknown');
    const [queued] = await execute<{ name: string }>(ctx.db, RETRY, [number]);
    if (!queued) throw new ApiError('job_superseded');
    await record(ctx, JobRetried, { target: ctx.actor.user, data: { id: jobId, name: queued.name } });
    const row = await findJobRow(ctx.db, number);
    return presentJob(ctx, row!);
  });
}
