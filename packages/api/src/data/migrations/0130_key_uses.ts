import type { Knex } from '@rentapi/platform/database';

/**
 * When and from where each key was used last. A table of its own: a change to a key invalidates what processes remember
 * of it.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table api_key_uses (
      organization_id bigint not null,
      api_key_id bigint not null,
      last_used_at timestamptz not null,
      last_used_ip text not null,
      primary key (organization_id, api_key_id),
      foreign key (organization_id, api_key_id) references api_keys (organization_id, id) on delete cascade
    );
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table api_key_uses');
}
