import { createSigner, type SignerOptions } from '@rentapi/fake-payments/signer';
import { describe, expect, it } from 'vitest';
import { trustedKey } from '../src/paypal/certificates.ts';
import { createPayPalProvider } from '../src/paypal/provider.ts';
import { ForgedEventError } from '../src/provider-error.ts';
import { describeOnlineProvider, describeProvider } from './contract.ts';
import { sharedSigner, startPayPal } from './harnesses.ts';

describeProvider('paypal', startPayPal);
describeOnlineProvider('paypal', startPayPal);
describeOnlineProvider('paypal in one process with its fake', () => startPayPal('in_process'));

const HOUR_MS = 3_600_000;
const NOW = new Date(Date.UTC(2026, 0, 15, 12));
const AMOUNT = { amountMinor: 1234, currency: 'EUR' };
const RETURN_URL = 'http://127.0.0.1:8000/back';
const INPUT = { reference: 'pay_1', amount: AMOUNT, description: 'x', customerId: null, returnUrl: RETURN_URL };
const EVENT = JSON.stringify({
  id: 'WH-1',
  event_type: 'CHECKOUT.ORDER.APPROVED',
  create_time: '2026-01-15T12:00:00Z',
  resource: { id: 'ORDER1' },
});

describe('the tokens of PayPal', () => {
  it('heal after a failed request for one', async () => {
    const { provider, fake, close } = await startPayPal();
    fake.failTokens(1);
    const input = { ...INPUT, key: 'pay_1/1', methodId: null };
    await expect(provider.createCharge(input)).rejects.toMatchObject({ outcome: 'unavailable', code: 'no_token' });
    expect((await provider.createCharge(input)).status).toBe('REQUIRES_ACTION');
    await close();
  });

  it('are renewed once for all who wait, when they are revoked', async () => {
    const { provider, fake, close } = await startPayPal();
    const { id } = await provider.createCharge({ ...INPUT, key: 'pay_1/1', methodId: null });
    fake.revokeTokens();
    fake.requests.length = 0;
    await Promise.all(Array.from({ length: 20 }, () => provider.getCharge(id)));
    expect(fake.requests.filter((line) => line === 'POST /v1/oauth2/token')).toHaveLength(1);
    await close();
  });

  it('are renewed before they end', async () => {
    const { provider, fake, advance, close } = await startPayPal();
    const { id } = await provider.createCharge({ ...INPUT, key: 'pay_1/1', methodId: null });
    advance(9 * HOUR_MS - 30_000);
    fake.requests.length = 0;
    await provider.getCharge(id);
    expect(fake.requests).toEqual(['POST /v1/oauth2/token', `GET /v2/checkout/orders/${id}`]);
    await close();
  });

  it('are no secret of an error, nor is the secret for them', async () => {
    const { config, close } = await startPayPal();
    const provider = createPayPalProvider({ ...config, clientSecret: 'wrong-secret-value' });
    const error: unknown = await provider.getCharge('ORDER1').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ outcome: 'unavailable', code: 'no_token' });
    expect(JSON.stringify(error)).not.toContain('wrong-secret-value');
    await close();
  });
});

