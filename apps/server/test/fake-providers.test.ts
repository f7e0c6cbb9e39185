import { randomBytes } from 'node:crypto';
import { readEnv } from '@rentapi/platform/env';
import { cloneDatabase } from '@rentapi/testing/postgres';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { type FakeProviders, openFakeProviders } from '../src/dev/fake-providers.ts';
import { startInProcess } from './in-process-server.ts';
import { killAll, SECRETS, startServer, temporaryDirectory } from './processes.ts';

const home = temporaryDirectory();
afterAll(() => {
  killAll();
  home.remove();
});

const CHARGE = {
  key: 'pay_1/1',
  reference: 'pay_1',
  amount: { amountMinor: 1000, currency: 'EUR' },
  description: '1,000 credits',
  customerId: null,
  methodId: null,
};

describe('a developer’s server without keys', () => {
  it.each([
    ['stripe', 'pay', 'Pay'],
    ['paypal', 'approve', 'Pay'],
  ] as const)(
    'takes signed events of what a payer does on the page of the fake of %s',
    async (name, action, button) => {
      const server = await startInProcess();
      const fakes = (await openFakeProviders(server.ports.env)) as FakeProviders;
      server.ports.payments = fakes.payments;
      server.serve();
      fakes.deliverTo(server.port);
      const { actionUrl } = await fakes.payments.get(name)!.createCharge({ ...CHARGE, returnUrl: `${server.url}/` });
      expect(await (await fetch(actionUrl!)).text()).toContain(`<button>${button}</button>`);
      await fetch(actionUrl!, { method: 'POST', body: new URLSearchParams({ action }), redirect: 'manual' });
      // One of PayPal is held until its certificate is known.
      const received = async () => {
        const { rows } = await server.ports.database.raw(
          'select provider from provider_events union select provider from held_events',
        );
        return rows;
      };
      await expect.poll(received).toEqual([{ provider: name }]);
      await fakes.close();
      await server.close();
    },
  );

  it('says at its start that money is not real', async () => {
    const clone = await cloneDatabase(inject('postgres'));
    const settings = { ...SECRETS, DATABASE_URL: clone.url, DATA_DIR: home.dir, SEED_DEMO: '0' };
    const server = await startServer(['start'], settings);
    await expect.poll(server.said).toMatch(/^ +Payments +fakes of Stripe and PayPal: no money moves, .*$/m);
    expect(await server.stop()).toBe(0);
    await clone.drop();
  });
});

describe('no fake is opened', () => {
  const keys = {
    STRIPE_SECRET_KEY: 'sk_test_0123456789',
    STRIPE_WEBHOOK_SECRET: 'whsec_0123456789',
  };
  const paypal = { PAYPAL_CLIENT_ID: 'id', PAYPAL_CLIENT_SECRET: 'secret', PAYPAL_WEBHOOK_ID: 'WH-1' };
  const secret = () => randomBytes(32).toString('base64');

  it.each([
    [
      'in production',
      {
        NODE_ENV: 'production',
        PUBLIC_URL: 'https://api.example.com',
        DATABASE_URL: 'postgres://u:a-good-password@127.0.0.1/d',
      },
    ],
    ['beside keys of Stripe', keys],
    ['beside keys of PayPal', paypal],
  ])('%s', async (_, settings) => {
    const env = readEnv({
      SECRET_KEY: secret(),
      ID_SECRET: secret(),
      PASSWORD_PEPPER: secret(),
      ...settings,
    });
    expect(await openFakeProviders(env)).toBeNull();
  });
});
