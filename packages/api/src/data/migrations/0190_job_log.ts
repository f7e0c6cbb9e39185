import type { Knex } from '@rentapi/platform/database';

/** What operators see of jobs: how each attempt ended, what succeeded lately, and which workers there are. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table agenda_jobs
      add column started_at timestamptz,                -- of the run under way, or of one whose worker died
      add column log jsonb not null default '[]'::jsonb; -- its newest attempts that did not succeed
    create index agenda_jobs_name_number on agenda_jobs (name, number);
    create index agenda_jobs_running on agenda_jobs (number) where locked_at is not null;

    -- A job keeps its number when it is dead, and when it is tried again.
    alter table dead_jobs
      alter column id drop identity,
      add column log jsonb not null default '[]'::jsonb;
    update dead_jobs set id = nextval(pg_get_serial_sequence('agenda_jobs', 'number'));
    create index dead_jobs_name_id on dead_jobs (name, id);
    create index dead_jobs_age on dead_jobs (died_at);

    -- Without their input: it may be personal, and is of no use any more.
    create table done_jobs (
      id bigint primary key,                            -- the number that it had in the queue
      name text not null,
      starts integer not null,
      log jsonb not null,
      created_at timestamptz not null,
      started_at timestamptz,
      done_at timestamptz not null default now()
    );
    create index done_jobs_name on done_jobs (name, id);
    create index done_jobs_age on done_jobs (done_at);

    create table job_workers (
      id uuid primary key,
      concurrency jsonb not null,                       -- of each queue that it serves
      seen_at timestamptz not null
    );
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table job_workers, done_jobs;
    drop index dead_jobs_age, dead_jobs_name_id, agenda_jobs_running, agenda_jobs_name_number;
    alter table dead_jobs drop column log, alter column id add generated always as identity;
    select setval(pg_get_serial_sequence('dead_jobs', 'id'), greatest(max(id), 1)) from dead_jobs;
    alter table agenda_jobs drop column log, drop column started_at;
  `);
}
