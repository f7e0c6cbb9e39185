import type { Knex } from '@rentapi/platform/database';

/** What a key of environment `test` sends is counted apart from what is billed. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table usage_events add column environment text not null default 'live' check (environment in ('live', 'test'))
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('alter table usage_events drop column environment');
}
