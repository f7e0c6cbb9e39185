import { randomUUID } from 'node:crypto';
import { addPack, useNoPayments, usePayments } from '../../../test/payments.ts';
import type { Fixture } from '../../../test/proofs/fixture.ts';
import { byOwner, unscoped } from '../../../test/proofs/scenes.ts';
import type { Failing, Scenario, SliceProofs } from '../../../test/proofs/slice-proofs.ts';

const ORDERS = '/api/v1/billing/paypal/orders';

/** Another one each time: the same would be answered with the same payment. */
const returnUrlOf = ({ app }: Fixture): string => `${app.ports.env.PUBLIC_URL}/back?${randomUUID()}`;

async function purchase(fixture: Fixture, change: object = {}): Promise<Scenario> {
  await usePayments(fixture.app);
  await addPack(fixture.app, 1000, 10_00);
  return byOwner(fixture, { credits: 1000, provider: 'stripe', returnUrl: returnUrlOf(fixture), ...change });
}

/** By the owner, in an organization that has paid nothing yet. */
async function atFirst(fixture: Fixture, { input }: Scenario): Promise<Scenario> {
  const { owner, bearer } = fixture;
  const { body } = await owner.request('/api/v1/organizations', { method: 'POST', body: { name: 'Unpaid' } });
  return { caller: { ...bearer(owner), 'x-organization-id': body.id }, input };
}

async function order(fixture: Fixture, change: object = {}): Promise<Scenario> {
  await usePayments(fixture.app);
  await addPack(fixture.app, 1000, 10_00);
  return byOwner(fixture, { credits: 1000, returnUrl: returnUrlOf(fixture), ...change });
}

/** Without PayPal's approval. */
async function createdOrder(fixture: Fixture): Promise<string> {
  const { input } = await order(fixture);
  const { owner, here } = fixture;
  const { body } = await owner.request(ORDERS, { method: 'POST', headers: here, body: input });
  return body.orderId;
}

/** Answers nothing about this order any more. */
async function lostOrder(fixture: Fixture): Promise<string> {
  const orderId = await createdOrder(fixture);
  const { fakePayPal } = await usePayments(fixture.app);
  fakePayPal.fail('html_502', new RegExp(`^GET /v2/checkout/orders/${orderId}$`), 1000);
  return orderId;
}

/** Paid, but for the provider. */
async function paid({ app, organizationId }: Fixture, change: object = {}): Promise<string> {
  await usePayments(app);
  const at = app.ports.clock.now();
  const [{ id }] = await app
    .rows('payments')
    .insert({
      organizationId: app.ports.ids.decode('org', organizationId),
      purpose: 'CREDITS',
      subjectId: 0,
      provider: 'stripe',
      status: 'SUCCEEDED',
      currency: 'USD',
      amountMinor: 10_00,
      description: '1,000 credits',
      returnUrl: 'http://127.0.0.1/',
      externalId: `pi_${randomUUID()}`,
      createdAt: at,
      updatedAt: at,
      ...change,
    })
    .returning('id');
  return app.ports.ids.encode('pay', id);
}

/** A row about a payment that is paid. */
async function about(
  fixture: Fixture,
  table: 'refunds' | 'disputes',
  { paymentId, ...fields }: { paymentId: string } & Record<string, unknown>,
): Promise<number> {
  const { ids, clock } = fixture.app.ports;
  const [{ id }] = await fixture.app
    .rows(table)
    .insert({
      organizationId: ids.decode('org', fixture.organizationId),
      paymentId: ids.decode('pay', paymentId),
      provider: 'stripe',
      externalId: `x_${randomUUID()}`,
      currency: 'USD',
      amountMinor: 1,
      createdAt: clock.now(),
      updatedAt: clock.now(),
      ...fields,
    })
    .returning('id');
  return id;
}

