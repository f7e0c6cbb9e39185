import { createFakePayPal, type FakePayPal } from '@rentapi/fake-payments/paypal';
import { createFakeStripe, type FakeStripe } from '@rentapi/fake-payments/stripe';
import type { PaymentProvider } from '@rentapi/payments/payment-provider';
import { createPayPalProvider } from '@rentapi/payments/paypal/provider';
import { ProviderError } from '@rentapi/payments/provider-error';
import { createStripeProvider } from '@rentapi/payments/stripe/provider';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runControl, startApp, type TestApp } from '../../../test/app.ts';
import { systemContext } from '../../context.ts';
import { storeEvent } from '../billing/service/store.ts';
import { reconcile } from './jobs.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const RETURN_URL = 'http://127.0.0.1:8000/back';

let app: TestApp;
let fakeStripe: FakeStripe;
let fakePayPal: FakePayPal;
let providers: Record<'stripe' | 'paypal', PaymentProvider>;
let nowMs = Date.parse('2026-01-31T12:00:00Z');
const clock = { now: () => new Date(nowMs) };

beforeAll(async () => {
  app = await startApp();
  await app.work.stop(); // the job runs when a test says so, and what it asks for waits
  fakeStripe = await createFakeStripe({ clock, secretKey: 'sk_test_x', webhookSecret: 'whsec_x' });
  const ofPayPal = { clientId: 'c', clientSecret: 's', webhookId: 'w', clock };
  fakePayPal = await createFakePayPal({ ...ofPayPal, signer: null });
  providers = {
    stripe: createStripeProvider({ secretKey: 'sk_test_x', webhookSecrets: ['whsec_x'], apiBase: fakeStripe.url }),
    paypal: createPayPalProvider({ ...ofPayPal, apiBase: fakePayPal.url, isLive: false }),
  };
});
beforeEach(async () => {
  for (const table of ['provider_lists', 'provider_events', 'provider_objects', 'provider_movements', 'outbox'])
    await app.rows(table).delete();
});
afterAll(async () => {
  await app.close();
  await fakeStripe.close();
  await fakePayPal.close();
});

/** Runs the job of this provider. Returns how many lists it asked for. */
async function run(provider: PaymentProvider): Promise<number> {
  let asked = 0;
  const counted: PaymentProvider = {
    ...provider,
    listSince(kind, from, cursor) {
      asked++;
      return provider.listSince(kind, from, cursor);
    },
  };
  app.ports.payments = new Map([[provider.name, counted]]);
  await reconcile.run({ ...systemContext(app.ports, 'test'), now: clock.now() }, undefined, runControl());
  return asked;
}
/** So much time passes, in which the job ran every five minutes and nothing was due. */
async function pass(ms: number): Promise<void> {
  nowMs += ms;
  await app.rows('provider_lists').update({ lookedAt: new Date(nowMs - 5 * MINUTE_MS) });
}
const down = (provider: PaymentProvider): PaymentProvider => ({
  ...provider,
  listSince: async () => {
    throw new ProviderError(provider.name, 'unavailable', 'down');
  },
});

let count = 0;
/** A charge that is paid, whose events are on their way; its id. */
async function pay(name: 'stripe' | 'paypal'): Promise<string> {
  const provider = providers[name];
  const reference = `pay_${++count}`;
  const charge = {
    amount: { amountMinor: 1234, currency: 'EUR' },
    description: 'x',
    returnUrl: RETURN_URL,
    customerId: null,
    methodId: null,
  };
  const { id } = await provider.createCharge({ ...charge, key: `${reference}/1`, reference });
  if (name === 'stripe') fakeStripe.act(id, 'pay');
  else {
    fakePayPal.act(id, 'approve', 'pays');
    await provider.confirmCharge({ id, key: `${reference}/1`, methodId: null, returnUrl: RETURN_URL });
  }
  return id;
}
const lose = (name: 'stripe' | 'paypal') => (name === 'stripe' ? fakeStripe : fakePayPal).lose();
const marked = async () => (await app.rows('provider_objects')).map(({ externalId }) => externalId).toSorted();
const asked = async () => (await app.rows('outbox')).map(({ data }) => data.id).toSorted();

