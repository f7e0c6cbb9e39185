import type { Statement } from '@rentapi/platform/database';

/** Finds what does not add up in the books of the organizations $1: rows of kind, organization and count. */
interface Check extends Statement {
  /** Whether it takes the time as $2: something may take a while, and is a fault afterwards. */
  isTimed?: true;
}

const CREDITS: Check = {
  text: `
    /* across organizations */
    select fault.kind, organization_id as "organizationId", fault.count
    from unnest($1::bigint[]) organization_id
    cross join lateral credit_faults(array[organization_id]) found
    cross join lateral (values ('CREDIT_BALANCE', found.balances), ('CREDIT_CHAIN', found.chain),
      ('CREDIT_GRANT', found.grants), ('CREDIT_HOLD', found.holds), ('CREDIT_DEBT', found.debts)) fault (kind, count)
    where fault.count > 0`,
};

/** The database refuses these at the commit: they are found where its triggers were off, as in a restore. */
const JOURNAL: Check = {
  text: `
    /* across organizations */
    select 'JOURNAL_BALANCE' as kind, organization_id as "organizationId", count(*) from (
      select organization_id, entry_id from journal_lines where organization_id = any ($1)
      group by organization_id, entry_id, currency having sum(amount_minor) <> 0
    ) unbalanced group by organization_id
    union all
    select 'JOURNAL_LINES', organization_id, count(*) from journal_entries entry
    where organization_id = any ($1) and not exists (
      select from journal_lines line where line.organization_id = entry.organization_id and line.entry_id = entry.id)
    group by organization_id`,
};

/** What each provider holds, by the rows of payments, refunds and disputes and by the journal. */
const CASH: Check = {
  text: `
    /* across organizations */
    select 'CASH' as kind, organization_id as "organizationId", count(*) from (
      select organization_id, provider, currency from (
        select organization_id, provider, currency, amount_minor - coalesce(fee_minor, 0) as amount
        from payments where organization_id = any ($1) and status = 'SUCCEEDED'
        union all
        select organization_id, provider, currency, -amount_minor
        from refunds where organization_id = any ($1) and status = 'SUCCEEDED'
        union all
        select organization_id, provider, currency, -amount_minor
        from disputes where organization_id = any ($1) and status in ('OPEN', 'LOST')
        union all
        select line.organization_id, substr(line.account, length('cash_') + 1), line.currency, -line.amount_minor
        from journal_lines line
        join journal_entries entry on entry.organization_id = line.organization_id and entry.id = line.entry_id
        where line.organization_id = any ($1) and starts_with(line.account, 'cash_')
          and not (entry.kind = 'FEE' and entry.source_kind = 'dispute') -- of which no row knows
      ) moved group by organization_id, provider, currency having sum(amount) <> 0
    ) off group by organization_id`,
};

const PAYMENTS: Check = {
  text: `
    /* across organizations */
    select 'PAYMENT_JOURNAL' as kind, organization_id as "organizationId", count(*) from payments
    where organization_id = any ($1) and status = 'SUCCEEDED' and not exists (
      select from journal_entries entry
      where entry.source_kind = 'payment' and entry.source_id = payments.id and entry.kind = 'PAYMENT'
        and entry.organization_id = payments.organization_id)
    group by organization_id
    union all
    select 'PAYMENT_REFUNDS', organization_id, count(*) from (
      select payments.organization_id from payments
      left join refunds on refunds.organization_id = payments.organization_id and refunds.payment_id = payments.id
        and refunds.status in ('PENDING', 'SUCCEEDED')
      where payments.organization_id = any ($1)
      group by payments.organization_id, payments.id
      having refunded_minor <> coalesce(sum(refunds.amount_minor), 0) or refunded_minor > payments.amount_minor
    ) off group by organization_id`,
};

/** Credits that were paid, whether or not they were taken back since: no fewer were granted, and no more. */
const PAID_CREDITS: Check = {
  isTimed: true,
  text: `
    /* across organizations */
    with paid as (
      select organization_id, sum(credits) as credits, sum(credits) filter (where since < $2::timestamptz - interval '60 seconds') as due
      from (
        select organization_id, subject_id, min(paid_at) as since from payments
        where organization_id = any ($1) and purpose = 'CREDITS' and status = 'SUCCEEDED' group by organization_id, subject_id
      ) bought
      join credit_purchases purchase using (organization_id)
      where purchase.organization_id = any ($1) and purchase.id = subject_id
      group by organization_id
    ), granted as (
      select organization_id, sum(amount) as credits from credit_grants
      where organization_id = any ($1) and source = 'PAYMENT' and starts_with(source_key, 'payment/') group by organization_id
    )
    select 'PAID_CREDITS' as kind, organization_id as "organizationId",
      greatest(coalesce(paid.due, 0) - coalesce(granted.credits, 0), coalesce(granted.credits, 0) - coalesce(paid.credits, 0))::bigint as count
    from paid full join granted using (organization_id)
    where coalesce(granted.credits, 0) not between coalesce(paid.due, 0) and coalesce(paid.credits, 0)`,
};

export const CHECKS: readonly Check[] = [CREDITS, JOURNAL, CASH, PAYMENTS, PAID_CREDITS];
