import { randomUUID } from 'node:crypto';
import { useNoPayments, usePayments } from '../../../test/payments.ts';
import type { Fixture } from '../../../test/proofs/fixture.ts';
import { byOwner } from '../../../test/proofs/scenes.ts';
import type { Scenario, SliceProofs } from '../../../test/proofs/slice-proofs.ts';

const returnUrlOf = ({ app }: Fixture): string => `${app.ports.env.PUBLIC_URL}/back`;

/** A card of the fixture's organization, which is not its default. */
async function method({ app, organizationId }: Fixture, change: object = {}): Promise<string> {
  await usePayments(app);
  const [{ id }] = await app
    .rows('payment_methods')
    .insert({
      organizationId: app.ports.ids.decode('org', organizationId),
      provider: 'stripe',
      status: 'ACTIVE',
      externalId: `pm_${randomUUID().replaceAll('-', '')}`,
      kind: 'card',
      brand: 'visa',
      last4: '4242',
      createdAt: app.ports.clock.now(),
      ...change,
    })
    .returning('id');
  return app.ports.ids.encode('pmt', id);
}

async function setup(fixture: Fixture, change: object = {}): Promise<Scenario> {
  await usePayments(fixture.app);
  return byOwner(fixture, { provider: 'stripe', returnUrl: returnUrlOf(fixture), ...change });
}

async function portal(fixture: Fixture, change: object = {}): Promise<Scenario> {
  await usePayments(fixture.app);
  return byOwner(fixture, { returnUrl: returnUrlOf(fixture), ...change });
}

async function pending(fixture: Fixture): Promise<string> {
  const { input } = await setup(fixture);
  const { owner, here } = fixture;
  const path = '/api/v1/subscriptions/payment-methods/setup';
  const { body } = await owner.request(path, { method: 'POST', headers: here, body: input });
  return body.method.id;
}

function withoutProvider(fixture: Fixture, input: object): Scenario {
  useNoPayments(fixture.app);
  return byOwner(fixture, { returnUrl: returnUrlOf(fixture), ...input });
}

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  ownedIds: { pmt: (fixture) => method(fixture) },
  scenarios: {
    'billing.paymentMethods.setup': (fixture) => setup(fixture),
    'billing.paymentMethods.update': async (fixture) =>
      byOwner(fixture, { methodId: await method(fixture), default: true }),
    'billing.paymentMethods.remove': async (fixture) => byOwner(fixture, { methodId: await method(fixture) }),
    'billing.portalSession': (fixture) => portal(fixture),
  },
  failures: {
    'billing.paymentMethods.setup': {
      return_url_not_allowed: (fixture) => setup(fixture, { returnUrl: 'https://evil.example/' }),
      payment_method_not_saved_here: (fixture) => setup(fixture, { provider: 'manual' }),
      payment_provider_not_set_up: async (fixture) => withoutProvider(fixture, { provider: 'stripe' }),
      payment_provider_unavailable: async (fixture) => {
        const scene = await setup(fixture, { provider: 'paypal' });
        const { fakePayPal } = await usePayments(fixture.app);
        fakePayPal.fail('rate_limited', /^POST \/v3\/vault\/setup-tokens$/, 1000);
        return scene;
      },
    },
    'billing.paymentMethods.update': {
      payment_method_pending: async (fixture) => byOwner(fixture, { methodId: await pending(fixture), default: true }),
      payment_method_expired: async (fixture) =>
        byOwner(fixture, {
          methodId: await method(fixture, { expiresAt: new Date(Date.UTC(2020, 0)) }),
          default: true,
        }),
    },
    'billing.portalSession': {
      return_url_not_allowed: (fixture) => portal(fixture, { returnUrl: 'https://evil.example/' }),
      payment_provider_not_set_up: async (fixture) => withoutProvider(fixture, {}),
      payment_provider_unavailable: async (fixture) => {
        const scene = await portal(fixture);
        const { fakeStripe } = await usePayments(fixture.app);
        fakeStripe.fail('rate_limited', /^POST \/v1\/billing_portal\/sessions$/, 1000);
        return scene;
      },
    },
  },
};
