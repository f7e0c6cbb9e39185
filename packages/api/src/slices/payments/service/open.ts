import { type Money, toChargedWire } from '@rentapi/payments/money';
import type { PaymentProvider, ProviderName } from '@rentapi/payments/payment-provider';
import { ProviderError } from '@rentapi/payments/provider-error';
import { ApiError } from '../../../contract/errors.ts';
import { insertRow, insertUnlessThere, selectRows } from '../../../data/rows.ts';
import { record } from '../../../events/record.ts';
import { enqueue } from '../../../jobs/enqueue.ts';
import { fixCurrency } from '../../billing/service/currency.ts';
import { providerNamed } from '../../billing/service/receive.ts';
import { PaymentCanceled, PaymentOpened } from '../events.ts';
import { PaymentModel } from '../model.ts';
import { chargePayment } from './charge.ts';
import type { Purpose, TenantContext } from './fulfilment.ts';
import { OPEN, patch, referenceOf } from './rows.ts';

/** A saved method, as its provider knows it. */
export interface SavedMethod {
  externalId: string;
  customerId: string | null;
}

export interface NewPayment {
  purpose: Purpose;
  /** What it pays, by its purpose: at most one payment for it is open. */
  subjectId: number;
  amount: Money;
  provider: ProviderName;
  /** It is charged without the payer; without one, they pay on a page of the provider. */
  method?: SavedMethod | null;
  /** What the payer reads. */
  description: string;
  /** Where their browser goes afterwards. */
  returnUrl: string;
  /** Keeps the method for later charges. */
  savesMethod?: boolean;
}

const MINUTE_MS = 60_000;

/**
 * Opens a payment in the caller's transaction; a job charges it after the commit. Another one for the same, that the
 * payer has not begun to pay, is left: its charge ends before this one begins. `advances`: the caller charges it.
 */
export async function openPayment(
  ctx: TenantContext,
  { purpose, subjectId, amount, provider: name, method = null, ...texts }: NewPayment,
  { advances = false }: { advances?: boolean } = {},
): Promise<PaymentModel> {
  if (!ctx.db.isTransaction) throw new Error('a payment is opened in the transaction of its cause');
  assertChargeable(providerNamed(ctx, name), amount);
  await fixCurrency(ctx, amount.currency);
  const payment = await addOpen(ctx, {
    organizationId: ctx.organization.id,
    purpose,
    subjectId,
    provider: name,
    status: 'CREATED',
    ...amount,
    ...texts,
    methodId: method?.externalId ?? null,
    customerId: method?.customerId ?? null,
    offSession: method !== null,
    replacesId: null,
    dueAt: new Date(ctx.now.getTime() + MINUTE_MS),
    createdAt: ctx.now,
    updatedAt: ctx.now,
  });
  await record(ctx, PaymentOpened, { target: payment, after: payment, data: referenceOf(ctx, payment) });
  if (!advances) await enqueue(ctx, chargePayment, { organizationId: payment.organizationId, paymentId: payment.id });
  return payment;
}

const IS_OPEN = `status in (${OPEN.map((status) => `'${status}'`).join(', ')})`;

interface Subject {
  purpose: Purpose;
  subjectId: number;
}

/** There is rarely another one, so it is looked for where the index refuses the new one. */
async function addOpen<Fields extends Subject>(ctx: TenantContext, fields: Fields): Promise<PaymentModel> {
  const target = `(organization_id, purpose, subject_id) where ${IS_OPEN}`;
  const added = await insertUnlessThere(ctx.db, PaymentModel, fields, target);
  if (added) return added;
  const earlier = await findOpenPayment(ctx, fields.purpose, fields.subjectId);
  if (earlier && !isReplaceable(earlier)) throw new ApiError('payment_in_progress');
  if (earlier) await leave(ctx, earlier, 'replaced');
  return insertRow(ctx.db, PaymentModel, { ...fields, replacesId: earlier?.id ?? null });
}

const LOCK_OPEN = `
  select * from payments
  where organization_id = $1 and purpose = $2 and subject_id = $3 and ${IS_OPEN}
  for update`;

/** The one that is not ended, locked. */
export async function findOpenPayment(
  ctx: TenantContext,
  purpose: Purpose,
  subjectId: number,
): Promise<PaymentModel | undefined> {
  const [open] = await selectRows(ctx.db, PaymentModel, LOCK_OPEN, [ctx.organization.id, purpose, subjectId]);
  return open;
}

/** Whether it has not gone so far that it could still be paid after another has taken its place. */
export function isReplaceable({ status, provider, confirmingAt }: PaymentModel): boolean {
  // A transfer on its way is one that has not been seen yet.
  return confirmingAt === null && (status !== 'PENDING' || provider === 'manual');
}

/** What it would pay is not to be paid any more. One that has gone too far is refunded if it succeeds. */
export async function closeOpenPayment(ctx: TenantContext, purpose: Purpose, subjectId: number): Promise<void> {
  const open = await findOpenPayment(ctx, purpose, subjectId);
  if (!open || !isReplaceable(open)) return;
  await leave(ctx, open, 'not_due');
  await enqueue(ctx, chargePayment, { organizationId: open.organizationId, paymentId: open.id });
}

/** Its charge is ended after the commit: before the next one begins, or by a job. */
async function leave(ctx: TenantContext, earlier: PaymentModel, failureCode: 'replaced' | 'not_due'): Promise<void> {
  const changes = { status: 'CANCELED', failureCode, actionUrl: null, dueAt: ctx.now } as const;
  const after = await patch(ctx, earlier, changes);
  await record(ctx, PaymentCanceled, { target: after, before: earlier, after, data: referenceOf(ctx, after) });
}

function assertChargeable({ name, currencies }: PaymentProvider, amount: Money): void {
  try {
    toChargedWire(name, currencies, amount);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    throw new ApiError(error.code === 'amount_below_minimum' ? 'amount_below_minimum' : 'currency_not_supported', {
      detail: `${name} cannot charge ${amount.amountMinor} (smallest unit) ${amount.currency}.`,
    });
  }
}
