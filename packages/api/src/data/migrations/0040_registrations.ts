import type { Knex } from '@rentapi/platform/database';

/**
 * A registration claims nothing until a mailed link proves the address. Mails are counted by the mailbox that receives
 * them, not by the client that requests them.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- When the address was registered once more before it was verified: the password may be a stranger's.
    alter table users add column registered_again_at timestamptz;
    -- A username is claimed by a verified account alone; the key is what makes it unique.
    update users set username_key = null where email_verified_at is null;

    alter table verification_tokens drop constraint verification_tokens_purpose_check;
    alter table verification_tokens add constraint verification_tokens_purpose_check
      check (purpose in ('email', 'password_reset'));
    -- What the registration behind a link asked for, where that is not what the account has: { username, fullName }.
    alter table verification_tokens add column registration jsonb;

    -- Mails of the last hour, by a keyed hash of their mailbox. One event causes one mail, however often its job runs.
    create table mailbox_mails (
      mailbox bytea not null,
      event_id bigint not null,
      sent_at timestamptz not null,
      primary key (mailbox, event_id)
    );
    create index mailbox_mails_age on mailbox_mails (sent_at);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table mailbox_mails;
    delete from verification_tokens where purpose <> 'email';
    alter table verification_tokens drop column registration;
    alter table verification_tokens drop constraint verification_tokens_purpose_check;
    alter table verification_tokens add constraint verification_tokens_purpose_check check (purpose in ('email'));
    alter table users drop column registered_again_at;
  `);
}
