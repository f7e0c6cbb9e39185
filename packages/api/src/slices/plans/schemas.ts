import { z } from 'zod';
import { exampleId, id } from '../../contract/ids.ts';
import { Money } from '../../contract/money.ts';
import { FEATURES, INTERVALS, OVERAGES, PLAN_CODES } from '../../contract/plans.ts';
import { CreditPack } from '../payments/schemas.ts';

const count = (description: string, example: number) => z.int().meta({ description, example });

export const Interval = z.enum(INTERVALS).meta({ description: 'How often it is paid.', example: 'month' });

export const UsagePrice = z
  .object({
    meter: z.string().nullable().meta({
      description: 'The slug of the meter whose units cost it; null for calls beyond those that the plan includes.',
      example: null,
    }),
    unitPrice: Money.meta({ description: 'For so many units, without tax.' }),
    unitSize: z.int().meta({ description: 'How many units the price is for.', example: 1000 }),
  })
  .meta({ id: 'UsagePrice', description: 'What usage costs, at the end of each month of UTC.' });
export type UsagePrice = z.output<typeof UsagePrice>;

/** As it is stored with its price, whose currency it has. */
export interface StoredUsagePrice {
  meter: string | null;
  amountMinor: number;
  unitSize: number;
}

export const Price = z
  .object({
    id: id('prc'),
    interval: Interval,
    amount: Money.meta({ description: 'For one unit and interval.' }),
    usage: z.array(UsagePrice).meta({ description: 'What usage costs besides; nothing where it is empty.' }),
  })
  .meta({ id: 'Price', description: 'What a plan costs. A price never changes: another one takes its place.' });
export type Price = z.output<typeof Price>;

export const Plan = z
  .object({
    code: z.enum(PLAN_CODES).meta({ description: 'By which you subscribe.', example: 'BASIC' }),
    name: z.string().meta({ description: 'For people.', example: 'Basic' }),
    limits: z
      .object({
        perHour: count('Calls an hour with all API keys together.', 1000),
        perDay: count('Calls a day with all API keys together.', 10_000),
        sockets: count('Sockets that are open at once.', 100),
        subscriptions: count('Event subscriptions that are open at once.', 200),
      })
      .meta({ id: 'PlanLimits', description: 'How much an organization may use at once, an hour and a day.' }),
    includedCallsPerMonth: count('Calls with live keys that it includes in a month of UTC.', 100_000),
    overage: z.enum(OVERAGES).meta({ description: 'What happens to further calls.', example: 'bill' }),
    features: z.array(z.enum(FEATURES)).meta({ description: 'What it includes.' }),
    monthlyCredits: count('Credits that it includes in each month.', 500),
    creditsRollOver: z.boolean().meta({
      description: 'Whether what is left of a month’s credits stays; else it expires with the month.',
      example: false,
    }),
    trialDays: count('Days that the first subscription of an organization is free of charge.', 14),
    prices: z.array(Price).meta({ description: 'One for each interval and currency; none where it is free.' }),
  })
  .meta({ id: 'Plan', description: 'What an organization can subscribe to.' });
export type Plan = z.output<typeof Plan>;

export const Plans = z
  .object({
    items: z.array(Plan).meta({ description: 'From the smallest to the largest.' }),
    nextCursor: z.null().meta({ description: 'All are on one page.' }),
    creditPacks: z.array(CreditPack).meta({ description: 'Credits that can be bought, from the fewest.' }),
  })
  .meta({ id: 'Plans', description: 'What is sold.' });
export type Plans = z.output<typeof Plans>;

export const examplePrice: Price = {
  id: exampleId('prc'),
  interval: 'month',
  amount: { amountMinor: 1900, currency: 'USD' },
  usage: [{ meter: null, unitPrice: { amountMinor: 40, currency: 'USD' }, unitSize: 1000 }],
};

export const examplePlan: Plan = {
  code: 'BASIC',
  name: 'Basic',
  limits: { perHour: 1000, perDay: 10_000, sockets: 100, subscriptions: 200 },
  includedCallsPerMonth: 100_000,
  overage: 'bill',
  features: ['api_keys', 'realtime'],
  monthlyCredits: 500,
  creditsRollOver: false,
  trialDays: 14,
  prices: [examplePrice],
};
