import type { Knex } from '@rentapi/platform/database';

/** What staff granted in place of the limits of a plan or a key, in the rows that every call reads. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table organizations add column limit_override jsonb;
    alter table api_keys add column limit_override jsonb;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    alter table api_keys drop column limit_override;
    alter table organizations drop column limit_override;
  `);
}
