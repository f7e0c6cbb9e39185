import type { Knex } from '@rentapi/platform/database';

/** Downloads of what is stored about a person, each for a day. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table user_exports (
      id bigint generated always as identity primary key,
      user_id bigint not null references users (id),
      status text not null check (status in ('PENDING', 'RUNNING', 'READY')),
      progress integer not null check (progress between 0 and 100),
      storage_key text not null,
      created_at timestamptz not null,
      expires_at timestamptz not null
    );
    create index user_exports_user on user_exports (user_id, id);
    create index user_exports_age on user_exports (expires_at);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table user_exports');
}
