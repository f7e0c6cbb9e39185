import type { Knex } from '@rentapi/platform/database';

const COLUMNS = `id, organization_id, webhook_id, event_id, event_type, payload, status, attempts, step, due_at,
                 status_code, error, created_at, settled_at`;

/**
 * A delivery is inserted, claimed and settled within milliseconds: while it waits it is in a partition of its own with
 * two indexes, and those of the lists are written once, when it is settled.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    drop index webhook_deliveries_pending;
    alter table webhook_deliveries rename to webhook_deliveries_before;
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
      settled_at timestamptz
    ) partition by list (status);
    create table webhook_deliveries_pending partition of webhook_deliveries for values in ('PENDING');
    create table webhook_deliveries_settled partition of webhook_deliveries default;
    insert into webhook_deliveries (${COLUMNS}) overriding system value select ${COLUMNS} from webhook_deliveries_before;
    select setval(pg_get_serial_sequence('webhook_deliveries', 'id'), greatest(1, max(id))) from webhook_deliveries;
    drop table webhook_deliveries_before;

    alter table webhook_deliveries add primary key (organization_id, webhook_id, id, status);
    create index webhook_deliveries_due on webhook_deliveries_pending (organization_id, webhook_id, due_at, id);
    create index webhook_deliveries_status on webhook_deliveries_settled (organization_id, webhook_id, status, id);
    create index webhook_deliveries_type on webhook_deliveries_settled (organization_id, webhook_id, event_type, id);
    create index webhook_deliveries_time on webhook_deliveries_settled (organization_id, webhook_id, created_at);
    create index webhook_deliveries_age on webhook_deliveries_settled (created_at);
    analyze webhook_deliveries;

    -- Attempts are read by delivery alone.
    alter table webhook_attempts drop constraint webhook_attempts_pkey;
    drop index webhook_attempts_delivery, webhook_attempts_webhook;
    alter table webhook_attempts add primary key (organization_id, delivery_id, started_at, id);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    alter table webhook_attempts drop constraint webhook_attempts_pkey;
    alter table webhook_attempts add primary key (organization_id, started_at, id);
    create index webhook_attempts_delivery on webhook_attempts (organization_id, delivery_id);
    create index webhook_attempts_webhook on webhook_attempts (organization_id, webhook_id, started_at);

    alter table webhook_deliveries rename to webhook_deliveries_before;
    create table webhook_deliveries (
      id bigint generated always as identity,
      organization_id bigint not null,
      webhook_id bigint not null,
      event_id bigint not null,
      event_type text not null,
      payload jsonb,
      status text not null check (status in ('PENDING', 'SUCCEEDED', 'FAILED')),
      attempts integer not null default 0,
      step integer not null default 0,
      due_at timestamptz,
      status_code integer,
      error text,
      created_at timestamptz not null,
      settled_at timestamptz,
      foreign key (organization_id, webhook_id) references webhooks (organization_id, id)
    );
    insert into webhook_deliveries (${COLUMNS}) overriding system value select ${COLUMNS} from webhook_deliveries_before;
    select setval(pg_get_serial_sequence('webhook_deliveries', 'id'), greatest(1, max(id))) from webhook_deliveries;
    drop table webhook_deliveries_before;
    alter table webhook_deliveries add primary key (organization_id, id);
    alter table webhook_deliveries
      add constraint webhook_deliveries_event_unique unique (organization_id, webhook_id, event_id);
    create index webhook_deliveries_pending on webhook_deliveries (organization_id, webhook_id, due_at, id)
      where status = 'PENDING';
    create index webhook_deliveries_webhook on webhook_deliveries (organization_id, webhook_id, id);
    create index webhook_deliveries_status on webhook_deliveries (organization_id, webhook_id, status, id);
    create index webhook_deliveries_type on webhook_deliveries (organization_id, webhook_id, event_type, id);
    create index webhook_deliveries_time on webhook_deliveries (organization_id, webhook_id, created_at);
    create index webhook_deliveries_age on webhook_deliveries (created_at);
  `);
}
