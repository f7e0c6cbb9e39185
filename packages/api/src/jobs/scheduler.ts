import { execute, type Knex, type Statement } from '@rentapi/platform/database';
import { nextTick } from '@rentapi/platform/jobs-schedule';
import type { Logger } from '@rentapi/platform/logger';
import { type Loop, startLoop } from '@rentapi/platform/loop';
import type { Job } from './job.ts';

interface Due {
  name: string;
  nextAt: Date;
  now: Date;
}

const ANY_DUE: Statement = {
  text: 'select exists (select from job_schedules where name = any($1) and next_at <= now()) as due',
};

/**
 * Enqueues each tick once, with any number of schedulers: the job and the move to the next tick commit together, and
 * the database's clock is the only one. Agenda's own schedule loses a tick when a worker dies between taking it and
 * doing it, and when a process starts just as it is due. The run itself is an ordinary job, resumed and retried.
 */
export function startScheduler(options: { database: Knex; log: Logger; jobs: readonly Job[] }): Loop {
  const { database, log, jobs } = options;
  const schedules = new Map(jobs.flatMap(({ name, every }) => (every ? [[name, every]] : [])));
  let stored = false;

  async function storeSchedules(): Promise<void> {
    const { rows } = await database.raw<{ rows: { now: Date }[] }>('select now() as now');
    const now = rows[0]!.now;
    await database('job_schedules')
      .insert([...schedules].map(([name, every]) => ({ name, every, nextAt: nextTick(every, now) })))
      .onConflict('name')
      .merge()
      .whereRaw('job_schedules.every <> excluded.every'); // an unchanged schedule keeps a tick that is due
    stored = true;
  }

  /** Asked every second, so without the transaction that a tick needs. */
  async function isAnyDue(): Promise<boolean> {
    const [found] = await execute<{ due: boolean }>(database, ANY_DUE, [[...schedules.keys()]]);
    return found!.due;
  }

  async function tick(db: Knex): Promise<void> {
    const due: Due[] = await db('job_schedules')
      .whereIn('name', [...schedules.keys()])
      .where('nextAt', '<=', db.fn.now())
      .select('name', 'nextAt', db.raw('now() as now'))
      .forUpdate()
      .skipLocked();
    for (const { name, nextAt, now } of due) {
      await db('agenda_jobs')
        .insert({
          name,
          data: { tick: nextAt },
          nextRunAt: now,
          uniqueKey: `${name}/tick/${nextAt.toISOString()}`,
        })
        .onConflict('uniqueKey')
        .ignore();
      await db('job_schedules')
        .where({ name })
        .update({ nextAt: nextTick(schedules.get(name)!, now) });
      await db.raw("select pg_notify('enqueued', ?)", [name]);
    }
  }

  return startLoop({
    name: 'scheduler',
    everyMs: 1000,
    log,
    async round() {
      if (schedules.size === 0) return false;
      if (!stored) await storeSchedules();
      if (await isAnyDue()) await database.transaction(tick);
      return false;
    },
  });
}
