import { gzipSync } from 'node:zlib';
import { createFakePayPal, type FakePayPal } from '@rentapi/fake-payments/paypal';
import { createSigner } from '@rentapi/fake-payments/signer';
import { createFakeStripe, type FakeStripe } from '@rentapi/fake-payments/stripe';
import type { PaymentProvider } from '@rentapi/payments/payment-provider';
import { createPayPalProvider } from '@rentapi/payments/paypal/provider';
import { createStripeProvider } from '@rentapi/payments/stripe/provider';
import { redisIsMissing, startTestRedis } from '@rentapi/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, eventually, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { statusAndCode } from '../../../test/organization.ts';
import { systemContext } from '../../context.ts';
import { syncForgottenObjects } from './jobs.ts';

const STRIPE = '/api/v1/billing/stripe/webhook';
const PAYPAL = '/api/v1/billing/paypal/webhook';
const FORGED = [400, 'provider_signature_invalid'];
const HOUR_MS = 3_600_000;
const CHARGE = {
  amount: { amountMinor: 1234, currency: 'EUR' },
  description: '1,000 credits',
  customerId: null,
  methodId: null,
  returnUrl: 'http://127.0.0.1:8000/back',
};

let app: TestApp;
let fakeStripe: FakeStripe;
let fakePayPal: FakePayPal;
let stripe: PaymentProvider;
let paypal: PaymentProvider;

/** Sets both fakes up as the providers of an app, whose clock is theirs. */
async function setUp(of: TestApp) {
  const { clock } = of.ports;
  const keys = { secretKey: 'sk_test_ofthetests', webhookSecret: 'whsec_ofthetests' };
  const ofPayPal = { clientId: 'client', clientSecret: 'secret', webhookId: 'WH-TESTS', clock };
  const signer = await createSigner({ now: clock.now() });
  const stripeServer = await createFakeStripe({ clock, ...keys, webhookUrl: of.url + STRIPE });
  const paypalServer = await createFakePayPal({ ...ofPayPal, signer, webhookUrl: of.url + PAYPAL });
  const ofStripe = { secretKey: keys.secretKey, webhookSecrets: [keys.webhookSecret], apiBase: stripeServer.url };
  const providers = {
    stripe: createStripeProvider(ofStripe),
    paypal: createPayPalProvider({
      ...ofPayPal,
      apiBase: paypalServer.url,
      isLive: false,
      trustedRoots: [signer.root],
    }),
  };
  of.ports.payments = new Map(Object.values(providers).map((provider) => [provider.name, provider]));
  return { ...providers, stripeServer, paypalServer };
}

beforeAll(async () => {
  app = await startApp();
  const made = await setUp(app);
  ({ stripe, paypal } = made);
  fakeStripe = made.stripeServer;
  fakePayPal = made.paypalServer;
});
afterAll(async () => {
  await app.close();
  await fakeStripe.close();
  await fakePayPal.close();
});

