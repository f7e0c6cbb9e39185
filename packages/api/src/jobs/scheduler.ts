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

const UNTIL_NEXT: Statement = {
  text: `
  select (extract(epoch from min(next_at) - now()) * 1000)::float8 as ms from job_schedules where name = any ($1)`,
};

const DUE: Statement = {
  text: `
  select name, next_at as "nextAt", now() from job_schedules where name = any ($1) and next_at <= now()
  order by name for update skip locked`,
};

const ENQUEUE: Statement = {
  text: `
  with due as (
    select * from json_to_recordset($1) as given (name text, key text, data jsonb, later timestamptz)
  ), queued as (
    insert into agenda_jobs (name, data, next_run_at, unique_key) select name, data, now(), key from due
    on conflict (unique_key) do nothing
  ), moved as (
    update job_schedules set next_at = due.later from due where job_schedules.name = due.name
  ) select pg_notify('enqueued', string_agg(name, ',')) from due`,
};

/** For a tick that was moved by hand, or a clock of the database that was set. */
const LOOK_EVERY_MS = 5000;
/** Another scheduler has locked what is due here. */
const LOCKED_MS = 1000;

/**
 * Enqueues each tick once, with any number of schedulers: the job and the move to the next tick commit together, and
 * the database's clock is the only one. Agenda's own schedule loses a tick when a worker dies between taking it and
 * doing it, and when a process starts just as it is due. The run itself is an ordinary job, resumed and retried.
 */
export function startScheduler(options: { database: Knex; log: Logger; jobs: readonly Job[] }): Loop {
  const { database, log, jobs } = options;
  const schedules = new Map(jobs.flatMap(({ name, every }) => (every ? [[name, every]] : [])));
  const names = [...schedules.keys()];
  let stored = false;
  let alarm: NodeJS.Timeout | undefined;

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

  /** Asked often, so without the transaction that a tick needs. */
  async function untilNextMs(): Promise<number> {
    const [next] = await execute<{ ms: number | null }>(database, UNTIL_NEXT, [names]);
    return next?.ms ?? LOOK_EVERY_MS;
  }

  /** Returns whether there was any. */
  async function tick(db: Knex): Promise<boolean> {
    const due = await execute<Due>(db, DUE, [names]);
    if (due.length > 0) await execute(db, ENQUEUE, [JSON.stringify(due.map(queued))]);
    return due.length > 0;
  }

  const queued = ({ name, nextAt, now }: Due) => ({
    name,
    key: `${name}/tick/${nextAt.toISOString()}`,
    data: { tick: nextAt },
    later: nextTick(schedules.get(name)!, now),
  });

  function wakeIn(ms: number): void {
    clearTimeout(alarm);
    if (ms < LOOK_EVERY_MS) alarm = setTimeout(() => loop.wake(), ms);
  }

  const loop = startLoop({
    name: 'scheduler',
    everyMs: LOOK_EVERY_MS,
    log,
    async round() {
      if (schedules.size === 0) return false;
      if (!stored) await storeSchedules();
      const nextMs = await untilNextMs();
      if (nextMs <= 0 && (await database.transaction(tick))) return true;
      wakeIn(nextMs > 0 ? nextMs : LOCKED_MS);
      return false;
    },
  });

  return {
    wake: loop.wake,
    async stop() {
      await loop.stop();
      clearTimeout(alarm);
    },
  };
}
