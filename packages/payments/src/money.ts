import { CURRENCIES } from './currencies.ts';
import type { ProviderName } from './payment-provider.ts';
import { ProviderError } from './provider-error.ts';

/** An amount in the minor unit of ISO 4217: cents, yen, thousandths of a dinar. */
export interface Money {
  amountMinor: number;
  currency: string;
}

/** How a provider writes amounts of a currency. */
export interface WireCurrency {
  /** Digits after the point. */
  decimals: number;
  /** Amounts are multiples of it, in the wire's own smallest unit. */
  step?: number;
  /** The least that can be charged, in our minor unit. */
  minimumMinor: number;
}

export type ProviderCurrencies = ReadonlyMap<string, WireCurrency>;

/** The amount in the wire's smallest unit. Throws `refused` for what the provider cannot charge exactly. */
export function toWire(
  provider: ProviderName,
  currencies: ProviderCurrencies,
  { amountMinor, currency }: Money,
): bigint {
  const wire = currencies.get(currency);
  const exponent = CURRENCIES.get(currency);
  if (!wire || exponent === undefined) throw new ProviderError(provider, 'refused', 'currency_not_supported');
  if (!Number.isSafeInteger(amountMinor) || amountMinor <= 0) {
    throw new ProviderError(provider, 'refused', 'amount_not_valid');
  }
  const scaled = scale(BigInt(amountMinor), wire.decimals - exponent);
  if (scaled === null || scaled % BigInt(wire.step ?? 1) !== 0n) {
    throw new ProviderError(provider, 'refused', 'amount_not_representable');
  }
  return scaled;
}

/** The same, and no less than the provider charges. */
export function toChargedWire(provider: ProviderName, currencies: ProviderCurrencies, amount: Money): bigint {
  const wire = toWire(provider, currencies, amount);
  if (amount.amountMinor < currencies.get(amount.currency)!.minimumMinor) {
    throw new ProviderError(provider, 'refused', 'amount_below_minimum');
  }
  return wire;
}

/** Throws for an answer that we cannot read: a fraction of our minor unit, an unknown currency, or one past 2^53. */
export function fromWire(currencies: ProviderCurrencies, amount: bigint, currency: string): Money {
  const wire = currencies.get(currency);
  const exponent = CURRENCIES.get(currency);
  const minor = wire && exponent !== undefined ? scale(amount, exponent - wire.decimals) : null;
  if (minor === null || !Number.isSafeInteger(Number(minor))) {
    throw new Error('the answer has an amount that cannot be read');
  }
  return { amountMinor: Number(minor), currency };
}

/** Null where digits would be lost. */
function scale(amount: bigint, digits: number): bigint | null {
  if (digits >= 0) return amount * 10n ** BigInt(digits);
  const divisor = 10n ** BigInt(-digits);
  return amount % divisor === 0n ? amount / divisor : null;
}

/** `12.30`, `1200`: what PayPal sends and takes. */
export function toDecimal(wire: bigint, decimals: number): string {
  const sign = wire < 0n ? '-' : '';
  const digits = (wire < 0n ? -wire : wire).toString().padStart(decimals + 1, '0');
  return decimals === 0 ? sign + digits : `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** Null for what is no amount with at most that many decimals; zeros beyond them are no loss. */
export function fromDecimal(text: string, decimals: number): bigint | null {
  const [, sign, whole, fraction = ''] = /^(-?)(\d{1,18})(?:\.(\d{1,18}))?$/.exec(text) ?? [];
  if (whole === undefined || /[1-9]/.test(fraction.slice(decimals))) return null;
  const amount = BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, '0'));
  return sign ? -amount : amount;
}
