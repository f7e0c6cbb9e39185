import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  payment_method_not_saved_here: {
    status: 400,
    title: 'The provider saves no methods',
    meaning: 'Bank transfers are made by the payer each time: there is nothing that could be charged later.',
    fix: 'Save a method at `stripe` or `paypal`, or pay by transfer without one.',
    retry: 'no',
  },
  payment_method_pending: {
    status: 409,
    title: 'Method not saved yet',
    meaning: 'The payer has not agreed on the page of the provider, or the provider is still checking.',
    fix: 'Send the payer to the `actionUrl` of the method, and send the same again when they are back.',
    retry: 'no',
  },
  payment_method_expired: {
    status: 409,
    title: 'Method expired',
    meaning: 'The last month of the card is over, so it is not made the default.',
    fix: 'Save another method with `POST /subscriptions/payment-methods/setup`.',
    retry: 'no',
  },
} as const satisfies ErrorRows;
