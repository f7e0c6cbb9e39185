import { CURRENCIES } from '@rentapi/payments/currencies';
import { toDecimal } from '@rentapi/payments/money';
import { z } from 'zod';

/** An amount of money in an answer. */
export const Money = z
  .object({
    amountMinor: z.int().meta({ description: 'In the smallest unit of the currency: cents, yen.', example: 1900 }),
    currency: z.string().meta({ description: 'Of ISO 4217.', example: 'EUR' }),
  })
  .meta({ id: 'Money', description: 'An amount of money.' });
export type Money = z.output<typeof Money>;

/** `1,234.50 EUR`: the same in every version of every language, as printed documents must be. */
export function formatMoney({ amountMinor, currency }: Money): string {
  const text = toDecimal(BigInt(amountMinor), CURRENCIES.get(currency) ?? 2);
  return `${text.replace(/\B(?=(\d{3})+(?!\d)(?=\.|$))/g, ',')} ${currency}`;
}
