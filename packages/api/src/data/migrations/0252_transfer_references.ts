import type { Knex } from '@rentapi/platform/database';

/** What a bank calls a transfer counts once: one transfer on the account never pays for two. */
export async function up(db: Knex): Promise<void> {
  await db.raw('alter table transfers add constraint transfers_bank_reference_unique unique (kind, bank_reference)');
}

export async function down(db: Knex): Promise<void> {
  await db.raw('alter table transfers drop constraint transfers_bank_reference_unique');
}
