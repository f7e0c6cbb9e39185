import { type Money, toWire } from '@rentapi/payments/money';
import type { PaymentProvider, Refund as ProviderRefund } from '@rentapi/payments/payment-provider';
import { ProviderError } from '@rentapi/payments/provider-error';
import { z } from 'zod';
import { type UserContext, within } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { insertRow } from '../../../data/rows.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { enqueue } from '../../../jobs/enqueue.ts';
import { job } from '../../../jobs/job.ts';
import { noteFinding, resolveFinding } from '../../billing/service/findings.ts';
import { lockOrganization } from '../../organizations/service/lock.ts';
import { assertStaff } from '../../users/staff.ts';
import { PaymentRefunded, RefundFailed, RefundRequested } from '../events.ts';
import { DisputeModel, PaymentModel, RefundModel } from '../model.ts';
import type { Refund, RefundPayment } from '../schemas.ts';
import { backoffMs, isStuck, MINUTE_MS, nextLook } from './delays.ts';
import { fulfilmentOf, type TenantContext } from './fulfilment.ts';
import { postRefund } from './journal.ts';
import { mailPayment } from './notices.ts';
import { dataOf, patch } from './rows.ts';

/** Pays back a part of a payment, or the rest. The row is committed first; a job moves the money. */
export async function requestRefund(ctx: UserContext, input: RefundPayment): Promise<Refund> {
  const id = ctx.ids.decode('pay', input.paymentId);
  return transaction(ctx, async (ctx) => {
    const payment = await PaymentModel.acrossOrganizations(ctx.db).findOne({ id }).forUpdate();
    await assertStaff(ctx, 'system:manage');
    if (!payment) throw new ApiError('not_found');
    const there = within(ctx, payment.organizationId);
    if (payment.status !== 'SUCCEEDED') throw new ApiError('payment_not_refundable');
    const dispute = await DisputeModel.of(there).where({ paymentId: payment.id, status: 'OPEN' }).first();
    if (dispute) throw new ApiError('payment_disputed');
    const amountMinor = assertRefundable(ctx, payment, input.amount);
    const { reason } = input;
    return (await addRefund(there, payment, { origin: 'STAFF', amountMinor, reason })).present(ctx.ids);
  });
}

/** How much to pay back: with the payment locked, so that all refunds together are at most the payment. */
function assertRefundable(ctx: UserContext, payment: PaymentModel, wanted: Money | undefined): number {
  const { amountMinor, currency, refundedMinor, provider: name } = payment;
  const left = amountMinor - refundedMinor;
  const amount = wanted ?? { amountMinor: left, currency };
  if (amount.currency !== currency) {
    throw new ApiError('refund_currency_differs', { detail: `It was paid in ${currency}.` });
  }
  if (left === 0 || amount.amountMinor > left) {
    throw new ApiError('refund_exceeds_payment', {
      detail: `${left} (smallest unit) ${currency} of it is left to pay back.`,
    });
  }
  const provider = ctx.ports.payments.get(name);
  try {
    if (provider) toWire(name, provider.currencies, amount);
  } catch (error) {
    if (error instanceof ProviderError) throw new ApiError('refund_amount_not_possible');
    throw error;
  }
  return amount.amountMinor;
}

interface NewRefund {
  origin: 'STAFF' | 'DUPLICATE';
  amountMinor: number;
  reason: string | null;
}

async function addRefund(ctx: TenantContext, payment: PaymentModel, fields: NewRefund): Promise<RefundModel> {
  const { organizationId, provider, currency } = payment;
  const refund = await insertRow(ctx.db, RefundModel, {
    organizationId,
    paymentId: payment.id,
    provider,
    status: 'PENDING',
    currency,
    ...fields,
    dueAt: new Date(ctx.now.getTime() + MINUTE_MS),
    createdAt: ctx.now,
    updatedAt: ctx.now,
  });
  await patch(ctx, payment, { refundedMinor: payment.refundedMinor + fields.amountMinor });
  await record(ctx, RefundRequested, {
    target: refund,
    after: refund,
    organizationId,
    data: { organizationId: ctx.ids.encode('org', organizationId), refund: refund.present(ctx.ids) },
  });
  await enqueue(ctx, refundPayment, { organizationId, refundId: refund.id });
  return refund;
}

