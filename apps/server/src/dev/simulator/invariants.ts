import type { Context } from '@rentapi/api/context';
import { FAULTS } from '@rentapi/api/slices/books/schemas';
import { CHECKS } from '@rentapi/api/slices/books/service/checks';
import { rulesOf } from '@rentapi/api/slices/subscriptions/service/rules';
import { entitledUntil, type Status, type Timed } from '@rentapi/api/slices/subscriptions/state';
import { createDatabase, execute, type Knex, type Statement } from '@rentapi/platform/database';

/** Work wakes once in so long a time. */
export const HOUR_MS = 3_600_000;

/** An invariant that does not hold. */
export interface Broken {
  kind: string;
  organizationId: number | null;
  /** What is off, in a sentence. */
  what: string;
}

const MEANINGS: Readonly<Record<string, string>> = {
  ...FAULTS,
  LIVE_SUBSCRIPTIONS: 'An organization has more than one live subscription.',
  INVOICE_PAYMENTS: 'What is paid of an invoice is not the sum of its payments without what was paid back.',
  INVOICE_SETTLED: 'An invoice is paid while something is due, or open while nothing is.',
  PERIODS: 'The periods that were billed overlap, repeat, or leave a gap.',
  DUE: 'Something is due that was not done.',
  SERIES: 'The numbers of a series of invoices have a gap.',
  ENTITLEMENT: 'The plan of an organization is not the one that it is entitled to.',
};

const brokenAs = (kind: string, organizationId: number | null): Broken => ({
  kind,
  organizationId,
  what: MEANINGS[kind] ?? kind,
});

const ROWS = `
    select 'LIVE_SUBSCRIPTIONS' as kind, organization_id as "organizationId" from subscriptions
    where organization_id = any ($1) and status in ('INCOMPLETE', 'TRIALING', 'ACTIVE', 'PAST_DUE')
    group by organization_id having count(*) > 1
    union all
    select case
        when invoice.paid_minor <> paid.amount then 'INVOICE_PAYMENTS' else 'INVOICE_SETTLED' end,
      invoice.organization_id
    from invoices invoice
    cross join lateral (
      select coalesce(sum(payment.amount_minor - coalesce((
          select sum(refund.amount_minor) from refunds refund
          where refund.organization_id = payment.organization_id and refund.payment_id = payment.id
            and (refund.status = 'SUCCEEDED' or (refund.status = 'PENDING' and refund.origin = 'DUPLICATE'))
        ), 0)), 0) as amount
      from payments payment
      where payment.organization_id = invoice.organization_id and payment.purpose = 'INVOICE'
        and payment.subject_id = invoice.id and payment.status = 'SUCCEEDED'
    ) paid
    where invoice.organization_id = any ($1) and invoice.kind = 'INVOICE' and invoice.status <> 'DRAFT' and (
      invoice.paid_minor <> paid.amount
      or (invoice.status = 'PAID' and invoice.total_minor
        <> invoice.paid_minor + invoice.balance_minor + invoice.credited_minor - invoice.returned_minor)
      or (invoice.status in ('OPEN', 'UNCOLLECTIBLE') and invoice.total_minor
        <= invoice.paid_minor + invoice.balance_minor + invoice.credited_minor - invoice.returned_minor))
    union all
    select distinct 'PERIODS', organization_id from (
      select invoice.organization_id, line.period_start as starts, invoice.status,
        lag(line.period_start) over periods as before_starts, lag(line.period_end) over periods as before_ends,
        lag(invoice.id) over periods as before_id, invoice.id, invoice.subscription_id
      from invoices invoice
      join invoice_lines line on line.organization_id = invoice.organization_id and line.invoice_id = invoice.id
        and line.kind = 'PLAN'
      where invoice.organization_id = any ($1) and invoice.kind = 'INVOICE' and invoice.reason = 'PERIOD'
        and invoice.status in ('PAID', 'OPEN')
      window periods as (partition by invoice.organization_id, invoice.subscription_id order by invoice.id)
    ) billed
    where before_starts is not null and (starts <= before_starts or (starts <> before_ends and not exists (
      -- A longer interval begins at once, with an invoice of its own.
      select from invoices change
      where change.organization_id = billed.organization_id and change.subscription_id = billed.subscription_id
        and change.reason = 'CHANGE' and change.id between billed.before_id and billed.id)))`;

