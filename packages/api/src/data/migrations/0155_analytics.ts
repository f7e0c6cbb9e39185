import type { Knex } from '@rentapi/platform/database';

/** Whole hours of the roll-ups, by one property of the calls at a time: what analytics of many days read. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table usage_hours (
      organization_id bigint not null,
      environment text not null check (environment in ('live', 'test')), -- calls without a key are live
      grouped_by text not null check (grouped_by in ('all', 'key', 'procedure', 'status')),
      hour timestamptz not null,
      name text not null,                     -- the key's id (0 without a key), the procedure, or the status; '' of all
      calls bigint not null,
      client_errors bigint not null,
      server_errors bigint not null,
      bytes_in bigint not null,
      bytes_out bigint not null,
      cost bigint not null,
      latency bytea not null,                 -- for each bin of the roll-ups, its number and count in 2 and 4 bytes
      primary key (organization_id, environment, grouped_by, hour, name)
    );
    create index usage_hours_hour on usage_hours (hour);

    -- Hours whose roll-ups have changed since they were summed up.
    create table usage_stale_hours (
      hour timestamptz primary key
    );

    create function mark_stale_hours() returns trigger language plpgsql as $$
    begin
      insert into usage_stale_hours (hour) select distinct date_trunc('hour', slot, 'UTC') from changed order by 1
        on conflict do nothing;
      return null;
    end $$;
    create trigger usage_rollups_inserted after insert on usage_rollups referencing new table as changed
      for each statement execute function mark_stale_hours();
    create trigger usage_rollups_updated after update on usage_rollups referencing new table as changed
      for each statement execute function mark_stale_hours();
    create trigger usage_rollups_deleted after delete on usage_rollups referencing old table as changed
      for each statement execute function mark_stale_hours();
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop trigger usage_rollups_deleted on usage_rollups;
    drop trigger usage_rollups_updated on usage_rollups;
    drop trigger usage_rollups_inserted on usage_rollups;
    drop function mark_stale_hours;
    drop table usage_stale_hours, usage_hours;
  `);
}
