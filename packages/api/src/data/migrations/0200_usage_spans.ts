import type { Knex } from '@rentapi/platform/database';

/** Sums of six hours and of days, so that a month is read from few rows; and marks that no concurrent change loses. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table usage_spans (
      organization_id bigint not null,
      environment text not null check (environment in ('live', 'test')), -- calls without a key are live
      grouped_by text not null check (grouped_by in ('all', 'key', 'procedure', 'status')),
      hours smallint not null check (hours in (6, 24)),
      start timestamptz not null,             -- whole spans of UTC
      name text not null,                     -- as in usage_hours
      calls bigint not null,
      client_errors bigint not null,
      server_errors bigint not null,
      bytes_in bigint not null,
      bytes_out bigint not null,
      cost bigint not null,
      latency bytea not null,                 -- as in usage_hours
      primary key (organization_id, environment, grouped_by, hours, start, name)
    );
    create index usage_spans_start on usage_spans (start, hours);

    -- Spans whose hours have changed since they were summed up.
    create table usage_stale_spans (
      hours smallint not null,
      start timestamptz not null,
      primary key (hours, start)
    );
    insert into usage_stale_spans (hours, start)
    select distinct span, date_bin(span * interval '1 hour', hour, timestamptz '1970-01-01 00:00Z')
    from usage_hours, unnest(array[6, 24]) as span;

    -- A mark that is there already is locked, so that its hour is not summed up without this change.
    create or replace function mark_stale_hours() returns trigger language plpgsql as $$
    begin
      insert into usage_stale_hours (hour) select distinct date_trunc('hour', slot, 'UTC') from changed order by 1
        on conflict (hour) do update set hour = excluded.hour;
      return null;
    end $$;
    create function mark_stale_spans() returns trigger language plpgsql as $$
    begin
      insert into usage_stale_spans (hours, start)
        select distinct span, date_bin(span * interval '1 hour', hour, timestamptz '1970-01-01 00:00Z')
        from changed, unnest(array[6, 24]) as span order by 1, 2
        on conflict (hours, start) do update set hours = excluded.hours;
      return null;
    end $$;
    create trigger usage_hours_inserted after insert on usage_hours referencing new table as changed
      for each statement execute function mark_stale_spans();
    create trigger usage_hours_updated after update on usage_hours referencing new table as changed
      for each statement execute function mark_stale_spans();
    create trigger usage_hours_deleted after delete on usage_hours referencing old table as changed
      for each statement execute function mark_stale_spans();
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop trigger usage_hours_deleted on usage_hours;
    drop trigger usage_hours_updated on usage_hours;
    drop trigger usage_hours_inserted on usage_hours;
    drop function mark_stale_spans;
    drop table usage_stale_spans, usage_spans;
    create or replace function mark_stale_hours() returns trigger language plpgsql as $$
    begin
      insert into usage_stale_hours (hour) select distinct date_trunc('hour', slot, 'UTC') from changed order by 1
        on conflict do nothing;
      return null;
    end $$;
  `);
}
