import { execute, type Statement } from '@rentapi/platform/database';
import { type Context, within } from '../../../context.ts';
import { change } from '../../../data/base-model.ts';
import { transaction } from '../../../data/transaction.ts';
import type { RunControl } from '../../../jobs/job.ts';
import { makeInvoice, numberInvoice } from '../../invoices/service/finalise.ts';
import { lockInvoice } from '../../invoices/service/find.ts';
import { soldAt } from '../../plans/service/read.ts';
import type { SubscriptionModel } from '../model.ts';
import type { Period } from '../periods.ts';
import { type Invoice, tryCollect } from './bill.ts';
import { mailSubscription } from './mail.ts';
import { lockSubscription, type TenantContext } from './move.ts';
import { endOfMonth, linesOfUsage, type PricedUsage, pricedUsage } from './priced-usage.ts';
import { rulesOf } from './rules.ts';
import { savedMethodOf } from './saved-method.ts';
import { beginUsagePeriod, usageSpans } from './usage-periods.ts';

const BATCH = 200;
/** Of one subscription in one run: after a longer pause, the rest is done in the next. */
const MAX_STEPS = 100;
const DAY_MS = 86_400_000;
/** Until what is missing may have come. */
const WAITS_MS = 600_000;

/** What of a subscription itself is due comes first: it may end, or change its price, before the end of the month. */
const DUE: Statement = {
  text: `
    /* across organizations */
    select period.organization_id as "organizationId", period.subscription_id as "subscriptionId", period.id,
           period.due_at as "dueAt"
    from usage_periods period
    join subscriptions subscription
      on subscription.organization_id = period.organization_id and subscription.id = period.subscription_id
    where period.due_at <= $1 and (period.due_at, period.id) > ($2, $3)
      and (subscription.due_at is null or subscription.due_at > $1)
    order by period.due_at, period.id limit $4`,
};

interface Due {
  organizationId: number;
  subscriptionId: number;
  id: number;
  dueAt: Date;
}

/** Bills each month of usage that is over and counted, and asks again for what was not paid. */
export async function closeUsage(ctx: Context, { signal, touch }: RunControl): Promise<void> {
  let after = { dueAt: new Date(0), id: 0 };
  for (let found = BATCH; found === BATCH && !signal.aborted; touch()) {
    const due = await execute<Due>(ctx.db, DUE, [ctx.now, after.dueAt, after.id, BATCH]);
    for (const { organizationId, subscriptionId } of due) {
      if (signal.aborted) return;
      const tenant = within(ctx, organizationId);
      for (let steps = 0; steps < MAX_STEPS && (await takeStep(tenant, subscriptionId)); steps++) touch();
    }
    found = due.length;
    after = due.at(-1) ?? after;
  }
}

interface UsagePeriod extends Period {
  id: number;
  closedAt: Date | null;
  invoiceId: number | null;
  attempts: number;
}

const NEXT: Statement = {
  text: `
    select id, from_at as "from", to_at as "to", closed_at as "closedAt", invoice_id as "invoiceId", attempts
    from usage_periods where organization_id = $1 and subscription_id = $2 and due_at <= $3 order by due_at, id limit 1`,
};

/** False where nothing is left to do now. */
async function takeStep(ctx: TenantContext, subscriptionId: number): Promise<boolean> {
  const values = [ctx.organization.id, subscriptionId, ctx.now];
  const [found] = await execute<UsagePeriod>(ctx.db, NEXT, values);
  if (!found) return false;
  const usage = found.closedAt ? [] : await usageOf(ctx, subscriptionId, found);
  return transaction(ctx, async (ctx) => {
    const row = await lockSubscription(ctx, subscriptionId);
    const [due] = await execute<UsagePeriod>(ctx.db, NEXT, values);
    // Another run has done it meanwhile, or a call has changed until when it goes.
    if (!row || due?.id !== found.id || due.attempts !== found.attempts || +due.to !== +found.to) return false;
    if (!due.closedAt) await close(ctx, row, due, usage);
    else await collectAgain(ctx, row, due);
    return true;
  });
}

async function usageOf(ctx: TenantContext, subscriptionId: number, period: Period): Promise<PricedUsage[] | null> {
  const spans = await usageSpans(ctx, subscriptionId, period);
  return spans.length === 0 ? [] : pricedUsage(ctx, spans, { isFinal: true });
}

