import type { Knex } from '@rentapi/platform/database';

/** Backup codes, and wrong codes by account, whatever the sign-in they were sent to. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- A code that was used is deleted.
    create table backup_codes (
      id bigint generated always as identity primary key,
      user_id bigint not null references users (id) on delete cascade,
      code_hash bytea not null unique,
      created_at timestamptz not null
    );
    create index backup_codes_user on backup_codes (user_id);

    create table code_attempts (
      user_id bigint primary key references users (id) on delete cascade,
      failures integer not null, -- reserved before the code is compared
      resets_at timestamptz not null
    );
    create index code_attempts_age on code_attempts (resets_at);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table code_attempts; drop table backup_codes');
}
