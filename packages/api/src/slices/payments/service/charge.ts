import type { Charge, PaymentProvider } from '@rentapi/payments/payment-provider';
import { ProviderError } from '@rentapi/payments/provider-error';
import { execute, type Statement } from '@rentapi/platform/database';
import { z } from 'zod';
import { within } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { toModel } from '../../../data/rows.ts';
import { job } from '../../../jobs/job.ts';
import { sharedTransaction } from '../../organizations/service/shared-transaction.ts';
import { customerIdOf } from '../../payment-methods/service/customers.ts';
import { PaymentModel } from '../model.ts';
import { applyCharge, endUnpaid, isAbandoned, lockWithSiblings } from './apply-charge.ts';
import { backoffMs, DAY_MS } from './delays.ts';
import type { TenantContext } from './fulfilment.ts';
import { patch } from './rows.ts';

/** Charges a payment, or looks how it goes. */
export const chargePayment = job({
  name: 'payments.charge',
  queue: 'subscriptions',
  timeoutMs: 120_000, // some calls of a provider, each with a limit of its own
  data: z.strictObject({ organizationId: z.int(), paymentId: z.int() }),
  async run(ctx, { organizationId, paymentId }) {
    await advance(within(ctx, organizationId), paymentId);
  },
});

/** Those under way in this process: a page, a job and a repeat of a call share one. */
const underWay = new WeakMap<object, Map<number, Promise<PaymentModel>>>();

/**
 * Moves a payment on as far as it can be without its payer: creates its charge, commits the id, confirms. Never throws
 * for a provider: what fails is tried again when it is due.
 */
export function advance(ctx: TenantContext, paymentId: number): Promise<PaymentModel> {
  if (ctx.db.isTransaction) throw new Error('no provider is called in a transaction');
  const ofPorts = underWay.get(ctx.ports) ?? new Map<number, Promise<PaymentModel>>();
  underWay.set(ctx.ports, ofPorts);
  const known = ofPorts.get(paymentId);
  if (known) return known;
  const work = run(ctx, paymentId).finally(() => ofPorts.delete(paymentId));
  ofPorts.set(paymentId, work);
  return work;
}

async function run(ctx: TenantContext, paymentId: number): Promise<PaymentModel> {
  const payment = await find(ctx, paymentId);
  const provider = ctx.ports.payments.get(payment.provider);
  if (!provider) return payment; // its settings were taken away; the payment waits for the day they come back
  try {
    return await step(ctx, provider, payment);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return postpone(ctx, payment, error);
  }
}

async function step(ctx: TenantContext, provider: PaymentProvider, payment: PaymentModel): Promise<PaymentModel> {
  if (payment.status === 'CANCELED') return endCharge(ctx, provider, payment);
  if (payment.status === 'FAILED') return payment;
  if (payment.externalId === null) return begin(ctx, provider, payment);
  const charge = await provider.getCharge(payment.externalId);
  // What its payer has approved is not left, however late we learn of it.
  if (isAbandoned(ctx, payment) && charge.next !== 'confirm') return endCharge(ctx, provider, payment);
  return goOn(ctx, provider, payment, charge);
}

/** Creates the charge, which moves nothing, and commits its id before anything else is done with it. */
async function begin(ctx: TenantContext, provider: PaymentProvider, payment: PaymentModel): Promise<PaymentModel> {
  const freed = await endReplaced(ctx, payment);
  if (!freed.isOpen) return freed;
  const { amount, description, methodId, returnUrl, savesMethod, attempt } = payment;
  const customerId = await customerOf(ctx, provider, payment);
  const reference = ctx.ids.encode('pay', payment.id);
  const input = { reference, amount, description, customerId, methodId, returnUrl, savesMethod };
  let charge: Charge;
  try {
    charge = await provider.createCharge({ ...input, key: `${reference}/${attempt}` });
  } catch (error) {
    if (!(error instanceof ProviderError) || error.outcome !== 'refused') throw error;
    // The key is known for another charge of ours whose answer was lost: that one can never be paid.
    if (KNOWN_KEY.has(error.code)) throw new ProviderError(provider.name, 'unknown', error.code);
    return fail(ctx, payment.id, error.code);
  }
  const stored = await sharedTransaction(ctx, async (ctx) => {
    const { payment: row } = await lockWithSiblings(ctx, payment.id);
    if (row.externalId !== null) return row; // another process was faster
    const confirmingAt = charge.next === 'confirm' && row.isOpen ? ctx.now : null;
    return patch(ctx, row, { externalId: charge.id, failures: 0, confirmingAt });
  });
  if (stored.externalId !== charge.id) return stored;
  if (stored.status === 'CANCELED') return endCharge(ctx, provider, stored);
  return stored.confirmingAt === null ? goOn(ctx, provider, stored, charge) : confirmBegun(ctx, provider, stored);
}

