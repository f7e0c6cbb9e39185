import { selectRows } from '../../../data/rows.ts';
import { missInvoicePayment, settleInvoice } from '../../invoices/service/settle.ts';
import { lockOrganization } from '../../organizations/service/lock.ts';
import type { Fulfilment } from '../../payments/service/fulfilment.ts';
import { SubscriptionModel } from '../model.ts';
import { advancePeriod } from './advance-period.ts';
import { applyChange } from './change.ts';
import { move, type TenantContext } from './move.ts';
import { missPayment } from './run-due.ts';

export type SettledPayment = Parameters<Fulfilment['settle']>[1];

/** What a bank says of a method that it will not charge again. */
const HARD_DECLINES: ReadonlySet<string> = new Set([
  'stolen_card',
  'lost_card',
  'pickup_card',
  'do_not_honor',
  'do_not_try_again',
  'fraudulent',
  'restricted_card',
  'card_not_supported',
  'expired_card',
  'invalid_account',
  'revocation_of_authorization',
  'revocation_of_all_authorizations',
  'PAYER_CANNOT_PAY',
  'INSTRUMENT_DECLINED',
]);

/** Locked before its invoice, as everywhere: two that lock in other orders would wait for each other. */
export async function subscriptionOf(ctx: TenantContext, invoiceId: number): Promise<SubscriptionModel | undefined> {
  await lockOrganization(ctx);
  return lockSubscriptionOf(ctx, invoiceId);
}

const LOCK = `
  select subscriptions.* from invoices join subscriptions on subscriptions.organization_id = invoices.organization_id
    and subscriptions.id = invoices.subscription_id
  where invoices.organization_id = $1 and invoices.id = $2 for update of subscriptions`;

async function lockSubscriptionOf(
  { db, organization }: TenantContext,
  invoiceId: number,
): Promise<SubscriptionModel | undefined> {
  return (await selectRows(db, SubscriptionModel, LOCK, [organization.id, invoiceId]))[0];
}

/**
 * Counts the payment of an invoice, and what it was for. False: so much is not due, because the invoice is void, or
 * another payment was faster; all of it is to be paid back.
 */
export async function countPayment(ctx: TenantContext, { subjectId, amountMinor }: SettledPayment): Promise<boolean> {
  await lockOrganization(ctx);
  const [row, invoice] = await Promise.all([
    lockSubscriptionOf(ctx, subjectId), // sent first: it is locked before its invoice
    settleInvoice(ctx, subjectId, amountMinor),
  ]);
  if (!invoice) return false;
  const isPaid = invoice.status === 'PAID';
  if (isPaid && row?.renewalInvoiceId === subjectId) await advancePeriod(ctx, row);
  if (isPaid && row?.changeInvoiceId === subjectId) await applyChange(ctx, row);
  return true;
}

/** A payment of an invoice failed, or was left. A first one, or one for a change, may be tried again by the payer. */
export async function countFailedPayment(
  ctx: TenantContext,
  { subjectId, status, failureCode, methodId }: SettledPayment,
): Promise<void> {
  const row = await subscriptionOf(ctx, subjectId);
  if (status === 'FAILED') await missInvoicePayment(ctx, subjectId);
  if (!row || row.status === 'INCOMPLETE') return;
  const isHard = failureCode !== null && HARD_DECLINES.has(failureCode);
  const declined = isHard && methodId !== null ? await move(ctx, row, { declinedMethod: methodId }) : row;
  if (row.renewalInvoiceId === subjectId && declined.status === 'ACTIVE') await missPayment(ctx, declined);
}
