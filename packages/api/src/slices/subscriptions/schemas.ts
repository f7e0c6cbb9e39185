import { z } from 'zod';
import { CreatedAt, Timestamp, TimestampInput, UpdatedAt } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { Money } from '../../contract/money.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import { OVERAGES, PLAN_CODES } from '../../contract/plans.ts';
import { PaymentProviderName } from '../payments/schemas.ts';
import { examplePrice, Interval, Price, UsagePrice } from '../plans/schemas.ts';
import { STATUSES } from './state.ts';

const Plan = z.enum(PLAN_CODES).meta({ description: 'The plan.', example: 'BASIC' });

export const MAX_QUANTITY = 10_000;
const Quantity = z
  .int()
  .min(1)
  .max(MAX_QUANTITY)
  .meta({ description: 'How many units of the plan are paid, such as seats.', example: 1 });
const quantity = z.int().meta({ description: 'How many units of it are paid.', example: 1 });

const CODE = /^[A-Z0-9][A-Z0-9_-]{2,39}$/;
const CouponCode = z
  .string()
  .max(40, { abort: true })
  .overwrite((text) => text.trim().toUpperCase())
  .regex(CODE, 'must be 3 to 40 letters, digits, hyphens and underscores')
  .meta({ description: 'Of a coupon.', example: 'LAUNCH20' });

const Span = z
  .object({
    from: Timestamp.meta({ description: 'When it begins.' }),
    to: Timestamp.meta({ description: 'When it ends.' }),
  })
  .meta({ id: 'BillingPeriod', description: 'What is paid at once: from its beginning to the moment before its end.' });

export const Subscription = z
  .object({
    id: id('sub'),
    status: z.enum(STATUSES).meta({
      description:
        'Not paid yet, free of charge until `trialEnd`, paid, waiting for a payment that failed, ended, or never paid.',
      example: 'ACTIVE',
    }),
    plan: Plan,
    price: Price,
    quantity,
    provider: PaymentProviderName,
    coupon: z.string().nullable().meta({ description: 'The code of its coupon, while that counts.', example: null }),
    period: Span.nullable().meta({ description: 'What is paid now; null before the first payment.' }),
    trialEnd: Timestamp.nullable().meta({ description: 'Until then it is free of charge; null without a trial.' }),
    cancelAt: Timestamp.nullable().meta({ description: 'When it will end; null where it goes on.' }),
    endedAt: Timestamp.nullable().meta({ description: 'When it has ended.' }),
    pastDueSince: Timestamp.nullable().meta({ description: 'Since when a payment is missing.' }),
    pending: z
      .object({
        plan: Plan,
        price: Price,
        quantity,
        provider: PaymentProviderName,
        from: Timestamp.meta({ description: 'When it counts.' }),
      })
      .nullable()
      .meta({ id: 'PendingChange', description: 'What follows at the end of the period; null for the same.' }),
    change: z
      .object({
        plan: Plan,
        price: Price,
        quantity,
        invoiceId: id('inv'),
        expiresAt: Timestamp.meta({ description: 'When it is dropped, if it is not paid by then.' }),
      })
      .nullable()
      .meta({ id: 'UnpaidChange', description: 'What counts as soon as its invoice is paid; null for nothing.' }),
    invoiceId: id('inv')
      .nullable()
      .meta({ description: 'The invoice of the next period, while it is not paid; else null.' }),
    entitledUntil: Timestamp.nullable().meta({
      description:
        'Until when the plan counts if nothing more is paid: the period and its grace. Null where it does not count.',
    }),
    createdAt: CreatedAt,
    updatedAt: UpdatedAt,
  })
  .meta({ id: 'PlanSubscription', description: 'What an organization pays for again and again.' });
export type Subscription = z.output<typeof Subscription>;

