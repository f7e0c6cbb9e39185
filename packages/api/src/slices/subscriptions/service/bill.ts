import { ApiError } from '../../../contract/errors.ts';
import type { NewLine } from '../../invoices/service/draft.ts';
import { makeInvoice, numberInvoice, type PricedInvoice } from '../../invoices/service/finalise.ts';
import { lockInvoice } from '../../invoices/service/find.ts';
import { voidInvoice } from '../../invoices/service/settle.ts';
import { closeOpenPayment, openPayment } from '../../payments/service/open.ts';
import { type Discount, linesOfPeriod } from '../lines.ts';
import { CouponModel, type SubscriptionModel } from '../model.ts';
import { type Period, periodOf } from '../periods.ts';
import type { TenantContext } from './move.ts';
import { savedMethodOf } from './saved-method.ts';
import { boughtBy } from './sold.ts';

export type Invoice = PricedInvoice['invoice'];
export type OpenedPayment = Awaited<ReturnType<typeof openPayment>>;

/** The coupon of a subscription, for a period that begins then. */
export async function discountAt(
  { db }: TenantContext,
  { couponId, couponUntil }: SubscriptionModel,
  from: Date,
): Promise<Discount | null> {
  if (couponId === null || (couponUntil !== null && couponUntil <= from)) return null;
  return CouponModel.query(db).findById(couponId).throwIfNotFound();
}

/** The period after the one that is paid. */
export async function nextPeriodOf(ctx: TenantContext, row: SubscriptionModel): Promise<Period> {
  const { price } = await boughtBy(ctx, row);
  return periodOf(row.anchorAt, price.interval, row.periodIndex + 1);
}

/** The invoice of the next period, but for its number. Of one period there is one: a repeat answers the same. */
export async function priceNextPeriod(ctx: TenantContext, row: SubscriptionModel): Promise<PricedInvoice> {
  const period = await nextPeriodOf(ctx, row);
  const lines = linesOfPeriod(await boughtBy(ctx, row), period, await discountAt(ctx, row, period.from));
  return price(ctx, row, { reason: 'PERIOD', periodKey: `cycle/${row.cycle + 1}`, lines });
}

/** The same with its number. */
export async function billNextPeriod(ctx: TenantContext, row: SubscriptionModel): Promise<Invoice> {
  return numberInvoice(ctx, await priceNextPeriod(ctx, row));
}

interface Bill {
  reason: 'PERIOD' | 'CHANGE';
  periodKey: string;
  lines: readonly NewLine[];
}

export async function bill(ctx: TenantContext, row: SubscriptionModel, given: Bill): Promise<Invoice> {
  return numberInvoice(ctx, await price(ctx, row, given));
}

async function price(ctx: TenantContext, row: SubscriptionModel, given: Bill): Promise<PricedInvoice> {
  const { price } = await boughtBy(ctx, row);
  return makeInvoice(ctx, {
    ...given,
    collection: row.provider === 'manual' ? 'MANUAL' : 'AUTOMATIC',
    currency: price.currency,
    subscriptionId: row.id,
  });
}

interface Collection {
  description: string;
  /** Whether the payer can go to a page now: else only a saved method is charged. */
  isPresent: boolean;
  /** Whether the caller charges it. */
  advances?: boolean;
}

/** Opens the payment of an invoice; null where there is no method, and none who could name one. */
export async function collect(
  ctx: TenantContext,
  row: Pick<SubscriptionModel, 'provider' | 'returnUrl'>,
  invoice: Invoice,
  { description, isPresent, advances = false }: Collection,
): Promise<OpenedPayment | null> {
  const { provider, returnUrl } = row;
  const method = await savedMethodOf(ctx, provider);
  if (!method && !isPresent && provider !== 'manual') return null;
  const amount = invoice.money(invoice.dueMinor);
  const payment = {
    purpose: 'INVOICE',
    subjectId: invoice.id,
    amount,
    provider,
    method,
    description,
    returnUrl,
  } as const;
  return openPayment(ctx, { ...payment, savesMethod: method === null && provider !== 'manual' }, { advances });
}

/** False where it cannot even be tried: no method, or a provider that takes no such amount any more. */
export async function tryCollect(
  ctx: TenantContext,
  row: Pick<SubscriptionModel, 'provider' | 'returnUrl'>,
  invoice: Invoice,
  description: string,
): Promise<boolean> {
  try {
    return (await collect(ctx, row, invoice, { description, isPresent: false })) !== null;
  } catch (error) {
    if (error instanceof ApiError) return error.errorCode === 'payment_in_progress';
    throw error;
  }
}

/** Takes back an invoice of which nothing was paid: what it was for is not given. */
export async function dropInvoice(ctx: TenantContext, invoiceId: number | null): Promise<void> {
  if (invoiceId === null) return;
  const { status, paidMinor, creditedMinor } = await lockInvoice(ctx, invoiceId);
  if ((status !== 'OPEN' && status !== 'UNCOLLECTIBLE') || paidMinor > 0 || creditedMinor > 0) return;
  await voidInvoice(ctx, invoiceId);
  await closeOpenPayment(ctx, 'INVOICE', invoiceId);
}
