import type { Knex } from '@rentapi/platform/database';

/** Who is billed for an organization, as invoices say it. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table billing_accounts (
      id bigint generated always as identity,
      organization_id bigint not null references organizations (id),
      name text,
      email text,
      address jsonb,
      tax_id text,
      currency text,                          -- decided by the first payment or invoice
      version integer not null default 1,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      primary key (organization_id, id),
      constraint billing_accounts_organization_unique unique (organization_id)
    );
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table billing_accounts');
}
