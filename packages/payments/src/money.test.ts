import { data } from 'currency-codes';
import { describe, expect, it } from 'vitest';
import { CURRENCIES } from './currencies.ts';
import { fromDecimal, fromWire, toChargedWire, toDecimal, toWire } from './money.ts';
import { PAYPAL_CURRENCIES } from './paypal/currencies.ts';
import { STRIPE_CURRENCIES } from './stripe/currencies.ts';

const PROVIDERS = [
  ['stripe', STRIPE_CURRENCIES],
  ['paypal', PAYPAL_CURRENCIES],
] as const;

const PAIRS = PROVIDERS.flatMap(([provider, currencies]) =>
  [...currencies.keys()].map((currency) => [provider, currency, currencies] as const),
);

/** By the pages of the providers, apart from our tables: what they write one whole unit as, where that is not 100. */
const WHOLE_UNITS = { stripe: 'CLP JPY KRW MGA VND XAF XOF', paypal: 'HUF JPY TWD' };
const THOUSANDTHS = { stripe: 'BHD JOD KWD OMR TND', paypal: '' };

/** Numbers that are the same in each run. */
function randoms(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

describe('money', () => {
  it('has the minor units of ISO 4217', () => {
    const iso = new Map(data.map(({ code, digits }) => [code, digits]));
    for (const [code, digits] of CURRENCIES) expect([code, iso.get(code)]).toEqual([code, digits]);
  });

  it('has them as Intl does, which leaves out the ones that no coin has', () => {
    const unlike = [...CURRENCIES].filter(([code, digits]) => {
      const format = new Intl.NumberFormat('en', { style: 'currency', currency: code });
      return format.resolvedOptions().maximumFractionDigits !== digits;
    });
    expect(unlike.map(([code]) => code)).toEqual(['HUF', 'MGA']);
  });

  it.each(PAIRS)('rule 31: writes one unit for %s in %s as the provider does', (provider, currency, currencies) => {
    const amount = { amountMinor: 10 ** CURRENCIES.get(currency)!, currency };
    const isIn = (list: string): boolean => list.split(' ').includes(currency);
    const wire = isIn(WHOLE_UNITS[provider]) ? 1n : isIn(THOUSANDTHS[provider]) ? 1000n : 100n;
    expect(toWire(provider, currencies, amount)).toBe(wire);
  });

  it.each(PAIRS)('rule 31: goes to %s and back in %s', (provider, currency, currencies) => {
    const { minimumMinor, decimals, step = 1 } = currencies.get(currency)!;
    const { amountMinor: leastMinor } = fromWire(currencies, BigInt(step), currency);
    const random = randoms(31);
    const mostOf = Math.floor(Number.MAX_SAFE_INTEGER / 100 / leastMinor); // the wire may have two digits more
    const counts = Array.from({ length: 500 }, () => random(2 ** 31) * (1 + random(2 ** 15))).map((n) => n % mostOf);
    for (const amountMinor of [minimumMinor, ...counts.map((count) => minimumMinor + count * leastMinor)]) {
      const amount = { amountMinor, currency };
      const wire = toChargedWire(provider, currencies, amount);
      expect(fromWire(currencies, wire, currency)).toEqual(amount);
      expect(fromDecimal(toDecimal(wire, decimals), decimals)).toBe(wire);
      if (leastMinor === 1) continue;
      const between = { amountMinor: amountMinor + 1 + random(leastMinor - 1), currency };
      expect(() => toWire(provider, currencies, between)).toThrow('amount_not_representable');
    }
  });

  it.each([
    ['stripe', 'USD', 1234, 1234n],
    ['stripe', 'JPY', 1234, 1234n],
    ['stripe', 'HUF', 1234, 1234n],
    ['stripe', 'ISK', 12, 1200n],
    ['stripe', 'UGX', 12, 1200n],
    ['stripe', 'KWD', 1230, 1230n],
    ['stripe', 'MGA', 500000, 5000n],
    ['paypal', 'HUF', 123400, 1234n],
    ['paypal', 'TWD', 100, 1n],
  ] as const)('writes for %s in %s %i as %s', (provider, currency, amountMinor, wire) => {
    const currencies = provider === 'stripe' ? STRIPE_CURRENCIES : PAYPAL_CURRENCIES;
    expect(toWire(provider, currencies, { amountMinor, currency })).toBe(wire);
  });

  it.each([
    ['stripe', 'KWD', 1234],
    ['stripe', 'MGA', 1234],
    ['paypal', 'HUF', 1234],
    ['paypal', 'TWD', 101],
  ] as const)('%s refuses in %s the amount %i, which it would round', (provider, currency, amountMinor) => {
    const currencies = provider === 'stripe' ? STRIPE_CURRENCIES : PAYPAL_CURRENCIES;
    expect(() => toWire(provider, currencies, { amountMinor, currency })).toThrow('amount_not_representable');
  });

  it('rule 41: refuses less than the provider charges, and refunds it all the same', () => {
    const amount = { amountMinor: 49, currency: 'USD' };
    expect(() => toChargedWire('stripe', STRIPE_CURRENCIES, amount)).toThrow('amount_below_minimum');
    expect(toWire('stripe', STRIPE_CURRENCIES, amount)).toBe(49n);
  });

  it('reads no amount that it would have to round', () => {
    expect(() => fromWire(STRIPE_CURRENCIES, 1250n, 'ISK')).toThrow('cannot be read');
    expect(() => fromWire(STRIPE_CURRENCIES, 2n ** 60n, 'USD')).toThrow('cannot be read');
    expect(() => fromWire(STRIPE_CURRENCIES, 1n, 'XXX')).toThrow('cannot be read');
  });

  it.each([
    ['12.34', 2, 1234n],
    ['12', 2, 1200n],
    ['12.3', 2, 1230n],
    ['-0.01', 2, -1n],
    ['1200.00', 0, 1200n],
    ['12.345', 2, null],
    ['1e3', 2, null],
    ['', 2, null],
    ['1,00', 2, null],
    ['0x10', 2, null],
    [' 1', 2, null],
  ] as const)('reads "%s" with %i decimals as %s', (text, decimals, wire) => {
    expect(fromDecimal(text, decimals)).toBe(wire);
  });

  it.each([
    [0n, 2, '0.00'],
    [-5n, 2, '-0.05'],
    [1234n, 0, '1234'],
  ] as const)('writes %i with %i decimals as %s', (wire, decimals, text) => {
    expect(toDecimal(wire, decimals)).toBe(text);
  });
});
