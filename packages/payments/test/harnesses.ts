import type { Deliveries } from '@rentapi/fake-payments/deliveries';
import { createFakePayPal, type PayerBehavior } from '@rentapi/fake-payments/paypal';
import type { FakeServer } from '@rentapi/fake-payments/server';
import { createSigner, type Signer } from '@rentapi/fake-payments/signer';
import { type CardBehavior, createFakeStripe } from '@rentapi/fake-payments/stripe';
import { vi } from 'vitest';
import { createManualProvider, type Transfer, type Transfers } from '../src/manual/provider.ts';
import { createPayPalProvider } from '../src/paypal/provider.ts';
import { createStripeProvider } from '../src/stripe/provider.ts';
import type { Harness, OnlineHarness, Received, Step } from './harness.ts';

const START = Date.UTC(2026, 0, 15, 12);

export const STRIPE_SECRETS = { secretKey: 'sk_test_fakekey000000000', webhookSecret: 'whsec_fakesecret00000' };
const PAYPAL_SECRETS = { clientId: 'client-fake', clientSecret: 'paypal-secret-fake', webhookId: 'WH-FAKE' };

function shiftableClock() {
  let nowMs = START;
  return {
    now: () => new Date(nowMs),
    advance(ms: number) {
      nowMs += ms;
    },
  };
}

let waiting: AbortController[] = [];

/** The time limits of calls pass when a request hangs, and never before: however slow this machine is. */
export function holdTimeLimits(): void {
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
    const controller = new AbortController();
    waiting.push(controller);
    return controller.signal;
  });
}

function loseTime(): void {
  for (const controller of waiting) controller.abort(new DOMException('It took too long.', 'TimeoutError'));
  waiting = [];
}

/** Stops once, though a test may already have. */
function stopping(close: () => Promise<void>): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  return () => (stopped ??= close());
}

function taking({ pending }: Deliveries, sign: (body: string) => Record<string, string>): () => Received[] {
  return () => pending.splice(0).map(({ body }) => ({ raw: Buffer.from(body), headers: sign(body) }));
}

/** A fake is reached through a socket, or in this process without one. */
type Reached = 'by_socket' | 'in_process';

export async function startStripe(reached: Reached = 'by_socket') {
  const clock = shiftableClock();
  const fake = await createFakeStripe({ clock, ...STRIPE_SECRETS, onHang: loseTime });
  const { secretKey, webhookSecret } = STRIPE_SECRETS;
  const config = { secretKey, webhookSecrets: [webhookSecret], apiBase: fake.url, ...sendTo(fake, reached) };
  const provider = createStripeProvider(config);
  const steps: Record<Step, RegExp> = {
    create: /^POST \/v1\/payment_intents$/,
    confirm: /^POST \/v1\/payment_intents\/\w+\/confirm$/,
    read: /^GET \/v1\/payment_intents/,
    refund: /^POST \/v1\/refunds$/,
  };
  const harness: OnlineHarness = {
    provider,
    ...clock,
    async pay(id, how) {
      fake.act(id, how === 'pays' ? 'pay' : how === 'pays_late' ? 'pay_late' : 'close');
    },
    async settle(id, result) {
      fake.settle(id, result);
    },
    movedMinor: (currency) => fake.balance(currency),
    async saveMethod(behavior: CardBehavior) {
      const customer = await provider.createCustomer({
        key: 'org_fake',
        reference: 'org_fake',
        email: null,
        name: null,
      });
      return { customerId: customer!.id, methodId: fake.addCard(customer!.id, behavior) };
    },
    approveSetup: (id) => fake.act(id, 'pay'),
    openDispute: (_, chargeId) => fake.openDispute(chargeId),
    closeDispute: fake.closeDispute,
    fail: (fault, step, times) => fake.fail(fault, steps[step], times),
    requests: fake.requests,
    takeEvents: taking(fake, fake.sign),
    async warmUp() {},
    sign: fake.sign,
    secrets: Object.values(STRIPE_SECRETS),
    close: stopping(fake.close),
  };
  return { ...harness, fake, config };
}

const sendTo = (fake: FakeServer, reached: Reached) => (reached === 'in_process' ? { send: fake.answer } : {});

