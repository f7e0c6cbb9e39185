import type { Knex } from '@rentapi/platform/database';

/** Every call of the API, one row each, and what is counted of them for each quarter of an hour. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Written in batches, read by roll-ups. A batch that is written again, because its answer was lost, hits the key.
    create table usage_calls (
      organization_id bigint not null,        -- 0 for a call without an organization
      occurred_at timestamptz not null,
      call_id bigint not null,
      key_id bigint,
      user_id bigint,
      procedure text not null,
      transport text not null check (transport in ('rest', 'trpc', 'ws', 'verify')),
      environment text check (environment in ('live', 'test')), -- of the key
      status smallint not null,
      latency_us integer not null,
      bytes_in integer not null,
      bytes_out integer not null,
      ip inet,
      user_agent text,
      cost integer not null,
      request_id text not null,
      primary key (organization_id, occurred_at, call_id)
    ) partition by range (occurred_at);
    create index usage_calls_time on usage_calls using brin (occurred_at);
    create index usage_calls_user on usage_calls (user_id) where user_id is not null;
    insert into day_partitioned_tables values ('usage_calls', 2);
    select create_day_partition('usage_calls', (now() at time zone 'UTC')::date + ahead) from generate_series(0, 7) as ahead;

    -- A row for each batch and each slot that it has calls in, until that slot is rolled up again.
    create table usage_pending_slots (
      slot timestamptz not null,
      batch_id bigint not null,
      primary key (slot, batch_id)
    );

    -- A slot is a quarter of an hour: days of every time zone begin with one.
    create table usage_rollups (
      organization_id bigint not null,
      slot timestamptz not null,
      key_id bigint not null default 0,       -- 0 for calls without a key
      procedure text not null,
      status smallint not null,
      environment text not null check (environment in ('live', 'test', 'none')),
      calls bigint not null,
      errors bigint not null,                 -- calls with a status of 400 and above
      bytes_in bigint not null,
      bytes_out bigint not null,
      cost bigint not null,
      latency_bins smallint[] not null,       -- bin b has the calls that took up to (1.01 / 0.99) ^ b microseconds
      latency_counts integer[] not null,       -- how many calls are in each of them
      primary key (organization_id, slot, key_id, procedure, status, environment)
    );
    create index usage_rollups_slot on usage_rollups (slot);
    create index usage_rollups_key on usage_rollups (organization_id, key_id, slot) where key_id <> 0;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    delete from day_partitioned_tables where name = 'usage_calls';
    drop table usage_rollups, usage_pending_slots, usage_calls;
  `);
}
