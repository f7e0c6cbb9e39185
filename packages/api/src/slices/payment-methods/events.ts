import { z } from 'zod';
import { exampleId, id } from '../../contract/ids.ts';
import { event } from '../../events/event.ts';
import { examplePaymentMethod, MailedPaymentMethod, PaymentMethod } from './schemas.ts';

const visible = { data: PaymentMethod, audience: 'organization', permission: 'billing:read' } as const;

/** For the audit log: who began to save one. */
export const PaymentMethodSetupStarted = event('payment_method.setup_started', {
  data: z.strictObject({ methodId: id('pmt') }),
  audience: 'internal',
  description: 'A payer was sent to a provider to save a method.',
  example: { methodId: exampleId('pmt') },
});

export const PaymentMethodAdded = event('payment_method.added', {
  ...visible,
  description: 'A method was saved at its provider, and can be charged.',
  example: examplePaymentMethod,
});

export const PaymentMethodUpdated = event('payment_method.updated', {
  ...visible,
  description: 'A method became the default, or its bank has issued another card.',
  example: examplePaymentMethod,
});

export const PaymentMethodRemoved = event('payment_method.removed', {
  ...visible,
  description: 'A method was removed, here or at its provider, and is not charged any more.',
  example: { ...examplePaymentMethod, default: false },
});

export const PaymentMethodExpiring = event('payment_method.expiring', {
  ...visible,
  description: 'A card expires within two weeks. Once for each expiry.',
  example: { ...examplePaymentMethod, expiresAt: '2026-02-01T00:00:00.000Z' },
});

/** For the job that mails it: one person who manages the organization. */
export const PaymentMethodExpiryMailed = event('payment_method.expiry_mailed', {
  data: MailedPaymentMethod,
  audience: 'internal',
  description: 'A mail says that a card expires.',
  example: {
    userId: exampleId('usr'),
    email: 'ada@example.com',
    organization: 'Acme',
    brand: 'visa',
    last4: '4242',
    expiresAt: '2026-02-01T00:00:00.000Z',
  },
});
