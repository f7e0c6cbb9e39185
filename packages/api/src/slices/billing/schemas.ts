import { z } from 'zod';
import { printedLine, Timestamp } from '../../contract/common-schemas.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import { EmailAddress } from '../users/schemas.ts';

export const ProviderEventReceived = z
  .object({
    received: z.literal(true).meta({ description: 'It is stored, now or before; what follows from it comes later.' }),
  })
  .meta({ id: 'ProviderEventReceived', description: 'That an event of a provider of payments is stored.' });
export type ProviderEventReceived = z.infer<typeof ProviderEventReceived>;

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
/** Named as regions, but not countries. */
const NO_COUNTRIES = ['EU', 'EZ', 'QO', 'UN', 'XA', 'XB', 'ZZ'];
const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
const COUNTRIES = new Set(
  LETTERS.flatMap((first) => LETTERS.map((second) => first + second)).filter(
    (code) => regions.of(code) !== undefined && !NO_COUNTRIES.includes(code),
  ),
);
const Country = z
  .string()
  .max(2, { abort: true })
  .regex(/^[A-Z]{2}$/, { message: 'must be two capital letters such as DE', abort: true })
  .refine((code) => COUNTRIES.has(code), 'must be a country of ISO 3166, such as DE')
  .meta({ description: 'Of ISO 3166, two letters.', example: 'DE' });

const address = {
  line1: printedLine(200).meta({ description: 'Street and number, or a box.', example: 'Hauptstraße 1' }),
  line2: printedLine(200).nullable().meta({ description: 'A further line.', example: null }),
  postalCode: printedLine(20).nullable().meta({ description: 'Where the country has them.', example: '10115' }),
  city: printedLine(100).meta({ description: 'City or town.', example: 'Berlin' }),
  region: printedLine(100).nullable().meta({ description: 'State or province, where mail needs it.', example: null }),
  country: Country,
};

export const BillingAddress = z.object(address).meta({ id: 'BillingAddress', description: 'An address on invoices.' });
export type BillingAddress = z.output<typeof BillingAddress>;

const BillingAddressInput = z
  .strictObject({
    ...address,
    line2: address.line2.default(null),
    postalCode: address.postalCode.default(null),
    region: address.region.default(null),
  })
  .meta({ id: 'BillingAddressInput', description: 'An address on invoices.' });

const NAME = { description: 'Who is billed: a company or a person.', example: 'Acme GmbH' };
const EMAIL = { description: 'Where invoices go besides the members who may read them.', example: 'ap@acme.example' };
const ADDRESS = { description: 'The address on invoices.' };
const TAX_ID = { description: 'A VAT number or the like, without blanks, dots and hyphens.', example: 'DE123456789' };

export const BillingInfo = z
  .object({
    name: z.string().nullable().meta(NAME),
    email: z.string().nullable().meta(EMAIL),
    address: BillingAddress.nullable().meta(ADDRESS),
    taxId: z.string().nullable().meta(TAX_ID),
    currency: z
      .string()
      .nullable()
      .meta({ description: 'Of every payment and invoice; null until the first, which decides it.', example: 'EUR' }),
    updatedAt: Timestamp.nullable().meta({ description: 'When it last changed; null where nothing is known yet.' }),
  })
  .meta({ id: 'BillingInfo', description: 'Who is billed for an organization, as invoices say it.' });
export type BillingInfo = z.output<typeof BillingInfo>;

export const exampleBillingInfo: BillingInfo = {
  name: 'Acme GmbH',
  email: 'ap@acme.example',
  address: {
    line1: 'Hauptstraße 1',
    line2: null,
    postalCode: '10115',
    city: 'Berlin',
    region: null,
    country: 'DE',
  },
  taxId: 'DE123456789',
  currency: null,
  updatedAt: '2026-01-31T12:00:00.000Z',
};

export const SetBillingInfo = z
  .strictObject({
    name: printedLine(200).nullable().default(null).meta(NAME),
    email: EmailAddress.nullable().default(null).meta(EMAIL),
    address: BillingAddressInput.nullable().default(null).meta(ADDRESS),
    taxId: z
      .string()
      .max(40, { abort: true })
      .overwrite((text) => text.toUpperCase().replace(/[ .-]/g, ''))
      .regex(/^[A-Z0-9]{4,20}$/, 'must be 4 to 20 letters and digits')
      .nullable()
      .default(null)
      .meta(TAX_ID),
  })
  .meta({ id: 'SetBillingInfo', description: 'All of it: what is left out is cleared.' });
export type SetBillingInfo = z.output<typeof SetBillingInfo>;

const FindingState = z.enum(['OPEN', 'RESOLVED']).meta({
  id: 'BillingFindingState',
  description: 'Whether it is still so. It is resolved by itself, once both sides agree.',
  example: 'OPEN',
});

export const BillingFinding = z
  .object({
    kind: z
      .enum([
        'UNKNOWN_OBJECT',
        'OTHER_ENVIRONMENT',
        'UNKNOWN_WORD',
        'AMOUNT_DIFFERS',
        'DUPLICATE_PAYMENT',
        'OUTSIDE_REFUND',
        'REFUND_CHANGED',
        'DISPUTE_CHANGED',
        'UNKNOWN_MOVEMENT',
        'MOVEMENT_DIFFERS',
        'STILL_PENDING',
      ])
      .meta({
        description:
          'An object that is none of ours; one of the test or live environment that this server does not use; a status that it does not know; a charge of another amount than its payment; a payment for what was paid before, which is paid back; a refund that was made at the provider; a refund, or a dispute, that had ended and has changed; money that moved there for nothing of ours; a payment of which the provider has moved another sum than the journal has; a payment or refund that its bank has had for 30 days.',
      }),
    provider: z.string().meta({ description: 'Where it is.', example: 'stripe' }),
    objectKind: z.string().meta({ description: 'What it is there.', example: 'charge' }),
    externalId: z.string().meta({ description: 'Its id there.', example: 'pi_3PqWxY2eZvKYlo2C' }),
    ours: z.string().nullable().meta({ description: 'What this server has, where that is comparable.', example: null }),
    theirs: z
      .string()
      .nullable()
      .meta({ description: 'What the provider has, as far as it was read.', example: 'succeeded' }),
    state: FindingState,
    foundAt: Timestamp.meta({ description: 'When it was seen first.' }),
    seenAt: Timestamp.meta({ description: 'When it was seen last.' }),
  })
  .meta({ id: 'BillingFinding', description: 'What a provider of payments has and this server does not expect.' });
export type BillingFinding = z.output<typeof BillingFinding>;

export const exampleFinding: BillingFinding = {
  kind: 'UNKNOWN_OBJECT',
  provider: 'stripe',
  objectKind: 'charge',
  externalId: 'pi_3PqWxY2eZvKYlo2C',
  ours: null,
  theirs: 'succeeded',
  state: 'OPEN',
  foundAt: '2026-01-31T12:00:00.000Z',
  seenAt: '2026-01-31T12:00:00.000Z',
};

export const ListFindings = pageInput({
  state: FindingState.optional().meta({ description: 'Only those that are still so, or only those that are no more.' }),
});
export type ListFindings = z.output<typeof ListFindings>;

export const BillingFindingPage = page('BillingFindingPage', BillingFinding);
export type BillingFindingPage = z.output<typeof BillingFindingPage>;
