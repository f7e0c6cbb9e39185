import type { OrganizationContext } from '../../../context.ts';
import { advance } from '../../payments/service/charge.ts';
import { SubscriptionModel } from '../model.ts';
import type { StartedSubscription } from '../schemas.ts';
import type { OpenedPayment } from './bill.ts';
import { presentVersion } from './present.ts';

/** A subscription that was begun or changed, with the payment that it waits for. */
export interface Started {
  id: number;
  payment: OpenedPayment | null;
}

/** Charges after the commit, and answers where the payer goes. */
export async function goOn(ctx: OrganizationContext, { id, payment }: Started): Promise<StartedSubscription> {
  const paid = payment?.isOpen ? await advance(ctx, payment.id) : payment;
  const row = await SubscriptionModel.of(ctx).findOne({ id }).throwIfNotFound();
  const actionUrl = paid?.status === 'REQUIRES_ACTION' ? paid.actionUrl : null;
  return { ...(await presentVersion(ctx, row)), actionUrl };
}