let signer: Promise<Signer> | undefined;

/** Making keys takes long, so all tests of a file share one. */
export function sharedSigner(): Promise<Signer> {
  return (signer ??= createSigner({ now: new Date(START), validDays: 365 }));
}

export async function startPayPal(reached: Reached = 'by_socket') {
  const clock = shiftableClock();
  const { root, ...signs } = await sharedSigner();
  const fake = await createFakePayPal({ clock, ...PAYPAL_SECRETS, signer: { root, ...signs }, onHang: loseTime });
  const ofFake = { apiBase: fake.url, trustedRoots: [root], ...sendTo(fake, reached) };
  const config = { ...PAYPAL_SECRETS, ...ofFake, clock, isLive: false };
  const provider = createPayPalProvider(config);
  const steps: Record<Step, RegExp> = {
    create: /^POST \/v2\/checkout\/orders$/,
    confirm: /^POST \/v2\/checkout\/orders\/[\w-]+\/capture$/,
    read: /^GET \/v2\/checkout\/orders/,
    refund: /^POST \/v2\/payments\/captures\/[\w-]+\/refund$/,
  };
  const harness: OnlineHarness = {
    provider,
    ...clock,
    async pay(id, how) {
      fake.act(id, how === 'leaves' ? 'cancel' : 'approve', how === 'pays_late' ? 'pays_late' : 'pays');
    },
    async settle(id, result) {
      fake.settle(id, result);
    },
    // Both have two decimals there, or none.
    movedMinor: (currency) => Number(fake.balance(currency).replace('.', '')),
    async saveMethod(behavior) {
      const known: PayerBehavior = behavior === 'fails_late' ? 'pays_late' : behavior;
      return { customerId: null, methodId: fake.addPayer(known) };
    },
    approveSetup: (id) => fake.act(id, 'approve'),
    openDispute: (captureId) => fake.openDispute(captureId),
    closeDispute: fake.closeDispute,
    fail: (fault, step, times) => fake.fail(fault, steps[step], times),
    requests: fake.requests,
    takeEvents: taking(fake, fake.sign),
    async warmUp() {
      const body = '{"id":"WH-warm"}';
      if (!(await provider.confirmEvent(Buffer.from(body), fake.sign(body), clock.now())))
        throw new Error('not signed');
    },
    sign: fake.sign,
    secrets: Object.values(PAYPAL_SECRETS),
    close: stopping(fake.close),
  };
  return { ...harness, fake, config };
}

/** Transfers for tests, which can be counted. */
export interface CountedTransfers extends Transfers {
  all(): Promise<Transfer[]>;
}

function transfersInMemory(): CountedTransfers {
  const kept = new Map<string, Transfer>();
  return {
    async add(transfer) {
      if (!kept.has(transfer.id)) kept.set(transfer.id, transfer);
      return kept.get(transfer.id)!;
    },
    find: async (id) => kept.get(id) ?? null,
    refundsOf: async (chargeId) => [...kept.values()].filter((transfer) => transfer.chargeId === chargeId),
    async settle(id, status) {
      const transfer = kept.get(id)!;
      if (transfer.status === 'PENDING') kept.set(id, { ...transfer, status });
      return kept.get(id)!;
    },
    all: async () => [...kept.values()],
  };
}

export async function startManual(transfers: CountedTransfers = transfersInMemory()): Promise<Harness> {
  let moved: Transfer[] = [];
  const settle: Harness['settle'] = async (id, result = 'succeeds') => {
    await transfers.settle(id, result === 'succeeds' ? 'SUCCEEDED' : 'CANCELED');
    moved = (await transfers.all()).filter(({ status, kind }) => status === 'SUCCEEDED' && kind === 'charge');
  };
  return {
    provider: createManualProvider(transfers),
    ...shiftableClock(),
    // A transfer on its way is one that no one has seen yet.
    pay: async (id, how) => (how === 'pays' ? settle(id) : undefined),
    settle,
    movedMinor: (currency) =>
      moved
        .filter(({ amount }) => amount.currency === currency)
        .reduce((sum, { amount }) => sum + amount.amountMinor, 0),
    async close() {},
  };
}
