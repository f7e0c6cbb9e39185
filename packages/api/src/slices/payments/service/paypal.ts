import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { lockAuthority } from '../../members/service/authority.ts';
import { PaymentModel } from '../model.ts';
import type { CapturePayPalOrder, CreatePayPalOrder, Payment, PayPalOrder } from '../schemas.ts';
import { advance } from './charge.ts';
import { buyCredits } from './purchase.ts';

const RETRY_AFTER_S = 30;

/** An order for PayPal's own buttons, which need its id. */
export async function createOrder(ctx: OrganizationContext, input: CreatePayPalOrder): Promise<PayPalOrder> {
  const { CONSOLE_URL, PUBLIC_URL } = ctx.ports.env;
  const { returnUrl = CONSOLE_URL ?? PUBLIC_URL } = input;
  const payment = await buyCredits(ctx, { ...input, returnUrl, provider: 'paypal' });
  const presented = payment.present(ctx.ids);
  if (payment.externalId === null) throw new ApiError('payment_provider_unavailable', { retryAfterS: RETRY_AFTER_S });
  return { orderId: payment.externalId, payment: presented, actionUrl: presented.actionUrl };
}

/** Captures what the payer has approved. Repeated, it answers what became of it. */
export async function captureOrder(ctx: OrganizationContext, { orderId }: CapturePayPalOrder): Promise<Payment> {
  const found = await transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'billing:manage');
    return PaymentModel.of(ctx).findOne({ provider: 'paypal', externalId: orderId });
  });
  if (!found) throw new ApiError('not_found');
  const payment = found.isOpen ? await advance(ctx, found.id) : found;
  if (payment.failures > 0) throw new ApiError('payment_provider_unavailable', { retryAfterS: RETRY_AFTER_S });
  if (payment.status === 'REQUIRES_ACTION') throw new ApiError('payment_not_approved');
  return payment.present(ctx.ids);
}
