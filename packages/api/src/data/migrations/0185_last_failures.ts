import type { Knex } from '@rentapi/platform/database';

/** When an attempt of a webhook has failed last: days without an attempt are no days of failures. */
export async function up(db: Knex): Promise<void> {
  await db.raw('alter table webhook_health add column last_failed_at timestamptz');
}

export async function down(db: Knex): Promise<void> {
  await db.raw('alter table webhook_health drop column last_failed_at');
}
