import type { Order, OrderRequest, PaymentTokenResponse, PaypalWallet } from '@paypal/paypal-server-sdk';
import { z } from 'zod';
import { type Money, toChargedWire, toDecimal, toWire } from '../money.ts';
import type {
  Charge,
  ConfirmCharge,
  Listed,
  Movement,
  NewCharge,
  NewRefund,
  NewSetup,
  Page,
  PaymentMethod,
  PaymentProvider,
  ProviderEvent,
  Refund,
  Setup,
} from '../payment-provider.ts';
import { orNull, ProviderError } from '../provider-error.ts';
import { callPayPal, openPayPal, type PayPalClient, readPayPal } from './client.ts';
import { PAYPAL_CURRENCIES } from './currencies.ts';
import { assertPayPalId, createPayPalEvents, parsePayPalEvent, payPalObjectOf } from './events.ts';
import { chargeOf, DisputeAnswer, disputeOf, methodOf, moneyOf, refundOf, setupOf } from './objects.ts';
import { createPayPalTransport, type PayPalConfig } from './transport.ts';

export interface PayPalOptions extends PayPalConfig {
  isLive: boolean;
}

const FULL = 'return=representation';
const PAGE = 100;
/** PayPal answers movements of at most 31 days at once. */
const WINDOW_MS = 31 * 86_400_000;

