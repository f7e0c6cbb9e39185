import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Bought, creditsOfChange, discountOf, linesOfChange, linesOfPeriod, timingOf } from './lines.ts';
import { periodOf } from './periods.ts';

const bought = (code: 'BASIC' | 'PRO', given: { interval?: 'month' | 'year'; quantity?: number } = {}): Bought => {
  const { interval = 'month', quantity = 1 } = given;
  const [name, rank, monthlyCredits, amountMinor] = code === 'PRO' ? ['Pro', 20, 5000, 9900] : ['Basic', 10, 500, 1900];
  return {
    plan: { code, name: String(name), rank: Number(rank), monthlyCredits: Number(monthlyCredits) },
    price: { id: 1, interval, currency: 'USD', amountMinor: Number(amountMinor) * (interval === 'year' ? 10 : 1) },
    quantity,
  };
};
const paid = periodOf(new Date('2026-03-01T00:00:00Z'), 'month', 0);
const at = new Date('2026-03-11T08:00:00Z');
const amounts = (lines: { amountMinor: number }[]) => lines.map(({ amountMinor }) => amountMinor);

describe('a change', () => {
  it('costs what the guide says', () => {
    const guide = readFileSync(new URL('../../../../../docs/guides/subscriptions.md', import.meta.url), 'utf8');
    const shown = guide
      .split('| line ')[1]!
      .split('\n')
      .slice(2, 6)
      .map((row) => Number(row.split('|').at(-2)!.trim().replace('−', '-').replace(',', '')));
    const lines = linesOfChange(bought('BASIC'), bought('PRO'), { at, paid, next: paid, discount: null });
    const [unused, rest] = amounts(lines) as [number, number];
    const credits = creditsOfChange(bought('BASIC'), bought('PRO'), { at, month: paid, isNewPeriod: false });
    expect([unused / 100, rest / 100, (unused + rest) / 100, credits]).toEqual(shown);
  });

  it('to a year gives back the rest of the month, and charges a whole year from now', () => {
    const next = periodOf(at, 'year', 0);
    const lines = linesOfChange(bought('BASIC'), bought('BASIC', { interval: 'year' }), {
      at,
      paid,
      next,
      discount: null,
    });
    expect(amounts(lines)).toEqual([-1267, 19_000]);
    expect(lines[1]!.period).toEqual({ from: at, to: new Date('2027-03-11T08:00:00Z') });
  });

  it('in the first moment of a period is described as a moment later', () => {
    const [first, later] = [paid.from, new Date(paid.from.getTime() + 1)].map((at) =>
      linesOfChange(bought('BASIC'), bought('PRO'), { at, paid, next: paid, discount: null }).map(
        ({ description, amountMinor }) => [description, amountMinor],
      ),
    );
    expect(first).toEqual(later);
  });

  it('gives back what was paid with a coupon, not more', () => {
    const discount = { code: 'HALF', percentOff: 50, amountOffMinor: null };
    const lines = linesOfChange(bought('BASIC'), bought('PRO'), { at, paid, next: paid, discount });
    expect(amounts(lines)).toEqual([-633, 3300]);
  });

  it.each<[what: string, before: Bought, after: Bought, timing: string | null]>([
    ['a larger plan', bought('BASIC'), bought('PRO'), 'now'],
    ['a smaller plan', bought('PRO'), bought('BASIC'), 'period_end'],
    ['more of it', bought('BASIC'), bought('BASIC', { quantity: 2 }), 'now'],
    ['less of it', bought('BASIC', { quantity: 2 }), bought('BASIC'), 'period_end'],
    ['a year', bought('BASIC'), bought('BASIC', { interval: 'year' }), 'now'],
    ['a month', bought('BASIC', { interval: 'year' }), bought('BASIC'), 'period_end'],
    ['a larger plan by the month, after a year', bought('BASIC', { interval: 'year' }), bought('PRO'), 'period_end'],
    ['more of a smaller plan', bought('PRO'), bought('BASIC', { quantity: 9 }), 'period_end'],
    ['the same', bought('PRO'), bought('PRO'), null],
  ])('to %s counts at the right moment', (_, before, after, timing) => {
    expect(timingOf(before, after)).toBe(timing);
  });

  it('rule 35: of the last second adds no credits, and none of a smaller plan', () => {
    const last = new Date(paid.to.getTime() - 1000);
    expect(creditsOfChange(bought('BASIC'), bought('PRO'), { at: last, month: paid, isNewPeriod: false })).toBe(0);
    expect(creditsOfChange(bought('PRO'), bought('BASIC'), { at, month: paid, isNewPeriod: false })).toBe(0);
    // A new period brings a whole month, less what is left of the last one.
    expect(creditsOfChange(bought('BASIC'), bought('BASIC'), { at, month: paid, isNewPeriod: true })).toBe(500 - 333);
  });
});

describe('a period', () => {
  it('is the price for each unit, less the coupon', () => {
    const two = bought('BASIC', { quantity: 2 });
    expect(amounts(linesOfPeriod(two, paid, null))).toEqual([3800]);
    const off = { code: 'OFF', percentOff: null, amountOffMinor: 5000 };
    expect(amounts(linesOfPeriod(two, paid, off))).toEqual([3800, -3800]);
  });

  it('never costs less than nothing', () => {
    expect(discountOf(100, { code: 'ALL', percentOff: 100, amountOffMinor: null })).toBe(100);
    expect(discountOf(100, { code: 'MORE', percentOff: null, amountOffMinor: 101 })).toBe(100);
    expect(discountOf(3, { code: 'HALF', percentOff: 50, amountOffMinor: null })).toBe(2);
  });
});
