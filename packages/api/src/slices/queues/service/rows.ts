import { execute, type Knex } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { iso, isoOrNull } from '../../../contract/common-schemas.ts';
import { ATTEMPTS } from '../../../jobs/worker.ts';
import type { Attempt, Job } from '../schemas.ts';

type Status = Job['status'];

/** A job of any status, as the columns below select it. */
export interface JobRow {
  id: number;
  name: string;
  status: Status;
  starts: number;
  progress: number | null;
  createdAt: Date;
  dueAt: Date | null;
  startedAt: Date | null;
  endedAt: Date | null;
  error: string | null;
  log: Attempt[];
  data: unknown;
}

const OF_QUEUE = `
  number as id, name, case when locked_at is null then 'WAITING' else 'RUNNING' end as status, starts, progress,
  created_at as "createdAt", case when locked_at is null then next_run_at end as "dueAt", started_at as "startedAt",
  null::timestamptz as "endedAt", log -> -1 ->> 'error' as error, log, data`;
const OF_DEAD = `
  id, name, 'FAILED' as status, starts, null::real as progress, created_at as "createdAt",
  null::timestamptz as "dueAt", null::timestamptz as "startedAt", died_at as "endedAt", reason as error, log, data`;
const OF_DONE = `
  id, name, 'SUCCEEDED' as status, starts, null::real as progress, created_at as "createdAt",
  null::timestamptz as "dueAt", started_at as "startedAt", done_at as "endedAt", log -> -1 ->> 'error' as error, log,
  null::jsonb as data`;

/** Where jobs of each status are, and the column of their number. */
const SOURCES: Record<Status, { columns: string; table: string; number: string; where?: string }> = {
  WAITING: { columns: OF_QUEUE, table: 'agenda_jobs', number: 'number', where: 'locked_at is null' },
  RUNNING: { columns: OF_QUEUE, table: 'agenda_jobs', number: 'number', where: 'locked_at is not null' },
  FAILED: { columns: OF_DEAD, table: 'dead_jobs', number: 'id' },
  SUCCEEDED: { columns: OF_DONE, table: 'done_jobs', number: 'id' },
};
const STATUSES = Object.keys(SOURCES) as Status[];

/**
 * The newest jobs below a number. Each source gives at most `count`, read from an index in its order: for a list of
 * names from as many places of it, so that a long backlog of others costs nothing. Those that run are few.
 */
export function newestJobs(
  db: Knex,
  filter: { status: Status | undefined; names: readonly string[] | undefined },
  below: number | null,
  count: number,
): Promise<JobRow[]> {
  const statuses = filter.status ? [filter.status] : STATUSES;
  const parts = statuses.map((status) => {
    const { columns, table, number, where = 'true' } = SOURCES[status];
    const newest = (condition: string) =>
      `(select ${columns} from ${table} where ${condition} and ${where} and ($2::bigint is null or ${number} < $2)
        order by ${number} desc limit $3)`;
    if (status === 'RUNNING' || !filter.names) return newest('($1::text[] is null or name = any($1))');
    return `(select job.* from unnest($1::text[]) as wanted cross join lateral ${newest('name = wanted')} as job
             order by id desc limit $3)`;
  });
  const text = `select * from (${parts.join(' union all ')}) as job order by id desc limit $3`;
  return execute<JobRow>(db, { text }, [filter.names ?? null, below, count]);
}

/** The job of a number, wherever it is. */
export async function findJobRow(db: Knex, number: number): Promise<JobRow | undefined> {
  const parts = [
    `select ${OF_QUEUE} from agenda_jobs where number = $1`,
    `select ${OF_DEAD} from dead_jobs where id = $1`,
    `select ${OF_DONE} from done_jobs where id = $1`,
  ];
  const [row] = await execute<JobRow>(db, { text: parts.join(' union all ') }, [number]);
  return row;
}

export function presentJob(ctx: Context, row: JobRow): Job {
  const job = ctx.ports.jobs.named(row.name);
  return {
    id: ctx.ids.encode('job', row.id),
    name: row.name,
    queue: job?.queue ?? null,
    status: row.status,
    attempts: row.starts,
    maxAttempts: job ? (job.attempts ?? ATTEMPTS) : null,
    progress: row.status === 'RUNNING' ? row.progress : null,
    error: row.error,
    createdAt: iso(row.createdAt),
    dueAt: isoOrNull(row.dueAt),
    startedAt: isoOrNull(row.startedAt),
    endedAt: isoOrNull(row.endedAt),
  };
}
