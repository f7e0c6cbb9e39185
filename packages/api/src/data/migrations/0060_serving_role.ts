import type { Knex } from '@rentapi/platform/database';

/**
 * What the role that serves may do only through functions of the role that migrates: number and link audit rows, erase
 * their personal part, make and drop partitions. Which tables it reads and writes is granted after each migration.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Gives committed audit rows their position and their link: a hash over the previous link of the organization's chain and
    -- the row's own content, with a salted digest in place of the personal part. Returns how many there were.
    create function sequence_audit_logs(batch_size integer) returns bigint strict language sql security definer as $$
      with batch as (select id from audit_logs where position is null order by id limit least(batch_size, 10000)),
      placed as (
        select batch.id, coalesce(entry.organization_id, 0) as chain, audit_personal_digest(entry) as personal,
               coalesce((select max(position) from audit_logs), 0) + row_number() over (order by batch.id) as position
        from batch join audit_logs entry on entry.id = batch.id
      ),
      linked as (
        select placed.*, audit_chain(coalesce(chains.hash, ''), audit_digest(entry, placed.position, personal))
                 over (partition by chain order by placed.position) as link
        from placed
        join audit_logs entry on entry.id = placed.id
        left join audit_chains chains on chains.organization_id = placed.chain
      ),
      sequenced as (
        update audit_logs entry set position = linked.position, personal_digest = personal, chain_hash = link
        from linked where entry.id = linked.id
        returning entry.id
      ),
      ends as (
        insert into audit_chains (organization_id, position, hash)
        select distinct on (chain) chain, position, link from linked order by chain, position desc
        on conflict (organization_id) do update set position = excluded.position, hash = excluded.hash
        returning organization_id
      )
      select count(*) from sequenced
    $$;

    -- Erases the personal part of sequenced entries as a whole, which breaks no link. Returns how many there were.
    create function erase_audit_personal(entry_ids bigint[]) returns bigint strict language sql security definer as $$
      with erased as (
        update audit_logs set ip = null, user_agent = null, before = null, after = null, personal_salt = null
        where id = any (entry_ids) and position is not null and personal_salt is not null
        returning id
      )
      select count(*) from erased
    $$;

    -- A migration that makes a table partitioned by range of days (UTC) lists it here.
    create table day_partitioned_tables (
      name text primary key,
      keep_days integer not null check (keep_days between 1 and 3660) -- younger partitions cannot be dropped
    );

    create function create_day_partition(table_name text, day date) returns void strict language plpgsql security definer
      set timezone = 'UTC' as $$
    declare
      keep constant integer := (select keep_days from day_partitioned_tables where name = table_name);
    begin
      if keep is null then
        raise exception '% is not partitioned by day', table_name;
      end if;
      if day < current_date - keep or day > current_date + 31 then
        raise exception 'partitions are made for the days that are kept and for 31 days ahead, not for %', day;
      end if;
      execute format('create table if not exists %I partition of %I for values from (%L) to (%L)',
        table_name || to_char(day, '"_"YYYYMMDD'), table_name, day::timestamptz, (day + 1)::timestamptz);
    end $$;

    create function drop_day_partition(table_name text, day date) returns void strict language plpgsql security definer
      set timezone = 'UTC' as $$
    declare
      keep constant integer := (select keep_days from day_partitioned_tables where name = table_name);
    begin
      if keep is null then
        raise exception '% is not partitioned by day', table_name;
      end if;
      if day >= current_date - keep then
        raise exception 'partitions of % are kept for % days', table_name, keep;
      end if;
      execute format('drop table if exists %I', table_name || to_char(day, '"_"YYYYMMDD'));
    end $$;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop function drop_day_partition, create_day_partition;
    drop table day_partitioned_tables;
    drop function erase_audit_personal, sequence_audit_logs;
  `);
}