async function post(path: string, body: string | Buffer, headers: Record<string, string>, at = app): Promise<Answer> {
  const response = await fetch(at.url + path, { method: 'POST', body: new Uint8Array(Buffer.from(body)), headers });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const stored = (provider: string) => app.rows('provider_events').where({ provider });
const objectOf = (externalId: string) => app.rows('provider_objects').where({ externalId }).first();
const synced = (externalId: string) =>
  eventually(async () => {
    const object = await objectOf(externalId);
    return object && object.syncedSeq === object.dirtySeq ? object : undefined;
  }, `a reading of ${externalId}`);
const findings = (externalId: string) => app.rows('billing_findings').where({ externalId });

let count = 0;
async function createCharge(provider: PaymentProvider) {
  const reference = `pay_${++count}`;
  return provider.createCharge({ ...CHARGE, reference, key: `${reference}/1` });
}

/** An event of Stripe's fake about an object that does not exist. */
function eventOf(change: object = {}) {
  return JSON.stringify({
    id: `evt_${++count}`,
    object: 'event',
    type: 'payment_intent.succeeded',
    created: Math.floor(app.ports.clock.now().getTime() / 1000),
    livemode: false,
    data: { object: { id: `pi_none${count}`, object: 'payment_intent' } },
    ...change,
  });
}

describe('an event of Stripe', () => {
  it('is stored once, however often it is sent, and its object is read', async () => {
    const { id } = await createCharge(stripe);
    fakeStripe.act(id, 'pay');
    const sent = fakeStripe.pending.map((delivery) => delivery.id);
    const statuses = await fakeStripe.deliver({ order: 'reversed', copies: 10 });
    expect(new Set(statuses)).toEqual(new Set([200]));
    const rows = await stored('stripe').whereIn('externalId', sent);
    expect(rows.map(({ externalId }) => externalId).toSorted()).toEqual(sent.toSorted());
    const object = await synced(id);
    expect(object).toMatchObject({ kind: 'charge', dirtySeq: 1 }); // ten copies are one event
  });

  it('about an object that we know nothing of is a finding, and changes nothing', async () => {
    const { id } = await createCharge(stripe);
    fakeStripe.act(id, 'pay');
    await fakeStripe.deliver();
    await synced(id);
    expect(await findings(id)).toMatchObject([
      { kind: 'UNKNOWN_OBJECT', provider: 'stripe', objectKind: 'charge', theirs: 'complete/succeeded' },
    ]);
  });

  it('about an object that a slice knows is applied by that slice, as it was read', async () => {
    const { projections } = app.ports;
    const { id } = await createCharge(stripe);
    fakeStripe.act(id, 'pay');
    const applied: unknown[] = [];
    app.ports.projections = {
      async charge(_ctx, { name }, object, read) {
        applied.push([name, object.id, read && 'status' in read && read.status]);
        return object.id === id;
      },
    };
    await fakeStripe.deliver();
    await synced(id);
    app.ports.projections = projections;
    expect(applied).toContainEqual(['stripe', id, 'SUCCEEDED']);
    expect(await findings(id)).toEqual([]);
  });

  it('about an object that is gone is read as none', async () => {
    const body = eventOf();
    expect((await post(STRIPE, body, fakeStripe.sign(body))).status).toBe(200);
    const { id } = JSON.parse(body).data.object;
    await synced(id);
    expect(await findings(id)).toMatchObject([{ kind: 'UNKNOWN_OBJECT', theirs: null }]);
  });

  it('of a type that we know nothing of is stored, and nothing is read', async () => {
    const body = eventOf({ type: 'radar.created', data: { object: { id: 'x_1', object: 'radar' } } });
    expect((await post(STRIPE, body, fakeStripe.sign(body))).body).toEqual({ received: true });
    expect(await stored('stripe').where({ type: 'radar.created' })).toMatchObject([{ objectKind: null }]);
  });

  it('of the other environment is a finding, and is not read', async () => {
    const body = eventOf({ livemode: true });
    const before = fakeStripe.requests.length;
    expect((await post(STRIPE, body, fakeStripe.sign(body))).status).toBe(200);
    const { id } = JSON.parse(body).data.object;
    expect(await findings(id)).toMatchObject([{ kind: 'OTHER_ENVIRONMENT' }]);
    expect(await objectOf(id)).toBeUndefined();
    expect(fakeStripe.requests.length).toBe(before);
  });

  it.each<[name: string, send: (body: string) => Promise<Answer>]>([
    ['no signature', (body) => post(STRIPE, body, {})],
    ['another secret', (body) => post(STRIPE, body, { 'stripe-signature': `t=1,v1=${'0'.repeat(64)}` })],
    ['another body', (body) => post(STRIPE, `${body} `, fakeStripe.sign(body))],
    ['half a body', (body) => post(STRIPE, body.slice(0, 50), fakeStripe.sign(body))],
    ['no body', (body) => post(STRIPE, '', fakeStripe.sign(body))],
    [
      'a compressed body',
      (body) => post(STRIPE, gzipSync(body), { ...fakeStripe.sign(body), 'content-encoding': 'gzip' }),
    ],
    ['null, signed', () => post(STRIPE, 'null', fakeStripe.sign('null'))],
    ['a list, signed', () => post(STRIPE, '[1]', fakeStripe.sign('[1]'))],
    ['text, signed', () => post(STRIPE, 'hello', fakeStripe.sign('hello'))],
    [
      'a thin event, signed',
      () => {
        const thin = '{"id":"evt_thin","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered"}';
        return post(STRIPE, thin, fakeStripe.sign(thin));
      },
    ],
    [
      'two signature headers',
      (body) => {
        const { 'stripe-signature': signature = '' } = fakeStripe.sign(body);
        return post(STRIPE, body, { 'stripe-signature': `${signature}, t=1,v1=00` });
      },
    ],
  ])('is refused with %s, and nothing is stored', async (name, send) => {
    const body = eventOf();
    const answer = await send(body);
    // HTTP joins headers of one name: where the first is genuine, so is the event.
    expect(statusAndCode(answer)).toEqual(name === 'two signature headers' ? [200] : FORGED);
    const { id } = JSON.parse(body);
    expect(await stored('stripe').where({ externalId: id })).toHaveLength(name === 'two signature headers' ? 1 : 0);
  });

  it('is refused where it is old, or from the future', async () => {
    const body = eventOf();
    const headers = fakeStripe.sign(body);
    app.advance(301_000);
    expect(statusAndCode(await post(STRIPE, body, headers))).toEqual(FORGED);
    app.advance(-700_000);
    expect(statusAndCode(await post(STRIPE, body, headers))).toEqual(FORGED);
    app.advance(399_000);
    expect((await post(STRIPE, body, headers)).status).toBe(200);
  });

  it('is refused over the size that one can have', async () => {
    const body = eventOf({ padding: 'x'.repeat(1024 * 1024) });
    expect(statusAndCode(await post(STRIPE, body, fakeStripe.sign(body)))).toEqual([413, 'body_too_large']);
  });

  it('rule 6: 50 about one object at once: no error, and the last one is read', async () => {
    const id = `pi_burst${++count}`;
    const bodies = Array.from({ length: 50 }, () => eventOf({ data: { object: { id, object: 'payment_intent' } } }));
    const answers = await Promise.all(bodies.map((body) => post(STRIPE, body, fakeStripe.sign(body))));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await synced(id)).toMatchObject({ dirtySeq: 50, syncedSeq: 50 });
    expect(await findings(id)).toHaveLength(1);
  });

  it('is asked for again where its job has died, as after days without Stripe', async () => {
    const externalId = `pi_forgotten${++count}`;
    const dirtyAt = new Date(app.ports.clock.now().getTime() - HOUR_MS);
    const row = { provider: 'stripe', kind: 'charge', externalId, dirtySeq: 3, dirtyAt };
    await app.rows('provider_objects').insert(row);
    await syncForgottenObjects.run(systemContext(app.ports, 'test'), { at: app.ports.clock.now() }, runControl());
    expect(await synced(externalId)).toMatchObject({ syncedSeq: 3 });
  });

  it('rule 8: is not acknowledged where it cannot be stored, so it is sent again', async () => {
    const body = eventOf();
    await app.rows.raw(`
      create function refuse() returns trigger language plpgsql as $$ begin
        raise exception 'the disk is full' using errcode = '53100'; end $$;
      create trigger refuse before insert on provider_events for each row execute function refuse()`);
    try {
      expect((await post(STRIPE, body, fakeStripe.sign(body))).status).toBe(503);
    } finally {
      await app.rows.raw('drop trigger refuse on provider_events; drop function refuse()');
    }
    expect((await post(STRIPE, body, fakeStripe.sign(body))).status).toBe(200);
    expect(await stored('stripe').where({ externalId: JSON.parse(body).id })).toHaveLength(1);
  });

  it('is refused where Stripe is not set up', async () => {
    const { payments } = app.ports;
    app.ports.payments = new Map();
    const body = eventOf();
    const answer = await post(STRIPE, body, fakeStripe.sign(body));
    app.ports.payments = payments;
    expect(statusAndCode(answer)).toEqual([404, 'payment_provider_not_set_up']);
  });
});

