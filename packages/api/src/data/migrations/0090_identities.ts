import type { Knex } from '@rentapi/platform/database';

/** Logins at other providers, and the codes with which a page gets the tokens of one. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Found by issuer and subject only: an address can get another owner.
    create table user_identities (
      id bigint generated always as identity primary key,
      user_id bigint not null references users (id) on delete cascade,
      provider text not null,
      issuer text not null,
      subject text not null,
      email text,                        -- as the provider said last
      created_at timestamptz not null,
      last_used_at timestamptz,
      constraint user_identities_subject_unique unique (issuer, subject),
      constraint user_identities_provider_unique unique (user_id, provider)
    );

    create table oauth_codes (
      id bigint generated always as identity primary key,
      code_hash bytea not null unique,
      code_challenge text not null,
      user_id bigint not null references users (id) on delete cascade,
      authenticated_at timestamptz,      -- null where the provider did not say when
      session_id bigint references sessions (id) on delete set null, -- of the first use; a second one ends it
      used_at timestamptz,
      replayed_at timestamptz,           -- a second use, perhaps before the first had opened its session
      created_at timestamptz not null,
      expires_at timestamptz not null
    );
    create index oauth_codes_user on oauth_codes (user_id);
    create index oauth_codes_session on oauth_codes (session_id) where session_id is not null;
    create index oauth_codes_age on oauth_codes (expires_at);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table oauth_codes, user_identities');
}