const DUE = `
    select 'DUE' as kind, organization_id as "organizationId" from payments
    where organization_id = any ($1) and due_at <= $3
    union all
    select 'DUE', organization_id from refunds where organization_id = any ($1) and due_at <= $3`;

const joined = (texts: readonly string[]): string =>
  texts.map((text) => `select kind, "organizationId" from (${text}) found`).join(' union all ');

/** What only a change can break. */
const UNTIMED = [...CHECKS.filter(({ isTimed }) => !isTimed).map(({ text }) => text), ROWS];

interface Plan extends Omit<Timed, 'status'> {
  organizationId: number;
  plan: string;
  planUntil: Date | null;
  planAfter: string | null;
  sold: string | null;
  status: Status | null;
  provider: 'stripe' | 'paypal' | 'manual';
  /** What else is broken, by its names. */
  kinds: string[] | null;
}

/** All at once: a question of its own for each would cost more than its answer. */
const planAnd = (texts: readonly string[]): string => `
    /* across organizations */
    with found as materialized (${joined(texts)})
    select organization.id as "organizationId", organization.plan, organization.plan_until as "planUntil",
      organization.plan_after as "planAfter", price.plan as sold, last.status, last.provider, last.created_at as "createdAt",
      last.trial_end as "trialEnd", last.trial_noticed_at as "trialNoticedAt", last.period_end as "periodEnd",
      last.cancel_at as "cancelAt", last.ended_at as "endedAt", last.past_due_since as "pastDueSince",
      last.dunning_step as "dunningStep", last.renewal_invoice_id as "renewalInvoiceId",
      last.change_expires_at as "changeExpiresAt", last.credits_due_at as "creditsDueAt",
      (select array_agg(kind) from found where found."organizationId" = organization.id) as kinds
    from organizations organization
    left join lateral (
      select * from subscriptions where subscriptions.organization_id = organization.id
        and status not in ('INCOMPLETE', 'EXPIRED')
      order by id desc limit 1
    ) last on true
    left join prices price on price.id = last.price_id
    where organization.id = any ($1)`;

/** What time alone can break, of the organizations $1, at $2; and what should have been done before $3. */
const TIMED: Statement = {
  name: 'simulation_timed',
  text: planAnd([...CHECKS.filter(({ isTimed }) => isTimed).map(({ text }) => text), DUE]),
};

const ALL: Statement = {
  name: 'simulation_all',
  text: planAnd([...CHECKS.map(({ text }) => text), ROWS, DUE]),
};

/** What is broken in the rows of these organizations at this moment, after all that was due was done. */
export async function findBroken(ctx: Context, organizations: readonly number[], isAwake: boolean): Promise<Broken[]> {
  return await findBy(ALL, ctx, organizations, isAwake);
}

/** The same of organizations of which no row has changed since they were looked at. */
export async function findBrokenByTime(
  ctx: Context,
  organizations: readonly number[],
  isAwake: boolean,
): Promise<Broken[]> {
  return await findBy(TIMED, ctx, organizations, isAwake);
}

async function findBy(checks: Statement, ctx: Context, organizations: readonly number[], isAwake: boolean) {
  if (organizations.length === 0) return [];
  const { db, now } = ctx;
  const dueBefore = new Date(isAwake ? now.getTime() - HOUR_MS : 0);
  const rows = await execute<Plan>(db, checks, [organizations, now, dueBefore]);
  const wrong = rows.filter((row) => planAt(row, now) !== entitledAt(ctx, row));
  return [
    ...rows.flatMap(({ kinds, organizationId }) =>
      (kinds ?? []).filter((kind) => isAwake || !kind.endsWith('_LATE')).map((kind) => brokenAs(kind, organizationId)),
    ),
    ...wrong.map(({ organizationId }) => brokenAs('ENTITLEMENT', organizationId)),
  ];
}

const planAt = ({ plan, planUntil, planAfter }: Plan, now: Date): string | null =>
  planUntil !== null && planUntil <= now ? planAfter : plan;

