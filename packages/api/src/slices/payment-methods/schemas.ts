import { z } from 'zod';
import { CreatedAt, Timestamp } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import { PaymentProviderName, ReturnUrl } from '../payments/schemas.ts';

export const PaymentMethod = z
  .object({
    id: id('pmt'),
    provider: PaymentProviderName,
    status: z.enum(['PENDING', 'ACTIVE', 'EXPIRED']).meta({
      description:
        'Waits for the payer at `actionUrl`, for a day at most; can be charged; or is a card after its last month. An expired card may still be charged if its bank has issued another.',
      example: 'ACTIVE',
    }),
    default: z.boolean().meta({ description: 'Whether it is charged where no other one is named.', example: true }),
    kind: z
      .string()
      .nullable()
      .meta({ description: 'What it is, in a word of the provider; null while it is PENDING.', example: 'card' }),
    brand: z.string().nullable().meta({ description: 'Of a card.', example: 'visa' }),
    last4: z
      .string()
      .nullable()
      .meta({ description: 'The last digits of a card or account, where there are some.', example: '4242' }),
    expiresAt: Timestamp.nullable().meta({ description: 'The first moment at which a card is expired.' }),
    actionUrl: z
      .string()
      .nullable()
      .meta({ description: 'Where the payer goes while it is PENDING; else null.', example: null }),
    createdAt: CreatedAt,
  })
  .meta({ id: 'PaymentMethod', description: 'A card or an account that an organization pays with.' });
export type PaymentMethod = z.output<typeof PaymentMethod>;

export const examplePaymentMethod: PaymentMethod = {
  id: exampleId('pmt'),
  provider: 'stripe',
  status: 'ACTIVE',
  default: true,
  kind: 'card',
  brand: 'visa',
  last4: '4242',
  expiresAt: '2031-01-01T00:00:00.000Z',
  actionUrl: null,
  createdAt: '2026-01-31T12:00:00.000Z',
};

export const ListPaymentMethods = pageInput({});
export type ListPaymentMethods = z.output<typeof ListPaymentMethods>;

export const PaymentMethodPage = page('PaymentMethodPage', PaymentMethod);
export type PaymentMethodPage = z.output<typeof PaymentMethodPage>;

export const SetUpPaymentMethod = z
  .strictObject({ provider: PaymentProviderName, returnUrl: ReturnUrl })
  .meta({ id: 'SetUpPaymentMethod', description: 'Where a method is saved.' });
export type SetUpPaymentMethod = z.output<typeof SetUpPaymentMethod>;

export const StartedSetup = z
  .object({
    method: PaymentMethod,
    actionUrl: z.string().meta({
      description: 'Where the payer goes to agree.',
      example: 'https://checkout.example.com/pay/cs_1',
    }),
  })
  .meta({ id: 'StartedSetup', description: 'A method that is being saved, and where the payer goes.' });
export type StartedSetup = z.output<typeof StartedSetup>;

const actionUrl = 'https://checkout.example.com/pay/cs_1';

export const exampleSetup: StartedSetup = {
  method: {
    ...examplePaymentMethod,
    status: 'PENDING',
    default: false,
    kind: null,
    brand: null,
    last4: null,
    expiresAt: null,
    actionUrl,
  },
  actionUrl,
};

export const PaymentMethodId = z.strictObject({ methodId: id('pmt') });
export type PaymentMethodId = z.output<typeof PaymentMethodId>;

export const UpdatePaymentMethod = z
  .strictObject({
    methodId: id('pmt'),
    default: z.literal(true).meta({ description: 'Makes it the one that is charged; the earlier one is kept.' }),
  })
  .meta({ id: 'UpdatePaymentMethod', description: 'That a method is the default from now on.' });
export type UpdatePaymentMethod = z.output<typeof UpdatePaymentMethod>;

export const OpenPortal = z
  .strictObject({ returnUrl: ReturnUrl })
  .meta({ id: 'OpenPortal', description: 'Where the page leads back to.' });
export type OpenPortal = z.output<typeof OpenPortal>;

export const PortalSession = z
  .object({
    url: z.string().meta({
      description: 'A page of Stripe, for the payer: it needs no login, so show it to no one else.',
      example: 'https://billing.stripe.com/p/session/bps_1',
    }),
  })
  .meta({ id: 'PortalSession', description: 'A page where an organization manages its methods.' });
export type PortalSession = z.output<typeof PortalSession>;

export const MailedPaymentMethod = z.strictObject({
  userId: id('usr'),
  email: z.string(),
  organization: z.string(),
  brand: z.string().nullable(),
  last4: z.string().nullable(),
  expiresAt: Timestamp,
});
