import type { Knex } from '@rentapi/platform/database';

/** When the rows of a deleted organization were deleted for good. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table organizations add column purged_at timestamptz;
    create index organizations_unpurged on organizations (deleted_at) where deleted_at is not null and purged_at is null;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop index organizations_unpurged;
    alter table organizations drop column purged_at;
  `);
}
