import type { Knex } from '@rentapi/platform/database';

/** Which notices went out about keys: each once for a key and its expiry, and one report a month and organization. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table api_key_notices (
      organization_id bigint not null,
      api_key_id bigint not null,
      expires_at timestamptz not null,
      days_before smallint not null,
      primary key (organization_id, api_key_id, expires_at, days_before),
      foreign key (organization_id, api_key_id) references api_keys (organization_id, id) on delete cascade
    );
    create index api_key_notices_age on api_key_notices (expires_at);

    create table api_key_reports (
      organization_id bigint not null references organizations (id) on delete cascade,
      month_start timestamptz not null,
      primary key (organization_id, month_start)
    );
    create index api_key_reports_age on api_key_reports (month_start);

    -- The notices of a day read the keys with an expiry, organization by organization.
    create index api_keys_expiring on api_keys (organization_id, expires_at)
    where expires_at is not null and revoked_at is null and enabled;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop index api_keys_expiring; drop table api_key_reports; drop table api_key_notices');
}