describe('an event of PayPal', () => {
  const held = () => app.rows('held_events');
  const settled = () =>
    eventually(async () => ((await held()).length === 0 ? true : undefined), 'every held event to be judged');

  it('is held until its certificate has been read, then stored; the next is stored at once', async () => {
    const { id } = await createCharge(paypal);
    fakePayPal.act(id, 'approve');
    expect(await fakePayPal.deliver()).toEqual([200]);
    await settled();
    expect(await stored('paypal').where({ objectId: id })).toHaveLength(1);
    await synced(id);
    // The job has read the certificate; this process keeps it.
    await paypal.confirmCharge({ id, key: 'x/1', methodId: null, returnUrl: CHARGE.returnUrl });
    expect(await fakePayPal.deliver({ copies: 3 })).toEqual([200, 200, 200]);
    expect(await stored('paypal').where({ objectId: id })).toHaveLength(2);
    expect(await synced(id)).toMatchObject({ dirtySeq: 2 });
  });

  it('is refused under another signature, once the certificate is known', async () => {
    const body = JSON.stringify({
      id: 'WH-FORGED',
      event_type: 'CHECKOUT.ORDER.APPROVED',
      create_time: new Date().toISOString(),
      resource: { id: 'ORDER' },
    });
    await paypal.confirmEvent(Buffer.from(body), fakePayPal.sign(body), app.ports.clock.now());
    expect(statusAndCode(await post(PAYPAL, `${body} `, fakePayPal.sign(body)))).toEqual(FORGED);
    expect(await stored('paypal').where({ externalId: 'WH-FORGED' })).toEqual([]);
  });

  it('that is forged is held and then dropped, and takes the place of no genuine one', async () => {
    const body = JSON.stringify({
      id: `WH-${++count}`,
      event_type: 'CHECKOUT.ORDER.APPROVED',
      create_time: new Date().toISOString(),
      resource: { id: `ORDER${count}` },
    });
    const genuine = fakePayPal.sign(body);
    const url = genuine['paypal-cert-url']!.replace('CERT-fake', 'CERT-other'); // is not there: it cannot be read
    const forged = { ...genuine, 'paypal-cert-url': url, 'paypal-transmission-id': 'tx-forged' };
    expect((await post(PAYPAL, body, forged)).status).toBe(200);
    await settled();
    expect(await stored('paypal').where({ externalId: `WH-${count}` })).toEqual([]);
    expect((await post(PAYPAL, body, genuine)).status).toBe(200);
    await settled();
    expect(await stored('paypal').where({ externalId: `WH-${count}` })).toHaveLength(1);
  });

  it('is not taken where ten thousand wait to be judged', async () => {
    const { payments } = app.ports;
    const body = '{"id":"WH-1","event_type":"A.B","create_time":"2026-01-01T00:00:00Z","resource":{}}';
    const headers = fakePayPal.sign(body);
    headers['paypal-cert-url'] = headers['paypal-cert-url']!.replace('CERT-fake', 'CERT-full');
    await app.rows.raw(
      `insert into held_events (provider, digest, raw, headers, received_at)
       select 'paypal', int8send(n), '', '{}', now() from generate_series(1, 10000) as n`,
    );
    const answer = await post(PAYPAL, body, headers);
    await held().delete();
    app.ports.payments = payments;
    expect(statusAndCode(answer)).toEqual([503, 'unavailable']);
  });
});

