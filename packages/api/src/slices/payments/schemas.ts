import { z } from 'zod';
import { CreatedAt, printedLine, Timestamp, TimestampInput } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { Money } from '../../contract/money.ts';
import { page, pageInput } from '../../contract/pagination.ts';

export const PaymentProviderName = z.enum(['stripe', 'paypal', 'manual']).meta({
  id: 'PaymentProviderName',
  description: 'Who moves the money; `manual` is a transfer to the bank account of the operator.',
  example: 'stripe',
});

const Status = z.enum(['CREATED', 'REQUIRES_ACTION', 'PENDING', 'SUCCEEDED', 'FAILED', 'CANCELED']).meta({
  id: 'PaymentStatus',
  description:
    'Not begun at the provider, waits for the payer at `actionUrl`, is on its way, is paid, was refused, or was left. Only SUCCEEDED is paid, and stays so: what is paid back or disputed later is not in it.',
  example: 'SUCCEEDED',
});

const FAILURE = {
  description: 'Why it failed or was left, in a word of the provider or of this server; else null.',
  example: null,
};

export const Payment = z
  .object({
    id: id('pay'),
    purpose: z
      .enum(['CREDITS', 'INVOICE'])
      .meta({ description: 'What is paid: credits, or an invoice.', example: 'CREDITS' }),
    provider: PaymentProviderName,
    status: Status,
    amount: Money,
    refunded: Money.meta({ description: 'What is paid back, or about to be.' }),
    description: z.string().meta({ description: 'What the payer reads.', example: '1,000 credits' }),
    actionUrl: z.string().nullable().meta({
      description: 'Where the payer goes, while the payment waits for them; else null.',
      example: null,
    }),
    failureCode: z.string().nullable().meta(FAILURE),
    createdAt: CreatedAt,
    paidAt: Timestamp.nullable().meta({ description: 'When it was known to be paid.' }),
  })
  .meta({ id: 'Payment', description: 'An amount that an organization pays.' });
export type Payment = z.output<typeof Payment>;

export const examplePayment: Payment = {
  id: exampleId('pay'),
  purpose: 'CREDITS',
  provider: 'stripe',
  status: 'SUCCEEDED',
  amount: { amountMinor: 1000, currency: 'USD' },
  refunded: { amountMinor: 0, currency: 'USD' },
  description: '1,000 credits',
  actionUrl: null,
  failureCode: null,
  createdAt: '2026-01-31T12:00:00.000Z',
  paidAt: '2026-01-31T12:01:00.000Z',
};

export const PaymentId = z.strictObject({ paymentId: id('pay') });
export type PaymentId = z.output<typeof PaymentId>;

export const ListPayments = pageInput({});
export type ListPayments = z.output<typeof ListPayments>;

export const PaymentPage = page('PaymentPage', Payment);
export type PaymentPage = z.output<typeof PaymentPage>;

/** More than any pack has, and exact in every sum. */
const MAX_CREDITS = 1_000_000_000;
const credits = z.int().min(1).max(MAX_CREDITS).meta({
  description: 'How many; there is a pack of exactly as many.',
  example: 1000,
});
const Currency = z
  .string()
  .max(3, { abort: true })
  .regex(/^[A-Z]{3}$/, 'must be three capital letters of ISO 4217, such as USD')
  .meta({ description: 'Where packs of this size are sold in several.', example: 'USD' });

/** Longer ones are refused by Stripe. */
export const ReturnUrl = z.string().min(1).max(2000).meta({
  description:
    'Where the browser of the payer goes afterwards, whether they have paid or not: a page whose origin is that of this server, of its console, or in `CORS_ORIGINS`.',
  example: 'https://app.example.com/billing',
});

export const CreditPack = z
  .object({ credits, amount: Money.meta({ description: 'What they cost.' }) })
  .meta({ id: 'CreditPack', description: 'Credits that are sold together.' });
export type CreditPack = z.output<typeof CreditPack>;

export const exampleCreditPack: CreditPack = { credits: 1000, amount: { amountMinor: 1000, currency: 'USD' } };

export const PurchaseCredits = z
  .strictObject({ credits, provider: PaymentProviderName, currency: Currency.optional(), returnUrl: ReturnUrl })
  .meta({ id: 'PurchaseCredits', description: 'Which credits are bought, and how they are paid.' });
export type PurchaseCredits = z.output<typeof PurchaseCredits>;

const actionUrl = z.string().nullable().meta({
  description:
    'Where the payer goes to pay. Null where that is not needed, or while the provider does not answer: read the payment again then.',
  example: 'https://checkout.example.com/pay/cs_1',
});

export const StartedPayment = z
  .object({ payment: Payment, actionUrl })
  .meta({ id: 'StartedPayment', description: 'A payment that has begun, and where the payer goes.' });
export type StartedPayment = z.output<typeof StartedPayment>;

export const exampleStarted: StartedPayment = {
  payment: {
    ...examplePayment,
    status: 'REQUIRES_ACTION',
    actionUrl: 'https://checkout.example.com/pay/cs_1',
    paidAt: null,
  },
  actionUrl: 'https://checkout.example.com/pay/cs_1',
};

export const CreatePayPalOrder = z
  .strictObject({ credits, currency: Currency.optional(), returnUrl: ReturnUrl.optional() })
  .meta({ id: 'CreatePayPalOrder', description: 'Which credits are bought with PayPal.' });
