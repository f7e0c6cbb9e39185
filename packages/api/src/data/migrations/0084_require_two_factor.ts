import type { Knex } from '@rentapi/platform/database';

/** An organization can ask its members for a second factor. */
export async function up(db: Knex): Promise<void> {
  await db.raw('alter table organizations add column require_two_factor boolean not null default false');
}

export async function down(db: Knex): Promise<void> {
  await db.raw('alter table organizations drop column require_two_factor');
}
