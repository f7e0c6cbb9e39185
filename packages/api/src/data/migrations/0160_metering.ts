import type { Knex } from '@rentapi/platform/database';

/** What organizations meter of their own customers: events, by meters that they define. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table meters (
      id bigint generated always as identity,
      organization_id bigint not null references organizations (id),
      slug text not null,
      name text not null,
      aggregation text not null check (aggregation in ('count', 'sum', 'max', 'unique', 'latest')),
      property text,                          -- of the events: what is aggregated
      archived_at timestamptz,                -- takes no more events; its values can be read
      created_at timestamptz not null,
      primary key (organization_id, id),
      constraint meters_slug_unique unique (organization_id, slug)
    );

    -- Each transaction id once, over all days. A day's partition of the events could not know those of other days.
    create table usage_transactions (
      organization_id bigint not null,
      transaction_id text collate "C" not null,
      content_hash bytea not null,            -- of the event as it was sent
      received_at timestamptz not null,
      primary key (organization_id, transaction_id)
    );
    create index usage_transactions_age on usage_transactions (received_at);

    -- The only index serves every question: a meter's events in the order of time. No foreign keys, which are checked row
    -- by row: the statement that writes a batch checks its meters and keys, and neither are ever deleted.
    create table usage_events (
      id bigint generated always as identity, -- the order of arrival
      organization_id bigint not null,
      meter_id bigint not null,
      occurred_at timestamptz not null,
      transaction_id text not null,
      value numeric(31, 18),                  -- of sum, max and latest
      distinct_value text,                    -- of unique
      external_id text,
      api_key_id bigint,
      primary key (organization_id, meter_id, occurred_at, id)
    ) partition by range (occurred_at);
    insert into day_partitioned_tables values ('usage_events', 400);
    select create_day_partition('usage_events', (now() at time zone 'UTC')::date + ahead) from generate_series(-1, 7) as ahead;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    delete from day_partitioned_tables where name = 'usage_events';
    drop table usage_events, usage_transactions, meters;
  `);
}