export const exampleSubscription: Subscription = {
  id: exampleId('sub'),
  status: 'ACTIVE',
  plan: 'BASIC',
  price: examplePrice,
  quantity: 1,
  provider: 'stripe',
  coupon: null,
  period: { from: '2026-01-31T12:00:00.000Z', to: '2026-02-28T12:00:00.000Z' },
  trialEnd: null,
  cancelAt: null,
  endedAt: null,
  pastDueSince: null,
  pending: null,
  change: null,
  invoiceId: null,
  entitledUntil: '2026-03-03T12:00:00.000Z',
  createdAt: '2026-01-31T12:00:00.000Z',
  updatedAt: '2026-01-31T12:00:00.000Z',
};

const actionUrl = z.string().nullable().meta({
  description:
    'Where the payer goes to pay. Null where that is not needed, or while the provider does not answer: read the payment of the invoice then.',
  example: 'https://checkout.example.com/pay/cs_1',
});

export const StartedSubscription = Subscription.extend({ actionUrl }).meta({
  id: 'StartedSubscription',
  description: 'A subscription that has begun, and where the payer goes.',
});
export type StartedSubscription = z.output<typeof StartedSubscription>;

export const exampleStartedSubscription: StartedSubscription = {
  ...exampleSubscription,
  status: 'INCOMPLETE',
  period: null,
  invoiceId: exampleId('inv'),
  entitledUntil: null,
  actionUrl: 'https://checkout.example.com/pay/cs_1',
};

export const ReturnUrl = z.string().min(1).max(2000).meta({
  description:
    'Where the browser of the payer goes afterwards: a page whose origin is that of this server, of its console, or in `CORS_ORIGINS`.',
  example: 'https://app.example.com/billing',
});

const Currency = z
  .string()
  .max(3, { abort: true })
  .regex(/^[A-Z]{3}$/, 'must be three capital letters of ISO 4217, such as USD')
  .meta({
    description: 'Of the price, where the organization has paid nothing yet; its first payment decides.',
    example: 'USD',
  });

export const Subscribe = z
  .strictObject({
    plan: Plan,
    interval: Interval,
    provider: PaymentProviderName,
    quantity: Quantity.default(1),
    coupon: CouponCode.optional(),
    currency: Currency.optional(),
    returnUrl: ReturnUrl,
  })
  .meta({ id: 'Subscribe', description: 'What is subscribed to, and how it is paid.' });
export type Subscribe = z.output<typeof Subscribe>;

const changes = {
  plan: Plan.optional(),
  interval: Interval.optional(),
  quantity: Quantity.optional(),
  provider: PaymentProviderName.optional().meta({ description: 'Who moves the money, from the next period on.' }),
};

export const ChangeSubscription = z
  .strictObject({
    ...changes,
    prorationAt: TimestampInput.optional().meta({
      description: 'From an answer of the preview, at most an hour ago: exactly what it showed is charged.',
    }),
  })
  .meta({ id: 'ChangeSubscription', description: 'What is left out stays as it is.' });
export type ChangeSubscription = z.output<typeof ChangeSubscription>;

export const PreviewSubscription = z
  .strictObject({ ...changes, coupon: CouponCode.optional(), currency: Currency.optional() })
  .meta({ id: 'PreviewSubscription', description: 'A new subscription, or a change of the present one.' });
export type PreviewSubscription = z.output<typeof PreviewSubscription>;

