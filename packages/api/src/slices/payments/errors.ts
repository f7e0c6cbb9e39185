import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  credit_pack_unknown: {
    status: 400,
    title: 'No such pack of credits',
    meaning: 'Credits are sold in packs, and there is none of this size in this currency. Nothing was charged.',
    fix: 'Send a number of credits that `GET /subscriptions/plans` shows as a pack, and its currency where there are several.',
    retry: 'no',
  },
  currency_not_supported: {
    status: 400,
    title: 'Currency not supported',
    meaning: 'The provider of payments does not take this currency, or not this amount of it. Nothing was charged.',
    fix: 'Pay with another provider.',
    retry: 'no',
  },
  amount_below_minimum: {
    status: 400,
    title: 'Amount too small',
    meaning: 'The provider of payments charges no amount as small as this. Nothing was charged.',
    fix: 'Choose a larger amount, or another provider.',
    retry: 'no',
  },
  return_url_not_allowed: {
    status: 400,
    title: 'Return address not allowed',
    meaning: 'A payer is sent back to pages of known origins only.',
    fix: 'Send a whole address whose origin is that of PUBLIC_URL or CONSOLE_URL, or one that CORS_ORIGINS names.',
    retry: 'no',
  },
  payment_in_progress: {
    status: 409,
    title: 'Payment in progress',
    meaning: 'The same is being paid already, and that payment can no longer be stopped.',
    fix: 'Wait until `GET /subscriptions/payments` shows how it has ended.',
    retry: 'no',
  },
  payment_not_approved: {
    status: 409,
    title: 'Payment not approved',
    meaning: 'The payer has not agreed to the payment yet, so there is nothing to capture.',
    fix: 'Send the payer to the `actionUrl` of the order first.',
    retry: 'no',
  },
  payment_not_refundable: {
    status: 409,
    title: 'Payment not refundable',
    meaning: 'The payment is not paid, so nothing can be paid back.',
    fix: 'Wait until its status is SUCCEEDED; one that failed or was left needs no refund.',
    retry: 'no',
  },
  payment_disputed: {
    status: 409,
    title: 'Payment disputed',
    meaning: 'The payer has asked their bank for the money: a refund now would pay it back twice.',
    fix: 'Accept the dispute at the provider, or wait until it has ended.',
    retry: 'no',
  },
  refund_exceeds_payment: {
    status: 409,
    title: 'More than is left of the payment',
    meaning: 'All refunds of a payment together are at most the payment. Nothing was paid back.',
    fix: 'Refund at most `amount` less `refunded` of the payment.',
    retry: 'no',
  },
  refund_currency_differs: {
    status: 400,
    title: 'Other currency than the payment',
    meaning: 'A payment is paid back in its own currency. Nothing was paid back.',
    fix: 'Send the currency of the payment, or leave `amount` out to refund all that is left.',
    retry: 'no',
  },
  refund_amount_not_possible: {
    status: 400,
    title: 'Amount cannot be paid back',
    meaning:
      'The provider of the payment does not move amounts as fine as this in this currency. Nothing was paid back.',
    fix: 'Round the amount to a unit that the provider moves, such as whole 100 of a currency without decimals there.',
    retry: 'no',
  },
  payment_provider_unavailable: {
    status: 503,
    title: 'The provider does not answer',
    meaning: 'The provider of payments could not be reached, or failed. Nothing was charged.',
    fix: 'Wait for the seconds in `Retry-After`, then send the same again.',
    retry: 'after',
  },
} as const satisfies ErrorRows;
