import type { Knex } from '@rentapi/platform/database';

/** What happened to the safety of accounts: their owners read it, and administrators investigate with it. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table security_events (
      id bigint generated always as identity primary key,
      user_id bigint references users (id),   -- null for an address without an account
      kind text not null,
      details jsonb not null,
      ip text,                                -- null, as user_agent, for what others caused
      user_agent text,
      request_id text not null,
      created_at timestamptz not null
    );
    create index security_events_user on security_events (user_id, id);
    create index security_events_age on security_events (created_at);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table security_events');
}
