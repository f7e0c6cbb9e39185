import { randomUUID } from 'node:crypto';
import type { Person } from '../../../test/app.ts';
import { useNoPayments, usePayments } from '../../../test/payments.ts';
import type { Fixture } from '../../../test/proofs/fixture.ts';
import { unscoped } from '../../../test/proofs/scenes.ts';
import type { Failing, Failures, Scenario, SliceProofs } from '../../../test/proofs/slice-proofs.ts';

const DAY_MS = 86_400_000;

/** A person of their own for each scene: an organization has one subscription, and one currency. */
interface Home {
  person: Person;
  organizationId: number;
}

async function newHome(fixture: Fixture): Promise<Home> {
  await usePayments(fixture.app);
  const person = await fixture.app.signUp();
  return { person, organizationId: fixture.app.ports.ids.decode('org', person.organizationId) };
}

const inDays = ({ app }: Fixture, days: number): Date => new Date(app.ports.clock.now().getTime() + days * DAY_MS);

/** A subscription to BASIC that is paid for a month from now. */
async function addSubscription(
  fixture: Fixture,
  organizationId: number,
  change: Record<string, unknown> = {},
): Promise<number> {
  const { rows } = fixture.app;
  const price = await rows('prices').where({ plan: 'BASIC', interval: 'month', currency: 'USD' }).first('id');
  const [now, end] = [inDays(fixture, 0), inDays(fixture, 30)];
  const [{ id }] = await rows('subscriptions')
    .insert({
      organizationId,
      status: 'ACTIVE',
      priceId: price.id,
      quantity: 2,
      provider: 'stripe',
      returnUrl: 'http://127.0.0.1/',
      anchorAt: now,
      periodIndex: 0,
      periodStart: now,
      periodEnd: end,
      dueAt: end,
      createdAt: now,
      updatedAt: now,
      ...change,
    })
    .returning('id');
  return id;
}

/** By someone whose organization is subscribed. */
const subscribed =
  (input: object | undefined, change: (fixture: Fixture) => Record<string, unknown> = () => ({})): Failing =>
  async (fixture) => {
    const home = await newHome(fixture);
    await addSubscription(fixture, home.organizationId, change(fixture));
    return { caller: unscoped(home.person), input };
  };

/** By someone whose organization is not. */
const unsubscribed =
  (input: object | undefined): Failing =>
  async (fixture) => ({ caller: unscoped((await newHome(fixture)).person), input });

const ended = (fixture: Fixture) => ({ status: 'CANCELED', endedAt: inDays(fixture, -1), dueAt: null });

/** Of a period that is over, and that no job has renewed. */
const over = (fixture: Fixture) => ({
  periodStart: inDays(fixture, -31),
  periodEnd: inDays(fixture, -1),
  dueAt: null,
});

const returnUrlOf = ({ app }: Fixture): string => `${app.ports.env.PUBLIC_URL}/back`;

async function subscribing(fixture: Fixture, change: object = {}): Promise<Scenario> {
  const { person } = await newHome(fixture);
  const input = {
    plan: 'ENTERPRISE',
    interval: 'month',
    provider: 'stripe',
    returnUrl: returnUrlOf(fixture),
    ...change,
  };
  return { caller: unscoped(person), input };
}

/** What no provider of the tests takes. */
async function addPrice({ app }: Fixture, currency: string, amountMinor: number): Promise<void> {
  const row = { plan: 'ENTERPRISE', interval: 'month', currency, amountMinor, createdAt: app.ports.clock.now() };
  const known = await app.rows('prices').where({ plan: 'ENTERPRISE', interval: 'month', currency }).first('id');
  if (!known) await app.rows('prices').insert(row);
}

async function addCoupon({ app }: Fixture, change: object = {}): Promise<string> {
  const code = randomUUID().toUpperCase();
  await app
    .rows('coupons')
    .insert({ code, percentOff: 10, duration: 'once', createdAt: app.ports.clock.now(), ...change });
  return code;
}