export type CreatePayPalOrder = z.output<typeof CreatePayPalOrder>;

const orderId = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\w-]+$/, 'must be the id of an order of PayPal')
  .meta({ description: 'Id of the order at PayPal.', example: '5O190127TN364715T' });

export const PayPalOrder = z
  .object({ orderId, payment: Payment, actionUrl })
  .meta({ id: 'PayPalOrder', description: 'An order of PayPal, to be approved by the payer.' });
export type PayPalOrder = z.output<typeof PayPalOrder>;

export const CapturePayPalOrder = z.strictObject({ orderId });
export type CapturePayPalOrder = z.output<typeof CapturePayPalOrder>;

export const Refund = z
  .object({
    id: id('rfd'),
    paymentId: id('pay'),
    status: z.enum(['PENDING', 'SUCCEEDED', 'FAILED', 'CANCELED']).meta({
      description: 'On its way, paid back, refused, or left. Only SUCCEEDED is paid back.',
      example: 'SUCCEEDED',
    }),
    origin: z.enum(['STAFF', 'DUPLICATE', 'PROVIDER']).meta({
      description: 'Staff wanted it; the same was paid twice; or it was made at the provider.',
      example: 'STAFF',
    }),
    amount: Money,
    reason: z.string().nullable().meta({ description: 'Why, as staff wrote it.', example: 'Bought by mistake' }),
    failureCode: z.string().nullable().meta(FAILURE),
    createdAt: CreatedAt,
    settledAt: Timestamp.nullable().meta({ description: 'When it was known to be paid back.' }),
  })
  .meta({ id: 'Refund', description: 'What is paid back of a payment.' });
export type Refund = z.output<typeof Refund>;

export const exampleRefund: Refund = {
  id: exampleId('rfd'),
  paymentId: examplePayment.id,
  status: 'SUCCEEDED',
  origin: 'STAFF',
  amount: { amountMinor: 500, currency: 'USD' },
  reason: 'Bought by mistake',
  failureCode: null,
  createdAt: '2026-01-31T13:00:00.000Z',
  settledAt: '2026-01-31T13:01:00.000Z',
};

export const RefundPayment = z
  .strictObject({
    paymentId: id('pay'),
    amount: z
      .strictObject({
        amountMinor: z.int().min(1).meta({ description: 'In the smallest unit of the currency.', example: 500 }),
        currency: z
          .string()
          .max(3, { abort: true })
          .regex(/^[A-Z]{3}$/, 'must be three capital letters of ISO 4217, such as USD')
          .meta({ description: 'That of the payment.', example: 'USD' }),
      })
      .optional()
      .meta({ description: 'A part of it; leave it out for all that is left.' }),
    reason: z
      .string()
      .trim()
      .min(1)
      .max(500)
      .meta({ description: 'Why; kept with the refund.', example: 'Bought by mistake' }),
  })
  .meta({ id: 'RefundPayment', description: 'What to pay back, and why.' });
export type RefundPayment = z.output<typeof RefundPayment>;

export const ConfirmPayment = z
  .strictObject({
    paymentId: id('pay'),
    refundId: id('rfd').optional().meta({
      description: 'A refund of the payment, where money was sent back; leave it out for the payment itself.',
    }),
    reference: printedLine(140).meta({
      description: 'What the bank calls the transfer; one transfer pays once.',
      example: 'E2E-20260131-0042',
    }),
    receivedAt: TimestampInput.meta({
      description: 'When it was seen on the account.',
      example: '2026-01-31T12:00:00Z',
    }),
    amount: z
      .strictObject({
        amountMinor: z.int().min(1).meta({ description: 'In the smallest unit of the currency.', example: 1000 }),
        currency: z
          .string()
          .max(3, { abort: true })
          .regex(/^[A-Z]{3}$/, 'must be three capital letters of ISO 4217, such as USD')
          .meta({ description: 'Of the transfer.', example: 'USD' }),
      })
      .meta({ description: 'What was transferred: exactly what was asked for.' }),
  })
  .meta({ id: 'ConfirmPayment', description: 'A transfer that was seen on the account.' });
export type ConfirmPayment = z.output<typeof ConfirmPayment>;

export const Dispute = z
  .object({
    id: id('dsp'),
    paymentId: id('pay'),
    status: z.enum(['OPEN', 'WON', 'LOST', 'CLOSED']).meta({
      description: 'Not decided, decided for you, for the payer, or ended without a decision.',
      example: 'OPEN',
    }),
    amount: Money,
    reason: z.string().meta({ description: 'In a word of the provider.', example: 'fraudulent' }),
    createdAt: CreatedAt,
    endedAt: Timestamp.nullable().meta({ description: 'When it was known to have ended.' }),
  })
  .meta({ id: 'Dispute', description: 'A payer asks their bank or the provider for the money back.' });
export type Dispute = z.output<typeof Dispute>;

export const exampleDispute: Dispute = {
  id: exampleId('dsp'),
  paymentId: examplePayment.id,
  status: 'OPEN',
  amount: examplePayment.amount,
  reason: 'fraudulent',
  createdAt: '2026-02-14T09:00:00.000Z',
  endedAt: null,
};