function entitledAt(ctx: Context, { status, sold, provider, ...timed }: Plan): string | null {
  const { DEFAULT_PLAN } = ctx.ports.env;
  if (status === null) return DEFAULT_PLAN;
  const until = entitledUntil({ ...timed, status }, rulesOf(ctx, provider));
  return until !== null && ctx.now < until ? sold : DEFAULT_PLAN;
}

/** What no single organization has: money by provider, numbers of invoices, and what is on its way. */
interface Whole {
  /** Whether the numbers of a series have a gap. */
  hasGap: boolean;
  /** What a provider has that is not known here. */
  unsettled: number;
  /** What a provider has moved to us by our journal, before what it keeps for itself. */
  stripe: number;
  paypal: number;
}

// PayPal keeps what is disputed, and lists it as moved once it is lost; our books take it out at once.
const WHOLE: Statement = {
  name: 'simulation_whole',
  text: `
    /* across organizations */
    select
      exists (
        select from invoices join invoice_series using (series) where number is not null group by series
        having count(*) <> max(number) or count(distinct number) <> count(*) or min(number) <> 1
          or max(number) <> max(last_number)) as "hasGap",
      (select count(*) from provider_objects where synced_seq < dirty_seq)
        + (select count(*) from provider_lists where since < $1) + (select count(*) from held_events) as unsettled,
      cash.stripe::bigint as stripe,
      cash.paypal::bigint + (
        select coalesce(sum(amount_minor), 0)::bigint from disputes
        where provider = 'paypal' and currency = 'USD' and status = 'OPEN') as paypal
    from (
      select coalesce(sum(line.amount_minor) filter (where line.account = 'cash_stripe'), 0) as stripe,
        coalesce(sum(line.amount_minor) filter (where line.account = 'cash_paypal'), 0) as paypal
      from journal_lines line
      join journal_entries entry on entry.organization_id = line.organization_id and entry.id = line.entry_id
      where line.account in ('cash_stripe', 'cash_paypal') and line.currency = 'USD' and entry.kind <> 'FEE'
    ) cash`,
};

/** `listedUntil`: events that were lost are known once the list of their provider was read. */
export async function readWhole({ db }: Context, listedUntil: Date): Promise<Whole> {
  const [whole] = await execute<Whole>(db, WHOLE, [listedUntil]);
  return whole!;
}

export const gapInSeries = (): Broken => brokenAs('SERIES', null);

/** As the owner of the tables, with one connection. */
export const openAsOwner = (url: string): Knex =>
  createDatabase({
    url,
    poolMin: 0,
    poolMax: 1,
    acquireTimeoutMs: 60_000,
    statementTimeoutMs: 60_000,
    applicationName: 'rentapi simulation',
  });

/** Has the database note of which organizations rows change that only a change can break, whatever changes them. */
export async function noteChanges(ownerUrl: string): Promise<void> {
  const owner = openAsOwner(ownerUrl);
  try {
    await owner.raw(NOTES);
    const { rows } = await owner.raw(READ_TABLES, [UNTIMED.join(' ')]);
    for (const { name } of rows as { name: string }[])
      await owner.raw(
        `create trigger simulation_note after insert or update or delete on ??
          for each row execute function simulation_note()`,
        [name],
      );
  } finally {
    await owner.destroy();
  }
}

const NOTES = `
  create table simulation_changes (organization_id bigint not null);
  grant all on simulation_changes to public;
  create function simulation_note() returns trigger language plpgsql as $$
  begin
    insert into simulation_changes values (coalesce(new.organization_id, old.organization_id));
    return null;
  end $$`;

/** Of credits, a function of the database reads the tables. */
const READ_TABLES = `
  select relname as name from pg_class
  join pg_attribute on attrelid = pg_class.oid and attname = 'organization_id' and not attisdropped
  where relnamespace = 'public'::regnamespace and relkind = 'r'
    and (starts_with(relname, 'credit_') or ? ~ ('\\m' || relname || '\\M'))`;

const CHANGED: Statement = {
  name: 'simulation_changed',
  text: `
    /* across organizations */
    delete from simulation_changes returning organization_id as id`,
};

/** Of which organizations rows have changed since this was asked before. */
export async function takeChanged({ db }: Context): Promise<Set<number>> {
  return new Set((await execute<{ id: number }>(db, CHANGED, [])).map(({ id }) => id));
}
