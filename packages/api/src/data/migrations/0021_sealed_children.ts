import type { Knex } from '@rentapi/platform/database';

/** The few refresh tokens whose child can still be read with them, by age: whoever erases them each minute finds them at once. */
export async function up(db: Knex): Promise<void> {
  await db.raw('create index refresh_tokens_sealed on refresh_tokens (used_at) where child_sealed is not null');
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop index refresh_tokens_sealed');
}