/**
 * The organization at the provider, where the payment saves what it is paid with. It is made known only now: what is
 * refused makes nothing there.
 */
const customerOf = (ctx: TenantContext, provider: PaymentProvider, { savesMethod, customerId }: PaymentModel) =>
  savesMethod && customerId === null ? customerIdOf(ctx, provider) : customerId;

const KNOWN_KEY = new Set(['DUPLICATE_INVOICE_ID', 'PAYPAL_REQUEST_ID_PREVIOUSLY_USED', 'key_reused']);

async function goOn(ctx: TenantContext, provider: PaymentProvider, payment: PaymentModel, seen: Charge) {
  if (seen.next !== 'confirm') return sharedTransaction(ctx, (ctx) => applyCharge(ctx, provider, payment.id, seen));
  const begun = await sharedTransaction(ctx, async (ctx) => {
    const { payment: row } = await lockWithSiblings(ctx, payment.id);
    return row.isOpen && row.confirmingAt === null ? patch(ctx, row, { confirmingAt: ctx.now }) : row;
  });
  return begun.isOpen ? confirmBegun(ctx, provider, begun) : begun;
}

/** Its id is committed, and `confirmingAt`: since then it cannot be replaced. */
async function confirmBegun(ctx: TenantContext, provider: PaymentProvider, begun: PaymentModel): Promise<PaymentModel> {
  const confirmed = await confirm(ctx, provider, begun);
  const code = typeof confirmed === 'string' ? confirmed : confirmed.status === 'FAILED' && confirmed.failureCode;
  if (code === NEEDS_PAYER && begun.methodId !== null) return sendToPage(ctx, provider, begun);
  if (typeof confirmed === 'string') return fail(ctx, begun.id, confirmed);
  return sharedTransaction(ctx, (ctx) => applyCharge(ctx, provider, begun.id, confirmed));
}

/** The bank wants the payer to confirm, who is not there. */
const NEEDS_PAYER = 'authentication_required';

/** Another charge, on a page: the one that failed moves nothing unless it is confirmed again, by us. */
async function sendToPage(ctx: TenantContext, provider: PaymentProvider, { id }: PaymentModel): Promise<PaymentModel> {
  const freed = await sharedTransaction(ctx, async (ctx) => {
    const { payment: row } = await lockWithSiblings(ctx, id);
    if (!row.isOpen || row.methodId === null) return null;
    const { attempt } = row;
    return patch(ctx, row, { methodId: null, externalId: null, confirmingAt: null, attempt: attempt + 1 });
  });
  return freed ? begin(ctx, provider, freed) : find(ctx, id);
}

/** The charge afterwards, or why it was declined. The provider is asked first whether the money has moved already. */
async function confirm(
  ctx: TenantContext,
  provider: PaymentProvider,
  { id: paymentId, externalId, methodId, returnUrl, attempt, failures }: PaymentModel,
): Promise<Charge | string> {
  const id = externalId!; // committed before
  const key = `${ctx.ids.encode('pay', paymentId)}/${attempt}/${failures}`;
  try {
    return await provider.confirmCharge({ id, key, methodId, returnUrl });
  } catch (error) {
    if (!(error instanceof ProviderError) || error.outcome !== 'refused') throw error;
    const now = await provider.getCharge(id); // refused may mean: done by another process at this moment
    return now.next === 'confirm' ? error.code : now;
  }
}