describe('the limits of events', () => {
  it('leave genuine ones free, and charge forged ones', async () => {
    const limited = await startApp({ RATE_LIMIT_PER_MINUTE: '5' });
    const made = await setUp(limited);
    const genuine = () => {
      const body = eventOf();
      return post(STRIPE, body, made.stripeServer.sign(body), limited);
    };
    try {
      for (let sent = 0; sent < 20; sent++) expect((await genuine()).status).toBe(200);
      const answers: (string | number)[][] = [];
      for (let sent = 0; sent < 20; sent++) answers.push(statusAndCode(await post(STRIPE, '{}', {}, limited)));
      expect(answers[0]).toEqual(FORGED);
      expect(answers).toContainEqual([429, 'rate_limited']);
      expect((await genuine()).status).toBe(200);
    } finally {
      await limited.close();
      await made.stripeServer.close();
      await made.paypalServer.close();
    }
  });

  it.skipIf(redisIsMissing())('do not stop genuine ones while Redis is away', async () => {
    const redis = await startTestRedis();
    const apart = await startApp({ REDIS_URL: redis.url });
    const made = await setUp(apart);
    try {
      await eventually(() => apart.ports.redis?.available || undefined, 'Redis');
      await redis.kill();
      await eventually(() => !apart.ports.redis?.available || undefined, 'the loss of Redis');
      const body = eventOf();
      expect((await post(STRIPE, body, made.stripeServer.sign(body), apart)).status).toBe(200);
      expect((await post(STRIPE, body, {}, apart)).status).toBe(503);
    } finally {
      await apart.close();
      await redis.stop();
      await made.stripeServer.close();
      await made.paypalServer.close();
    }
  });
});
