import type { Knex } from '@rentapi/platform/database';

/** Earlier secrets of rotated keys: each works until `expires_at`, and is known as replaced for a while after it. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table api_key_old_secrets (
      id bigint generated always as identity,
      organization_id bigint not null,
      api_key_id bigint not null,
      secret_hash bytea not null,
      expires_at timestamptz not null,
      created_at timestamptz not null,
      primary key (organization_id, id),
      foreign key (organization_id, api_key_id) references api_keys (organization_id, id),
      constraint api_key_old_secrets_secret_hash_unique unique (secret_hash)
    );
    create index api_key_old_secrets_key on api_key_old_secrets (organization_id, api_key_id);
    create index api_key_old_secrets_age on api_key_old_secrets (expires_at);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table api_key_old_secrets');
}
