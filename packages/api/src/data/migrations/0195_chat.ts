import type { Knex } from '@rentapi/platform/database';

/** What members and keys of an organization write to each other. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table chat_messages (
      id bigint generated always as identity,
      organization_id bigint not null references organizations (id),
      user_id bigint references users (id),
      api_key_id bigint,
      text text not null check (length(text) <= 4000),
      version integer not null default 1,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      primary key (organization_id, id),
      foreign key (organization_id, api_key_id) references api_keys (organization_id, id),
      check (num_nonnulls(user_id, api_key_id) = 1)
    );
    create index chat_messages_user on chat_messages (user_id);
    create index chat_messages_key on chat_messages (organization_id, api_key_id);
    create index chat_messages_age on chat_messages (created_at);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table chat_messages');
}
