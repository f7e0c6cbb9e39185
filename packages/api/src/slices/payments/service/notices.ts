import type { Money } from '../../../contract/money.ts';
import { record } from '../../../events/record.ts';
import { billingContacts } from '../../billing/service/contacts.ts';
import { PaymentMailed } from '../events.ts';
import type { PaymentModel } from '../model.ts';
import type { TenantContext } from './fulfilment.ts';

export type Notice = 'SUCCEEDED' | 'FAILED' | 'ACTION_REQUIRED' | 'REFUNDED';

/** Mails those who manage the organization, and the address for invoices: once, in the transaction of the change. */
export async function mailPayment(
  ctx: TenantContext,
  payment: PaymentModel,
  notice: Notice,
  amount: Money = payment.amount,
): Promise<void> {
  const { organization, recipients } = await billingContacts(ctx);
  const { description, actionUrl } = payment;
  const data = { organization, notice, description, amount, actionUrl };
  for (const recipient of recipients)
    await record(ctx, PaymentMailed, { target: payment, data: { ...recipient, ...data } });
}
