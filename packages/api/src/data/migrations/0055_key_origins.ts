import type { Knex } from '@rentapi/platform/database';

/**
 * The few keys with web origins, by origin: each handshake of a socket from a page of an unknown origin asks for them.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create index api_keys_allowed_origins on api_keys using gin (allowed_origins)
    where revoked_at is null and allowed_origins <> '{}'
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop index api_keys_allowed_origins');
}
