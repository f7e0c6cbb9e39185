import type { Charge, ObjectRef, PaymentProvider, Refund } from '@rentapi/payments/payment-provider';
import { type Context, within } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import type { IdPrefix } from '../../../contract/ids.ts';
import { enqueue } from '../../../jobs/enqueue.ts';
import { forgetUnknown } from '../../billing/service/findings.ts';
import { markObject } from '../../billing/service/store.ts';
import type { Apply } from '../../billing/service/sync.ts';
import { PaymentModel, RefundModel } from '../model.ts';
import { applyCharge } from './apply-charge.ts';
import { findPaid } from './captures.ts';
import { chargePayment } from './charge.ts';
import { applyDispute } from './disputes.ts';
import { adoptRefund, applyRefund } from './refunds.ts';

/** What is read of a provider's object belongs to a payment of ours, or is none of ours. */

export const projectCharge: Apply = async (ctx, provider, object, read) => {
  const charge = read && 'refundedMinor' in read ? read : null;
  const payment =
    (await PaymentModel.acrossOrganizations(ctx.db).findOne({ provider: provider.name, externalId: object.id })) ??
    (await findByReference(ctx, provider, charge));
  if (!payment || !charge) return false;
  const there = within(ctx, payment.organizationId);
  if (payment.externalId !== object.id) return readOwn(ctx, provider, payment);
  const after = await applyCharge(there, provider, payment.id, charge);
  const data = { organizationId: after.organizationId, paymentId: after.id };
  if (after.isOpen && charge.next === 'confirm') await enqueue(ctx, chargePayment, data);
  return true;
};

/** A page of the provider and the charge that is made on it are two objects with one reference. */
async function findByReference(ctx: Context, provider: PaymentProvider, charge: Charge | null) {
  const id = decoded(ctx, 'pay', charge?.reference);
  if (id === null) return undefined;
  return PaymentModel.acrossOrganizations(ctx.db).findOne({ id, provider: provider.name });
}

/** The object whose id the payment has says how it is paid. Where it has none yet, its own commit is on the way. */
async function readOwn(ctx: Context, provider: PaymentProvider, payment: PaymentModel): Promise<boolean> {
  const { externalId, organizationId, id } = payment;
  if (externalId !== null) await markObject(ctx, provider.name, { kind: 'charge', id: externalId });
  else if (payment.isOpen) await enqueue(ctx, chargePayment, { organizationId, paymentId: id });
  return true;
}

export const projectRefund: Apply = async (ctx, provider, object, read) => {
  const refund = read && 'failureCode' in read && !('refundedMinor' in read) ? read : null;
  if (!refund) return false;
  const known = await findRefund(ctx, provider, object, refund);
  if (known) await applyRefund(within(ctx, known.organizationId), provider, known, refund);
  else {
    const payment = await findPaid(ctx, provider, object, refund.captureId);
    if (!payment || !(await adoptRefund(within(ctx, payment.organizationId), provider, payment.id, refund)))
      return false;
  }
  await forgetUnknown(ctx, provider.name, object);
  return true;
};

async function findRefund(ctx: Context, provider: PaymentProvider, object: ObjectRef, { reference }: Refund) {
  const known = await RefundModel.acrossOrganizations(ctx.db).findOne({
    provider: provider.name,
    externalId: object.id,
  });
  if (known) return known;
  const id = decoded(ctx, 'rfd', reference);
  if (id === null) return undefined;
  return RefundModel.acrossOrganizations(ctx.db).findOne({ id, provider: provider.name, externalId: null });
}

export const projectDispute: Apply = async (ctx, provider, object, read) => {
  const dispute = read && 'reason' in read ? read : null;
  if (!dispute) return false;
  const payment = await findPaid(ctx, provider, object, dispute.captureId);
  if (!payment) return false;
  const isKnown = await applyDispute(within(ctx, payment.organizationId), provider, payment.id, dispute);
  await forgetUnknown(ctx, provider.name, object);
  return isKnown || 'later';
};

/** Null for what is no id of ours: anyone at the provider can write a reference. */
function decoded(ctx: Context, prefix: IdPrefix, reference: string | null | undefined): number | null {
  if (!reference) return null;
  try {
    return ctx.ids.decode(prefix, reference);
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}
