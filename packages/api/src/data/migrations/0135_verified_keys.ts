import type { Knex } from '@rentapi/platform/database';

/**
 * What keys carry for the organization's own API. The credits that are left change with every call, so they have a
 * table of their own: a change to a key invalidates what processes remember of it.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table api_keys
      add column external_id text,
      add column permissions text[] not null default '{}',
      add column credits jsonb,
      add column rate_limits jsonb not null default '{}';
    create index api_keys_external_id on api_keys (organization_id, external_id, id) where external_id is not null;

    -- \`generation\` is the version of the key since which its credits are counted: leases of earlier ones are void.
    create table api_key_credits (
      organization_id bigint not null,
      api_key_id bigint not null,
      generation integer not null,
      remaining bigint not null check (remaining >= 0),
      refills_at timestamptz,
      primary key (organization_id, api_key_id),
      foreign key (organization_id, api_key_id) references api_keys (organization_id, id) on delete cascade
    );
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table api_key_credits;
    alter table api_keys drop column external_id, drop column permissions, drop column credits, drop column rate_limits;
  `);
}
