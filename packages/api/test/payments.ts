import { createFakePayPal, type FakePayPal } from '@rentapi/fake-payments/paypal';
import { createSigner } from '@rentapi/fake-payments/signer';
import { createFakeStripe, type FakeStripe } from '@rentapi/fake-payments/stripe';
import type { PaymentProvider } from '@rentapi/payments/payment-provider';
import { createPayPalProvider } from '@rentapi/payments/paypal/provider';
import { createStripeProvider } from '@rentapi/payments/stripe/provider';
import { eventually, type TestApp } from './app.ts';

const STRIPE_WEBHOOK = '/api/v1/billing/stripe/webhook';
const PAYPAL_WEBHOOK = '/api/v1/billing/paypal/webhook';

export interface TestPayments {
  manual: PaymentProvider;
  stripe: PaymentProvider;
  paypal: PaymentProvider;
  fakeStripe: FakeStripe;
  fakePayPal: FakePayPal;
}

const made = new WeakMap<TestApp, Promise<TestPayments>>();

/** Both fakes as the providers of an app, with its clock, until it is closed. The app sweeps no more by itself. */
export async function usePayments(app: TestApp): Promise<TestPayments> {
  const known = made.get(app) ?? setUp(app);
  made.set(app, known);
  const { manual, stripe, paypal } = await known;
  app.ports.payments = new Map([manual, stripe, paypal].map((provider) => [provider.name, provider]));
  return known;
}

/** As an operator without keys of a provider, until `usePayments`. */
export function useNoPayments(app: TestApp): void {
  app.ports.payments = new Map();
}

async function setUp(app: TestApp): Promise<TestPayments> {
  const { clock } = app.ports;
  const keys = { secretKey: 'sk_test_ofthetests', webhookSecret: 'whsec_ofthetests' };
  const ofPayPal = { clientId: 'client', clientSecret: 'secret', webhookId: 'WH-TESTS', clock };
  const signer = await createSigner({ now: clock.now() });
  const fakeStripe = await createFakeStripe({ clock, ...keys, webhookUrl: app.url + STRIPE_WEBHOOK });
  const fakePayPal = await createFakePayPal({ ...ofPayPal, signer, webhookUrl: app.url + PAYPAL_WEBHOOK });
  const { secretKey, webhookSecret } = keys;
  const stripe = createStripeProvider({ secretKey, webhookSecrets: [webhookSecret], apiBase: fakeStripe.url });
  const paypal = createPayPalProvider({
    ...ofPayPal,
    apiBase: fakePayPal.url,
    isLive: false,
    trustedRoots: [signer.root],
  });
  const { close } = app;
  app.close = async () => {
    await close();
    await fakeStripe.close();
    await fakePayPal.close();
  };
  await pauseSweeps(app);
  const manual = app.ports.payments.get('manual')!; // every server has it
  return { manual, stripe, paypal, fakeStripe, fakePayPal };
}

const NEVER = new Date('2100-01-01');

/** The sweeps of billing run only where a test runs them: that of a full minute would sometimes be there before it. */
async function pauseSweeps({ ports, rows }: TestApp): Promise<void> {
  const sweeps = ports.jobs.all.flatMap(({ name, queue, every }) =>
    queue === 'subscriptions' && every ? [{ name, every, nextAt: NEVER }] : [],
  );
  await rows('job_schedules').insert(sweeps).onConflict('name').merge();
}

/** A pack of credits, so that there is something to buy. */
export async function addPack(app: TestApp, credits: number, amountMinor: number, currency = 'USD'): Promise<void> {
  const row = { credits, currency, amountMinor, createdAt: app.ports.clock.now() };
  const known = await app.rows('credit_prices').where({ credits, currency }).whereNull('archivedAt').first();
  if (!known) await app.rows('credit_prices').insert(row);
}

/** In one statement, because work moves from one table to the next. */
const TO_DO = `
  exists (select from held_events) or exists (select from outbox)
    or exists (
      select from agenda_jobs where (name like 'payment%.%' or name like 'billing.%') and data::text not in ('{}', 'null')
    )`;

/** Resolves when nothing is left to do for payments: no events to judge, no objects to read, no jobs. */
export function paymentsSettled(app: TestApp): Promise<true> {
  return nothingLeft(app, `${TO_DO} or exists (select from provider_objects where synced_seq < dirty_seq)`);
}

/** As `paymentsSettled`, but an object may be left whose state had no meaning for us yet. */
export function paymentsRead(app: TestApp): Promise<true> {
  return nothingLeft(app, TO_DO);
}

function nothingLeft(app: TestApp, condition: string): Promise<true> {
  return eventually(async () => {
    const { rows } = await app.rows.raw<{ rows: { isLeft: boolean }[] }>(`select ${condition} as "isLeft"`);
    return rows[0]!.isLeft ? undefined : true;
  }, 'payments to settle');
}