describe.each(['stripe', 'paypal'] as const)('the lists of %s', (name) => {
  it('are read daily, not at each run', async () => {
    expect(await run(providers[name])).toBe(0); // nothing was before the first start
    for (let times = 0; times < 3; times++) {
      nowMs += 5 * MINUTE_MS;
      expect(await run(providers[name])).toBe(0);
    }
    await pass(23 * HOUR_MS);
    expect(await run(providers[name])).toBe(0);
    await pass(HOUR_MS);
    expect(await run(providers[name])).toBe(2);
    nowMs += 5 * MINUTE_MS;
    expect(await run(providers[name])).toBe(0);
  });

  it('are read after a pause of the job, and bring events that were lost meanwhile', async () => {
    await run(providers[name]);
    nowMs += 20 * MINUTE_MS;
    const id = await pay(name);
    lose(name);
    await run(providers[name]);
    expect(await marked()).toContain(id);
    expect(await asked()).toContain(id);
  });

  it('bring each event once, whether it arrived or not', async () => {
    await run(providers[name]);
    const id = await pay(name);
    lose(name);
    nowMs += DAY_MS;
    await run(providers[name]);
    const events = await app.rows('provider_events');
    expect(events.length).toBeGreaterThan(0);
    const ctx = { ...systemContext(app.ports, 'test'), now: clock.now() };
    const { items } = await providers[name].listSince('events', new Date(nowMs - 2 * DAY_MS));
    for (const event of items) await storeEvent(ctx, providers[name], event); // as if it arrived late
    nowMs += DAY_MS;
    await run(providers[name]);
    expect(await app.rows('provider_events')).toEqual(events);
    expect(await marked()).toContain(id);
  });

  it('bring the events of three days in which the provider was down, and each movement of money once', async () => {
    await run(providers[name]);
    const ids: string[] = [];
    for (let day = 0; day < 3; day++) {
      ids.push(await pay(name));
      lose(name);
      for (let times = 0; times < 3; times++) {
        await pass(8 * HOUR_MS);
        await run(down(providers[name]));
      }
    }
    expect(await marked()).toEqual([]);
    await run(providers[name]);
    expect(await marked()).toEqual(expect.arrayContaining(ids));
    const movements = await app.rows('provider_movements');
    expect(movements).toHaveLength(3);
    expect(movements).toMatchObject(
      Array.from({ length: 3 }, () => ({ kind: 'charge', currency: 'EUR', amountMinor: 1234 })),
    );
    await pass(DAY_MS);
    expect(await run(providers[name])).toBe(2);
    expect(await app.rows('provider_movements')).toHaveLength(3);
  });
});

it('goes on at the next page after a run that was stopped', async () => {
  const { stripe } = providers;
  const pages = new Map<string | null, string | null>([
    [null, 'p2'],
    ['p2', 'p3'],
    ['p3', null],
  ]);
  const read: (string | null)[] = [];
  const stop = new AbortController();
  const paged: PaymentProvider = {
    ...stripe,
    async listSince(kind, _from, cursor = null) {
      if (kind === 'movements') return { items: [], next: null };
      read.push(cursor);
      if (read.length === 2) stop.abort();
      return { items: [], next: pages.get(cursor) ?? null };
    },
  };
  const work = (signal: AbortSignal) => {
    app.ports.payments = new Map([['stripe', paged]]);
    const ctx = { ...systemContext(app.ports, 'test'), now: clock.now() };
    return reconcile.run(ctx, undefined, { ...runControl(), signal });
  };
  await work(new AbortController().signal);
  nowMs += DAY_MS;
  await work(stop.signal);
  expect(read).toEqual([null, 'p2']);
  nowMs += 5 * MINUTE_MS;
  await work(new AbortController().signal);
  expect(read).toEqual([null, 'p2', 'p3']);
  const [list] = await app.rows('provider_lists').where({ list: 'events' });
  expect(list).toMatchObject({ since: new Date(nowMs - 5 * MINUTE_MS), page: null, beganAt: null });
});
