import type { Period } from './periods.ts';

/** `part` of `whole` of an amount, rounded half away from zero. */
export function share(amountMinor: number, part: number, whole: number): number {
  const [amount, divisor] = [BigInt(amountMinor) * BigInt(part), BigInt(whole)];
  const size = amount < 0n ? -amount : amount;
  const rounded = (2n * size + divisor) / (2n * divisor);
  return Number(amount < 0n ? -rounded : rounded);
}

const seconds = (at: Date): number => Math.floor(at.getTime() / 1000);

/**
 * What of an amount is for the rest of a period, to the second. The divisor is the whole period, not what is left of
 * it. What was used is the difference, so that both add up.
 */
export function unusedOf(amountMinor: number, { from, to }: Period, at: Date): number {
  const whole = seconds(to) - seconds(from);
  const left = Math.min(Math.max(seconds(to) - seconds(at), 0), whole);
  return share(amountMinor, left, whole);
}
