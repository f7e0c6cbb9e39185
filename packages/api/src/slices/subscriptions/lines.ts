import type { Interval, PlanCode } from '../../contract/plans.ts';
import type { NewLine } from '../invoices/service/draft.ts';
import type { Period } from './periods.ts';
import { share, unusedOf } from './proration.ts';

/** What is sold, with how many of it. */
export interface Bought {
  plan: { code: PlanCode; name: string; rank: number; monthlyCredits: number };
  price: { id: number; interval: Interval; currency: string; amountMinor: number };
  quantity: number;
}

export interface Discount {
  code: string;
  percentOff: number | null;
  amountOffMinor: number | null;
}

const wholeOf = ({ price, quantity }: Bought): number => price.amountMinor * quantity;

/** What a coupon takes off an amount: never more than there is. */
export function discountOf(amountMinor: number, discount: Discount | null): number {
  if (!discount) return 0;
  if (discount.percentOff !== null) return share(amountMinor, discount.percentOff, 100);
  return Math.min(discount.amountOffMinor ?? 0, amountMinor);
}

/** A whole period, in advance. */
export function linesOfPeriod(bought: Bought, period: Period, discount: Discount | null): NewLine[] {
  const { plan, price, quantity } = bought;
  const amountMinor = wholeOf(bought);
  const off = discountOf(amountMinor, discount);
  const line: NewLine = {
    kind: 'PLAN',
    description: `${plan.name}, one ${price.interval}`,
    quantity,
    unitMinor: price.amountMinor,
    amountMinor,
    period,
  };
  if (!discount || off === 0) return [line];
  return [line, { kind: 'DISCOUNT', description: `Coupon ${discount.code}`, amountMinor: -off, period }];
}

/**
 * What a change costs at a moment: the rest of what was paid is given back, and the rest of the period, or a whole new
 * one, is charged. Both to the second, of what the period cost with its coupon.
 */
export function linesOfChange(
  before: Bought,
  after: Bought,
  { at, paid, next, discount }: { at: Date; paid: Period; next: Period; discount: Discount | null },
): NewLine[] {
  const net = (bought: Bought): number => wholeOf(bought) - discountOf(wholeOf(bought), discount);
  const isNewPeriod = before.price.interval !== after.price.interval;
  const charged = isNewPeriod ? net(after) : unusedOf(net(after), next, at);
  const lines: NewLine[] = [
    {
      kind: 'PRORATION',
      description: `Unused time of ${nameOf(before)}`,
      quantity: before.quantity,
      amountMinor: -unusedOf(net(before), paid, at),
      period: { from: at, to: paid.to },
    },
    {
      kind: 'PRORATION',
      description: isNewPeriod
        ? `${nameOf(after)}, one ${after.price.interval}`
        : `${nameOf(after)} until the end of the period`,
      quantity: after.quantity,
      amountMinor: charged,
      period: { from: at, to: next.to },
    },
  ];
  return lines;
}

const nameOf = ({ plan, quantity }: Bought): string => (quantity === 1 ? plan.name : `${quantity} × ${plan.name}`);

/**
 * When a change counts: more, or a longer interval, as soon as it is paid; less, or a shorter interval, at the end of
 * what is paid. Null where nothing changes.
 */
export function timingOf(before: Bought, after: Bought): 'now' | 'period_end' | null {
  const changes = [
    Math.sign(after.plan.rank - before.plan.rank),
    Math.sign(after.quantity - before.quantity),
    lengthOf(after) - lengthOf(before),
  ];
  if (after.plan.code !== before.plan.code && changes[0] === 0) changes[0] = 1;
  if (changes.every((change) => change === 0)) return null;
  return changes.some((change) => change < 0) ? 'period_end' : 'now';
}

const lengthOf = ({ price }: Bought): number => (price.interval === 'year' ? 1 : 0);

/** The credits of a month that a change adds: what the rest of the month includes now, less what it included before. */
export function creditsOfChange(
  before: Bought,
  after: Bought,
  { at, month, isNewPeriod }: { at: Date; month: Period; isNewPeriod: boolean },
): number {
  const creditsOf = ({ plan, quantity }: Bought): number => plan.monthlyCredits * quantity;
  const added = isNewPeriod ? creditsOf(after) : unusedOf(creditsOf(after), month, at);
  return Math.max(added - unusedOf(creditsOf(before), month, at), 0);
}
