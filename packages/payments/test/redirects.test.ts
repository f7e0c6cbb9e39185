import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { createPayPalProvider } from '../src/paypal/provider.ts';
import { fetchProvider, NoAnswerError } from '../src/provider-fetch.ts';
import { createStripeProvider } from '../src/stripe/provider.ts';

/** A server that answers every request in one way. */
async function answering(answer: { status: number; headers?: Record<string, string>; body?: Buffer }) {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(req.url ?? '');
    req.resume();
    res.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, base, close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()) };
}

it('a call of a provider follows no redirect (V15.3.2)', async () => {
  const { asked, base, close } = await answering({ status: 307, headers: { location: '/elsewhere' } });
  const stripe = createStripeProvider({ secretKey: 'sk_test_x', webhookSecrets: [], apiBase: base });
  const clock = { now: () => new Date() };
  const paypal = createPayPalProvider({
    clientId: 'c',
    clientSecret: 's',
    webhookId: 'w',
    apiBase: base,
    clock,
    isLive: false,
  });
  await expect(stripe.getCharge('pi_1')).rejects.toMatchObject({ outcome: 'unavailable' });
  await expect(paypal.getCharge('ORDER1')).rejects.toMatchObject({ outcome: 'unavailable' });
  expect(asked).toHaveLength(2);
  expect(asked).not.toContain('/elsewhere');
  await close();
});

it('reads no more of an answer than fits', async () => {
  const { base, close } = await answering({ status: 200, body: Buffer.alloc(5 * 1024 * 1024) });
  await expect(fetchProvider(base, {}, { timeoutMs: 60_000 })).rejects.toMatchObject({
    reason: 'answer_too_large',
    wasSent: true,
  });
  await expect(fetchProvider(base, {}, { timeoutMs: 60_000 })).rejects.toThrow(NoAnswerError);
  await close();
});
