import type { Context } from '../../../context.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { oncePerTransaction } from '../../../data/transaction.ts';
import { recipientsOf } from '../../members/service/recipients.ts';
import { organizationOnce } from '../../organizations/service/find.ts';
import { getBillingEmail } from './accounts.ts';

interface BillingContacts {
  /** The organization by its name. */
  organization: string;
  isDeleted: boolean;
  /** The members who manage it, and its address for invoices, which is of no user. */
  recipients: readonly { userId: string | null; email: string }[];
}

/** Whom mails about money of the organization are for, each address once. */
export const billingContacts = (ctx: Context & Tenancy): Promise<BillingContacts> =>
  contactsOf(ctx, ctx.organization.id);

const contactsOf = oncePerTransaction(async (ctx: Context & Tenancy, id: number): Promise<BillingContacts> => {
  const [{ name, deletedAt }, members, forInvoices] = await Promise.all([
    organizationOnce(ctx, id),
    recipientsOf(ctx, ['OWNER', 'ADMIN']),
    getBillingEmail(ctx),
  ]);
  const recipients = members.map(({ id, email }) => ({ userId: ctx.ids.encode('usr', id) as string | null, email }));
  if (forInvoices !== null && !recipients.some(({ email }) => email === forInvoices))
    recipients.push({ userId: null, email: forInvoices });
  return { organization: name, isDeleted: deletedAt !== null, recipients };
});
