import { type UserContext, within } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { markObject } from '../../billing/service/store.ts';
import { confirmTransfer } from '../../transfers/service/confirm.ts';
import { assertStaff } from '../../users/staff.ts';
import { PaymentConfirmed } from '../events.ts';
import { PaymentModel, RefundModel } from '../model.ts';
import type { ConfirmPayment, Payment } from '../schemas.ts';
import { advance } from './charge.ts';
import type { TenantContext } from './fulfilment.ts';
import { referenceOf } from './rows.ts';

/** What follows from it follows as from the event of another provider: the transfer is read, and applied. */
export async function confirmPayment(ctx: UserContext, input: ConfirmPayment): Promise<Payment> {
  const receivedAt = new Date(input.receivedAt);
  if (receivedAt > ctx.now) throw new ApiError('transfer_in_future');
  const id = ctx.ids.decode('pay', input.paymentId);
  const payment = await transaction(ctx, async (ctx) => {
    const payment = await PaymentModel.acrossOrganizations(ctx.db).findOne({ id }).forUpdate();
    await assertStaff(ctx, 'system:manage');
    if (!payment) throw new ApiError('not_found');
    await confirm(within(ctx, payment.organizationId), payment, input, receivedAt);
    return payment;
  });
  const there = within(ctx, payment.organizationId);
  const after = payment.isOpen ? await advance(there, id) : await PaymentModel.of(there).findOne({ id });
  return after!.present(ctx.ids);
}

async function confirm(
  ctx: TenantContext,
  payment: PaymentModel,
  { refundId, amount, reference }: ConfirmPayment,
  receivedAt: Date,
): Promise<void> {
  if (payment.provider !== 'manual') throw new ApiError('payment_not_by_transfer');
  const refund = refundId === undefined ? null : await findRefund(ctx, payment, refundId);
  const { amountMinor, currency } = refund ?? payment;
  if (amount.amountMinor !== amountMinor || amount.currency !== currency) {
    throw new ApiError('transfer_amount_differs', {
      detail: `It asks for ${amountMinor} (smallest unit) ${currency}.`,
    });
  }
  const { externalId } = refund ?? payment;
  if (externalId === null) throw new ApiError('transfer_not_open');
  if (!(await confirmTransfer(ctx, { id: externalId, bankReference: reference, receivedAt }))) return;
  await markObject(ctx, 'manual', { kind: refund ? 'refund' : 'charge', id: externalId });
  const data = { ...referenceOf(ctx, payment), bankReference: reference, ...(refundId && { refundId }) };
  await record(ctx, PaymentConfirmed, { target: payment, organizationId: payment.organizationId, data });
}

async function findRefund(ctx: TenantContext, payment: PaymentModel, refundId: string): Promise<RefundModel> {
  const id = ctx.ids.decode('rfd', refundId);
  const found = await RefundModel.of(ctx).findOne({ id, paymentId: payment.id });
  if (!found) throw new ApiError('not_found');
  return found;
}
