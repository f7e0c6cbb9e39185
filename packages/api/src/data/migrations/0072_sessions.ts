import type { Knex } from '@rentapi/platform/database';

/** Live sessions are listed and counted for each person, and show when they were used last. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create index sessions_live on sessions (user_id, id) where revoked_at is null;

    -- A table of its own: a change to a session invalidates what processes remember of its user.
    create table session_uses (
      session_id bigint primary key references sessions (id) on delete cascade,
      last_seen_at timestamptz not null
    );
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table session_uses; drop index sessions_live');
}
