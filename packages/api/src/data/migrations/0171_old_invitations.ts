import type { Knex } from '@rentapi/platform/database';

/** To find the invitations that are over for long. */
export async function up(db: Knex): Promise<void> {
  await db.raw('create index organization_invitations_age on organization_invitations (expires_at)');
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop index organization_invitations_age');
}
