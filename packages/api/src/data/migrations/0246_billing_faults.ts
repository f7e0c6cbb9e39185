import type { Knex } from '@rentapi/platform/database';

/** What does not add up in the books, and how far the job that looks for it has come. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table billing_faults (
      kind text not null,
      organization_id bigint,                 -- null where it is of no single organization
      count bigint not null check (count > 0),
      found_at timestamptz not null,
      seen_at timestamptz not null,
      constraint billing_faults_unique unique nulls not distinct (organization_id, kind)
    );

    create table billing_checks (
      singleton boolean primary key default true check (singleton),
      after bigint not null default 0,        -- of this round, the last organization that was checked
      began_at timestamptz,                   -- this round; null between two
      checked_at timestamptz                  -- when the last round that was completed had begun
    );
    insert into billing_checks default values;

    -- An object whose reading fails again and again lets the others pass.
    alter table provider_objects add asked_at timestamptz;
    create index provider_objects_forgotten on provider_objects (greatest(dirty_at, asked_at)) where synced_seq < dirty_seq;
    drop index provider_objects_dirty;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    create index provider_objects_dirty on provider_objects (dirty_at) where synced_seq < dirty_seq;
    drop index provider_objects_forgotten;
    alter table provider_objects drop asked_at;
    drop table billing_checks, billing_faults;
  `);
}
