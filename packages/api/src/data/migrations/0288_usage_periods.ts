import type { Knex } from '@rentapi/platform/database';

/** What is to be billed of the usage of subscriptions: a row for each month of UTC, swept by its `due_at`. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- By which price usage counts, from when on.
    create table usage_terms (
      organization_id bigint not null,
      subscription_id bigint not null,
      from_at timestamptz not null,
      price_id bigint not null references prices (id),
      primary key (organization_id, subscription_id, from_at),
      foreign key (organization_id, subscription_id) references subscriptions (organization_id, id)
    );
    create index on usage_terms (price_id);

    create table usage_periods (
      id bigint generated always as identity,
      organization_id bigint not null,
      subscription_id bigint not null,
      from_at timestamptz not null,
      to_at timestamptz not null,
      due_at timestamptz,                      -- when it is closed, or its invoice is charged again; null once it is done
      closed_at timestamptz,
      invoice_id bigint,                       -- null where nothing was to be paid
      attempts integer not null default 0,     -- to collect the invoice
      primary key (organization_id, id),
      foreign key (organization_id, subscription_id) references subscriptions (organization_id, id),
      check (from_at <= to_at),
      check (closed_at is not null or (invoice_id is null and due_at is not null))
    );
    create unique index usage_periods_open on usage_periods (organization_id, subscription_id) where closed_at is null;
    create index usage_periods_due on usage_periods (due_at, id) where due_at is not null;
    create index on usage_periods (organization_id, subscription_id);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table usage_periods, usage_terms');
}