/** The same was paid before, so nothing is given for this payment. */
export async function refundDuplicate(ctx: TenantContext, payment: PaymentModel): Promise<PaymentModel> {
  await addRefund(ctx, payment, { origin: 'DUPLICATE', amountMinor: payment.amountMinor, reason: null });
  return PaymentModel.of(ctx).findOne({ id: payment.id }).throwIfNotFound();
}

/** Moves the money of a refund, or looks how it goes. */
export const refundPayment = job({
  name: 'payments.refund',
  queue: 'subscriptions',
  data: z.strictObject({ organizationId: z.int(), refundId: z.int() }),
  run: (ctx, { organizationId, refundId }) => advanceRefund(within(ctx, organizationId), refundId),
});

async function advanceRefund(ctx: TenantContext, id: number): Promise<void> {
  const refund = await RefundModel.of(ctx).findOne({ id }).throwIfNotFound();
  const provider = ctx.ports.payments.get(refund.provider);
  if (refund.status !== 'PENDING' || !provider) return;
  try {
    const read = await moveBack(ctx, provider, refund);
    await transaction(ctx, (ctx) => applyRefund(ctx, provider, refund, read));
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    await transaction(ctx, (ctx) => refuseOrPostpone(ctx, refund, error));
  }
}

/** The provider looks for a refund of the same reference before it makes one. */
async function moveBack(ctx: TenantContext, provider: PaymentProvider, refund: RefundModel): Promise<ProviderRefund> {
  if (refund.externalId !== null) return provider.getRefund(refund.externalId);
  const payment = await PaymentModel.of(ctx).findOne({ id: refund.paymentId }).throwIfNotFound();
  const reference = ctx.ids.encode('rfd', refund.id);
  const { amount, failures } = refund;
  const chargeId = payment.externalId!; // it is paid
  return provider.refund({ key: `${reference}/${failures}`, chargeId, reference, amount });
}

async function refuseOrPostpone(ctx: TenantContext, { id, paymentId }: RefundModel, error: ProviderError) {
  const { payment, refund } = await lockRefund(ctx, id, paymentId);
  if (refund.status !== 'PENDING') return;
  if (error.outcome === 'refused')
    return void (await endUnpaid(ctx, payment, refund, { status: 'FAILED', failureCode: error.code }));
  ctx.ports.log.warn({ provider: error.message, refund: ctx.ids.encode('rfd', id) }, 'a refund waits for its provider');
  const waitMs = Math.max(backoffMs(refund.failures), error.retryAfterMs ?? 0);
  await patch(ctx, refund, { failures: refund.failures + 1, dueAt: new Date(ctx.now.getTime() + waitMs) });
}

async function lockRefund(ctx: TenantContext, id: number, paymentId: number) {
  await lockOrganization(ctx);
  const payment = await PaymentModel.of(ctx).findOne({ id: paymentId }).forUpdate().throwIfNotFound();
  const refund = await RefundModel.of(ctx).findOne({ id }).forUpdate().throwIfNotFound();
  return { payment, refund };
}

/** Makes a refund of ours what it is at the provider, in the caller's transaction, with all that follows. */
export async function applyRefund(
  ctx: TenantContext,
  { name }: PaymentProvider,
  { id, paymentId }: Pick<RefundModel, 'id' | 'paymentId'>,
  read: ProviderRefund,
): Promise<void> {
  const { payment, refund } = await lockRefund(ctx, id, paymentId);
  const object = { kind: 'refund', id: read.id } as const;
  const theirs = read.providerStatus;
  const { status, failureCode } = read;
  if (status === null) return noteFinding(ctx, { kind: 'UNKNOWN_WORD', provider: name, object, theirs });
  if (refund.status !== 'PENDING') {
    // What is settled stays so: staff decide about money that has come back.
    if (status !== refund.status && status !== 'PENDING')
      await noteFinding(ctx, { kind: 'REFUND_CHANGED', provider: name, object, theirs });
    return;
  }
  const externalId = read.id;
  const stuck = isStuck(ctx.now, refund.createdAt) && ({ kind: 'STILL_PENDING', provider: name, object } as const);
  if (status === 'PENDING') {
    if (stuck) await noteFinding(ctx, { ...stuck, theirs });
    await patch(ctx, refund, { externalId, failures: 0, dueAt: nextLook(ctx.now, refund.createdAt) });
    return;
  }
  if (stuck) await resolveFinding(ctx, stuck);
  if (status !== 'SUCCEEDED') return endUnpaid(ctx, payment, refund, { status, failureCode, externalId });
  await succeed(ctx, payment, refund, externalId);
}

