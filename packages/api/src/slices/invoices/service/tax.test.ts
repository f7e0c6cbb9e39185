import { describe, expect, it } from 'vitest';
import { fromBalance } from './finalise.ts';
import { share, taxLines } from './tax.ts';

/** Numbers below `max`, the same for a seed. */
function randomOf(seed: number): (max: number) => number {
  let state = seed;
  return (max) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % max;
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe('rule 33: the tax of lines', () => {
  it('adds up to the tax of their sum for each rate, and is within one unit of their own', () => {
    for (let seed = 1; seed <= 2000; seed++) {
      const random = randomOf(seed);
      const rates = [0, 70_000, 190_000, 210_000, 55_000].slice(0, 1 + random(5));
      const lines = Array.from({ length: 1 + random(40) }, () => ({
        amountMinor: random(3) === 0 ? -random(100_000) : random(1_000_000),
        ratePpm: rates[random(rates.length)]!,
      }));
      const taxes = taxLines(lines);
      for (const rate of rates) {
        const mine = lines.map((line, at) => ({ ...line, tax: taxes[at]! })).filter(({ ratePpm }) => ratePpm === rate);
        expect(sum(mine.map(({ tax }) => tax))).toBe(share(sum(mine.map((line) => line.amountMinor)), rate, 1_000_000));
        for (const { amountMinor, tax } of mine) expect(Math.abs(tax - (amountMinor * rate) / 1e6)).toBeLessThan(1);
      }
    }
  });

  it('is exact where numbers are not', () => {
    expect(taxLines([{ amountMinor: 999_999_999_999, ratePpm: 190_000 }])).toEqual([190_000_000_000]);
    expect(taxLines([])).toEqual([]);
  });

  it('goes to the largest remainders, the first of equal ones', () => {
    const lines = [25, 26, 25, 25].map((amountMinor) => ({ amountMinor, ratePpm: 100_000 }));
    expect(taxLines(lines)).toEqual([3, 3, 2, 2]); // 10 of 2.5, 2.6, 2.5, 2.5
  });
});

it('shares are rounded half away from zero', () => {
  expect([share(5, 1, 2), share(-5, 1, 2), share(5, -1, 2), share(4, 1, 3)]).toEqual([3, -3, -3, 1]);
});

describe('rule 41: what is below the least that can be charged', () => {
  it.each([
    [100, 0, 50, 0],
    [49, 0, 50, 49], // waits in the balance
    [100, -49, 50, -49], // and is due with the next invoice
    [100, 60, 50, 100], // what is left of it waits
    [100, 200, 50, 100],
    [-100, 0, 50, -100],
    [0, 30, 50, 0],
  ])('of %i with %i in the balance and a minimum of %i: the balance pays %i', (total, balance, minimum, paid) => {
    expect(fromBalance(total, balance, minimum)).toBe(paid);
  });
});
