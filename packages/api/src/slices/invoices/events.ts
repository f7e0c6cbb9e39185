import { z } from 'zod';
import { exampleId, id } from '../../contract/ids.ts';
import { Money } from '../../contract/money.ts';
import { event } from '../../events/event.ts';
import { exampleSummary, InvoiceSummary } from './schemas.ts';

const visible = { data: InvoiceSummary, audience: 'organization', permission: 'billing:read' } as const;
const due = { paid: { amountMinor: 0, currency: 'EUR' }, due: exampleSummary.total, paidAt: null };

export const InvoiceFinalized = event('invoice.finalized', {
  ...visible,
  description: 'An invoice or a credit note got its number: what is printed on it does not change any more.',
  example: { ...exampleSummary, ...due, status: 'OPEN' },
});
export const InvoicePaid = event('invoice.paid', {
  ...visible,
  description: 'Nothing is due of an invoice any more.',
  example: exampleSummary,
});
export const InvoicePaymentFailed = event('invoice.payment_failed', {
  ...visible,
  description: 'A payment of an invoice failed. It is still due.',
  example: { ...exampleSummary, ...due, status: 'OPEN' },
});
export const InvoiceVoided = event('invoice.voided', {
  ...visible,
  description: 'An invoice does not count any more, and is not to be paid.',
  example: { ...exampleSummary, ...due, status: 'VOID', due: due.paid, voidedAt: '2026-02-01T09:00:00.000Z' },
});

export const InvoiceRendered = event('invoice.rendered', {
  data: z.object({ id: id('inv'), sha256: z.string() }),
  audience: 'internal',
  description: 'The PDF of an invoice was rendered; its hash is in the audit log.',
  example: { id: exampleSummary.id, sha256: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9' },
});

export const InvoiceMailed = event('invoice.mailed', {
  data: z.object({
    organizationId: id('org'),
    email: z.string(),
    organization: z.string(),
    number: z.string(),
    notice: z.enum(['OPEN', 'PAID', 'CREDITED', 'VOIDED']),
    total: Money,
    due: Money,
    dueAt: z.iso.datetime().nullable(),
  }),
  audience: 'internal',
  description:
    'Those who pay for an organization are mailed that an invoice is to be paid, was paid, voided or corrected.',
  example: {
    organizationId: exampleId('org'),
    email: 'ada@example.com',
    organization: 'Acme',
    number: 'INV-000042',
    notice: 'OPEN',
    total: exampleSummary.total,
    due: exampleSummary.total,
    dueAt: '2026-02-14T12:00:00.000Z',
  },
});
