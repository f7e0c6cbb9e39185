import type { Knex } from '@rentapi/platform/database';

/** The few refresh tokens with a readable child, by age, for the job that erases these children each minute. */
export async function up(db: Knex): Promise<void> {
  await db.raw('create index refresh_tokens_sealed on refresh_tokens (used_at) where child_sealed is not null');
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop index refresh_tokens_sealed');
}
