import type { Knex } from '@rentapi/platform/database';

/** Payments that were begun without their payer, who is mailed where a bank wants them to confirm. */
export async function up(db: Knex): Promise<void> {
  await db.raw('alter table payments add column off_session boolean not null default false');
}

export async function down(db: Knex): Promise<void> {
  await db.raw('alter table payments drop column off_session');
}
