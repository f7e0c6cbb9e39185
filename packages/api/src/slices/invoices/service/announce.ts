import type { z } from 'zod';
import type { Context } from '../../../context.ts';
import { isoOrNull } from '../../../contract/common-schemas.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { record } from '../../../events/record.ts';
import { billingContacts } from '../../billing/service/contacts.ts';
import { InvoiceMailed } from '../events.ts';
import type { InvoiceModel } from '../model.ts';

type Notice = z.output<typeof InvoiceMailed.data>['notice'];

/** Mails those who manage the organization, and its address for invoices: once, in the transaction of its cause. */
export async function mailInvoice(ctx: Context & Tenancy, invoice: InvoiceModel, notice: Notice): Promise<void> {
  const { organization, isDeleted, recipients } = await billingContacts(ctx);
  if (isDeleted) return;
  const data = {
    organizationId: ctx.ids.encode('org', ctx.organization.id),
    organization,
    number: invoice.label!,
    notice,
    total: invoice.money(Math.abs(invoice.totalMinor)),
    due: invoice.money(invoice.dueMinor),
    dueAt: isoOrNull(invoice.dueAt),
  };
  for (const { email } of recipients) await record(ctx, InvoiceMailed, { target: invoice, data: { ...data, email } });
}
