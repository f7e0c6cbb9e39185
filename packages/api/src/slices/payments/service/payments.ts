import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import { rowsOf } from '../../../data/rows.ts';
import { PaymentModel } from '../model.ts';
import type { ListPayments, Payment, PaymentId, PaymentPage } from '../schemas.ts';

export async function getPayment(ctx: OrganizationContext, { paymentId }: PaymentId): Promise<Payment> {
  const id = ctx.ids.decode('pay', paymentId);
  const payment = await PaymentModel.of(ctx).findOne({ id });
  if (!payment) throw new ApiError('not_found');
  return payment.present(ctx.ids);
}

export async function listPayments(ctx: OrganizationContext, input: ListPayments): Promise<PaymentPage> {
  const list = { name: 'payments', of: ctx.organization.id };
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, rowsOf(PaymentModel.of(ctx)));
  return { items: rows.map((payment) => payment.present(ctx.ids)), nextCursor };
}
