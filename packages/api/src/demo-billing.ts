import type { OrganizationContext, UserContext } from './context.ts';
import { iso } from './contract/common-schemas.ts';
import { PaymentModel } from './slices/payments/model.ts';
import { advance } from './slices/payments/service/charge.ts';
import { confirmPayment } from './slices/payments/service/confirm.ts';
import { runDue } from './slices/subscriptions/service/run-due.ts';
import { subscribe } from './slices/subscriptions/service/subscribe.ts';

const DAY_MS = 86_400_000;
/** When it subscribes. A trial of 14 days follows, and then months. */
const SUBSCRIBED_DAYS_AGO = 80;
/** When a transfer arrives: the last one has not. */
const TRANSFERRED_DAYS_AGO = [64, 34];
const IS_ALWAYS_RUNNING = { signal: new AbortController().signal, touch() {} };

/** Contexts of someone at a moment. */
type At<C> = (moment: Date) => C;

/**
 * A subscription as it is after some months: a trial, two invoices that were paid by bank transfer, and one that is to
 * be paid. Services do it, as of calls and jobs at those times.
 */
export async function seedBilling(
  now: Date,
  { owner, staff }: { owner: At<UserContext & OrganizationContext>; staff: At<UserContext> },
): Promise<void> {
  const daysAgo = (days: number) => new Date(now.getTime() - days * DAY_MS);
  const { ports, ids } = owner(now);
  const returnUrl = ports.env.PUBLIC_URL;
  const wanted = { plan: 'PRO', interval: 'month', quantity: 1, provider: 'manual', returnUrl } as const;
  await subscribe(owner(daysAgo(SUBSCRIBED_DAYS_AGO)), wanted);
  for (let day = SUBSCRIBED_DAYS_AGO; day >= 0; day--) {
    const there = owner(daysAgo(day));
    await runDue(there, IS_ALWAYS_RUNNING);
    // Looked at each day, as jobs do.
    const open = await PaymentModel.of(there).whereIn('status', ['CREATED', 'PENDING']).first();
    if (open) await advance(there, open.id);
    if (!TRANSFERRED_DAYS_AGO.includes(day)) continue;
    const payment = await PaymentModel.of(there).where({ status: 'PENDING' }).first().throwIfNotFound();
    await confirmPayment(staff(there.now), {
      paymentId: ids.encode('pay', payment.id),
      amount: payment.amount,
      reference: `Transfer of ${iso(there.now).slice(0, 10)}`,
      receivedAt: iso(there.now),
    });
  }
}