const WAIT: Statement = {
  text: 'update usage_periods set due_at = $3 where organization_id = $1 and id = $2',
};

const CLOSE: Statement = {
  text: `
    update usage_periods set closed_at = $3, invoice_id = $4, due_at = $5, attempts = 1
    where organization_id = $1 and id = $2`,
};

/**
 * The final invoice of what a month used; none where there was nothing. It waits while some is not counted: what is not
 * known is not zero, and an invoice cannot be changed.
 */
async function close(
  ctx: TenantContext,
  row: SubscriptionModel,
  period: UsagePeriod,
  usage: readonly PricedUsage[] | null,
): Promise<void> {
  const of = [ctx.organization.id, period.id];
  if (!usage) return void (await execute(ctx.db, WAIT, [...of, new Date(ctx.now.getTime() + WAITS_MS)]));
  const invoice = await billUsage(ctx, row, period, usage);
  const isDue = invoice !== null && invoice.status === 'OPEN';
  if (isDue) await ask(ctx, row, invoice);
  await execute(ctx.db, CLOSE, [...of, ctx.now, invoice?.id ?? null, isDue ? dueAfter(ctx, row, invoice, 1) : null]);
  const { endedAt } = row;
  if (endedAt && endedAt <= period.to) return;
  const month = endOfMonth(period.to);
  await beginUsagePeriod(ctx, row.id, { from: period.to, to: endedAt && endedAt < month ? endedAt : month });
}

async function billUsage(
  ctx: TenantContext,
  row: SubscriptionModel,
  { from }: Period,
  usage: readonly PricedUsage[],
): Promise<Invoice | null> {
  const lines = linesOfUsage(usage);
  if (lines.length === 0) return null;
  const { price } = await soldAt(ctx, row.priceId);
  const priced = await makeInvoice(ctx, {
    reason: 'USAGE',
    collection: row.provider === 'manual' ? 'MANUAL' : 'AUTOMATIC',
    currency: price.currency,
    subscriptionId: row.id,
    periodKey: from.toISOString().slice(0, 'yyyy-mm'.length),
    lines,
  });
  return numberInvoice(ctx, priced);
}

/** When it is asked for again, after so many attempts. */
function dueAfter(ctx: TenantContext, row: SubscriptionModel, invoice: Invoice, attempts: number): Date {
  const { dunningDays } = rulesOf(ctx, row.provider);
  // The last time, a day is left for a payment that takes its time.
  const day = dunningDays[attempts] ?? (dunningDays.at(-1) ?? 0) + 1;
  return new Date((invoice.dueAt ?? ctx.now).getTime() + day * DAY_MS);
}

/** Charges it, or asks for another method where there is none that its bank has not refused for good. */
async function ask(ctx: TenantContext, row: SubscriptionModel, invoice: Invoice): Promise<void> {
  const method = await savedMethodOf(ctx, row.provider);
  const isUseless = row.provider !== 'manual' && (!method || method.externalId === row.declinedMethod);
  if (isUseless || !(await tryCollect(ctx, row, invoice, `Usage, invoice ${invoice.label}`)))
    await mailSubscription(ctx, row, 'USAGE_UNPAID', ctx.now);
}

const AGAIN: Statement = {
  text: 'update usage_periods set attempts = attempts + 1, due_at = $3 where organization_id = $1 and id = $2',
};

async function collectAgain(ctx: TenantContext, row: SubscriptionModel, period: UsagePeriod): Promise<void> {
  const invoice = period.invoiceId === null ? null : await lockInvoice(ctx, period.invoiceId);
  const isOpen = invoice?.status === 'OPEN';
  const { dunningDays } = rulesOf(ctx, row.provider);
  const isLast = period.attempts >= dunningDays.length;
  if (isOpen && isLast) await change(ctx, invoice, { status: 'UNCOLLECTIBLE' });
  else if (isOpen && row.provider === 'manual')
    await mailSubscription(ctx, row, 'TRANSFER_OVERDUE', invoice.dueAt ?? ctx.now);
  else if (isOpen) await ask(ctx, row, invoice);
  const dueAt = isOpen && !isLast ? dueAfter(ctx, row, invoice, period.attempts + 1) : null;
  await execute(ctx.db, AGAIN, [ctx.organization.id, period.id, dueAt]);
}
