import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { providerNamed } from '../../billing/service/receive.ts';
import { allowedReturnUrl } from '../../billing/service/return-url.ts';
import { lockAuthority } from '../../members/service/authority.ts';
import type { StartedPayment } from '../../payments/schemas.ts';
import { advance } from '../../payments/service/charge.ts';
import { findOpenPayment, openPayment } from '../../payments/service/open.ts';
import type { PayInvoice } from '../schemas.ts';
import { lockInvoice } from './find.ts';

/** Begins a payment of what is due, and answers where the payer goes. */
export async function payInvoice(ctx: OrganizationContext, input: PayInvoice): Promise<StartedPayment> {
  const { invoiceId, provider } = input;
  const opened = await transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'billing:manage');
    const invoice = await lockInvoice(ctx, ctx.ids.decode('inv', invoiceId));
    const returnUrl = allowedReturnUrl(ctx, input.returnUrl);
    providerNamed(ctx, provider);
    if (invoice.status === 'DRAFT') throw new ApiError('invoice_is_draft');
    if (invoice.dueMinor === 0) throw new ApiError('invoice_not_due');
    const amount = invoice.money(invoice.dueMinor);
    const open = await findOpenPayment(ctx, 'INVOICE', invoice.id);
    // Two pages of the same could both be paid.
    if (open?.provider === provider && open.returnUrl === returnUrl && open.amountMinor === amount.amountMinor)
      return open;
    const description = `Invoice ${invoice.label}`;
    const payment = { purpose: 'INVOICE', subjectId: invoice.id, amount, provider, description, returnUrl } as const;
    return openPayment(ctx, payment, { advances: true });
  });
  const payment = opened.isOpen ? await advance(ctx, opened.id) : opened;
  const presented = payment.present(ctx.ids);
  return { payment: presented, actionUrl: presented.actionUrl };
}
