import { z } from 'zod';
import { exampleId, id } from '../../contract/ids.ts';
import { Money } from '../../contract/money.ts';
import { event } from '../../events/event.ts';
import { Dispute, exampleDispute, examplePayment, exampleRefund, Payment, Refund } from './schemas.ts';

const organizationId = exampleId('org');
const OfPayment = z
  .object({ organizationId: id('org'), payment: Payment })
  .meta({ id: 'PaymentOfOrganization', description: 'A payment, and whose it is.' });

export const PaymentSucceeded = event('payment.succeeded', {
  data: OfPayment,
  audience: 'organization',
  permission: 'billing:read',
  description: 'A payment is paid, and what it pays for is given.',
  example: { organizationId, payment: examplePayment },
});

export const PaymentFailed = event('payment.failed', {
  data: OfPayment,
  audience: 'organization',
  permission: 'billing:read',
  description: 'A payment was refused. It is not tried again; a new one can be made.',
  example: {
    organizationId,
    payment: { ...examplePayment, status: 'FAILED', failureCode: 'insufficient_funds', paidAt: null },
  },
});

export const PaymentActionRequired = event('payment.action_required', {
  data: OfPayment,
  audience: 'organization',
  permission: 'billing:read',
  description: 'A payment waits for the payer at its `actionUrl`.',
  example: {
    organizationId,
    payment: {
      ...examplePayment,
      status: 'REQUIRES_ACTION',
      actionUrl: 'https://checkout.example.com/pay/cs_1',
      paidAt: null,
    },
  },
});

export const PaymentRefunded = event('payment.refunded', {
  data: z
    .object({ organizationId: id('org'), payment: Payment, refund: Refund })
    .meta({ id: 'RefundedPayment', description: 'A payment, and what was paid back of it.' }),
  audience: 'organization',
  permission: 'billing:read',
  description: 'A payment, or a part of it, was paid back.',
  example: {
    organizationId,
    payment: { ...examplePayment, refunded: exampleRefund.amount },
    refund: exampleRefund,
  },
});

export const PaymentDisputed = event('payment.disputed', {
  data: z
    .object({ organizationId: id('org'), payment: Payment, dispute: Dispute })
    .meta({ id: 'DisputedPayment', description: 'A payment, and the dispute about it.' }),
  audience: 'organization',
  permission: 'billing:read',
  description: 'A payer disputes a payment, or such a dispute has ended: its `status` says which.',
  example: { organizationId, payment: examplePayment, dispute: exampleDispute },
});

export const PaymentOpened = event('payment.opened', {
  data: z.object({ organizationId: id('org'), paymentId: id('pay') }),
  audience: 'internal',
  description: 'A payment was begun.',
  example: { organizationId, paymentId: examplePayment.id },
});

export const PaymentCanceled = event('payment.canceled', {
  data: z.object({ organizationId: id('org'), paymentId: id('pay') }),
  audience: 'internal',
  description: 'A payment was left, or another took its place.',
  example: { organizationId, paymentId: examplePayment.id },
});

export const PaymentConfirmed = event('payment.confirmed', {
  data: z.object({
    organizationId: id('org'),
    paymentId: id('pay'),
    refundId: id('rfd').optional(),
    bankReference: z.string(),
  }),
  audience: 'internal',
  description: 'Staff have seen a transfer on the account.',
  example: { organizationId, paymentId: examplePayment.id, bankReference: 'E2E-20260131-0042' },
});

export const RefundRequested = event('refund.requested', {
  data: z.object({ organizationId: id('org'), refund: Refund }),
  audience: 'internal',
  description: 'A payment, or a part of it, is to be paid back.',
  example: { organizationId, refund: { ...exampleRefund, status: 'PENDING', settledAt: null } },
});

export const RefundFailed = event('refund.failed', {
  data: z.object({ organizationId: id('org'), refund: Refund }),
  audience: 'internal',
  description: 'A payment could not be paid back.',
  example: {
    organizationId,
    refund: { ...exampleRefund, status: 'FAILED', failureCode: 'expired_or_canceled_card', settledAt: null },
  },
});

export const PaymentMailed = event('payment.mailed', {
  data: z.object({
    userId: z.string().nullable(),
    email: z.string(),
    organization: z.string(),
    notice: z.enum(['SUCCEEDED', 'FAILED', 'ACTION_REQUIRED', 'REFUNDED']),
    description: z.string(),
    amount: Money,
    actionUrl: z.string().nullable(),
  }),
  audience: 'internal',
  description: 'Someone is mailed about a payment.',
  example: {
    userId: exampleId('usr'),
    email: 'ada@example.com',
    organization: 'Acme',
    notice: 'SUCCEEDED',
    description: '1,000 credits',
    amount: examplePayment.amount,
    actionUrl: null,
  },
});
