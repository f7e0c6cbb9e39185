import { creditFulfilment } from './payments/service/credits.ts';
import type { Fulfilments } from './payments/service/fulfilment.ts';
import { invoiceFulfilment } from './subscriptions/service/invoice-fulfilment.ts';

/** What follows from a payment, by what it is for. */
export const fulfilments: Fulfilments = {
  CREDITS: creditFulfilment,
  INVOICE: invoiceFulfilment,
};
