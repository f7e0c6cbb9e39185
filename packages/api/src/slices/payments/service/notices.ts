import type { Money } from '../../../contract/money.ts';
import { record } from '../../../events/record.ts';
import { getBillingEmail } from '../../billing/service/accounts.ts';
import { recipientsOf } from '../../members/service/recipients.ts';
import { organizationName } from '../../organizations/service/find.ts';
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
  const { id: organizationId } = ctx.organization;
  const organization = await organizationName(ctx, organizationId);
  const members = await recipientsOf(ctx, ['OWNER', 'ADMIN']);
  const to = members.map(({ id, email }) => ({ userId: ctx.ids.encode('usr', id) as string | null, email }));
  const forInvoices = await getBillingEmail(ctx);
  if (forInvoices !== null && !to.some(({ email }) => email === forInvoices))
    to.push({ userId: null, email: forInvoices });
  const { description, actionUrl } = payment;
  const data = { organization, notice, description, amount, actionUrl };
  for (const recipient of to)
    await record(ctx, PaymentMailed, { target: payment, organizationId, data: { ...recipient, ...data } });
}