/** Ends the charge of the payment that this one replaces. If that is paid after all, this one is not charged. */
async function endReplaced(ctx: TenantContext, payment: PaymentModel): Promise<PaymentModel> {
  if (payment.replacesId === null) return payment;
  let earlier = await find(ctx, payment.replacesId);
  const provider = ctx.ports.payments.get(earlier.provider);
  if (!provider) throw new ProviderError(earlier.provider, 'unavailable', 'not_set_up');
  if (earlier.status === 'CANCELED' && earlier.dueAt !== null) earlier = await endCharge(ctx, provider, earlier);
  if (earlier.status === 'CANCELED' && earlier.dueAt !== null) await giveWay(ctx, payment, earlier);
  return find(ctx, payment.id); // a success of the earlier one has stopped it
}

/** The earlier payment is on its way and cannot be stopped: it is the one that counts. */
async function giveWay(ctx: TenantContext, payment: PaymentModel, earlier: PaymentModel): Promise<void> {
  await sharedTransaction(ctx, async (ctx) => {
    const { payment: row, siblings } = await lockWithSiblings(ctx, payment.id);
    const before = siblings.find(({ id }) => id === earlier.id);
    if (!row.isOpen || row.externalId !== null || before?.status !== 'CANCELED') return;
    await patch(ctx, row, { status: 'CANCELED', failureCode: 'paid_otherwise', dueAt: null });
    await patch(ctx, before, { status: 'PENDING', failureCode: null });
  });
}

/** Makes sure that a payment which was left cannot be paid any more. */
async function endCharge(ctx: TenantContext, provider: PaymentProvider, payment: PaymentModel): Promise<PaymentModel> {
  const charge = payment.externalId === null ? null : await provider.cancelCharge(payment.externalId);
  return sharedTransaction(ctx, async (ctx) => {
    if (charge?.status === 'SUCCEEDED') return applyCharge(ctx, provider, payment.id, charge);
    const { payment: row } = await lockWithSiblings(ctx, payment.id);
    if (charge?.status === 'PENDING') {
      if (row.status !== 'CANCELED') return applyCharge(ctx, provider, payment.id, charge);
      return patch(ctx, row, { dueAt: new Date(ctx.now.getTime() + DAY_MS) });
    }
    if (row.isOpen) return endUnpaid(ctx, row, 'CANCELED', 'abandoned');
    // Another process may be creating its charge at this moment: it finds the payment canceled, and ends the charge.
    return row.status === 'CANCELED' ? patch(ctx, row, { dueAt: null, failures: 0 }) : row;
  });
}

async function fail(ctx: TenantContext, id: number, code: string): Promise<PaymentModel> {
  return sharedTransaction(ctx, async (ctx) => {
    const { payment } = await lockWithSiblings(ctx, id);
    return payment.isOpen ? endUnpaid(ctx, payment, 'FAILED', code) : payment;
  });
}

/** Nothing is lost: what was to be done is done when the provider answers again. */
async function postpone(ctx: TenantContext, { id }: PaymentModel, error: ProviderError): Promise<PaymentModel> {
  ctx.ports.log.warn(
    { provider: error.message, payment: ctx.ids.encode('pay', id) },
    'a payment waits for its provider',
  );
  return sharedTransaction(ctx, async (ctx) => {
    const { payment } = await lockWithSiblings(ctx, id);
    if (!payment.isOpen && payment.dueAt === null) return payment;
    const { failures, externalId, attempt } = payment;
    const waitMs = Math.max(backoffMs(failures), error.retryAfterMs ?? 0);
    // A provider repeats a failure that it has stored under a key. A charge without a known id moves nothing.
    const isLost =
      externalId === null && error.outcome === 'unknown' && (failures % 2 === 1 || KNOWN_KEY.has(error.code));
    return patch(ctx, payment, {
      failures: failures + 1,
      attempt: isLost ? attempt + 1 : attempt,
      dueAt: new Date(ctx.now.getTime() + waitMs),
    });
  });
}

const FIND: Statement = {
  name: 'payment_to_charge',
  short: true,
  text: 'select * from payments where organization_id = $1 and id = $2',
};

async function find({ db, organization }: TenantContext, id: number): Promise<PaymentModel> {
  const [row] = await execute<object>(db, FIND, [organization.id, id]);
  if (!row) throw new ApiError('not_found');
  return toModel(PaymentModel, row);
}