export function createPayPalProvider(config: PayPalOptions): PaymentProvider {
  const { isLive, clock } = config;
  const send = createPayPalTransport(config);
  const events = createPayPalEvents(config, send);
  let opening: Promise<PayPalClient> | undefined;
  const open = (): Promise<PayPalClient> => (opening ??= openPayPal(send));

  const toMethod = (token: PaymentTokenResponse): PaymentMethod => methodOf(token, isLive);
  const toCharge = (order: Order): Charge => chargeOf(order, isLive);

  async function readOrder<Value>(id: string, toValue: (order: Order) => Value): Promise<Value> {
    assertPayPalId(id);
    const { orders } = await open();
    return callPayPal('read', () => orders.getOrder({ id }), toValue);
  }

  async function createCharge(charge: NewCharge): Promise<Charge> {
    const amount = toMoney(charge.amount, toChargedWire('paypal', PAYPAL_CURRENCIES, charge.amount));
    const { sdk, orders } = await open();
    const body: OrderRequest = {
      intent: sdk.CheckoutPaymentIntent.Capture,
      purchaseUnits: [
        {
          amount,
          description: charge.description.slice(0, 127),
          customId: charge.reference,
          invoiceId: charge.key, // refused for a second order, long after the key itself is forgotten
        },
      ],
      ...(charge.methodId === null && { paymentSource: { paypal: walletOf(sdk, charge) } }),
    };
    const call = () => orders.createOrder({ body, prefer: FULL, paypalRequestId: `${charge.key}/create` });
    return await callPayPal('write', call, toCharge);
  }

  async function confirmCharge({ id, key, methodId }: ConfirmCharge): Promise<Charge> {
    const seen = await readOrder(id, toCharge);
    if (seen.next !== 'confirm') return seen;
    const { sdk, orders } = await open();
    const storedCredential = {
      paymentInitiator: sdk.PaymentInitiator.Merchant,
      usage: sdk.StoredPaymentSourceUsageType.Subsequent,
    };
    const body = methodId === null ? {} : { paymentSource: { paypal: { vaultId: methodId, storedCredential } } };
    const call = () => orders.captureOrder({ id, body, prefer: FULL, paypalRequestId: `${key}/capture` });
    try {
      return await callPayPal('write', call, toCharge);
    } catch (error) {
      // Success seen late.
      if (error instanceof ProviderError && error.code === 'ORDER_ALREADY_CAPTURED') {
        return await readOrder(id, toCharge);
      }
      throw error;
    }
  }

  async function refund({ key, chargeId, reference, amount }: NewRefund): Promise<Refund> {
    const { earlier, captureId } = await readOrder(chargeId, (order) => {
      const { refunds, captures } = order.purchaseUnits?.[0]?.payments ?? {};
      const same = refunds?.find(({ customId }) => customId === reference);
      return { earlier: same && refundOf(same), captureId: captures?.at(-1)?.id };
    });
    if (earlier) return earlier;
    if (captureId === undefined) throw new ProviderError('paypal', 'refused', 'charge_not_captured');
    const { payments: api } = await open();
    const body = {
      amount: toMoney(amount, toWire('paypal', PAYPAL_CURRENCIES, amount)),
      customId: reference,
      invoiceId: reference,
    };
    const call = () => api.refundCapturedPayment({ captureId, body, prefer: FULL, paypalRequestId: `${key}/refund` });
    return callPayPal('write', call, refundOf);
  }

  async function startSetup({ key, reference, customerId, returnUrl }: NewSetup): Promise<Setup> {
    const { sdk, vault } = await open();
    const body = {
      customer: { merchantCustomerId: reference, ...(customerId !== null && { id: customerId }) },
      paymentSource: {
        paypal: {
          usageType: sdk.PaypalPaymentTokenUsageType.Merchant,
          experienceContext: { returnUrl, cancelUrl: returnUrl },
        },
      },
    };
    const call = () => vault.createSetupToken({ body, paypalRequestId: `${key}/setup` });
    return callPayPal('write', call, (token) => setupOf(token, isLive));
  }

  async function finishSetup(id: string): Promise<Setup> {
    assertPayPalId(id);
    const { sdk, vault } = await open();
    const setup = await callPayPal(
      'read',
      () => vault.getSetupToken(id),
      (token) => setupOf(token, isLive),
    );
    if (setup.status !== 'PENDING' && setup.status !== 'SUCCEEDED') return setup;
    const body = { paymentSource: { token: { id, type: sdk.VaultTokenRequestType.SetupToken } } };
    // The key is the setup's own: whatever was lost, it becomes one method.
    const call = () => vault.createPaymentToken({ body, paypalRequestId: `${id}/finish` });
    const method = await callPayPal('write', call, toMethod);
    return { ...setup, status: 'SUCCEEDED', method, customerId: method.customerId };
  }

  async function getMethod(id: string): Promise<PaymentMethod | null> {
    assertPayPalId(id);
    const { vault } = await open();
    return orNull(() => callPayPal('read', () => vault.getPaymentToken(id), toMethod));
  }

  async function listEvents(from: Date, cursor: string | null): Promise<Page<ProviderEvent>> {
    const query = new URLSearchParams({
      page_size: String(PAGE),
      start_time: seconds(from),
      end_time: seconds(clock.now()),
    });
    const path = cursor ?? `/v1/notifications/webhooks-events?${query}`;
    return readPayPal(send, { path, schema: EventsAnswer }, ({ events: listed, links }) => {
      const next = links.find(({ rel }) => rel === 'next')?.href;
      // It is an authenticated channel: what is listed needs no signature.
      const items = listed.map((event) => ({ ...parsePayPalEvent(event), isLive, verified: true }));
      return { items, next: next === undefined ? null : pathOf(next) };
    });
  }

  async function listMovements(from: Date, cursor: string | null): Promise<Page<Movement>> {
    const [startMs, page] = cursor === null ? [from.getTime(), 1] : numbersOf(cursor);
    const endMs = Math.min(startMs + WINDOW_MS, clock.now().getTime());
    const query = new URLSearchParams({
      start_date: seconds(new Date(startMs)),
      end_date: seconds(new Date(endMs)),
      fields: 'transaction_info',
      page_size: String(PAGE),
      page: String(page),
    });
    const request = { path: `/v1/reporting/transactions?${query}`, schema: TransactionsAnswer };
    return readPayPal(send, request, ({ transaction_details: rows, total_pages: pages }) => {
      const further = endMs < clock.now().getTime() ? `${endMs}/1` : null;
      const next = page < pages ? `${startMs}/${page + 1}` : further;
      return { items: rows.map(({ transaction_info: info }) => movementOf(info)), next };
    });
  }

  const lists: { [Kind in keyof Listed]: (from: Date, cursor: string | null) => Promise<Page<Listed[Kind]>> } = {
    events: listEvents,
    movements: listMovements,
  };

  return {
    name: 'paypal',
    isLive,
    currencies: PAYPAL_CURRENCIES,
    createCustomer: async () => null,
    getCustomer: async () => null,
    startSetup,
    finishSetup,
    getMethod,
    async removeMethod(id) {
      assertPayPalId(id);
      const { vault } = await open();
      await orNull(() =>
        callPayPal(
          'write',
          () => vault.deletePaymentToken(id),
          () => undefined,
        ),
      );
    },
    createCharge,
    confirmCharge,
    async cancelCharge(id) {
      const seen = await readOrder(id, toCharge);
      // An order moves nothing until we capture it, and ends by itself.
      return seen.next === 'payer' || seen.next === 'confirm' ? { ...seen, status: 'CANCELED', next: null } : seen;
    },
    getCharge: (id) => readOrder(id, toCharge),
    refund,
    async getRefund(id) {
      assertPayPalId(id);
      const { payments } = await open();
      return callPayPal('read', () => payments.getRefund({ refundId: id }), refundOf);
    },
    async getDispute(id) {
      assertPayPalId(id);
      return readPayPal(send, { path: `/v1/customer/disputes/${id}`, schema: DisputeAnswer }, disputeOf);
    },
    listSince: (kind, from, cursor = null) => lists[kind](from, cursor),
    async verifyEvent(raw, headers, now) {
      return { ...events.verify({ raw, headers, now }), isLive };
    },
    confirmEvent: (raw, headers, now) => events.confirm({ raw, headers, now }),
    objectOf: payPalObjectOf,
    portalUrl: async () => null,
  };
}

