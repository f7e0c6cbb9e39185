import { z } from 'zod';
import { CreatedAt, Timestamp } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { Money } from '../../contract/money.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import { PaymentProviderName, ReturnUrl } from '../payments/schemas.ts';

export const InvoiceStatus = z.enum(['DRAFT', 'OPEN', 'PAID', 'VOID', 'UNCOLLECTIBLE']).meta({
  id: 'InvoiceStatus',
  description:
    'DRAFT: it may still change, and has no number. OPEN: something is due. PAID: nothing is due any more. VOID: it does not count. UNCOLLECTIBLE: it is due, and is not asked for any more.',
  example: 'PAID',
});
export type InvoiceStatus = z.output<typeof InvoiceStatus>;

const Kind = z.enum(['INVOICE', 'CREDIT_NOTE']).meta({
  description: 'A credit note takes back lines of an invoice: its amounts are below 0.',
  example: 'INVOICE',
});

const Reason = z.enum(['PERIOD', 'CHANGE', 'USAGE', 'OTHER', 'CORRECTION']).meta({
  description:
    'Why it was made: a period of a subscription began, the subscription was changed, what a period used, something else, or an invoice was corrected.',
  example: 'PERIOD',
});
export type InvoiceReason = z.output<typeof Reason>;

const Treatment = z.enum(['STANDARD', 'REVERSE_CHARGE', 'NONE']).meta({
  description: 'Whether the seller takes the tax, the buyer pays it to their own tax office, or there is none.',
  example: 'STANDARD',
});
export type TaxTreatment = z.output<typeof Treatment>;

const money = (description: string, amountMinor: number) =>
  Money.meta({ description, example: { amountMinor, currency: 'EUR' } });
const moment = (description: string) => Timestamp.nullable().meta({ description });

const summary = {
  id: id('inv'),
  kind: Kind,
  number: z.string().nullable().meta({ description: 'Printed on it; null for a draft.', example: 'INV-000042' }),
  status: InvoiceStatus,
  reason: Reason,
  correctsId: id('inv').nullable().meta({ description: 'Of a credit note: the invoice; else null.', example: null }),
  subtotal: money('The sum of the lines, without tax.', 1900),
  tax: money('The tax on them.', 361),
  total: money('With tax.', 2261),
  balance: money('What the balance of earlier invoices paid of it; below 0, what it added to that balance.', 0),
  paid: money('What was paid, and not refunded.', 2261),
  credited: money('What credit notes took back.', 0),
  due: money('What is still to be paid.', 0),
  issuedAt: moment('When it got its number; null for a draft.'),
  dueAt: moment('Until when it is to be paid; null for a draft.'),
  paidAt: moment('When nothing was due any more; null until then.'),
  voidedAt: moment('When it was voided; null unless it was.'),
  createdAt: CreatedAt,
};

export const InvoiceSummary = z
  .object(summary)
  .meta({ id: 'InvoiceSummary', description: 'An invoice or a credit note, without its lines.' });
export type InvoiceSummary = z.output<typeof InvoiceSummary>;

const PartyAddress = z
  .object({
    lines: z
      .array(z.string())
      .meta({ description: 'As they are printed.', example: ['Hauptstraße 1', '10115 Berlin'] }),
    country: z.string().nullable().meta({ description: 'Of ISO 3166; null if it is not known.', example: 'DE' }),
  })
  .meta({ id: 'PartyAddress', description: 'An address as it is printed.' });

export const Party = z
  .object({
    name: z.string().meta({ description: 'A company or a person.', example: 'Acme GmbH' }),
    address: PartyAddress.nullable().meta({ description: 'Null if it is not known.' }),
    taxId: z.string().nullable().meta({ description: 'A VAT number or the like.', example: 'DE123456789' }),
  })
  .meta({ id: 'InvoiceParty', description: 'Seller or buyer, as they were when the invoice got its number.' });
export type Party = z.output<typeof Party>;

export const LineKind = z.enum(['PLAN', 'PRORATION', 'USAGE', 'DISCOUNT', 'CREDITS', 'OTHER']).meta({
  description: 'What it is for.',
  example: 'PLAN',
});
export type LineKind = z.output<typeof LineKind>;

