import type { Charge, ChargeStatus, PaymentProvider } from '@rentapi/payments/payment-provider';
import { ApiError } from '../../../contract/errors.ts';
import { selectRows } from '../../../data/rows.ts';
import { record } from '../../../events/record.ts';
import { billingContacts } from '../../billing/service/contacts.ts';
import { noteFinding, resolveFinding } from '../../billing/service/findings.ts';
import { markObject } from '../../billing/service/store.ts';
import { lockOrganization } from '../../organizations/service/lock.ts';
import { rememberCustomer } from '../../payment-methods/service/customers.ts';
import { PaymentActionRequired, PaymentCanceled, PaymentFailed, PaymentSucceeded } from '../events.ts';
import { PaymentModel } from '../model.ts';
import { wakeWaiting } from './captures.ts';
import { DAY_MS, HOUR_MS, isStuck, MINUTE_MS, nextLook } from './delays.ts';
import { fulfilmentOf, type TenantContext } from './fulfilment.ts';
import { postCharge } from './journal.ts';
import { mailPayment } from './notices.ts';
import { refundDuplicate } from './refunds.ts';
import { dataOf, patch, referenceOf } from './rows.ts';

/** As long as a page of Stripe stays open; an order of PayPal ends sooner by itself. */
const PAGE_LIFETIME_MS = DAY_MS;
/** A fee that is not known after a week never will be. */
const FEE_PATIENCE_MS = 7 * DAY_MS;

/** A reading of a charge may be older than what is known: a payment only moves on, and what is paid stays paid. */
const PROGRESS: Record<ChargeStatus, number> = {
  CREATED: 0,
  REQUIRES_ACTION: 1,
  PENDING: 2,
  FAILED: 3,
  CANCELED: 3,
  SUCCEEDED: 4,
};

const LOCK = `
  select payments.* from payments named
  join payments on payments.organization_id = named.organization_id and payments.purpose = named.purpose
    and payments.subject_id = named.subject_id
  where named.organization_id = $1 and named.id = $2
  order by payments.id for update of payments`;

/** Locks all payments for the same, in one order: of two that succeed at once, the second sees the first. */
export async function lockWithSiblings(ctx: TenantContext, id: number) {
  await lockOrganization(ctx);
  const all = await selectRows(ctx.db, PaymentModel, LOCK, [ctx.organization.id, id]);
  const payment = all.find((row) => row.id === id);
  if (!payment) throw new ApiError('not_found');
  return { payment, siblings: all.filter((row) => row !== payment) };
}

/** Makes a payment what its charge is, in the caller's transaction, with all that follows. */
export async function applyCharge(
  ctx: TenantContext,
  provider: PaymentProvider,
  id: number,
  charge: Charge,
): Promise<PaymentModel> {
  const { payment, siblings } = await lockWithSiblings(ctx, id);
  const { status } = charge;
  const object = { kind: 'charge', id: charge.id } as const;
  if (status === null) {
    await noteFinding(ctx, { kind: 'UNKNOWN_WORD', provider: provider.name, object, theirs: charge.providerStatus });
    return payment;
  }
  if (payment.status === 'SUCCEEDED') return noteFee(ctx, payment, charge);
  if (status !== 'PENDING' && isStuck(ctx.now, beganAt(payment)))
    await resolveFinding(ctx, { kind: 'STILL_PENDING', provider: provider.name, object });
  if (status === payment.status) return lookLater(ctx, provider, payment, charge);
  if (status === 'CREATED' || PROGRESS[status] <= PROGRESS[payment.status]) return payment;
  if (status === 'SUCCEEDED') return succeed(ctx, provider, { payment, siblings, charge });
  if (status === 'FAILED' || status === 'CANCELED') return endUnpaid(ctx, payment, status, charge.failureCode);
  const { captureId, actionUrl } = charge;
  const after = await patch(ctx, payment, {
    status,
    captureId,
    actionUrl,
    actionAt: status === 'REQUIRES_ACTION' ? ctx.now : payment.actionAt,
    failures: 0,
    dueAt: dueAt(ctx, ctx.now, status),
  });
  if (status === 'REQUIRES_ACTION') {
    await record(ctx, PaymentActionRequired, { target: after, before: payment, after, data: dataOf(ctx, after) });
    // On a page, the payer is there already.
    if (after.offSession) await mailPayment(ctx, after, 'ACTION_REQUIRED');
  }
  return after;
}

/** Since when it waits for the payer or a bank. */
const beganAt = ({ actionAt, createdAt }: PaymentModel): Date => actionAt ?? createdAt;

/** When to look again, where no event may come. */
function dueAt({ now }: TenantContext, since: Date, status: 'REQUIRES_ACTION' | 'PENDING'): Date {
  if (status === 'PENDING') return nextLook(now, since);
  // As long again as it has waited already: soon at first, then hourly.
  const ageMs = now.getTime() - since.getTime();
  return new Date(now.getTime() + Math.min(Math.max(ageMs, MINUTE_MS), HOUR_MS));
}

