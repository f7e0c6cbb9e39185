import { Webhook as StandardWebhook } from 'standardwebhooks';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { ApiKeyCreatedEvent } from '../src/index.ts';
import { unwrapWebhook, type WebhookEvent, WebhookVerificationError } from '../src/webhooks.ts';

const SECRET = `whsec_${Buffer.from('the secret of the tests, 32 bytes').toString('base64')}`;
const OTHER = `whsec_${Buffer.from('another secret, as long as that is').toString('base64')}`;
const event = { type: 'api_key.revoked', timestamp: '2026-01-31T12:00:00.000Z', data: { id: 'key_1' } };
const body = JSON.stringify(event);

/** Signed by a library of others. */
function signed(text = body, { secret = SECRET, at = new Date() } = {}): Record<string, string> {
  return {
    'webhook-id': 'evt_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new StandardWebhook(secret).sign('evt_1', at, text),
  };
}

describe('unwrapWebhook', () => {
  it('returns the event, from every kind of headers and body', async () => {
    for (const headers of [signed(), new Headers(signed())])
      for (const given of [body, new TextEncoder().encode(body)])
        expect(await unwrapWebhook(given, headers, SECRET)).toEqual(event);
  });

  it('keeps a type that it does not know', async () => {
    const unknown = JSON.stringify({ ...event, type: 'invoice.paid' });
    expect(await unwrapWebhook(unknown, signed(unknown), SECRET)).toMatchObject({ type: 'invoice.paid' });
  });

  it('takes one right signature of several, and one right secret of several', async () => {
    const both = `${signed(body, { secret: OTHER })['webhook-signature']} ${signed()['webhook-signature']}`;
    expect(await unwrapWebhook(body, { ...signed(), 'webhook-signature': both }, SECRET)).toEqual(event);
    expect(await unwrapWebhook(body, signed(), [OTHER, SECRET])).toEqual(event);
  });

  it.each<[string, string, Record<string, string>]>([
    ['a changed body', body.replace('key_1', 'key_2'), signed()],
    ['another id', body, { ...signed(), 'webhook-id': 'evt_2' }],
    ['another secret', body, signed(body, { secret: OTHER })],
    [
      'another version of signatures',
      body,
      { ...signed(), 'webhook-signature': signed()['webhook-signature']!.replace('v1', 'v1a') },
    ],
    ['no base64', body, { ...signed(), 'webhook-signature': 'v1,****' }],
    ['an old delivery', body, signed(body, { at: new Date(Date.now() - 301_000) })],
    ['one from the future', body, signed(body, { at: new Date(Date.now() + 310_000) })],
    ['no time', body, { ...signed(), 'webhook-timestamp': 'now' }],
    ['a missing header', body, { 'webhook-id': 'evt_1' }],
    ['what is no event', '[]', signed('[]')],
    [
      'the right signature behind too many',
      body,
      { ...signed(), 'webhook-signature': `${'v1,x '.repeat(10)}${signed()['webhook-signature']}` },
    ],
  ])('refuses %s', async (_, text, headers) => {
    await expect(unwrapWebhook(text, headers, SECRET)).rejects.toBeInstanceOf(WebhookVerificationError);
  });

  it('says which argument is wrong', async () => {
    await expect(unwrapWebhook(event as never, signed(), SECRET)).rejects.toThrow(/before a middleware parses it/);
    await expect(unwrapWebhook(body, signed(), 'secret')).rejects.toThrow(/begins with `whsec_`/);
    await expect(unwrapWebhook(body, signed(), [])).rejects.toBeInstanceOf(WebhookVerificationError);
  });

  it('is typed by the type of the event', () => {
    const typed = {} as WebhookEvent;
    if (typed.type === 'api_key.created') expectTypeOf(typed.data).toEqualTypeOf<ApiKeyCreatedEvent['data']>();
  });
});
