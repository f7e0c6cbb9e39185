import type { Interval } from '../../contract/plans.ts';

const MONTHS: Readonly<Record<Interval, number>> = { month: 1, year: 12 };

/**
 * So many months after the anchor, in UTC: on the same day and at the same time, or on the last day of a month that has
 * no such day. Always from the anchor, never from the last period: else the 31st would become the 28th for good.
 */
export function addMonths(anchor: Date, months: number): Date {
  const [year, month] = [anchor.getUTCFullYear(), anchor.getUTCMonth() + months];
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const at = new Date(anchor);
  at.setUTCFullYear(year, month, Math.min(anchor.getUTCDate(), lastDay));
  return at;
}

export interface Period {
  from: Date;
  /** The moment at which the next one begins. */
  to: Date;
}

/** The nth period since the anchor: they follow each other without a gap. */
export function periodOf(anchor: Date, interval: Interval, index: number): Period {
  const months = MONTHS[interval];
  return { from: addMonths(anchor, index * months), to: addMonths(anchor, (index + 1) * months) };
}
