import type { Knex } from '@rentapi/platform/database';

/** Passkeys (WebAuthn), and the challenges that they sign. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table passkeys (
      id bigint generated always as identity primary key,
      user_id bigint not null references users (id) on delete cascade,
      credential_id bytea not null,
      public_key bytea not null,
      counter bigint not null,           -- 0 forever where the authenticator does not count
      transports text[] not null,
      name text not null,
      created_at timestamptz not null,
      last_used_at timestamptz,
      constraint passkeys_credential_unique unique (credential_id)
    );
    create index passkeys_user on passkeys (user_id, id);

    create table passkey_challenges (
      id bigint generated always as identity primary key,
      user_id bigint references users (id) on delete cascade,   -- whose passkey is registered; null for a sign-in
      sign_in_challenge_id bigint references sign_in_challenges (id) on delete cascade,  -- as second factor
      token_hash bytea not null unique,
      challenge text not null,
      created_at timestamptz not null,
      expires_at timestamptz not null
    );
    create index passkey_challenges_user on passkey_challenges (user_id) where user_id is not null;
    create index passkey_challenges_sign_in on passkey_challenges (sign_in_challenge_id)
      where sign_in_challenge_id is not null;
    create index passkey_challenges_age on passkey_challenges (expires_at);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table passkey_challenges; drop table passkeys');
}