const refunded =
  (input: object, of: object = {}): Failing =>
  async (fixture) => ({
    caller: unscoped(await fixture.staff('ADMIN')),
    input: { paymentId: await paid(fixture, of), reason: 'Proven', ...input },
  });

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  ownedIds: {
    pay: paid,
    async rfd(fixture) {
      const of = { paymentId: await paid(fixture), status: 'SUCCEEDED', origin: 'STAFF' };
      return fixture.app.ports.ids.encode('rfd', await about(fixture, 'refunds', of));
    },
    async dsp(fixture) {
      const of = { paymentId: await paid(fixture), status: 'WON', reason: 'fraudulent' };
      return fixture.app.ports.ids.encode('dsp', await about(fixture, 'disputes', of));
    },
  },
  scenarios: {
    'billing.credits.purchase': purchase,
    'billing.paypal.createOrder': order,
    'billing.paypal.capture': async (fixture) => {
      const orderId = await createdOrder(fixture);
      const { fakePayPal } = await usePayments(fixture.app);
      fakePayPal.act(orderId, 'approve');
      return byOwner(fixture, { orderId });
    },
    'billing.payments.list': async (fixture) => {
      await paid(fixture);
      await paid(fixture);
      return byOwner(fixture, { limit: 25 });
    },
    'admin.payments.refund': refunded({ amount: { amountMinor: 1, currency: 'USD' } }),
  },
  failures: {
    'billing.credits.purchase': {
      credit_pack_unknown: (fixture) => purchase(fixture, { credits: 7 }),
      currency_fixed: async (fixture) => {
        const { owner, here } = fixture;
        const { input } = await purchase(fixture);
        await owner.request('/api/v1/subscriptions/credits/purchase', { method: 'POST', headers: here, body: input });
        return purchase(fixture, { currency: 'EUR' });
      },
      currency_not_supported: async (fixture) => {
        await addPack(fixture.app, 2000, 10_000, 'KWD');
        return atFirst(fixture, await purchase(fixture, { credits: 2000, provider: 'paypal' }));
      },
      amount_below_minimum: async (fixture) => {
        await addPack(fixture.app, 3, 1);
        return atFirst(fixture, await purchase(fixture, { credits: 3 }));
      },
      return_url_not_allowed: (fixture) => purchase(fixture, { returnUrl: 'https://evil.example/' }),
      payment_provider_not_set_up: async (fixture) => {
        const scene = await purchase(fixture);
        useNoPayments(fixture.app);
        return scene;
      },
    },
    'billing.paypal.createOrder': {
      credit_pack_unknown: (fixture) => order(fixture, { credits: 7 }),
      currency_fixed: async (fixture) => {
        await createdOrder(fixture);
        return order(fixture, { currency: 'EUR' });
      },
      currency_not_supported: async (fixture) => {
        await addPack(fixture.app, 2000, 10_000, 'KWD');
        return atFirst(fixture, await order(fixture, { credits: 2000 }));
      },
      return_url_not_allowed: (fixture) => order(fixture, { returnUrl: 'https://evil.example/' }),
      payment_provider_unavailable: async (fixture) => {
        await lostOrder(fixture); // it has to end before another one takes its place
        return order(fixture);
      },
    },
    'billing.paypal.capture': {
      not_found: async (fixture) => byOwner(fixture, { orderId: 'ORDER-unknown' }),
      payment_not_approved: async (fixture) => byOwner(fixture, { orderId: await createdOrder(fixture) }),
      payment_provider_unavailable: async (fixture) => byOwner(fixture, { orderId: await lostOrder(fixture) }),
    },
    'admin.payments.refund': {
      payment_not_refundable: refunded({}, { status: 'FAILED' }),
      payment_disputed: async (fixture) => {
        const scene = await refunded({})(fixture);
        const { paymentId } = scene.input as { paymentId: string };
        await about(fixture, 'disputes', { paymentId, status: 'OPEN', reason: 'fraudulent' });
        return scene;
      },
      refund_exceeds_payment: refunded({ amount: { amountMinor: 10_01, currency: 'USD' } }),
      refund_currency_differs: refunded({ amount: { amountMinor: 5, currency: 'EUR' } }),
      refund_amount_not_possible: refunded(
        { amount: { amountMinor: 1001, currency: 'KWD' } },
        { currency: 'KWD', amountMinor: 10_000 },
      ),
    },
  },
};
