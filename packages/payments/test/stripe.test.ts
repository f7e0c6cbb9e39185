import { balanceWith, chargeWith, intentWith } from '@rentapi/fake-payments/stripe-objects';
import { describe, expect, it } from 'vitest';
import { ForgedEventError } from '../src/provider-error.ts';
import { chargeOfIntent } from '../src/stripe/objects.ts';
import { createStripeProvider } from '../src/stripe/provider.ts';
import { describeOnlineProvider, describeProvider } from './contract.ts';
import { STRIPE_SECRETS, startStripe } from './harnesses.ts';

describeProvider('stripe', startStripe);
describeOnlineProvider('stripe', startStripe);
describeOnlineProvider('stripe in one process with its fake', () => startStripe('in_process'));

const AMOUNT = { amountMinor: 1234, currency: 'EUR' };
const RETURN_URL = 'http://127.0.0.1:8000/back';

describe('Stripe', () => {
  const EVENT = JSON.stringify({
    id: 'evt_1',
    object: 'event',
    type: 'payment_intent.succeeded',
    created: 1_700_000_000,
    livemode: false,
    data: { object: { id: 'pi_1', object: 'payment_intent' } },
  });

  async function verifying(change: { secrets?: string[]; laterS?: number; header?: (signature: string) => string }) {
    const { fake, now, close, config } = await startStripe();
    const provider = createStripeProvider({ ...config, webhookSecrets: change.secrets ?? config.webhookSecrets });
    const { 'stripe-signature': signature = '' } = fake.sign(EVENT);
    const header = change.header?.(signature) ?? signature;
    const at = new Date(now().getTime() + (change.laterS ?? 0) * 1000);
    try {
      return await provider.verifyEvent(Buffer.from(EVENT), { 'stripe-signature': header }, at);
    } finally {
      await close();
    }
  }

  it('accepts an event within five minutes, before or after', async () => {
    for (const laterS of [-300, 0, 300]) expect((await verifying({ laterS })).id).toBe('evt_1');
  });

  it.each([301, -301, -315_360_000])(
    'refuses a signature that is %i s old, negative being the future',
    async (laterS) => {
      await expect(verifying({ laterS })).rejects.toThrow(ForgedEventError);
    },
  );

  it('accepts the old and the new secret while it is replaced, and no other', async () => {
    const secrets = ['whsec_new', STRIPE_SECRETS.webhookSecret];
    expect((await verifying({ secrets })).verified).toBe(true);
    await expect(verifying({ secrets: ['whsec_new'] })).rejects.toThrow(ForgedEventError);
  });

  it('accepts a header with a second signature', async () => {
    expect((await verifying({ header: (signature) => `${signature},v1=${'0'.repeat(64)}` })).id).toBe('evt_1');
  });

  it.each(['', 't=,v1=', 't=abc', 't=1e99,v1=00', 'v1=00', 't=1700000000', ' '])(
    'refuses the signature "%s"',
    async (header) => {
      await expect(verifying({ header: () => header })).rejects.toThrow(ForgedEventError);
    },
  );

  it('never replays a failure that it has stored: a new attempt has a new key', async () => {
    const { provider, fake, saveMethod, close } = await startStripe();
    const saved = await saveMethod('pays');
    const input = { reference: 'pay_1', amount: AMOUNT, description: 'x', returnUrl: RETURN_URL, ...saved };
    fake.fail('server_error', /POST \/v1\/payment_intents$/);
    await expect(provider.createCharge({ ...input, key: 'pay_1/1' })).rejects.toMatchObject({ outcome: 'unknown' });
    await expect(provider.createCharge({ ...input, key: 'pay_1/1' })).rejects.toMatchObject({ outcome: 'unknown' });
    expect((await provider.createCharge({ ...input, key: 'pay_1/2' })).status).toBe('CREATED');
    await close();
  });

  it('says that the bank wants the payer, so that a page can be made for them', async () => {
    const { provider, fake, saveMethod, close } = await startStripe();
    const { customerId } = await saveMethod('pays');
    const methodId = fake.addCard(customerId!, 'needs_payer');
    const input = { key: 'pay_2/1', reference: 'pay_2', amount: AMOUNT, description: 'x', returnUrl: RETURN_URL };
    const { id } = await provider.createCharge({ ...input, customerId, methodId });
    const confirming = provider.confirmCharge({ id, key: 'pay_2/1', methodId, returnUrl: RETURN_URL });
    await expect(confirming).rejects.toMatchObject({ outcome: 'refused', code: 'authentication_required' });
    expect(await provider.getCharge(id)).toMatchObject({ status: 'FAILED', failureCode: 'authentication_required' });
    await close();
  });

  it('saves the card of a payment on the page, where that was asked for', async () => {
    const { provider, fake, saveMethod, close } = await startStripe();
    const { customerId } = await saveMethod('pays');
    const input = { key: 'pay_3/1', reference: 'pay_3', amount: AMOUNT, description: 'x', returnUrl: RETURN_URL };
    const { id } = await provider.createCharge({ ...input, customerId, methodId: null, savesMethod: true });
    fake.act(id, 'pay');
    const { methodId } = await provider.getCharge(id);
    expect(await provider.getMethod(methodId!)).toMatchObject({
      kind: 'card',
      brand: 'visa',
      last4: '4242',
      customerId,
    });
    await close();
  });

  it('is one charge, whichever of its two ids an event names', async () => {
    const { provider, fake, takeEvents, now, close } = await startStripe();
    const input = { key: 'pay_4/1', reference: 'pay_4', amount: AMOUNT, description: 'x', returnUrl: RETURN_URL };
    const { id } = await provider.createCharge({ ...input, customerId: null, methodId: null });
    fake.act(id, 'pay');
    const captures = new Set<string | null>();
    for (const { raw, headers } of takeEvents()) {
      const found = provider.objectOf(await provider.verifyEvent(raw, headers, now()));
      if (found?.kind === 'charge') captures.add((await provider.getCharge(found.id)).captureId);
    }
    expect([...captures]).toEqual([(await provider.getCharge(id)).captureId]);
    await close();
  });

  it('leads a customer to the page where methods are managed', async () => {
    const { provider, saveMethod, close } = await startStripe();
    const { customerId } = await saveMethod('pays');
    const url = await provider.portalUrl({ customerId: customerId!, returnUrl: RETURN_URL });
    expect(await (await fetch(url!)).text()).toContain('Add a card');
    await close();
  });

  it('is unavailable under a wrong key, which the operator must repair', async () => {
    const { config, close } = await startStripe();
    const provider = createStripeProvider({ ...config, secretKey: 'sk_test_other' });
    await expect(provider.getCharge('pi_1')).rejects.toMatchObject({ outcome: 'unavailable', code: 'http_401' });
    await close();
  });

  it('refuses an address without TLS that is not this machine', async () => {
    const provider = createStripeProvider({ secretKey: 'sk', webhookSecrets: [], apiBase: 'http://stripe.example' });
    await expect(provider.getCharge('pi_1')).rejects.toThrow('must begin with https://');
  });
});

describe('the fee of a charge', () => {
  it.each([
    ['is the one of its currency', 'eur', 59],
    ['is none of it where the account changes the money', 'usd', 0],
    ['is none of it where the account has a currency that we cannot charge', 'ars', 0],
  ])('%s', (_, currency, feeMinor) => {
    const made = { created: 0, amount: 1000, currency: 'eur', customer: null, metadata: {}, payment_method: null };
    const intent = intentWith({ ...made, id: 'pi_1', description: null, status: 'succeeded' });
    const charge = chargeWith({ ...made, id: 'ch_1', payment_intent: 'pi_1', status: 'succeeded' });
    const moved = { id: 'txn_1', created: 0, source: 'ch_1', type: 'charge', reporting_category: 'charge' } as const;
    const balance = balanceWith({ ...moved, amount: 1100, currency, fee: 59 });
    const read = { ...intent, latest_charge: { ...charge, balance_transaction: balance } };
    expect(chargeOfIntent(read)).toMatchObject({ amount: { amountMinor: 1000, currency: 'EUR' }, feeMinor });
  });
});
