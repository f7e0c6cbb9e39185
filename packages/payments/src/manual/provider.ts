import { CURRENCIES } from '../currencies.ts';
import { type Money, type ProviderCurrencies, toChargedWire } from '../money.ts';
import type { Charge, NewCharge, NewRefund, PaymentProvider, Refund } from '../payment-provider.ts';
import { ForgedEventError, ProviderError } from '../provider-error.ts';

/** A transfer to our bank account, or back: there is no provider to ask, so its owner keeps it. */
export interface Transfer {
  id: string;
  kind: 'charge' | 'refund';
  reference: string;
  amount: Money;
  /** Of a refund: the charge. */
  chargeId: string | null;
  status: 'PENDING' | 'SUCCEEDED' | 'CANCELED';
}

/** Where transfers are kept. */
export interface Transfers {
  /** Keeps the first with an id, and answers what is kept. */
  add(transfer: Transfer): Promise<Transfer>;
  find(id: string): Promise<Transfer | null>;
  refundsOf(chargeId: string): Promise<Transfer[]>;
  /** Changes the status of one that is still PENDING; answers it as it then is. */
  settle(id: string, status: 'SUCCEEDED' | 'CANCELED'): Promise<Transfer>;
}

/** Any currency can be transferred, to its last minor unit. */
const EVERY_CURRENCY: ProviderCurrencies = new Map(
  [...CURRENCIES].map(([code, decimals]) => [code, { decimals, minimumMinor: 1 }]),
);

/**
 * Bank transfers. Nothing moves by itself: staff settle a transfer when they have seen the money on the account, and a
 * refund when they have sent it.
 */
export function createManualProvider(transfers: Transfers): PaymentProvider {
  async function find(kind: Transfer['kind'], id: string): Promise<Transfer> {
    const transfer = await transfers.find(id);
    if (transfer?.kind !== kind) throw new ProviderError('manual', 'refused', 'not_found');
    return transfer;
  }

  async function getCharge(id: string): Promise<Charge> {
    const transfer = await find('charge', id);
    return chargeOf(transfer, await transfers.refundsOf(id));
  }

  async function createCharge({ reference, amount, key }: NewCharge): Promise<Charge> {
    toChargedWire('manual', EVERY_CURRENCY, amount);
    const id = `transfer_${key}`;
    const transfer = await transfers.add({ id, kind: 'charge', reference, amount, chargeId: null, status: 'PENDING' });
    if (transfer.amount.amountMinor !== amount.amountMinor || transfer.amount.currency !== amount.currency) {
      throw new ProviderError('manual', 'refused', 'key_reused');
    }
    return chargeOf(transfer, []);
  }

  async function refund({ chargeId, reference, amount }: NewRefund): Promise<Refund> {
    toChargedWire('manual', EVERY_CURRENCY, amount);
    const charge = await find('charge', chargeId);
    const made = await transfers.refundsOf(chargeId);
    const earlier = made.find((other) => other.reference === reference);
    if (earlier) return refundOf(earlier);
    if (charge.status !== 'SUCCEEDED') throw new ProviderError('manual', 'refused', 'charge_not_captured');
    if (amount.currency !== charge.amount.currency) throw new ProviderError('manual', 'refused', 'currency_differs');
    if (sumOf(made) + amount.amountMinor > charge.amount.amountMinor) {
      throw new ProviderError('manual', 'refused', 'amount_too_large');
    }
    const id = `transfer_${reference}`;
    return refundOf(await transfers.add({ id, kind: 'refund', reference, amount, chargeId, status: 'PENDING' }));
  }

  return {
    name: 'manual',
    isLive: true,
    currencies: EVERY_CURRENCY,
    createCustomer: async () => null,
    getCustomer: async () => null,
    startSetup: refuseMethods,
    finishSetup: refuseMethods,
    getMethod: async () => null,
    async removeMethod() {},
    createCharge,
    confirmCharge: ({ id }) => getCharge(id),
    async cancelCharge(id) {
      await find('charge', id);
      await transfers.settle(id, 'CANCELED');
      return getCharge(id);
    },
    getCharge,
    refund,
    getRefund: async (id) => refundOf(await find('refund', id)),
    async getDispute() {
      throw new ProviderError('manual', 'refused', 'not_found');
    },
    listSince: async () => ({ items: [], next: null }),
    async verifyEvent() {
      throw new ForgedEventError('bank transfers have no events');
    },
    confirmEvent: async () => false,
    objectOf: () => null,
    portalUrl: async () => null,
  };
}

async function refuseMethods(): Promise<never> {
  throw new ProviderError('manual', 'refused', 'methods_not_supported');
}

const sumOf = (refunds: readonly Transfer[]): number =>
  refunds.filter(({ status }) => status !== 'CANCELED').reduce((sum, { amount }) => sum + amount.amountMinor, 0);

function chargeOf({ id, reference, amount, status }: Transfer, refunds: readonly Transfer[]): Charge {
  return {
    id,
    status,
    providerStatus: status,
    next: status === 'PENDING' ? 'time' : null,
    amount,
    reference,
    actionUrl: null,
    customerId: null,
    methodId: null,
    captureId: status === 'SUCCEEDED' ? id : null,
    refundedMinor: sumOf(refunds),
    feeMinor: status === 'SUCCEEDED' ? 0 : null,
    failureCode: null,
    isDisputed: false,
    isLive: true,
  };
}

function refundOf({ id, reference, amount, chargeId, status }: Transfer): Refund {
  return { id, status, providerStatus: status, amount, captureId: chargeId, reference, failureCode: null };
}
