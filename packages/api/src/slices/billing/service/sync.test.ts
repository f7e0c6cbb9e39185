import { createFakePayPal, type FakePayPal } from '@rentapi/fake-payments/paypal';
import { createFakeStripe, type FakeStripe } from '@rentapi/fake-payments/stripe';
import type { PaymentProvider } from '@rentapi/payments/payment-provider';
import { createPayPalProvider } from '@rentapi/payments/paypal/provider';
import { ProviderError } from '@rentapi/payments/provider-error';
import { createStripeProvider } from '@rentapi/payments/stripe/provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../../../test/app.ts';
import { type Context, systemContext } from '../../../context.ts';
import { storeEvent } from './store.ts';
import { type Apply, sync } from './sync.ts';

const HISTORIES = 20;
const RETURN_URL = 'http://127.0.0.1:8000/back';

let app: TestApp;
let fakeStripe: FakeStripe;
let fakePayPal: FakePayPal;
let providers: Record<'stripe' | 'paypal', PaymentProvider>;

beforeAll(async () => {
  app = await startApp(); // without providers: its workers leave the marks alone
  const { clock } = app.ports;
  fakeStripe = await createFakeStripe({ clock, secretKey: 'sk_test_x', webhookSecret: 'whsec_x' });
  const ofPayPal = { clientId: 'c', clientSecret: 's', webhookId: 'w', clock };
  fakePayPal = await createFakePayPal({ ...ofPayPal, signer: null });
  providers = {
    stripe: createStripeProvider({ secretKey: 'sk_test_x', webhookSecrets: ['whsec_x'], apiBase: fakeStripe.url }),
    paypal: createPayPalProvider({ ...ofPayPal, apiBase: fakePayPal.url, isLive: false }),
  };
});
afterAll(async () => {
  await app.close();
  await fakeStripe.close();
  await fakePayPal.close();
});

/** Numbers from 0 to 1, the same for a seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A provider of whose answers every second one arrives only when the history is over, and in any order. */
function slowed(provider: PaymentProvider, random: () => number) {
  const held: (() => void)[] = [];
  const slow: PaymentProvider = {
    ...provider,
    async getCharge(id) {
      const read = await provider.getCharge(id);
      if (random() < 0.5) await new Promise<void>((resolve) => held.push(resolve));
      return read;
    },
  };
  let under = 0;
  /** Follows work until it has ended, or waits for an answer. */
  function follow(work: Promise<void>): Promise<void> {
    under++;
    return work.finally(() => {
      under--;
    });
  }
  async function untilHeld(): Promise<void> {
    while (under > held.length) await new Promise(setImmediate);
  }
  async function release(): Promise<void> {
    while (under > 0) {
      for (const resolve of held.splice(Math.floor(random() * held.length), 1)) resolve();
      await new Promise(setImmediate);
    }
  }
  return { slow, follow, untilHeld, release };
}

/** One charge through its whole life: what happens to it, step by step. */
async function live(name: 'stripe' | 'paypal', reference: string, random: () => number) {
  const provider = providers[name];
  const steps: (() => Promise<unknown> | unknown)[] = [];
  const amount = { amountMinor: 1234, currency: 'EUR' };
  const input = { key: `${reference}/1`, reference, amount, description: 'x', returnUrl: RETURN_URL };
  const { id } = await provider.createCharge({ ...input, customerId: null, methodId: null });
  const late = random() < 0.5;
  if (name === 'stripe') steps.push(() => fakeStripe.act(id, late ? 'pay_late' : 'pay'));
  else {
    steps.push(() => fakePayPal.act(id, 'approve', late ? 'pays_late' : 'pays'));
    steps.push(() => provider.confirmCharge({ id, key: `${reference}/1`, methodId: null, returnUrl: RETURN_URL }));
  }
  const settles = random() < 0.7;
  const fake = name === 'stripe' ? fakeStripe : fakePayPal;
  if (late && settles) steps.push(() => fake.settle(id, random() < 0.5 ? 'succeeds' : 'fails'));
  if (!late) {
    const refund = { key: `rfd_${reference}`, reference: `rfd_${reference}`, amount: { ...amount, amountMinor: 100 } };
    steps.push(() => provider.refund({ ...refund, chargeId: id }));
  }
  return { steps };
}