export const SubscriptionPreview = z
  .object({
    lines: z
      .array(
        z
          .object({
            kind: z.enum(['PLAN', 'PRORATION', 'DISCOUNT']).meta({ description: 'What it is.' }),
            description: z.string().meta({ description: 'As the invoice will say it.' }),
            quantity,
            amount: Money.meta({ description: 'Without tax; below 0 where it is given back.' }),
            tax: Money.meta({ description: 'The tax on it.' }),
            period: Span,
          })
          .meta({ id: 'PreviewLine', description: 'A line of the invoice to be.' }),
      )
      .meta({ description: 'What the invoice will contain; none where nothing is charged now.' }),
    tax: Money.meta({ description: 'The tax on all lines.' }),
    total: Money.meta({
      description: 'What is charged now, with tax. Below 0, it goes to the balance of the organization.',
    }),
    usage: z.array(UsagePrice).meta({ description: 'What usage costs from then on, at the end of each month of UTC.' }),
    effectiveAt: Timestamp.meta({ description: 'When it counts: now, once it is paid, or at the end of the period.' }),
    trialEnd: Timestamp.nullable().meta({
      description: 'Until then it would be free of charge; null without a trial.',
    }),
    prorationAt: Timestamp.meta({ description: 'The moment that it is computed for: send it with the change.' }),
  })
  .meta({ id: 'SubscriptionPreview', description: 'What a change will cost.' });
export type SubscriptionPreview = z.output<typeof SubscriptionPreview>;

const span = { from: '2026-02-14T12:00:00.000Z', to: '2026-02-28T12:00:00.000Z' };
export const examplePreview: SubscriptionPreview = {
  lines: [
    {
      kind: 'PRORATION',
      description: 'Unused time of Basic',
      quantity: 1,
      amount: { amountMinor: -950, currency: 'USD' },
      tax: { amountMinor: 0, currency: 'USD' },
      period: span,
    },
    {
      kind: 'PRORATION',
      description: 'Pro until the end of the period',
      quantity: 1,
      amount: { amountMinor: 4950, currency: 'USD' },
      tax: { amountMinor: 0, currency: 'USD' },
      period: span,
    },
  ],
  tax: { amountMinor: 0, currency: 'USD' },
  total: { amountMinor: 4000, currency: 'USD' },
  usage: [{ meter: null, unitPrice: { amountMinor: 20, currency: 'USD' }, unitSize: 1000 }],
  effectiveAt: span.from,
  trialEnd: null,
  prorationAt: span.from,
};

export const CancelSubscription = z
  .strictObject({
    at: z.enum(['now', 'period_end']).meta({
      description: 'At once, without giving money back, or at the end of what is paid.',
      example: 'period_end',
    }),
  })
  .meta({ id: 'CancelSubscription', description: 'When the subscription ends.' });
export type CancelSubscription = z.output<typeof CancelSubscription>;

export const Coupon = z
  .object({
    code: z.string().meta({ description: 'By which it is used.', example: 'LAUNCH20' }),
    percentOff: z
      .int()
      .nullable()
      .meta({ description: 'How much of each period is taken off; null for an amount.', example: 20 }),
    amountOff: Money.nullable().meta({ description: 'What is taken off each period; null for a percentage.' }),
    duration: z.enum(['once', 'repeating', 'forever']).meta({
      description: 'Whether it counts for the first period, for those that begin within `months`, or for all.',
      example: 'once',
    }),
    months: z.int().nullable().meta({ description: 'Of a repeating one; else null.', example: null }),
    maxRedemptions: z.int().nullable().meta({ description: 'How many organizations can use it; null for any number.' }),
    redeemed: z.int().meta({ description: 'How many have used it.', example: 3 }),
    expiresAt: Timestamp.nullable().meta({ description: 'From then on it cannot be used any more.' }),
    archivedAt: Timestamp.nullable().meta({ description: 'When it was archived: who has it keeps it.' }),
    createdAt: CreatedAt,
  })
  .meta({ id: 'Coupon', description: 'Makes a subscription cheaper.' });
export type Coupon = z.output<typeof Coupon>;

export const exampleCoupon: Coupon = {
  code: 'LAUNCH20',
  percentOff: 20,
  amountOff: null,
  duration: 'once',
  months: null,
  maxRedemptions: 100,
  redeemed: 3,
  expiresAt: null,
  archivedAt: null,
  createdAt: '2026-01-31T12:00:00.000Z',
};