/** Of subscribing and of its preview. */
const couponFailures = (scene: (fixture: Fixture, change: object) => Promise<Scenario>): Failures => ({
  coupon_not_valid: (fixture) => scene(fixture, { coupon: 'NOSUCHCOUPON' }),
  coupon_currency_differs: async (fixture) =>
    scene(fixture, { coupon: await addCoupon(fixture, { percentOff: null, amountOffMinor: 5, currency: 'EUR' }) }),
  coupon_already_used: async (fixture) => {
    const code = await addCoupon(fixture);
    const { caller, input } = await scene(fixture, { coupon: code });
    const { app } = fixture;
    const { body } = await app.request('/api/v1/users/me', { headers: caller });
    const coupon = await app.rows('coupons').where({ code }).first('id');
    const organizationId = app.ports.ids.decode('org', body.defaultOrganizationId);
    await app
      .rows('coupon_redemptions')
      .insert({ organizationId, couponId: coupon.id, createdAt: app.ports.clock.now() });
    return { caller, input };
  },
  currency_fixed: async (fixture) => {
    const { caller, input } = await scene(fixture, { currency: 'USD' });
    const { app } = fixture;
    const { body } = await app.request('/api/v1/users/me', { headers: caller });
    const organizationId = app.ports.ids.decode('org', body.defaultOrganizationId);
    const at = app.ports.clock.now();
    await app.rows('billing_accounts').insert({ organizationId, currency: 'EUR', createdAt: at, updatedAt: at });
    return { caller, input };
  },
  plan_is_free: (fixture) => scene(fixture, { plan: 'FREE' }),
  price_not_sold: (fixture) => scene(fixture, { currency: 'JPY' }),
});

const previewing = async (fixture: Fixture, change: object = {}): Promise<Scenario> =>
  unsubscribed({ plan: 'ENTERPRISE', ...change })(fixture);

