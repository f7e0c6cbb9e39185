import { z } from 'zod';
import { Timestamp } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';

/** What can be off in the books, and what it means. */
export const FAULTS = {
  CREDIT_BALANCE: 'The balance of credits is not the sum of its ledger.',
  CREDIT_CHAIN: 'An entry of the ledger of credits does not follow from the one before it.',
  CREDIT_GRANT: 'What is left of a grant of credits is not what its entries leave.',
  CREDIT_HOLD: 'The credits that are held are not the sum of the open holds.',
  CREDIT_DEBT: 'Credits are owed although some are available.',
  JOURNAL_BALANCE: 'An entry of the money journal is not zero in a currency.',
  JOURNAL_LINES: 'An entry of the money journal has no lines.',
  CASH: 'What a provider holds by the journal is not what payments, fees, refunds and disputes leave.',
  PAYMENT_JOURNAL: 'A payment that succeeded is not in the money journal.',
  PAYMENT_REFUNDS: 'The refunds of a payment are not what it says is refunded, or more than it.',
  PAID_CREDITS: 'Credits were paid a minute ago or longer and not granted, or granted and not paid.',
  INVOICE_JOURNAL: 'An invoice or credit note that is final, or void, is not in the money journal with its amounts.',
  INVOICE_NUMBER: 'A number before that of an invoice is missing, or the last one of a series.',
  INVOICE_PAID: 'An invoice counts more as paid than its payments, or less than refunds have left of them.',
  RECEIVABLE: 'What is due by the journal is not what the open invoices say.',
  PLAN: 'An organization does not have the plan that its subscription gives, or has one that none gives.',
  SUBSCRIPTION_LATE: 'Something that a subscription was due an hour ago or longer has not been done.',
  PAYMENT_LATE: 'A payment or refund was to be looked at an hour ago or longer and was not.',
} as const;
export type FaultKind = keyof typeof FAULTS;

const BillingFault = z
  .object({
    kind: z.enum(Object.keys(FAULTS) as [FaultKind, ...FaultKind[]]).meta({
      id: 'BillingFaultKind',
      description: Object.entries(FAULTS)
        .map(([kind, meaning]) => `\`${kind}\`: ${meaning}`)
        .join(' '),
      example: 'CREDIT_BALANCE',
    }),
    organizationId: id('org').nullable().meta({ description: 'Whose books; null where they are of no single one.' }),
    count: z.int().meta({ description: 'How often.', example: 1 }),
    foundAt: Timestamp.meta({ description: 'When it was first seen.' }),
    seenAt: Timestamp.meta({ description: 'When it was last seen.' }),
  })
  .meta({ id: 'BillingFault', description: 'Something in the books of an organization that does not add up.' });
export type BillingFault = z.output<typeof BillingFault>;

export const MAX_FAULTS = 100;
export const BillingBooks = z
  .object({
    balanced: z.boolean().nullable().meta({
      description: 'Whether everything adds up; null until all organizations have been checked once.',
    }),
    checkedAt: Timestamp.nullable().meta({
      description: 'All organizations have been checked since then; null until they have been once.',
    }),
    faults: z.array(BillingFault).meta({
      description: `What does not add up, the newest first; at most ${MAX_FAULTS}. A fault that is corrected is gone after the next check.`,
    }),
  })
  .meta({ id: 'BillingBooks', description: 'Whether the books of all organizations balance.' });
export type BillingBooks = z.output<typeof BillingBooks>;

export const exampleBooks: BillingBooks = {
  balanced: false,
  checkedAt: '2026-01-31T12:00:00.000Z',
  faults: [
    {
      kind: 'CREDIT_BALANCE',
      organizationId: exampleId('org'),
      count: 1,
      foundAt: '2026-01-31T11:58:00.000Z',
      seenAt: '2026-01-31T12:00:00.000Z',
    },
  ],
};
