import type { Knex } from '@rentapi/platform/database';

/**
 * What staff granted an organization, or one of its keys, in place of the limits of its plan. A row is never changed
 * but for `ended_at`, when another takes its place. The present one is also in the row that every call reads.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table limit_overrides (
      id bigint generated always as identity,
      organization_id bigint not null references organizations (id),
      api_key_id bigint,              -- null: of the organization
      per_hour integer check (per_hour > 0),
      per_day integer check (per_day > 0),
      sockets integer check (sockets > 0),
      subscriptions integer check (subscriptions > 0),
      reason text not null,
      until timestamptz not null,
      created_by bigint not null references users (id),
      created_at timestamptz not null,
      ended_at timestamptz,
      primary key (organization_id, id),
      foreign key (organization_id, api_key_id) references api_keys (organization_id, id)
    );
    create unique index limit_overrides_present on limit_overrides (organization_id, coalesce(api_key_id, 0))
      where ended_at is null;
    create index limit_overrides_key on limit_overrides (organization_id, api_key_id);
    create index limit_overrides_author on limit_overrides (created_by);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table limit_overrides');
}
