import type { Knex } from '@rentapi/platform/database';

/** Removals of a second factor that an administrator asked for, until they take effect or the owner objects. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table two_factor_resets (
      id bigint generated always as identity primary key,
      user_id bigint not null references users (id) on delete cascade,
      token_hash bytea not null,          -- of the link with which the owner objects
      effective_at timestamptz not null,
      created_at timestamptz not null,
      constraint two_factor_resets_user_unique unique (user_id),
      constraint two_factor_resets_token_unique unique (token_hash)
    );
    create index two_factor_resets_due on two_factor_resets (effective_at);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table two_factor_resets');
}
