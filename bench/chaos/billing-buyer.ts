import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Payment, PayPalOrder, StartedPayment } from '@rentapi/api/slices/payments/schemas';
import { openClient } from '../load.ts';
import type { Scene } from './billing-scene.ts';

export const PACK = { credits: 1000, amountMinor: 1000 };
const RETURN_URL = 'http://127.0.0.1/';
const REPEAT_MS = 200;
/** The claim of an idempotency key whose process died is free after 60 s, and the next one may die as well. */
const GIVE_UP_MS = 240_000;

/** A payer who buys credits, and repeats what was not answered. */
export async function buyCredits(scene: Scene, provider: 'stripe' | 'paypal', token: string): Promise<void> {
  const authorization = `Bearer ${token}`;
  const deadline = performance.now() + GIVE_UP_MS;

  async function insist<Answer>(call: (client: ReturnType<typeof openClient>) => Promise<Answer>): Promise<Answer> {
    for (;;) {
      const client = openClient([scene.origin], 1);
      try {
        return await call(client);
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await sleep(REPEAT_MS);
      } finally {
        await client.close();
      }
    }
  }
  const post = (path: string, input: object, key = {}) =>
    insist((client) => client.postJson(`/api/v1${path}`, { authorization, ...key }, JSON.stringify(input)));
  const key = { 'idempotency-key': randomUUID() };
  const bought = { credits: PACK.credits, returnUrl: RETURN_URL };

  if (provider === 'paypal') {
    const { orderId } = PayPalOrder.parse(await post('/billing/paypal/orders', bought, key));
    scene.paypal.act(orderId, 'approve');
    const { status } = Payment.parse(await post(`/billing/paypal/orders/${orderId}/capture`, {}));
    if (status !== 'SUCCEEDED') throw new Error(`${orderId} is ${status}`);
    return;
  }
  const { payment } = StartedPayment.parse(await post('/subscriptions/credits/purchase', { ...bought, provider }, key));
  // Without an address yet, the provider did not answer: then the payment is read again.
  const page = await insist(async (client) => {
    const path = `/api/v1/subscriptions/payments/${payment.id}`;
    const { actionUrl } = Payment.parse(await client.getJson(path, { authorization }));
    if (actionUrl === null) throw new Error(`${payment.id} has no page yet`);
    return actionUrl;
  });
  scene.stripe.act(page.slice(page.lastIndexOf('/') + 1), 'pay');
}
