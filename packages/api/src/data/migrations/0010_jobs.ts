import type { Knex } from '@rentapi/platform/database';

/** Agenda's queue, what Agenda does not store (key, starts, ticks, dead jobs), and the outbox that feeds it. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Agenda 6.2's own columns and indexes, made here because processes that make them at the same time crash each other.
    create table agenda_jobs (
      id uuid primary key default gen_random_uuid(),
      name varchar(255) not null,
      priority integer not null default 0,
      next_run_at timestamptz,
      type varchar(10) not null default 'normal' check (type in ('normal', 'single')),
      locked_at timestamptz,
      last_finished_at timestamptz,
      failed_at timestamptz,
      fail_count integer default null,
      fail_reason text,
      repeat_timezone varchar(100),
      last_run_at timestamptz,
      repeat_interval varchar(255),
      data jsonb default '{}'::jsonb,
      repeat_at varchar(255),
      disabled boolean default false,
      progress real,
      fork boolean default false,
      last_modified_by varchar(255),
      debounce_started_at timestamptz,
      start_date timestamptz,
      end_date timestamptz,
      skip_days jsonb,
      created_at timestamptz default now(),
      updated_at timestamptz default now(),
      -- Ours. Agenda's unique() selects, then inserts, so that two at once are two rows; and it counts no start whose worker died.
      unique_key text unique,
      starts integer not null default 0
    );
    create index agenda_jobs_find_and_lock_idx on agenda_jobs (name, next_run_at, priority desc, locked_at, disabled)
      where disabled = false;
    create unique index agenda_jobs_single_job_idx on agenda_jobs (name) where type = 'single';
    create index agenda_jobs_locked_at_idx on agenda_jobs (locked_at) where locked_at is not null;
    create index agenda_jobs_next_run_at_idx on agenda_jobs (next_run_at) where next_run_at is not null;

    -- Agenda writes a run's end by id alone. A worker that stalled past its lease would free the lock of the one that took over:
    -- whoever does not hold a locked job may claim it, and write nothing else.
    create function guard_agenda_jobs() returns trigger language plpgsql as $$
    begin
      if old.locked_at is not null and new.last_modified_by is distinct from old.last_modified_by and not (
        new.locked_at > old.locked_at
        and new.last_run_at is not distinct from old.last_run_at
        and new.next_run_at is not distinct from old.next_run_at
      ) then
        return null;
      end if;
      new.updated_at = now();
      return new;
    end $$;
    create trigger guard before update on agenda_jobs for each row execute function guard_agenda_jobs();

    -- When each scheduled job is due next: a tick is enqueued and moved on in one transaction, so that it happens once.
    create table job_schedules (
      name text primary key,
      every text not null,
      next_at timestamptz not null
    );

    -- Jobs whose attempts are used up, for an operator to look at.
    create table dead_jobs (
      id bigint generated always as identity primary key,
      name text not null,
      unique_key text,
      data jsonb,
      starts integer not null,
      reason text not null,
      created_at timestamptz not null,
      died_at timestamptz not null default now()
    );
    create index dead_jobs_name on dead_jobs (name, died_at);

    -- The outbox only hands over: retries are the queue's. Work without an event brings its own data.
    drop index outbox_due;
    alter table outbox
      drop column attempts, drop column failed_at, drop column last_error,
      alter column event_id drop not null,
      add column data jsonb,
      add column key text,
      add constraint outbox_event_or_data check ((event_id is null) <> (data is null));

    -- Scheduled jobs delete what has expired.
    create index verification_tokens_expiry on verification_tokens (expires_at);
    create index refresh_tokens_expiry on refresh_tokens (expires_at);
    create index realtime_tickets_expiry on realtime_tickets (expires_at);
    create index sessions_expiry on sessions (expires_at);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop index verification_tokens_expiry, refresh_tokens_expiry, realtime_tickets_expiry, sessions_expiry;
    delete from outbox where event_id is null;
    alter table outbox
      drop constraint outbox_event_or_data, drop column data, drop column key,
      alter column event_id set not null,
      add column attempts integer not null default 0,
      add column failed_at timestamptz,
      add column last_error text;
    create index outbox_due on outbox (available_at) where failed_at is null;
    insert into outbox (event_id, job, available_at)
      select (data ->> 'eventId')::bigint, name, coalesce(next_run_at, now()) from agenda_jobs where data ->> 'eventId' is not null;
    drop table dead_jobs, job_schedules, agenda_jobs;
    drop function guard_agenda_jobs;
  `);
}
