import { isInEuropeanUnion } from '../../billing/service/tax-id.ts';
import type { Party, TaxTreatment } from '../schemas.ts';

const WHOLE_PPM = 1_000_000n;

interface Tax {
  treatment: TaxTreatment;
  ratePpm: number;
}

/**
 * The tax of an invoice, by where seller and buyer are. A seller without a tax id takes none. A business in another
 * member state of the European Union pays it itself. For others, the rate of their country counts; consumers in a
 * member state without a rate pay the seller's, as below the threshold of cross-border sales.
 */
export function taxOf(seller: Party, buyer: Party, ratesPpm: ReadonlyMap<string, number>): Tax {
  const home = seller.address?.country ?? null;
  const there = buyer.address?.country ?? home;
  if (seller.taxId === null || home === null || there === null) return { treatment: 'NONE', ratePpm: 0 };
  const isInternal = isInEuropeanUnion(home) && isInEuropeanUnion(there);
  if (isInternal && there !== home && buyer.taxId !== null) return { treatment: 'REVERSE_CHARGE', ratePpm: 0 };
  const ratePpm = ratesPpm.get(there) ?? (isInternal ? ratesPpm.get(home) : undefined) ?? ratesPpm.get('*') ?? 0;
  return { treatment: ratePpm > 0 ? 'STANDARD' : 'NONE', ratePpm };
}

interface Taxed {
  amountMinor: number;
  ratePpm: number;
}

/**
 * The tax of each line. The tax of a rate is rounded once, on the sum of its lines, and divided so that lines and total
 * agree: each gets what is whole, and the units that are left go to the largest remainders.
 */
export function taxLines(lines: readonly Taxed[]): number[] {
  const taxes = lines.map(() => 0n);
  for (const rate of new Set(lines.map(({ ratePpm }) => ratePpm))) {
    const places = [...lines.keys()].filter((at) => lines[at]!.ratePpm === rate);
    const exact = places.map((at) => BigInt(lines[at]!.amountMinor) * BigInt(rate));
    const whole = exact.map((parts) => floorDivide(parts, WHOLE_PPM));
    const remainders = exact.map((parts, at) => parts - whole[at]! * WHOLE_PPM);
    const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);
    const left = Number(roundDivide(sum(exact), WHOLE_PPM) - sum(whole));
    const byRemainder = [...places.keys()].sort((a, b) => Number(remainders[b]! - remainders[a]!) || a - b);
    const favoured = new Set(byRemainder.slice(0, left));
    for (const [at, place] of places.entries()) taxes[place] = whole[at]! + (favoured.has(at) ? 1n : 0n);
  }
  return taxes.map(Number);
}

/** `part` of `whole` of an amount, rounded half away from zero. */
export function share(amountMinor: number, part: number, whole: number): number {
  return Number(roundDivide(BigInt(amountMinor) * BigInt(part), BigInt(whole)));
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

/** Half away from zero. */
function roundDivide(value: bigint, by: bigint): bigint {
  const isNegative = value < 0n !== by < 0n;
  const [dividend, divisor] = [value < 0n ? -value : value, by < 0n ? -by : by];
  const rounded = (2n * dividend + divisor) / (2n * divisor);
  return isNegative ? -rounded : rounded;
}
