import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  provider_signature_invalid: {
    status: 400,
    title: 'Signature invalid',
    meaning: 'The request is no event that the provider of payments has signed for this server, or it is too old.',
    fix: 'Let the provider send the event again; if its own are refused, compare the secret of its webhook with the settings of this server.',
    retry: 'no',
  },
  payment_provider_not_set_up: {
    status: 404,
    title: 'Provider not set up',
    meaning: 'This server has no settings for that provider of payments.',
    fix: 'Use another provider; the operator sets one up with `STRIPE_SECRET_KEY` or `PAYPAL_CLIENT_ID`, and the settings beside them.',
    retry: 'no',
  },
  tax_id_invalid: {
    status: 400,
    title: 'Tax id invalid',
    meaning: 'The tax id has not the form of one of the country in the address.',
    fix: 'Send the number with the prefix of its country, as its holder has it from the tax office, or correct the country.',
    retry: 'no',
  },
  tax_id_needs_country: {
    status: 400,
    title: 'Tax id needs a country',
    meaning: 'A tax id says something only together with the country that gave it.',
    fix: 'Send `address` with its `country` too, or leave `taxId` out.',
    retry: 'no',
  },
  currency_fixed: {
    status: 409,
    title: 'Currency decided',
    meaning:
      'The first payment or invoice of an organization decides the currency of all that follow; this is another one.',
    fix: 'Pay in the `currency` that `GET /subscriptions/billing-info` shows; for another one, use another organization.',
    retry: 'no',
  },
} as const satisfies ErrorRows;
