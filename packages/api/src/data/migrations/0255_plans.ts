import type { Knex } from '@rentapi/platform/database';

/** What is sold: plans, and their prices by interval and currency. What was sold once is archived, never deleted. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table plans (
      id bigint generated always as identity primary key,
      code text not null check (code in ('FREE', 'BASIC', 'PRO', 'ENTERPRISE')),
      name text not null,
      rank integer not null,                          -- a plan of a higher rank is an upgrade
      terms jsonb not null check (terms \\?& array['perHour', 'perDay', 'sockets', 'subscriptions', 'includedCallsPerMonth', 'overage', 'features']),
      monthly_credits integer not null default 0 check (monthly_credits >= 0),
      credits_roll_over boolean not null default false, -- else what is left of a month expires with it
      trial_days integer not null default 0 check (trial_days between 0 and 365),
      archived_at timestamptz,
      created_at timestamptz not null,
      constraint plans_code_unique unique (code)
    );
    create unique index plans_rank_unique on plans (rank) where archived_at is null;

    create table prices (
      id bigint generated always as identity primary key,
      plan text not null references plans (code),
      interval text not null check (interval in ('month', 'year')),
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      amount_minor bigint not null check (amount_minor between 1 and 9007199254740991),
      archived_at timestamptz,
      created_at timestamptz not null
    );
    create unique index prices_live_unique on prices (plan, interval, currency) where archived_at is null;
    create index on prices (plan);

    -- The text of a price that customers agreed to stays as it was.
    create function refuse_price_rewrite() returns trigger language plpgsql as $$
    begin
      if tg_op <> 'UPDATE' then
        raise exception '% are archived, never deleted', tg_table_name using errcode = 'integrity_constraint_violation';
      end if;
      if tg_table_name = 'prices' and to_jsonb(new) - 'archived_at' <> to_jsonb(old) - 'archived_at' then
        raise exception 'a price never changes: archive it, and add another' using errcode = 'integrity_constraint_violation';
      end if;
      if new.id <> old.id then
        raise exception '% keep their ids', tg_table_name using errcode = 'integrity_constraint_violation';
      end if;
      return new;
    end $$;
    create trigger refuse_price_rewrite before update or delete on prices for each row execute function refuse_price_rewrite();
    create trigger refuse_price_truncate before truncate on prices execute function refuse_price_rewrite();
    create trigger refuse_plan_rewrite before delete on plans for each row execute function refuse_price_rewrite();
    create trigger refuse_plan_truncate before truncate on plans execute function refuse_price_rewrite();
    -- Calls read what a plan allows with the row of their caller, which processes keep.
    create trigger tell_actors after update or delete on plans for each row execute function tell_actors('plan', 'code');

    insert into plans (code, name, rank, terms, monthly_credits, trial_days, created_at)
    select code, name, rank,
      jsonb_build_object('perHour', per_hour, 'perDay', per_day, 'sockets', sockets, 'subscriptions', subscriptions,
        'includedCallsPerMonth', calls, 'overage', overage,
        'features', '["api_keys", "custom_roles", "realtime", "audit_log"]'::jsonb),
      credits, trial_days, now()
    from (values
      ('FREE', 'Free', 0, 100, 1000, 20, 40, 10000, 'refuse', 0, 0),
      ('BASIC', 'Basic', 10, 1000, 10000, 100, 200, 100000, 'bill', 500, 14),
      ('PRO', 'Pro', 20, 10000, 100000, 1000, 2000, 1000000, 'bill', 5000, 14),
      ('ENTERPRISE', 'Enterprise', 30, 50000, 500000, 10000, 20000, 10000000, 'bill', 50000, 0)
    ) seed (code, name, rank, per_hour, per_day, sockets, subscriptions, calls, overage, credits, trial_days);

    insert into prices (plan, interval, currency, amount_minor, created_at)
    select plan, interval, currency, amount, now()
    from (values ('BASIC', 1900), ('PRO', 9900), ('ENTERPRISE', 49900)) monthly (plan, minor),
      lateral (values ('month', minor), ('year', minor * 10)) each (interval, amount),
      (values ('USD'), ('EUR')) currencies (currency);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table prices; drop table plans; drop function refuse_price_rewrite');
}
