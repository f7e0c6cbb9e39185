import type { Knex } from '@rentapi/platform/database';

/** The mail about a lockout has a link that ends it. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table verification_tokens drop constraint verification_tokens_purpose_check;
    alter table verification_tokens add constraint verification_tokens_purpose_check
      check (purpose in ('email', 'password_reset', 'unlock'));
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    delete from verification_tokens where purpose = 'unlock';
    alter table verification_tokens drop constraint verification_tokens_purpose_check;
    alter table verification_tokens add constraint verification_tokens_purpose_check
      check (purpose in ('email', 'password_reset'));
  `);
}
