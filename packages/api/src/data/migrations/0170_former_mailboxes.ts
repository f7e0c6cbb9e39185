import type { Knex } from '@rentapi/platform/database';

/** Whose mailbox was invited, where that user has another address since. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table organization_invitations add column former_user_id bigint references users (id);
    create index organization_invitations_former_user on organization_invitations (former_user_id);
    create index organization_invitations_mailbox on organization_invitations (email_key);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop index organization_invitations_mailbox;
    alter table organization_invitations drop column former_user_id;
  `);
}