export const CreateCoupon = z
  .strictObject({
    code: CouponCode,
    percentOff: z.int().min(1).max(100).optional().meta({ description: 'This or `amountOff`.', example: 20 }),
    amountOff: z
      .strictObject({
        amountMinor: z
          .int()
          .min(1)
          .max(1e12)
          .meta({ description: 'In the smallest unit of the currency.', example: 500 }),
        currency: Currency,
      })
      .optional()
      .meta({ description: 'This or `percentOff`; it counts for prices in its currency.' }),
    duration: z.enum(['once', 'repeating', 'forever']).meta({ description: 'For which periods it counts.' }),
    months: z.int().min(1).max(120).optional().meta({ description: 'Of a repeating one.', example: 3 }),
    maxRedemptions: z.int().min(1).max(1e9).optional().meta({ description: 'How many organizations can use it.' }),
    expiresAt: TimestampInput.optional().meta({ description: 'From then on it cannot be used any more.' }),
  })
  .meta({ id: 'CreateCoupon', description: 'A coupon. It cannot be changed afterwards, only archived.' });
export type CreateCoupon = z.output<typeof CreateCoupon>;

export const CouponCodeInput = z.strictObject({ couponCode: CouponCode });
export type CouponCodeInput = z.output<typeof CouponCodeInput>;
export const ListCoupons = pageInput({});
export type ListCoupons = z.output<typeof ListCoupons>;
export const CouponPage = page('CouponPage', Coupon);
export type CouponPage = z.output<typeof CouponPage>;

const calls = (description: string, example: number) => z.int().meta({ description, example });
export const UsageSummary = z
  .object({
    plan: Plan,
    month: Span.meta({ description: 'The month of UTC in which included calls are counted.' }),
    calls: z
      .object({
        included: calls('Calls with live keys that the plan includes in the month.', 100_000),
        used: calls('Those that were made. A call is counted a few seconds after its answer.', 41_200),
        remaining: calls('What is left of them.', 58_800),
        beyond: calls('Calls beyond those that are included.', 0),
        overage: z.enum(OVERAGES).meta({ description: 'What happens to further calls.', example: 'bill' }),
        refusedUntil: Timestamp.nullable().meta({ description: 'Until then further calls are refused; else null.' }),
      })
      .meta({ id: 'IncludedCallsUsed', description: 'The calls that the plan includes.' }),
    credits: z
      .object({
        included: calls('Credits that the plan includes in each month.', 500),
        available: calls('Credits that can be spent, those that were bought too.', 640),
      })
      .meta({ id: 'IncludedCredits', description: 'The credits that the plan includes.' }),
    usage: z
      .object({
        items: z
          .array(
            UsagePrice.extend({
              quantity: z.int().meta({ description: 'Whole units that were used so far.', example: 0 }),
              amount: Money.meta({ description: 'What they cost so far, without tax.' }),
            }).meta({ id: 'PricedUsage', description: 'Usage that is billed.' }),
          )
          .meta({ description: 'One for each price of usage that counts, or has counted in the month.' }),
        total: Money.nullable().meta({ description: 'The sum of them; null without a subscription that is paid.' }),
      })
      .meta({ id: 'BilledUsage', description: 'What the month will cost besides, by what was used so far.' }),
    period: Span.nullable().meta({ description: 'The period of the subscription; null without one.' }),
  })
  .meta({ id: 'UsageSummary', description: 'What was used of the plan.' });
export type UsageSummary = z.output<typeof UsageSummary>;

export const exampleUsageSummary: UsageSummary = {
  plan: 'BASIC',
  month: { from: '2026-02-01T00:00:00.000Z', to: '2026-03-01T00:00:00.000Z' },
  calls: { included: 100_000, used: 41_200, remaining: 58_800, beyond: 0, overage: 'bill', refusedUntil: null },
  credits: { included: 500, available: 640 },
  usage: {
    items: [{ ...examplePrice.usage[0]!, quantity: 0, amount: { amountMinor: 0, currency: 'USD' } }],
    total: { amountMinor: 0, currency: 'USD' },
  },
  period: exampleSubscription.period,
};
