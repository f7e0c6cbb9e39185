import type { Knex } from '@rentapi/platform/database';

/**
 * An index by age of the refresh tokens whose child can still be read, for the job that erases those children each
 * minute.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw('create index refresh_tokens_sealed on refresh_tokens (used_at) where child_sealed is not null');
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop index refresh_tokens_sealed');
}
