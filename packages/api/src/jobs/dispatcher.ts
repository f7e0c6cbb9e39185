import { execute, type Knex, type Statement } from '@rentapi/platform/database';
import type { Logger } from '@rentapi/platform/logger';
import { type Loop, startLoop } from '@rentapi/platform/loop';

const BATCH = 1000;

/**
 * Moves rows from the outbox into the queue in one statement: each row exactly once, with any number of processes. Jobs
 * caused by an event are due at once. The key of a job is its event's, or the one given to `enqueue()`.
 */
export const DISPATCH: Statement = {
  text: `
  with batch as (
    select * from outbox order by id limit ${BATCH} for update skip locked
  ), gone as (
    delete from outbox using batch where outbox.id = batch.id
  ), queued as (
    insert into agenda_jobs (name, data, next_run_at, unique_key)
    select job, coalesce(data, jsonb_build_object('eventId', event_id)),
           case when event_id is null then greatest(available_at, now()) else now() end,
           job || coalesce('/event/' || event_id, '/key/' || key, '/outbox/' || id)
    from batch order by id
    on conflict (unique_key) do nothing
    returning name
  )
  select (select count(*)::integer from batch) as moved,
         (select pg_notify('enqueued', string_agg(distinct name, ',')) from queued having count(*) > 0)`,
};

/** Notifications wake it, and the sequencer's leader does for one that was lost: this is for a process without it. */
const UNNOTIFIED_MS = 15_000;

/** Moves recorded work into the queue. NOTIFY wakes the workers of all processes. */
export function startDispatcher({ database, log }: { database: Knex; log: Logger }): Loop {
  return startLoop({
    name: 'dispatcher',
    everyMs: UNNOTIFIED_MS,
    log,
    async round() {
      const [batch] = await execute<{ moved: number }>(database, DISPATCH, []);
      return batch?.moved === BATCH;
    },
  });
}
