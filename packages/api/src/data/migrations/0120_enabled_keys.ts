import type { Knex } from '@rentapi/platform/database';

/** A key can be switched off for a while, without revoking it. */
export async function up(db: Knex): Promise<void> {
  await db.raw('alter table api_keys add column enabled boolean not null default true');
}

export async function down(db: Knex): Promise<void> {
  await db.raw('alter table api_keys drop column enabled');
}
