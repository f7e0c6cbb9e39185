import type { Knex } from '@rentapi/platform/database';

/** Pictures of users. A new one is a new row, so that its address can be cached for good. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table avatars (
      id bigint generated always as identity primary key,
      user_id bigint not null references users (id),
      storage_key text not null,
      created_at timestamptz not null
    );
    create index avatars_user on avatars (user_id);
    create index avatars_age on avatars (created_at);
    alter table users add avatar_id bigint references avatars (id) on delete set null;
    create index users_avatar on users (avatar_id);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    alter table users drop avatar_id;
    drop table avatars;
  `);
}