async function lookLater(
  ctx: TenantContext,
  { name }: PaymentProvider,
  payment: PaymentModel,
  { id, actionUrl, providerStatus }: Charge,
): Promise<PaymentModel> {
  const { status } = payment;
  if (status !== 'REQUIRES_ACTION' && status !== 'PENDING') return payment;
  // A transfer waits for its payer, not for a bank.
  if (status === 'PENDING' && name !== 'manual' && isStuck(ctx.now, beganAt(payment)))
    await noteFinding(ctx, {
      kind: 'STILL_PENDING',
      provider: name,
      object: { kind: 'charge', id },
      theirs: providerStatus,
    });
  return patch(ctx, payment, {
    actionUrl,
    failures: 0,
    dueAt: dueAt(ctx, beganAt(payment), status),
  });
}

/** Whether the payer has left the page: nothing more will come of it. */
export const isAbandoned = ({ now }: TenantContext, { status, actionAt }: PaymentModel): boolean =>
  status === 'REQUIRES_ACTION' && actionAt !== null && now.getTime() - actionAt.getTime() > PAGE_LIFETIME_MS;

interface Success {
  payment: PaymentModel;
  siblings: readonly PaymentModel[];
  charge: Charge;
}

async function succeed(ctx: TenantContext, provider: PaymentProvider, { payment, siblings, charge }: Success) {
  const { amount, captureId, feeMinor, id: externalId } = charge;
  const object = { kind: 'charge', id: externalId } as const;
  if (amount.amountMinor !== payment.amountMinor || amount.currency !== payment.currency) {
    const theirs = `${amount.amountMinor} ${amount.currency}`;
    await noteFinding(ctx, { kind: 'AMOUNT_DIFFERS', provider: provider.name, object, theirs });
    return payment;
  }
  const paid = await patch(ctx, payment, {
    status: 'SUCCEEDED',
    captureId,
    feeMinor,
    actionUrl: null,
    failureCode: null,
    failures: 0,
    paidAt: ctx.now,
    dueAt: feeMinor === null ? new Date(ctx.now.getTime() + HOUR_MS) : null,
  });
  await postCharge(ctx, paid);
  await record(ctx, PaymentSucceeded, { target: paid, before: payment, after: paid, data: dataOf(ctx, paid) });
  for (const other of siblings) if (other.isOpen) await stop(ctx, other);
  const isSecond = siblings.some(
    ({ status, refundedMinor, amountMinor }) => status === 'SUCCEEDED' && refundedMinor < amountMinor,
  );
  if (isSecond) {
    if (captureId !== null) await wakeWaiting(ctx, provider, captureId);
    await noteFinding(ctx, {
      kind: 'DUPLICATE_PAYMENT',
      provider: provider.name,
      object,
      theirs: charge.providerStatus,
    });
    return refundDuplicate(ctx, paid);
  }
  const fulfilment = fulfilmentOf(ctx, paid);
  await Promise.all([
    captureId !== null && wakeWaiting(ctx, provider, captureId),
    fulfilment.settle(ctx, paid),
    keepMethod(ctx, paid, charge),
    billingContacts(ctx),
  ]);
  await mailPayment(ctx, paid, 'SUCCEEDED');
  return paid;
}

/** What was paid with on a page, and saved there, is read and becomes a method of the organization. */
async function keepMethod(
  ctx: TenantContext,
  { savesMethod, provider }: PaymentModel,
  { customerId, methodId }: Charge,
): Promise<void> {
  if (!savesMethod || customerId === null) return;
  // Some providers make a customer with the first method alone, and have no event that names ours.
  await rememberCustomer(ctx, provider, customerId);
  if (methodId !== null) await markObject(ctx, provider, { kind: 'method', id: methodId });
}

/** Another payment for the same was paid: this one's charge is to end. */
async function stop(ctx: TenantContext, other: PaymentModel): Promise<void> {
  const after = await patch(ctx, other, {
    status: 'CANCELED',
    failureCode: 'paid_otherwise',
    actionUrl: null,
    dueAt: ctx.now,
  });
  await record(ctx, PaymentCanceled, { target: after, before: other, after, data: referenceOf(ctx, after) });
}

/** Ends a payment that is open, unpaid. */
export async function endUnpaid(
  ctx: TenantContext,
  payment: PaymentModel,
  status: 'FAILED' | 'CANCELED',
  failureCode: string | null,
): Promise<PaymentModel> {
  const after = await patch(ctx, payment, {
    status,
    failureCode,
    actionUrl: null,
    captureId: null,
    failures: 0,
    dueAt: null,
  });
  if (status === 'FAILED') {
    await record(ctx, PaymentFailed, { target: after, before: payment, after, data: dataOf(ctx, after) });
    await mailPayment(ctx, after, 'FAILED');
  } else await record(ctx, PaymentCanceled, { target: after, before: payment, after, data: referenceOf(ctx, after) });
  await fulfilmentOf(ctx, after).fail?.(ctx, after);
  return after;
}

/** Some providers say later what they keep. */
async function noteFee(
  ctx: TenantContext,
  payment: PaymentModel,
  { feeMinor, captureId }: Charge,
): Promise<PaymentModel> {
  if (payment.feeMinor !== null) return payment;
  if (feeMinor === null) {
    const isOver = ctx.now.getTime() - payment.paidAt!.getTime() > FEE_PATIENCE_MS;
    return patch(ctx, payment, { dueAt: isOver ? null : new Date(ctx.now.getTime() + HOUR_MS) });
  }
  const after = await patch(ctx, payment, { feeMinor, captureId: payment.captureId ?? captureId, dueAt: null });
  await postCharge(ctx, after);
  return after;
}
