import type { Statement } from '@rentapi/platform/database';

/**
 * Finds what does not add up in the books of the organizations $1: rows of kind, organization and count. Where a plan
 * could join all rows of all organizations, it says how: `count` is looked up for each row, `exists` may be joined.
 */
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
    where organization_id = any ($1) and status = 'SUCCEEDED' and 0 = (
      select count(*) from journal_entries entry
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

const INVOICES: Check = {
  text: `
    /* across organizations */
    select 'INVOICE_JOURNAL' as kind, organization_id as "organizationId", count(*) from invoices
    cross join lateral (values
      (case kind when 'INVOICE' then 'INVOICE_FINALISED' else 'INVOICE_CREDITED' end, 1),
      (case status when 'VOID' then 'INVOICE_VOIDED' end, -1)) expected (entry, sign)
    left join lateral (
      select coalesce(sum(amount_minor) filter (where account = 'revenue'), 0) as revenue,
        coalesce(sum(amount_minor) filter (where account = 'tax'), 0) as tax,
        coalesce(sum(amount_minor) filter (where account = 'receivable'), 0) as receivable,
        bool_and(line.currency = invoices.currency) as is_in_currency
      from journal_entries posted
      join journal_lines line on line.organization_id = posted.organization_id and line.entry_id = posted.id
      where posted.source_kind = 'invoice' and posted.source_id = invoices.id and posted.kind = expected.entry
        and posted.organization_id = invoices.organization_id
    ) posted on true
    where organization_id = any ($1) and status <> 'DRAFT' and total_minor <> 0 and entry is not null and (
      is_in_currency is not true or revenue <> -sign * subtotal_minor or tax <> -sign * tax_minor
      -- What a credit note takes back may go elsewhere.
      or kind = 'INVOICE' and receivable <> sign * (total_minor - balance_minor))
    group by organization_id
    union all
    select 'INVOICE_NUMBER', organization_id, count(*) from invoices
    join invoice_series using (series)
    where organization_id = any ($1) and (
      number > 1 and 0 = (
        select count(*) from invoices before where before.series = invoices.series and before.number = invoices.number - 1)
      or number < last_number and not exists (
        select from invoices later where later.series = invoices.series and later.number > invoices.number))
    group by organization_id
    union all
    select 'INVOICE_PAID', organization_id, count(*) from invoices
    cross join lateral (
      select sum(amount_minor) as paid, sum(refunded_minor) as refunded from payments
      where payments.organization_id = invoices.organization_id and purpose = 'INVOICE' and subject_id = invoices.id
        and payments.status = 'SUCCEEDED' and not exists (
          select from refunds where refunds.organization_id = payments.organization_id and payment_id = payments.id
            and origin = 'DUPLICATE')
    ) payment
    where organization_id = any ($1) and kind = 'INVOICE'
      and paid_minor not between coalesce(paid - refunded, 0) and coalesce(paid, 0)
    group by organization_id`,
};

/** A payment that was one too many is due to its payer until it is refunded. */
const RECEIVABLE: Check = {
  text: `
    /* across organizations */
    select 'RECEIVABLE' as kind, organization_id as "organizationId", count(*) from (
      select organization_id, currency from (
        select organization_id, currency, total_minor - balance_minor - paid_minor - credited_minor + returned_minor as amount
        from invoices where organization_id = any ($1) and status in ('OPEN', 'UNCOLLECTIBLE')
        union all
        select organization_id, currency, -amount_minor from payments
        where organization_id = any ($1) and purpose = 'INVOICE' and status = 'SUCCEEDED' and exists (
          select from refunds where refunds.organization_id = payments.organization_id and payment_id = payments.id
            and origin = 'DUPLICATE')
        union all
        select refunds.organization_id, refunds.currency, refunds.amount_minor from refunds
        join payments on payments.organization_id = refunds.organization_id and payments.id = payment_id
        where refunds.organization_id = any ($1) and payments.organization_id = any ($1)
          and refunds.status = 'SUCCEEDED' and purpose = 'INVOICE' and exists (
          select from refunds first where first.organization_id = payments.organization_id and first.payment_id = payments.id
            and first.origin = 'DUPLICATE')
        union all
        select organization_id, currency, -amount_minor from journal_lines
        where organization_id = any ($1) and account = 'receivable'
      ) due group by organization_id, currency having sum(amount) <> 0
    ) off group by organization_id`,
};

/** Of access, what needs no rules of how long things wait: within a period that is paid, and after an end. */
const SUBSCRIPTIONS: Check = {
  isTimed: true,
  text: `
    /* across organizations */
    select 'PLAN' as kind, organizations.id as "organizationId", count(*) from unnest($1::bigint[]) organization
    join organizations on organizations.id = organization
    cross join lateral (
      select status, price_id, trial_end, period_end, cancel_at, ended_at from subscriptions
      where organization_id = organization and status not in ('INCOMPLETE', 'EXPIRED') order by id desc limit 1
    ) subscription
    join prices on prices.id = price_id
    where case
      when status = 'CANCELED' then plan_until > $2 and ended_at <= $2
      when cancel_at <= $2 or status = 'PAST_DUE' then plan_until > $2 and organizations.plan <> prices.plan
      else case status when 'TRIALING' then trial_end else period_end end > $2
        and (organizations.plan <> prices.plan or plan_until is null or plan_until <= $2)
    end
    group by organizations.id
    union all
    select kind, organization_id, count(*) from (
      select 'SUBSCRIPTION_LATE' as kind, organization_id, due_at from subscriptions
      union all
      select 'SUBSCRIPTION_LATE', organization_id, due_at from usage_periods
      union all
      select 'PAYMENT_LATE', organization_id, due_at from payments
      union all
      select 'PAYMENT_LATE', organization_id, due_at from refunds
    ) due
    where organization_id = any ($1) and due_at < $2::timestamptz - interval '1 hour'
    group by kind, organization_id`,
};

export const CHECKS: readonly Check[] = [
  CREDITS,
  JOURNAL,
  CASH,
  PAYMENTS,
  PAID_CREDITS,
  INVOICES,
  RECEIVABLE,
  SUBSCRIPTIONS,
];
