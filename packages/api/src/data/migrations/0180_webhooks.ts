import type { Knex } from '@rentapi/platform/database';

/** Addresses that are called when something happens, one delivery for each event and address, and every attempt. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table webhooks (
      id bigint generated always as identity,
      organization_id bigint not null references organizations (id),
      url text not null,
      description text,
      events text[] not null,
      event_version integer not null,
      headers_sealed bytea not null,          -- values may be credentials of the receiver
      header_names text[] not null,
      secret_sealed bytea not null,           -- with the earlier one, while that signs too
      overlap_ends_at timestamptz,
      enabled boolean not null,
      disabled_reason text check (disabled_reason in ('FAILING', 'GONE')),
      created_by bigint references users (id),
      version integer not null default 1,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      deleted_at timestamptz,
      primary key (organization_id, id),
      constraint webhooks_id_unique unique (id)
    );
    create index webhooks_created_by on webhooks (created_by);
    create index webhooks_live on webhooks (organization_id) where deleted_at is null;

    -- How a webhook has been answering; kept apart, because it changes with deliveries and not with the webhook.
    create table webhook_health (
      organization_id bigint not null,
      webhook_id bigint not null,
      failures integer not null,              -- since the last success
      failing_since timestamptz,
      warned_at timestamptz,
      resumes_at timestamptz,                 -- until then nothing is sent
      primary key (organization_id, webhook_id),
      foreign key (organization_id, webhook_id) references webhooks (organization_id, id) on delete cascade
    );
    create index webhook_health_failing on webhook_health (failing_since) where failing_since is not null;

    create table webhook_deliveries (
      id bigint generated always as identity,
      organization_id bigint not null,
      webhook_id bigint not null,
      event_id bigint not null,               -- of a test: a number of no event
      event_type text not null,
      payload jsonb,                          -- of a test; else the data of the event
      status text not null check (status in ('PENDING', 'SUCCEEDED', 'FAILED')),
      attempts integer not null default 0,
      step integer not null default 0,        -- of the schedule; starts again with a retry by hand
      due_at timestamptz,                     -- null when it is settled
      status_code integer,
      error text,
      created_at timestamptz not null,
      settled_at timestamptz,
      primary key (organization_id, id),
      foreign key (organization_id, webhook_id) references webhooks (organization_id, id),
      constraint webhook_deliveries_event_unique unique (organization_id, webhook_id, event_id)
    );
    create index webhook_deliveries_due on webhook_deliveries (due_at) where status = 'PENDING';
    create index webhook_deliveries_webhook on webhook_deliveries (organization_id, webhook_id, id);
    create index webhook_deliveries_status on webhook_deliveries (organization_id, webhook_id, status, id);
    create index webhook_deliveries_type on webhook_deliveries (organization_id, webhook_id, event_type, id);
    create index webhook_deliveries_time on webhook_deliveries (organization_id, webhook_id, created_at);
    create index webhook_deliveries_age on webhook_deliveries (created_at);

    create table webhook_attempts (
      id bigint generated always as identity,
      organization_id bigint not null,
      webhook_id bigint not null,
      delivery_id bigint not null,
      number integer not null,
      started_at timestamptz not null,
      duration_ms integer not null,
      succeeded boolean not null,
      status_code integer,
      error text,
      request_headers jsonb not null,
      response_headers jsonb,
      response_body text,
      primary key (organization_id, started_at, id)
    ) partition by range (started_at);
    create index webhook_attempts_delivery on webhook_attempts (organization_id, delivery_id);
    create index webhook_attempts_webhook on webhook_attempts (organization_id, webhook_id, started_at);
    insert into day_partitioned_tables (name, keep_days) values ('webhook_attempts', 30);
    select create_day_partition('webhook_attempts', (now() at time zone 'UTC')::date + ahead) from generate_series(0, 7) as ahead;

    -- The public id of a job is made from a number.
    alter table agenda_jobs add column number bigint generated always as identity;
    create unique index agenda_jobs_number on agenda_jobs (number);

    -- Up to which event deliveries have been made.
    create table webhook_cursor (
      singleton boolean primary key default true check (singleton),
      position bigint not null
    );
    insert into webhook_cursor (position) select coalesce(max(position), 0) from events;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    alter table agenda_jobs drop column number;
    delete from day_partitioned_tables where name = 'webhook_attempts';
    drop table webhook_cursor, webhook_attempts, webhook_deliveries, webhook_health, webhooks;
  `);
}
