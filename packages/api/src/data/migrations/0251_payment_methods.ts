import type { Knex } from '@rentapi/platform/database';

/** Whom the providers of payments know an organization as, and what it pays with. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table payment_customers (
      organization_id bigint not null references organizations (id),
      id bigint generated always as identity,
      provider text not null,
      attempt integer not null default 1,     -- part of the key: one more after the provider's was deleted
      external_id text,                       -- null until the provider has answered
      created_at timestamptz not null,
      primary key (organization_id, id),
      constraint payment_customers_provider_unique unique (organization_id, provider),
      constraint payment_customers_external_unique unique (provider, external_id)
    );

    create table payment_methods (
      organization_id bigint not null references organizations (id),
      id bigint generated always as identity,
      provider text not null,
      -- SEEN: at the provider, while it is not known yet whether a setup under way has saved it.
      status text not null check (status in ('PENDING', 'SEEN', 'ACTIVE', 'REMOVED')),
      is_default boolean not null default false,
      setup_id text,                          -- the provider's
      action_url text,                        -- where the payer goes while it is PENDING
      external_id text,
      customer_id text,                       -- the provider's
      kind text,
      brand text,
      last4 text,
      expires_at timestamptz,
      fingerprint text,
      looks integer not null default 0,       -- at the provider, since the last change
      looked_at timestamptz,
      due_at timestamptz,                     -- when there is something to do at the provider
      noticed_expires_at timestamptz,         -- the expiry that was announced
      created_at timestamptz not null,
      primary key (organization_id, id),
      constraint payment_methods_external_unique unique (provider, external_id),
      constraint payment_methods_setup_unique unique (provider, setup_id),
      check (not is_default or status = 'ACTIVE'),
      check ((external_id is null) = (status = 'PENDING'))
    );
    create unique index payment_methods_default on payment_methods (organization_id) where is_default;
    create index payment_methods_due on payment_methods (due_at) where due_at is not null;
    create index payment_methods_expiring on payment_methods (expires_at) where status = 'ACTIVE';
    create index payment_methods_id on payment_methods (id);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table payment_methods, payment_customers');
}