describe('PayPal', () => {
  it('knows an order by its invoice id after it has forgotten the key', async () => {
    const { provider, advance, close } = await startPayPal();
    const input = { ...INPUT, key: 'pay_1/1', methodId: null };
    await provider.createCharge(input);
    advance(7 * HOUR_MS);
    const again = provider.createCharge(input);
    await expect(again).rejects.toMatchObject({ outcome: 'refused', code: 'DUPLICATE_INVOICE_ID' });
    await close();
  });

  it('captures what the payer has approved, and not before', async () => {
    const { provider, fake, close } = await startPayPal();
    const created = await provider.createCharge({ ...INPUT, key: 'pay_1/1', methodId: null });
    expect(created).toMatchObject({ status: 'REQUIRES_ACTION', next: 'payer' });
    expect(created.actionUrl).toMatch(/\/approve\//);
    fake.act(created.id, 'approve');
    expect(await provider.getCharge(created.id)).toMatchObject({
      status: 'REQUIRES_ACTION',
      next: 'confirm',
      captureId: null,
    });
    await close();
  });

  it('two captures at once are one', async () => {
    const { provider, fake, movedMinor, close } = await startPayPal();
    const { id } = await provider.createCharge({ ...INPUT, key: 'pay_1/1', methodId: null });
    fake.act(id, 'approve');
    const attempts = Array.from({ length: 20 }, (_, at) =>
      provider.confirmCharge({ id, key: `pay_1/${at}`, methodId: null, returnUrl: RETURN_URL }),
    );
    expect(new Set((await Promise.all(attempts)).map(({ status }) => status))).toEqual(new Set(['SUCCEEDED']));
    expect(movedMinor('EUR')).toBe(1234);
    await close();
  });

  it('keeps the account of a payer, where that was asked for', async () => {
    const { provider, fake, close } = await startPayPal();
    const { id } = await provider.createCharge({ ...INPUT, key: 'pay_1/1', methodId: null, savesMethod: true });
    fake.act(id, 'approve');
    const charge = await provider.confirmCharge({ id, key: 'pay_1/1', methodId: null, returnUrl: RETURN_URL });
    expect(await provider.getMethod(charge.methodId!)).toMatchObject({ kind: 'paypal', customerId: charge.customerId });
    await close();
  });
});

describe('an event of PayPal', () => {
  it('is left open until its certificate has been read, and is judged alone from then on', async () => {
    const { provider, fake, now, close } = await startPayPal();
    const [raw, headers] = [Buffer.from(EVENT), fake.sign(EVENT)];
    fake.requests.length = 0;
    const isVerified = async () => (await provider.verifyEvent(raw, headers, now())).verified;
    expect(await isVerified()).toBe(false);
    expect(await isVerified()).toBe(false); // asks for it once
    await expect.poll(isVerified).toBe(true);
    expect(fake.requests).toEqual(['GET /v1/notifications/certs/CERT-fake']);
    await close();
  });

  it('rule 44: is shown to PayPal as the bytes that came, where its certificate is not to be trusted', async () => {
    const { config, fake, now, close } = await startPayPal();
    const provider = createPayPalProvider({ ...config, trustedRoots: [] });
    const body = EVENT.replace('"ORDER1"', '"ORDER1","n":1.0,"empty":{},"text":"\\u0142"');
    expect(await provider.confirmEvent(Buffer.from(body), fake.sign(body), now())).toBe(true);
    expect(fake.requests).toContain('POST /v1/notifications/verify-webhook-signature');
    const other = Buffer.from(body.replace('ORDER1', 'ORDER2'));
    expect(await provider.confirmEvent(other, fake.sign(body), now())).toBe(false);
    await close();
  });

  it.each([
    'https://evil.example/v1/notifications/certs/CERT-1',
    'http://api.paypal.com/v1/notifications/certs/CERT-1',
    'https://api.paypal.com:8443/v1/notifications/certs/CERT-1',
    'https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1',
    'https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1',
    'https://api.paypal.com/v1/notifications/certs/../../other',
    'https://api.paypal.com/v1/notifications/certs/CERT-1?next=https://evil.example',
    'https://www.paypal.com/v1/notifications/certs/CERT-1',
    'file:///etc/passwd',
    'not a URL',
  ])('is refused with its certificate at %s, which is never asked', async (url) => {
    const { provider, fake, now, close } = await startPayPal();
    const headers = { ...fake.sign(EVENT), 'paypal-cert-url': url };
    for (const check of [provider.verifyEvent, provider.confirmEvent]) {
      await expect(check(Buffer.from(EVENT), headers, now())).rejects.toThrow(ForgedEventError);
    }
    await close();
  });

  it('is of one webhook only', async () => {
    const { config, fake, now, close } = await startPayPal();
    const provider = createPayPalProvider({ ...config, webhookId: 'WH-OTHER' });
    expect(await provider.confirmEvent(Buffer.from(EVENT), fake.sign(EVENT), now())).toBe(false);
    await close();
  });

  it('may be another body under headers that were seen once: so it is a hint, and says nothing', async () => {
    const { provider, fake, now, warmUp, close } = await startPayPal();
    await warmUp();
    const { forged } = await import('./crc32.ts');
    const other = EVENT.replace('ORDER1', 'ORDER2').replace('WH-1', 'WH-2').slice(0, -1);
    const body = forged(Buffer.from(`${other},"x":"`), Buffer.from('"}'), Buffer.from(EVENT));
    const event = await provider.verifyEvent(body, fake.sign(EVENT), now());
    expect(Object.keys(event)).not.toContain('resource');
    expect(provider.objectOf(event)).toEqual({ kind: 'charge', id: 'ORDER2' });
    await expect(provider.getCharge('ORDER2')).rejects.toMatchObject({ code: 'not_found' });
    await close();
  });
});

describe('a certificate of PayPal', () => {
  it('is trusted through the chain to a root', async () => {
    const { bundle, root } = await sharedSigner();
    expect(trustedKey(bundle, NOW, [root])).not.toBeNull();
    expect(trustedKey(bundle, NOW)).toBeNull(); // not by the roots of Node
  });

  it.each<[name: string, options: Partial<SignerOptions>]>([
    ['signed by itself, under the same name', { isSelfSigned: true }],
    ['of another name', { dnsName: 'messageverificationcerts.paypal.com.evil.example' }],
    ['without the one between', { leavesOutIntermediate: true }],
    ['issued by one that may issue none', { isIssuedByLeaf: true }],
  ])('is not trusted: %s', async (_, options) => {
    const { bundle, root } = await createSigner({ now: NOW, ...options });
    expect(trustedKey(bundle, NOW, [root])).toBeNull();
  });

  it('is not trusted before it begins, or after it has ended', async () => {
    const { bundle, root } = await sharedSigner();
    expect(trustedKey(bundle, new Date(NOW.getTime() - 48 * HOUR_MS), [root])).toBeNull();
    expect(trustedKey(bundle, new Date(NOW.getTime() + 400 * 24 * HOUR_MS), [root])).toBeNull();
  });

  it.each(['', 'text', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])(
    'is not trusted: "%s"',
    async (bundle) => {
      const { root } = await sharedSigner();
      expect(trustedKey(bundle, NOW, [root])).toBeNull();
    },
  );
});
