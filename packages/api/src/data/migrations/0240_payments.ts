import type { Knex } from '@rentapi/platform/database';

/** What organizations pay, what is paid back, and what payers dispute. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- What credits cost. A row never changes: another price is another row.
    create table credit_prices (
      id bigint generated always as identity primary key,
      credits bigint not null check (credits > 0),
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      amount_minor bigint not null check (amount_minor > 0),
      created_at timestamptz not null,
      archived_at timestamptz
    );
    create unique index credit_prices_live on credit_prices (credits, currency) where archived_at is null;

    -- Credits that someone wants to buy: what they cost is kept as it was then.
    create table credit_purchases (
      organization_id bigint not null references organizations (id),
      id bigint generated always as identity,
      credits bigint not null check (credits > 0),
      currency text not null,
      amount_minor bigint not null check (amount_minor > 0),
      request_hash bytea,                     -- of the caller and their idempotency key
      created_at timestamptz not null,
      primary key (organization_id, id),
      constraint credit_purchases_request_unique unique (organization_id, request_hash)
    );

    create table payments (
      organization_id bigint not null references organizations (id),
      id bigint generated always as identity,
      purpose text not null check (purpose in ('CREDITS', 'INVOICE')),
      subject_id bigint not null,             -- what it pays, by its purpose
      provider text not null,
      status text not null check (status in ('CREATED', 'REQUIRES_ACTION', 'PENDING', 'SUCCEEDED', 'FAILED', 'CANCELED')),
      currency text not null,
      amount_minor bigint not null check (amount_minor > 0),
      description text not null,
      return_url text not null,
      method_id text,                         -- the provider's id of a saved method; null where the payer pays on a page
      customer_id text,                       -- the provider's
      saves_method boolean not null default false,
      attempt integer not null default 1,     -- part of the key of a charge that is created
      external_id text,                       -- committed before the charge is confirmed
      confirming_at timestamptz,              -- since then its money may move
      capture_id text,
      action_url text,
      action_at timestamptz,                  -- since then it waits for its payer
      failure_code text,
      refunded_minor bigint not null default 0,
      fee_minor bigint,
      replaces_id bigint,                     -- its charge ends before this one begins
      failures integer not null default 0,    -- of calls, since the last that succeeded
      due_at timestamptz,                     -- when to look again
      paid_at timestamptz,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      primary key (organization_id, id),
      constraint payments_external_unique unique (provider, external_id),
      constraint payments_refunded_check check (refunded_minor between 0 and amount_minor),
      foreign key (organization_id, replaces_id) references payments (organization_id, id)
    ) with (fillfactor = 80);
    create unique index payments_open on payments (organization_id, purpose, subject_id)
      where status in ('CREATED', 'REQUIRES_ACTION', 'PENDING');
    create index payments_subject on payments (organization_id, purpose, subject_id);
    create index payments_capture on payments (provider, capture_id) where capture_id is not null;
    create index payments_due on payments (due_at) where due_at is not null;
    create index payments_replaces on payments (organization_id, replaces_id);

    create table refunds (
      organization_id bigint not null references organizations (id),
      id bigint generated always as identity,
      payment_id bigint not null,
      provider text not null,
      status text not null check (status in ('PENDING', 'SUCCEEDED', 'FAILED', 'CANCELED')),
      origin text not null check (origin in ('STAFF', 'DUPLICATE', 'PROVIDER')),
      currency text not null,
      amount_minor bigint not null check (amount_minor > 0),
      reason text,
      external_id text,
      failure_code text,
      failures integer not null default 0,
      due_at timestamptz,
      settled_at timestamptz,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      primary key (organization_id, id),
      constraint refunds_external_unique unique (provider, external_id),
      foreign key (organization_id, payment_id) references payments (organization_id, id)
    );
    create index refunds_payment on refunds (organization_id, payment_id);
    create index refunds_due on refunds (due_at) where due_at is not null;

    create table disputes (
      organization_id bigint not null references organizations (id),
      id bigint generated always as identity,
      payment_id bigint not null,
      provider text not null,
      external_id text not null,
      status text not null check (status in ('OPEN', 'WON', 'LOST', 'CLOSED')),
      currency text not null,
      amount_minor bigint not null check (amount_minor > 0),
      reason text not null,
      ended_at timestamptz,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      primary key (organization_id, id),
      constraint disputes_external_unique unique (provider, external_id),
      foreign key (organization_id, payment_id) references payments (organization_id, id)
    );
    create index disputes_payment on disputes (organization_id, payment_id);

    -- The capture whose payment has to be known before the object can be applied.
    alter table provider_objects add column waits_for text;
    create index provider_objects_waits on provider_objects (provider, waits_for) where waits_for is not null;

    -- The kinds are those of the contract.
    alter table billing_findings drop constraint billing_findings_kind_check;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    alter table provider_objects drop column waits_for;
    drop table disputes, refunds, payments, credit_purchases, credit_prices;
    delete from billing_findings where kind not in ('UNKNOWN_OBJECT', 'OTHER_ENVIRONMENT', 'UNKNOWN_WORD');
    alter table billing_findings add constraint billing_findings_kind_check check (kind in ('UNKNOWN_OBJECT', 'OTHER_ENVIRONMENT', 'UNKNOWN_WORD'));
  `);
}
