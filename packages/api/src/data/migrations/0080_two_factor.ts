import type { Knex } from '@rentapi/platform/database';

/** The second factor: what proves it, sign-ins that wait for it, and devices that need not show it again. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Null without a second factor, so that a login need not look for one.
    alter table users add column two_factor_enabled_at timestamptz;

    create table sign_in_challenges (
      id bigint generated always as identity primary key,
      user_id bigint not null references users (id) on delete cascade,
      token_hash bytea not null unique,
      cookie boolean not null,             -- how the tokens are to be delivered
      attempts integer not null default 0, -- reserved before the code is compared
      created_at timestamptz not null,
      expires_at timestamptz not null
    );
    create index sign_in_challenges_user on sign_in_challenges (user_id);
    create index sign_in_challenges_age on sign_in_challenges (expires_at);

    create table totp_factors (
      id bigint generated always as identity primary key,
      user_id bigint not null references users (id) on delete cascade,
      secret_sealed bytea not null,
      last_step bigint not null default 0, -- of the last code that was used: no code works twice
      confirmed_at timestamptz,            -- null until a first code was right
      created_at timestamptz not null,
      constraint totp_factors_user_unique unique (user_id)
    );

    -- The trust belongs to the session that it last opened, and ends when that is revoked; a logout leaves it.
    create table trusted_devices (
      id bigint generated always as identity primary key,
      user_id bigint not null references users (id) on delete cascade,
      session_id bigint references sessions (id) on delete set null,
      token_hash bytea not null unique,
      created_at timestamptz not null,
      expires_at timestamptz not null
    );
    create index trusted_devices_user on trusted_devices (user_id);
    create index trusted_devices_session on trusted_devices (session_id) where session_id is not null;
    create index trusted_devices_age on trusted_devices (expires_at);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table trusted_devices;
    drop table totp_factors;
    drop table sign_in_challenges;
    alter table users drop column two_factor_enabled_at;
  `);
}