const byStaff = async (fixture: Fixture, input: object): Promise<Scenario> => ({
  caller: unscoped(await fixture.staff('ADMIN')),
  input,
});
/** Another code each time. */
const newCode = () => `P-${randomUUID().toUpperCase()}`;

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  ownedIds: {
    async sub(fixture) {
      const { ids } = fixture.app.ports;
      return ids.encode(
        'sub',
        await addSubscription(fixture, ids.decode('org', fixture.organizationId), ended(fixture)),
      );
    },
  },
  scenarios: {
    'billing.subscription.get': subscribed(undefined),
    'billing.subscription.create': (fixture) => subscribing(fixture),
    'billing.subscription.update': subscribed({ quantity: 1 }),
    'billing.subscription.cancel': subscribed({ at: 'period_end' }),
    'billing.subscription.resume': subscribed(undefined, (fixture) => ({ cancelAt: inDays(fixture, 30) })),
    'billing.subscription.preview': subscribed({ plan: 'PRO' }),
    'admin.coupons.list': async (fixture) => {
      await addCoupon(fixture);
      await addCoupon(fixture);
      return byStaff(fixture, { limit: 25 });
    },
    'admin.coupons.create': async (fixture) => {
      await fixture.app.rows('coupons').where({ code: 'PROVEN20' }).delete();
      return byStaff(fixture, { code: 'PROVEN20', percentOff: 20, duration: 'once' });
    },
    'admin.coupons.archive': async (fixture) => byStaff(fixture, { couponCode: await addCoupon(fixture) }),
  },
  failures: {
    'billing.subscription.get': { no_subscription: unsubscribed(undefined) },
    'billing.subscription.create': {
      ...couponFailures(subscribing),
      already_subscribed: async (fixture) => {
        const home = await newHome(fixture);
        await addSubscription(fixture, home.organizationId);
        const { input } = await subscribing(fixture);
        return { caller: unscoped(home.person), input };
      },
      return_url_not_allowed: (fixture) => subscribing(fixture, { returnUrl: 'https://elsewhere.example/' }),
      payment_provider_not_set_up: async (fixture) => {
        const scene = await subscribing(fixture);
        useNoPayments(fixture.app);
        return scene;
      },
      currency_not_supported: async (fixture) => {
        await addPrice(fixture, 'KWD', 100_000);
        return subscribing(fixture, { currency: 'KWD', provider: 'paypal' });
      },
    },
    'billing.subscription.update': {
      no_subscription: unsubscribed({ quantity: 1 }),
      subscription_ended: subscribed({ quantity: 1 }, ended),
      subscription_incomplete: subscribed({ quantity: 1 }, () => ({ status: 'INCOMPLETE', periodIndex: -1 })),
      subscription_canceling: subscribed({ quantity: 1 }, (fixture) => ({ cancelAt: inDays(fixture, 30) })),
      payment_required: subscribed({ quantity: 1 }, () => ({ renewalInvoiceId: 1 })),
      change_in_progress: async (fixture) => {
        const price = await fixture.app.rows('prices').where({ plan: 'PRO', currency: 'USD' }).first('id');
        const change = { changePriceId: price.id, changeQuantity: 1, changeInvoiceId: 1 };
        const times = { changeAt: inDays(fixture, 0), changeExpiresAt: inDays(fixture, 1) };
        return subscribed({ quantity: 1 }, () => ({ ...change, ...times }))(fixture);
      },
      renewal_due: subscribed({ quantity: 3 }, over),
      nothing_to_change: subscribed({ quantity: 2 }),
      proration_at_too_far: subscribed({ quantity: 1, prorationAt: '2020-01-01T00:00:00Z' }),
      plan_is_free: subscribed({ plan: 'FREE' }),
      price_not_sold: async (fixture) => {
        await addPrice(fixture, 'KWD', 100_000);
        const price = await fixture.app.rows('prices').where({ currency: 'KWD' }).first('id');
        return subscribed({ plan: 'PRO' }, () => ({ priceId: price.id }))(fixture);
      },
      payment_provider_not_set_up: async (fixture) => {
        const scene = await subscribed({ provider: 'paypal' })(fixture);
        useNoPayments(fixture.app);
        return scene;
      },
      currency_not_supported: async (fixture) => {
        await addPrice(fixture, 'KWD', 100_000);
        const price = await fixture.app.rows('prices').where({ currency: 'KWD' }).first('id');
        return subscribed({ quantity: 3 }, () => ({ priceId: price.id, provider: 'paypal' }))(fixture);
      },
    },
    'billing.subscription.cancel': {
      no_subscription: unsubscribed({ at: 'now' }),
      subscription_ended: subscribed({ at: 'now' }, ended),
    },
    'billing.subscription.resume': {
      no_subscription: unsubscribed(undefined),
      subscription_ended: subscribed(undefined, ended),
      subscription_not_canceling: subscribed(undefined),
    },
    'billing.subscription.preview': {
      ...couponFailures(previewing),
      no_subscription: unsubscribed({}),
      renewal_due: subscribed({ quantity: 3 }, over),
    },
    'admin.coupons.create': {
      coupon_code_taken: async (fixture) =>
        byStaff(fixture, { code: await addCoupon(fixture), percentOff: 20, duration: 'once' }),
      coupon_discount_unclear: (fixture) => byStaff(fixture, { code: newCode(), duration: 'once' }),
      coupon_months_unclear: (fixture) => byStaff(fixture, { code: newCode(), percentOff: 20, duration: 'repeating' }),
      coupon_expires_in_past: (fixture) =>
        byStaff(fixture, { code: newCode(), percentOff: 20, duration: 'once', expiresAt: '2020-01-01T00:00:00Z' }),
    },
    'admin.coupons.archive': { not_found: (fixture) => byStaff(fixture, { couponCode: 'NOSUCHCODE' }) },
  },
};
