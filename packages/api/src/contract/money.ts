import { z } from 'zod';

/** An amount of money in an answer. */
export const Money = z
  .object({
    amountMinor: z.int().meta({ description: 'In the smallest unit of the currency: cents, yen.', example: 1900 }),
    currency: z.string().meta({ description: 'Of ISO 4217.', example: 'EUR' }),
  })
  .meta({ id: 'Money', description: 'An amount of money.' });
export type Money = z.output<typeof Money>;
