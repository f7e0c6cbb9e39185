import type { Knex } from '@rentapi/platform/database';

/** Lists of people, changes of address, and deleted accounts until they are erased. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create index users_status on users (status, id);
    create index users_role on users (role, id);
    -- For a search by how a text begins, in any locale.
    create index users_email_begins on users (email_key text_pattern_ops);
    create index users_username_begins on users (username_key text_pattern_ops);
    create index users_name_begins on users (lower(full_name) text_pattern_ops);

    -- Accounts that were deleted and can still be restored. memberships: what they had, to be given back.
    create table user_deletions (
      id bigint generated always as identity primary key,
      user_id bigint not null constraint user_deletions_user_unique unique references users (id),
      memberships jsonb not null,
      deleted_at timestamptz not null,
      erase_at timestamptz not null
    );
    create index user_deletions_due on user_deletions (erase_at);

    -- A new address takes effect when the link mailed to it is opened; then the old one gets a link that takes it back.
    create table email_changes (
      id bigint generated always as identity primary key,
      user_id bigint not null references users (id),
      old_email text not null,
      new_email text not null,
      confirm_token_hash bytea unique,   -- null once confirmed
      undo_token_hash bytea unique,      -- null until the mail with the link is sent
      confirmed_at timestamptz,
      created_at timestamptz not null,
      expires_at timestamptz not null
    );
    create index email_changes_user on email_changes (user_id, id);
    create index email_changes_age on email_changes (expires_at);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table email_changes, user_deletions;
    drop index users_status, users_role, users_email_begins, users_username_begins, users_name_begins;
  `);
}