function walletOf(sdk: PayPalClient['sdk'], { returnUrl, savesMethod, customerId }: NewCharge): PaypalWallet {
  const vault = {
    storeInVault: sdk.StoreInVaultInstruction.OnSuccess,
    usageType: sdk.PaypalPaymentTokenUsageType.Merchant,
  };
  return {
    experienceContext: {
      returnUrl,
      cancelUrl: returnUrl,
      userAction: sdk.PaypalExperienceUserAction.PayNow,
      shippingPreference: sdk.PaypalWalletContextShippingPreference.NoShipping,
    },
    // Under the customer that it has made for this payer before.
    ...(savesMethod && { attributes: { vault, ...(customerId !== null && { customer: { id: customerId } }) } }),
  };
}

function toMoney({ currency }: Money, wire: bigint): { currencyCode: string; value: string } {
  return { currencyCode: currency, value: toDecimal(wire, PAYPAL_CURRENCIES.get(currency)!.decimals) };
}

const EventsAnswer = z.object({
  events: z.array(z.unknown()).max(1000),
  links: z.array(z.object({ rel: z.string(), href: z.string() })).default([]),
});

const WireMoney = z.object({ currency_code: z.string(), value: z.string() });

const TransactionInfo = z.object({
  transaction_id: z.string(),
  transaction_event_code: z.string(),
  transaction_initiation_date: z.string(),
  transaction_amount: WireMoney,
  fee_amount: WireMoney.optional(),
  paypal_reference_id: z.string().optional(),
});

const TransactionsAnswer = z.object({
  transaction_details: z.array(z.object({ transaction_info: TransactionInfo })).max(1000),
  total_pages: z.int().min(0),
});

/** By the group of its code: T00 are payments, T11 reversals and refunds, T12 and T15 holds and disputes. */
function movementOf(info: z.output<typeof TransactionInfo>): Movement {
  const { transaction_amount: amount, fee_amount: fee, transaction_event_code: code } = info;
  const currencyCode = amount.currency_code;
  const kind = code.startsWith('T00')
    ? 'charge'
    : code === 'T1107'
      ? 'refund'
      : /^T1[1-5]/.test(code)
        ? 'dispute'
        : 'other';
  return {
    id: info.transaction_id,
    kind,
    amount: moneyOf({ currencyCode, value: amount.value }),
    // What PayPal keeps is negative there.
    feeMinor: fee ? -moneyOf({ currencyCode, value: fee.value }).amountMinor : 0,
    at: new Date(info.transaction_initiation_date),
    sourceId: info.paypal_reference_id ?? info.transaction_id,
  };
}

/** The path of a link to a further page; PayPal's own host is not taken from its answer. */
function pathOf(href: string): string | null {
  if (!URL.canParse(href)) return null;
  const { pathname, search } = new URL(href);
  return pathname === '/v1/notifications/webhooks-events' ? pathname + search : null;
}

function numbersOf(cursor: string): [startMs: number, page: number] {
  const [, startMs, page] = /^(\d{1,15})\/(\d{1,6})$/.exec(cursor) ?? [];
  if (startMs === undefined) throw new ProviderError('paypal', 'refused', 'cursor_not_valid');
  return [Number(startMs), Number(page)];
}

/** PayPal refuses milliseconds. */
const seconds = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;
