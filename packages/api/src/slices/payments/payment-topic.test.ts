import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { declaredMessage } from '../../../test/declared-message.ts';
import { addPack, paymentsSettled, type TestPayments, usePayments } from '../../../test/payments.ts';

const SOCKET = '/api/v1/ws/realtime';

let app: TestApp;
let payments: TestPayments;

beforeAll(async () => {
  app = await startApp();
  payments = await usePayments(app);
  await addPack(app, 1000, 10_00);
});
afterAll(() => app.close());

type Message = { type: string; event?: string; data?: unknown };

/** Follows the topic over a socket, and keeps what it receives. */
async function follow({ tokens }: Person): Promise<Message[]> {
  const socket = new WebSocket(app.url.replace('http', 'ws') + SOCKET);
  const messages: Message[] = [];
  socket.on('message', (data) => void messages.push(declaredMessage(SOCKET, String(data)) as Message));
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(JSON.stringify({ action: 'auth', token: tokens.accessToken }));
  socket.send(JSON.stringify({ action: 'subscribe', events: ['payment'] }));
  await eventually(() => messages.find(({ type }) => type === 'subscribed'), 'the subscription');
  return messages;
}

it('a socket that subscribes to the topic `payment` sees how a payment of its organization goes, and of no other', async () => {
  const [ada, bea] = [await app.signUp(), await app.signUp()];
  const [seen, seenByBea] = [await follow(ada), await follow(bea)];
  const buy = async (person: Person) => {
    const { body } = await person.request('/api/v1/subscriptions/credits/purchase', {
      method: 'POST',
      body: { credits: 1000, provider: 'stripe', returnUrl: `${app.ports.env.PUBLIC_URL}/back` },
    });
    const row = await app
      .rows('payments')
      .where({ id: app.ports.ids.decode('pay', body.payment.id) })
      .first();
    payments.fakeStripe.act(row.externalId, 'pay');
    await payments.fakeStripe.deliver();
    await paymentsSettled(app);
    return body.payment.id as string;
  };
  const eventsOf = (messages: Message[]) => messages.filter(({ type }) => type === 'event');
  const bought = await buy(ada);
  const boughtByBea = await buy(bea);
  const paid = (id: string, status: string) => ({ data: { payment: { id, status } } });
  for (const messages of [seen, seenByBea])
    await eventually(() => messages.find(({ event }) => event === 'payment.succeeded'), 'the success');
  expect(eventsOf(seen)).toMatchObject([
    { event: 'payment.action_required', ...paid(bought, 'REQUIRES_ACTION') },
    { event: 'payment.succeeded', ...paid(bought, 'SUCCEEDED') },
  ]);
  expect(eventsOf(seenByBea)).toMatchObject([
    { event: 'payment.action_required', ...paid(boughtByBea, 'REQUIRES_ACTION') },
    { event: 'payment.succeeded', ...paid(boughtByBea, 'SUCCEEDED') },
  ]);
});
