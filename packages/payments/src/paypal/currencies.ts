import type { ProviderCurrencies, WireCurrency } from '../money.ts';

const two: WireCurrency = { decimals: 2, minimumMinor: 1 };
/** It takes no decimals; where ISO 4217 has two, they must be 0. */
const whole = (minimumMinor: number): WireCurrency => ({ decimals: 0, minimumMinor });

export const PAYPAL_CURRENCIES: ProviderCurrencies = new Map(
  Object.entries({
    AUD: two,
    BRL: two,
    CAD: two,
    CHF: two,
    CZK: two,
    DKK: two,
    EUR: two,
    GBP: two,
    HKD: two,
    HUF: whole(100),
    ILS: two,
    JPY: whole(1),
    MXN: two,
    MYR: two,
    NOK: two,
    NZD: two,
    PHP: two,
    PLN: two,
    SEK: two,
    SGD: two,
    THB: two,
    TWD: whole(100),
    USD: two,
  }),
);
