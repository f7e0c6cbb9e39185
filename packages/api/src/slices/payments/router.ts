import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import {
  CapturePayPalOrder,
  ConfirmPayment,
  CreatePayPalOrder,
  examplePayment,
  exampleRefund,
  exampleStarted,
  ListPayments,
  Payment,
  PaymentId,
  PaymentPage,
  PayPalOrder,
  PurchaseCredits,
  Refund,
  RefundPayment,
  StartedPayment,
} from './schemas.ts';
import { confirmPayment } from './service/confirm.ts';
import { getPayment, listPayments } from './service/payments.ts';
import { captureOrder, createOrder } from './service/paypal.ts';
import { purchaseCredits } from './service/purchase.ts';
import { requestRefund } from './service/refunds.ts';

const tags: [Tag] = ['Billing'];
const returnUrl = 'https://app.example.com/billing';
const orderId = '5O190127TN364715T';

/** Part of `billing.credits`. */
export const purchase = procedure({
  access: 'billing:manage',
  openapi: {
    method: 'POST',
    path: '/subscriptions/credits/purchase',
    tags,
    summary: 'Buy credits',
    description:
      'Begins a payment, and answers where the payer goes. The credits are there once the payment is SUCCEEDED, whether the browser comes back or not. While a payment for the same credits waits for its payer, this answers that payment; with another provider, it takes its place.',
  },
  rest: { status: 201 },
  commitsItself: true,
  errors: [
    'credit_pack_unknown',
    'currency_fixed',
    'currency_not_supported',
    'amount_below_minimum',
    'return_url_not_allowed',
    'payment_provider_not_set_up',
    'limit_reached',
  ],
  example: { input: { credits: 1000, provider: 'stripe', returnUrl }, output: exampleStarted },
})
  .input(PurchaseCredits)
  .output(StartedPayment)
  .mutation(({ ctx, input }) => purchaseCredits(ctx, input));

/** `billing.payments`. */
export const payments = router({
  list: procedure({
    access: 'billing:read',
    openapi: {
      method: 'GET',
      path: '/subscriptions/payments',
      tags,
      summary: 'List payments',
      description: 'Newest first, those that failed or were left too.',
    },
    errors: ['invalid_cursor'],
    example: { input: { limit: 25 }, output: { items: [examplePayment], nextCursor: null } },
  })
    .input(ListPayments)
    .output(PaymentPage)
    .query(({ ctx, input }) => listPayments(ctx, input)),

  get: procedure({
    access: 'billing:read',
    openapi: {
      method: 'GET',
      path: '/subscriptions/payments/{paymentId}',
      tags,
      summary: 'Get a payment',
      description:
        'For the page that the payer comes back to: the way back says nothing about the payment, its status does.',
    },
    example: { input: { paymentId: examplePayment.id }, output: examplePayment },
  })
    .input(PaymentId)
    .output(Payment)
    .query(({ ctx, input }) => getPayment(ctx, input)),
});

/** `billing.paypal`. */
export const paypal = router({
  createOrder: procedure({
    access: 'billing:manage',
    openapi: {
      method: 'POST',
      path: '/billing/paypal/orders',
      tags,
      summary: 'Create an order of PayPal',
      description: "For PayPal's own buttons, which take `orderId`; `actionUrl` leads to the same order without them.",
    },
    rest: { status: 201 },
    commitsItself: true,
    errors: [
      'credit_pack_unknown',
      'currency_fixed',
      'currency_not_supported',
      'return_url_not_allowed',
      'payment_provider_not_set_up',
      'payment_provider_unavailable',
      'limit_reached',
    ],
    example: {
      input: { credits: 1000 },
      output: { orderId, ...exampleStarted, payment: { ...exampleStarted.payment, provider: 'paypal' } },
    },
  })
    .input(CreatePayPalOrder)
    .output(PayPalOrder)
    .mutation(({ ctx, input }) => createOrder(ctx, input)),

  capture: procedure({
    access: 'billing:manage',
    openapi: {
      method: 'POST',
      path: '/billing/paypal/orders/{orderId}/capture',
      tags,
      summary: 'Capture an order of PayPal',
      description:
        'When the payer has approved it. An approved order is captured in any case, so a browser that is closed loses nothing. PENDING is not paid yet.',
    },
    commitsItself: true,
    errors: ['payment_not_approved', 'payment_provider_unavailable'],
    example: { input: { orderId }, output: { ...examplePayment, provider: 'paypal' } },
  })
    .input(CapturePayPalOrder)
    .output(Payment)
    .mutation(({ ctx, input }) => captureOrder(ctx, input)),
});

/** Part of `admin.payments`. */
export const refund = procedure({
  access: 'system:manage',
  openapi: {
    method: 'POST',
    path: '/admin/payments/{paymentId}/refund',
    tags: ['Administration'],
    summary: 'Refund a payment',
    description:
      'A part, or all that is left; all refunds together are at most the payment. It is on its way when this answers. Credits that it paid for are taken back in the same part; what was spent of them is owed.',
  },
  rest: { status: 201 },
  errors: [
    'payment_not_refundable',
    'payment_disputed',
    'refund_exceeds_payment',
    'refund_currency_differs',
    'refund_amount_not_possible',
  ],
  example: {
    input: { paymentId: examplePayment.id, amount: exampleRefund.amount, reason: 'Bought by mistake' },
    output: { ...exampleRefund, status: 'PENDING', settledAt: null },
  },
})
  .input(RefundPayment)
  .output(Refund)
  .mutation(({ ctx, input }) => requestRefund(ctx, input));

/** Part of `admin.payments`. */
export const confirm = procedure({
  access: 'system:manage',
  fresh: true,
  openapi: {
    method: 'POST',
    path: '/admin/payments/{paymentId}/confirm',
    tags: ['Administration'],
    summary: 'Confirm a bank transfer',
    description:
      'When the money of a payment by `manual` was seen on the account, or the money of its refund was sent. What it pays for is given at once. The same again changes nothing.',
  },
  commitsItself: true,
  errors: [
    'payment_not_by_transfer',
    'transfer_not_open',
    'transfer_amount_differs',
    'transfer_in_future',
    'transfer_counted',
  ],
  example: {
    input: {
      paymentId: examplePayment.id,
      reference: 'E2E-20260131-0042',
      receivedAt: '2026-01-31T12:00:00Z',
      amount: examplePayment.amount,
    },
    output: { ...examplePayment, provider: 'manual' },
  },
})
  .input(ConfirmPayment)
  .output(Payment)
  .mutation(({ ctx, input }) => confirmPayment(ctx, input));
