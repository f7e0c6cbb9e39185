import type { z } from 'zod';
import type { Context } from '../../../context.ts';
import { isoOrNull } from '../../../contract/common-schemas.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { record } from '../../../events/record.ts';
import { getBillingEmail } from '../../billing/service/accounts.ts';
import { recipientsOf } from '../../members/service/recipients.ts';
import { OrganizationModel } from '../../organizations/model.ts';
import { InvoiceMailed } from '../events.ts';
import type { InvoiceModel } from '../model.ts';

type Notice = z.output<typeof InvoiceMailed.data>['notice'];

/** Mails those who manage the organization, and its address for invoices: once, in the transaction of its cause. */
export async function mailInvoice(ctx: Context & Tenancy, invoice: InvoiceModel, notice: Notice): Promise<void> {
  const organization = await OrganizationModel.query(ctx.db).findById(ctx.organization.id).whereNull('deletedAt');
  if (!organization) return;
  const members = await recipientsOf(ctx, ['OWNER', 'ADMIN']);
  const address = await getBillingEmail(ctx);
  const data = {
    organizationId: ctx.ids.encode('org', organization.id),
    organization: organization.name,
    number: invoice.label!,
    notice,
    total: invoice.money(Math.abs(invoice.totalMinor)),
    due: invoice.money(invoice.dueMinor),
    dueAt: isoOrNull(invoice.dueAt),
  };
  for (const email of new Set([...members.map(({ email }) => email), ...(address === null ? [] : [address])])) {
    await record(ctx, InvoiceMailed, { target: invoice, data: { ...data, email } });
  }
}
