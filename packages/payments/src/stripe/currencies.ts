import type { ProviderCurrencies, WireCurrency } from '../money.ts';

const two = (minimumMinor: number): WireCurrency => ({ decimals: 2, minimumMinor });
const zero = (minimumMinor: number): WireCurrency => ({ decimals: 0, minimumMinor });
/** Three decimals, of which the last must be 0. */
const three = (minimumMinor: number): WireCurrency => ({ decimals: 3, step: 10, minimumMinor });
/** Without a minor unit, but written with two decimals, which must be 0. */
const twoZeros = (minimumMinor: number): WireCurrency => ({ decimals: 2, step: 100, minimumMinor });

export const STRIPE_CURRENCIES: ProviderCurrencies = new Map(
  Object.entries({
    AED: two(200),
    AUD: two(50),
    BGN: two(100),
    BHD: three(200),
    BRL: two(50),
    CAD: two(50),
    CHF: two(50),
    CLP: zero(500),
    CZK: two(1500),
    DKK: two(250),
    EUR: two(50),
    GBP: two(30),
    HKD: two(400),
    HUF: two(17500),
    ILS: two(200),
    INR: two(50),
    ISK: twoZeros(70),
    JOD: three(400),
    JPY: zero(50),
    KRW: zero(700),
    KWD: three(200),
    MGA: { decimals: 0, minimumMinor: 250000 },
    MXN: two(1000),
    MYR: two(200),
    NOK: two(300),
    NZD: two(50),
    OMR: three(200),
    PHP: two(3000),
    PLN: two(200),
    RON: two(200),
    SEK: two(300),
    SGD: two(50),
    THB: two(1000),
    TND: three(1600),
    TWD: two(2000),
    UGX: twoZeros(2000),
    USD: two(50),
    VND: zero(13000),
    XAF: zero(350),
    XOF: zero(350),
    ZAR: two(1000),
  }),
);
