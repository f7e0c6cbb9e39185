import type { Knex } from '@rentapi/platform/database';

/** Failed attempts to sign in, by address; and from where each account signed in. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Keyed hashes, so that the table shows no addresses: guesses also name addresses without an account.
    create table sign_in_attempts (
      address bytea not null,
      source bytea not null,          -- a network that the account signed in from lately, or empty for all others
      failures integer not null,      -- reserved before the password is compared
      resets_at timestamptz not null,
      primary key (address, source)
    );
    create index sign_in_attempts_age on sign_in_attempts (resets_at);

    create table sign_in_sources (
      user_id bigint not null references users (id),
      network text not null,          -- an IPv4 address or an IPv6 /64
      device text not null,           -- such as: Firefox on Windows
      used_at timestamptz not null,
      primary key (user_id, network, device)
    );
    create index sign_in_sources_age on sign_in_sources (used_at);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table sign_in_sources; drop table sign_in_attempts');
}
