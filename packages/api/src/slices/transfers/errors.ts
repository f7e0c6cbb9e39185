import type { ErrorRows, UniqueConstraints } from '../../contract/error-rows.ts';

export const errors = {
  payment_not_by_transfer: {
    status: 409,
    title: 'Not paid by transfer',
    meaning: 'The payment is made at a provider, which says by itself when it is paid.',
    fix: 'Confirm payments of the provider `manual` only.',
    retry: 'no',
  },
  transfer_not_open: {
    status: 409,
    title: 'Transfer not open',
    meaning: 'The transfer was confirmed under another reference, was left, or has not begun.',
    fix: 'Read the payment: one that was left is not paid by this transfer, so send the money back or make a new payment.',
    retry: 'no',
  },
  transfer_amount_differs: {
    status: 400,
    title: 'Other amount than asked for',
    meaning: 'A transfer pays exactly what was asked for. Nothing was confirmed.',
    fix: 'Compare the amount on the account with that of the payment or refund; wait for the rest, or send the money back.',
    retry: 'no',
  },
  transfer_in_future: {
    status: 400,
    title: 'Transfer in the future',
    meaning: 'The time at which the money was seen on the account is after the present.',
    fix: 'Send the time of the entry on the account as `receivedAt`, in UTC.',
    retry: 'no',
  },
  transfer_counted: {
    status: 409,
    title: 'Transfer counted already',
    meaning: 'Another payment was confirmed with this reference of the bank: one transfer pays once.',
    fix: 'Look for the transfer of this payment on the account, and send its own reference.',
    retry: 'no',
  },
} as const satisfies ErrorRows;

export const uniqueConstraints = {
  transfers_bank_reference_unique: 'transfer_counted',
} as const satisfies UniqueConstraints<typeof errors>;
