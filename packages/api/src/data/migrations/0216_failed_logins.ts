import type { Knex } from '@rentapi/platform/database';

/**
 * A check of the key would lock and write the row of the account at each wrong password: guessers would slow its owner
 * down, and an address without an account would be answered sooner. Accounts are erased, and their rows stay.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw('alter table security_events drop constraint security_events_user_id_fkey');
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    alter table security_events add constraint security_events_user_id_fkey foreign key (user_id) references users (id)
  `);
}
