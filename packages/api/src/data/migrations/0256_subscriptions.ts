import type { Knex } from '@rentapi/platform/database';

/** What organizations are subscribed to. All that is to happen later is in `due_at`, which a job sweeps. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table coupons (
      id bigint generated always as identity primary key,
      code text not null check (code ~ '^[A-Z0-9][A-Z0-9_-]{2,39}$'),
      percent_off integer check (percent_off between 1 and 100),
      amount_off_minor bigint check (amount_off_minor > 0),
      currency text,
      duration text not null check (duration in ('once', 'repeating', 'forever')),
      months integer check (months between 1 and 120),
      max_redemptions integer check (max_redemptions > 0),
      redeemed integer not null default 0,
      expires_at timestamptz,
      archived_at timestamptz,
      created_at timestamptz not null,
      constraint coupons_code_unique unique (code),
      constraint coupons_redeemed_check check (redeemed >= 0 and redeemed <= coalesce(max_redemptions, redeemed)),
      check ((percent_off is null) <> (amount_off_minor is null)),
      check ((amount_off_minor is null) = (currency is null)),
      check ((duration = 'repeating') = (months is not null))
    );

    create table coupon_redemptions (
      organization_id bigint not null references organizations (id),
      coupon_id bigint not null references coupons (id),
      created_at timestamptz not null,
      primary key (organization_id, coupon_id)
    );
    create index on coupon_redemptions (coupon_id);

    -- A trial is given once to an organization, and once to a card or account.
    create table used_trials (
      organization_id bigint primary key references organizations (id),
      fingerprint text,
      created_at timestamptz not null,
      constraint used_trials_fingerprint_unique unique (fingerprint)
    );

    create table subscriptions (
      id bigint generated always as identity,
      organization_id bigint not null references organizations (id),
      status text not null check (status in ('INCOMPLETE', 'TRIALING', 'ACTIVE', 'PAST_DUE', 'CANCELED', 'EXPIRED')),
      price_id bigint not null references prices (id),
      quantity integer not null check (quantity between 1 and 10000),
      provider text not null check (provider in ('stripe', 'paypal', 'manual')),
      return_url text not null,
      coupon_id bigint references coupons (id),
      coupon_until timestamptz,                -- periods that begin before it are cheaper; null for all
      anchor_at timestamptz not null,
      period_index integer not null,           -- counted from the anchor; -1 before the first that is paid
      cycle integer not null default 0,        -- counts the invoices of periods
      period_start timestamptz not null,
      period_end timestamptz not null,         -- until when it is paid
      trial_end timestamptz,
      trial_noticed_at timestamptz,
      cancel_at timestamptz,
      ended_at timestamptz,
      -- From the next period on.
      pending_price_id bigint references prices (id),
      pending_quantity integer,
      pending_provider text,
      -- Once its invoice is paid.
      change_price_id bigint references prices (id),
      change_quantity integer,
      change_at timestamptz,
      change_invoice_id bigint,
      change_expires_at timestamptz,
      changes integer not null default 0,      -- counts the invoices of changes
      renewal_invoice_id bigint,               -- of the next period, while it is not paid
      past_due_since timestamptz,
      dunning_step integer not null default 0,
      declined_method text,                    -- the provider's id of a method that will not be charged again
      credits_index integer not null default 0,
      credits_due_at timestamptz,
      due_at timestamptz,
      version integer not null default 1,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      primary key (organization_id, id),
      check (num_nulls(pending_price_id, pending_quantity) in (0, 2)),
      check (num_nulls(change_price_id, change_quantity, change_at, change_invoice_id, change_expires_at) in (0, 5)),
      check ((status in ('CANCELED', 'EXPIRED')) = (ended_at is not null)),
      check (status <> 'TRIALING' or trial_end is not null),
      check (status <> 'PAST_DUE' or past_due_since is not null)
    );
    create unique index subscriptions_live_unique on subscriptions (organization_id)
      where status in ('INCOMPLETE', 'TRIALING', 'ACTIVE', 'PAST_DUE');
    create index subscriptions_due on subscriptions (due_at) where due_at is not null;
    create index on subscriptions (price_id);
    create index on subscriptions (coupon_id) where coupon_id is not null;
    create index on subscriptions (pending_price_id) where pending_price_id is not null;
    create index on subscriptions (change_price_id) where change_price_id is not null;

    -- The plan of an organization ends by the clock, and another follows. A call reads both with its caller.
    alter table organizations add column plan_until timestamptz, add column plan_after text;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    alter table organizations drop column plan_until, drop column plan_after;
    drop table subscriptions, used_trials, coupon_redemptions, coupons;
  `);
}