const InvoiceLine = z
  .object({
    kind: LineKind,
    description: z.string().meta({ description: 'As it is printed.', example: 'PRO, monthly' }),
    quantity: z.int().meta({ description: 'How many.', example: 1 }),
    unitPrice: Money.nullable().meta({
      description: 'Of so many units as `unitSize` says; null where the amount does not follow from it.',
      example: { amountMinor: 1900, currency: 'EUR' },
    }),
    unitSize: z.int().meta({
      description:
        'How many units `unitPrice` is for. Where that is more than 1, `amount` is rounded to the nearest smallest unit of the currency, and half of one up.',
      example: 1,
    }),
    amount: money('Of all of them, without tax.', 1900),
    taxRatePpm: z.int().nullable().meta({
      description: 'The rate of its tax in millionths: 190000 is 19 %. Null in a draft.',
      example: 190_000,
    }),
    tax: money('The tax on it.', 361),
    periodStart: moment('From when it is for; null where it is for no period.'),
    periodEnd: moment('Up to when it is for, which is not included.'),
  })
  .meta({ id: 'InvoiceLine', description: 'What one line of an invoice is for.' });
export type InvoiceLine = z.output<typeof InvoiceLine>;

/** More than anything that we bill has; a document of more is split by who makes it. */
export const MAX_LINES = 500;

export const Invoice = z
  .object({
    ...summary,
    taxTreatment: Treatment.nullable().meta({ description: 'How it is taxed; null for a draft.', example: 'STANDARD' }),
    seller: Party.nullable().meta({ description: 'Who sells; null for a draft.' }),
    buyer: Party.nullable().meta({ description: 'Who is billed; null for a draft.' }),
    note: z.string().nullable().meta({ description: 'Why it corrects another, where that is said.', example: null }),
    lines: z.array(InvoiceLine).meta({ description: `At most ${MAX_LINES}, as they are printed.` }),
    pdfSha256: z.string().nullable().meta({
      description: 'The SHA-256 of its PDF in hexadecimal, which the audit log has too; null until it is rendered.',
      example: null,
    }),
  })
  .meta({ id: 'Invoice', description: 'An invoice or a credit note.' });
export type Invoice = z.output<typeof Invoice>;

export const ListInvoices = pageInput({
  status: InvoiceStatus.optional().meta({ description: 'Only those with this status.', example: 'OPEN' }),
});
export type ListInvoices = z.output<typeof ListInvoices>;

export const InvoicePage = page('InvoicePage', InvoiceSummary);
export type InvoicePage = z.output<typeof InvoicePage>;

export const InvoiceId = z.strictObject({ invoiceId: id('inv') });
export type InvoiceId = z.output<typeof InvoiceId>;

export const PayInvoice = z
  .strictObject({ invoiceId: id('inv'), provider: PaymentProviderName, returnUrl: ReturnUrl })
  .meta({ id: 'PayInvoice', description: 'Which invoice is paid, and how.' });
export type PayInvoice = z.output<typeof PayInvoice>;

const eur = (amountMinor: number) => ({ amountMinor, currency: 'EUR' });

export const exampleSummary: InvoiceSummary = {
  id: exampleId('inv'),
  kind: 'INVOICE',
  number: 'INV-000042',
  status: 'PAID',
  reason: 'PERIOD',
  correctsId: null,
  subtotal: eur(1900),
  tax: eur(361),
  total: eur(2261),
  balance: eur(0),
  paid: eur(2261),
  credited: eur(0),
  due: eur(0),
  issuedAt: '2026-01-31T12:00:00.000Z',
  dueAt: '2026-02-14T12:00:00.000Z',
  paidAt: '2026-01-31T12:00:05.000Z',
  voidedAt: null,
  createdAt: '2026-01-31T12:00:00.000Z',
};

export const exampleInvoice: Invoice = {
  ...exampleSummary,
  taxTreatment: 'STANDARD',
  seller: {
    name: 'Example Software AG',
    address: { lines: ['Am Markt 2', '20095 Hamburg'], country: 'DE' },
    taxId: 'DE987654321',
  },
  buyer: {
    name: 'Acme GmbH',
    address: { lines: ['Hauptstraße 1', '10115 Berlin'], country: 'DE' },
    taxId: 'DE123456789',
  },
  note: null,
  lines: [
    {
      kind: 'PLAN',
      description: 'PRO, monthly',
      quantity: 1,
      unitPrice: eur(1900),
      unitSize: 1,
      amount: eur(1900),
      taxRatePpm: 190_000,
      tax: eur(361),
      periodStart: '2026-01-31T12:00:00.000Z',
      periodEnd: '2026-02-28T12:00:00.000Z',
    },
  ],
  pdfSha256: null,
};