describe.each(['stripe', 'paypal'] as const)('events of %s', (name) => {
  it('rules 1, 2: end in the state of the provider, in whatever order and however often they come', async () => {
    const wrong: number[] = [];
    for (let seed = 1; seed <= HISTORIES; seed++) {
      const random = randomOf(seed);
      const { slow: provider, follow, untilHeld, release } = slowed(providers[name], random);
      const ctx = systemContext({ ...app.ports, payments: new Map([[name, provider]]) }, 'test');
      const kept = new Map<string, unknown>();
      const apply: Apply = async (_ctx, _provider, { kind, id }, read) => {
        if (kind === 'charge') kept.set(id, read && 'status' in read && read.status);
        return true;
      };
      const { steps } = await live(name, `pay_${name}_${seed}`, random);
      const fake = name === 'stripe' ? fakeStripe : fakePayPal;
      const working: Promise<void>[] = [];
      const bodies: string[] = [];
      for (const step of steps) {
        await step();
        bodies.push(...fake.pending.splice(0).map(({ body }) => body));
        // Some arrive while the history goes on, others at its end.
        while (bodies.length > 0 && random() < 0.6) {
          const [body] = bodies.splice(Math.floor(random() * bodies.length), 1);
          const received = { body: body!, headers: fake.sign(body!) };
          working.push(follow(receive(ctx, provider, received, apply)));
          if (random() < 0.3) working.push(follow(receive(ctx, provider, received, apply)));
        }
        if (random() < 0.8) await untilHeld(); // they have seen this step, and not the next
      }
      for (const body of bodies.toSorted(() => random() - 0.5)) {
        working.push(follow(receive(ctx, provider, { body, headers: fake.sign(body) }, apply)));
      }
      await release();
      await Promise.all(working);
      expect(kept.size).toBeGreaterThan(0);
      for (const [id, status] of kept) if ((await providers[name].getCharge(id)).status !== status) wrong.push(seed);
    }
    expect(wrong).toEqual([]);
  });
});

it('a burst of events about one object is one reading', async () => {
  let readings = 0;
  const provider: PaymentProvider = {
    ...providers.stripe,
    async getCharge(id) {
      readings++;
      throw new ProviderError('stripe', 'refused', id);
    },
  };
  const ctx = systemContext({ ...app.ports, payments: new Map([['stripe', provider]]) }, 'test');
  const id = 'pi_burst';
  for (const event of ['evt_burst1', 'evt_burst2', 'evt_burst3']) {
    const known = { type: 'payment_intent.succeeded', createdAt: ctx.now, isLive: false, verified: true };
    await storeEvent(ctx, provider, { ...known, id: event, subject: { object: 'payment_intent', id } });
  }
  for (const seq of [1, 2, 3]) await sync(ctx, { provider: 'stripe', kind: 'charge', id, seq }, async () => true);
  expect(readings).toBe(1);
});

/** As the webhook and the job do. */
async function receive(
  ctx: Context,
  provider: PaymentProvider,
  { body, headers }: { body: string; headers: Record<string, string> },
  apply: Apply,
): Promise<void> {
  const event = await provider.verifyEvent(Buffer.from(body), headers, ctx.now);
  await storeEvent(ctx, provider, event);
  const object = provider.objectOf(event);
  if (!object) return;
  const { dirtySeq } = await app
    .rows('provider_objects')
    .where({ provider: provider.name, externalId: object.id })
    .first();
  await sync(ctx, { provider: provider.name, ...object, seq: dirtySeq }, apply);
}
