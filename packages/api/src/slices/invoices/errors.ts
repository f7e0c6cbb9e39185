import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  invoice_is_draft: {
    status: 409,
    title: 'Invoice is a draft',
    meaning: 'The invoice may still change: it has no number and no document yet.',
    fix: 'Ask again when its `status` is no longer DRAFT; the event `invoice.finalized` says when.',
    retry: 'no',
  },
  invoice_not_due: {
    status: 409,
    title: 'Nothing is due',
    meaning: 'Nothing is to be paid of this invoice: it was paid or credited, or does not count. Nothing was charged.',
    fix: 'Pay invoices whose `status` is OPEN or UNCOLLECTIBLE only.',
    retry: 'no',
  },
  invoice_not_rendered: {
    status: 409,
    title: 'Invoice not rendered',
    meaning: 'The document of the invoice is still being made.',
    fix: 'Ask again in some seconds.',
    retry: 'yes',
  },
} as const satisfies ErrorRows;