async function succeed(ctx: TenantContext, payment: PaymentModel, before: RefundModel, externalId: string) {
  const refund = await patch(ctx, before, {
    status: 'SUCCEEDED',
    externalId,
    settledAt: ctx.now,
    failures: 0,
    dueAt: null,
  });
  const isDuplicate = await wasDuplicate(ctx, payment);
  // A duplicate was never due, so that its refund settles what it has paid too much.
  await postRefund(ctx, refund, isDuplicate && payment.purpose === 'INVOICE' ? 'receivable' : 'refunds');
  await record(ctx, PaymentRefunded, {
    target: refund,
    before,
    after: refund,
    data: { ...dataOf(ctx, payment), refund: refund.present(ctx.ids) },
  });
  await mailPayment(ctx, payment, 'REFUNDED', refund.amount);
  if (isDuplicate) return; // nothing was given for it
  const settled = await RefundModel.of(ctx).where({ paymentId: payment.id, status: 'SUCCEEDED' }).select('amountMinor');
  const total = settled.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  await fulfilmentOf(ctx, payment).reverse(ctx, payment, 'refund', total);
}

/** Whether all of it is paid back, in one refund or, where that has failed, in another. */
async function wasDuplicate(ctx: TenantContext, { id: paymentId }: PaymentModel): Promise<boolean> {
  return Boolean(await RefundModel.of(ctx).where({ paymentId, origin: 'DUPLICATE' }).select('id').first());
}

async function endUnpaid(
  ctx: TenantContext,
  payment: PaymentModel,
  before: RefundModel,
  changes: Partial<RefundModel>,
): Promise<void> {
  const refund = await patch(ctx, before, { ...changes, failures: 0, dueAt: null });
  await patch(ctx, payment, { refundedMinor: payment.refundedMinor - refund.amountMinor });
  await record(ctx, RefundFailed, {
    target: refund,
    before,
    after: refund,
    data: { organizationId: ctx.ids.encode('org', refund.organizationId), refund: refund.present(ctx.ids) },
  });
}

/**
 * A refund that was made at the provider, of a payment of ours: the money has left, so it counts, and staff read of it.
 * False where it is more than is left of the payment.
 */
export async function adoptRefund(
  ctx: TenantContext,
  provider: PaymentProvider,
  paymentId: number,
  read: ProviderRefund,
): Promise<boolean> {
  await lockOrganization(ctx);
  const payment = await PaymentModel.of(ctx).findOne({ id: paymentId }).forUpdate().throwIfNotFound();
  const { amountMinor, currency } = read.amount;
  if (currency !== payment.currency || amountMinor > payment.amountMinor - payment.refundedMinor) return false;
  const refund = await insertRow(ctx.db, RefundModel, {
    organizationId: payment.organizationId,
    paymentId,
    provider: provider.name,
    status: 'PENDING',
    origin: 'PROVIDER',
    currency,
    amountMinor,
    externalId: read.id,
    dueAt: ctx.now,
    createdAt: ctx.now,
    updatedAt: ctx.now,
  });
  await patch(ctx, payment, { refundedMinor: payment.refundedMinor + amountMinor });
  const object = { kind: 'refund', id: read.id } as const;
  await noteFinding(ctx, { kind: 'OUTSIDE_REFUND', provider: provider.name, object, theirs: read.providerStatus });
  await applyRefund(ctx, provider, refund, read);
  return true;
}
