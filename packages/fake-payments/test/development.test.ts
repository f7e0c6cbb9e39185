import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { type DevelopmentFakes, openDevelopmentFakes } from '../src/development.ts';

const clock = { now: () => new Date() };
let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing) await close();
  closing = [];
});

async function open(): Promise<DevelopmentFakes> {
  const fakes = await openDevelopmentFakes(clock, { retryMs: 10 });
  closing.push(fakes.close);
  return fakes;
}

/** A webhook that refuses the first request. */
async function openWebhook() {
  const received: { headers: IncomingHttpHeaders; body: string; status: number }[] = [];
  const server = createServer(async (req, res) => {
    const status = received.length === 0 ? 503 : 200;
    received.push({ headers: req.headers, body: await text(req), status });
    res.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function createSession({ secretKey, apiBase }: DevelopmentFakes['stripe']): Promise<{ id: string; url: string }> {
  const form = {
    mode: 'payment',
    'line_items[0][quantity]': '1',
    'line_items[0][price_data][currency]': 'eur',
    'line_items[0][price_data][unit_amount]': '1000',
    success_url: `${apiBase}/back`,
    cancel_url: `${apiBase}/back`,
  };
  const headers = { authorization: `Bearer ${secretKey}`, 'stripe-version': '2026-10-28.endive' };
  const answer = await fetch(`${apiBase}/v1/checkout/sessions`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(form),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { id: string; url: string };
}

it('loads nothing of a fake before it is first called', () => {
  const source = readFileSync(new URL('../src/development.ts', import.meta.url), 'utf8');
  const eager = [...source.matchAll(/^import (?!type)[^;]* from '(\.[^']+)'/gm)].map(([, file]) => file);
  expect(eager).toEqual(['./server.ts']);
});

it('sends signed events to the webhook, and again what was not accepted', async () => {
  const webhook = await openWebhook();
  const { stripe, deliverTo } = await open();
  deliverTo({ stripe: webhook.url, paypal: webhook.url });
  const { url } = await createSession(stripe);
  await fetch(url, { method: 'POST', body: new URLSearchParams({ action: 'pay' }), redirect: 'manual' });
  await expect.poll(() => webhook.received.filter(({ status }) => status === 200).length).toBe(2);
  const types = webhook.received.map(({ body }) => JSON.parse(body).type);
  expect(new Set(types)).toEqual(new Set(['payment_intent.succeeded', 'checkout.session.completed']));
  for (const { headers, body } of webhook.received) {
    const [t, v1] = String(headers['stripe-signature'])
      .split(',')
      .map((part) => part.split('=')[1]);
    expect(v1).toBe(createHmac('sha256', stripe.webhookSecret).update(`${t}.${body}`).digest('hex'));
  }
});

it('gives no id of an earlier run again: what a database says of it would be of another object', async () => {
  const [one, other] = [await open(), await open()];
  const ids = [await createSession(one.stripe), await createSession(other.stripe)].map(({ id }) => id);
  expect(ids[0]).not.toBe(ids[1]);
});
