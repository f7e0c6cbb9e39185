import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Person, startApp, type TestApp } from '../../../test/app.ts';
import { statusAndCode } from '../../../test/organization.ts';
import { addPack, paymentsSettled } from '../../../test/payments.ts';
import { findBillingFaults } from '../books/service/faults.ts';

const USD = { amountMinor: 10_00, currency: 'USD' };
const SEEN = { receivedAt: '2026-01-31T12:00:00Z', amount: USD };

let app: TestApp;
let ada: Person;
let staff: Person;
let count = 0;

beforeAll(async () => {
  app = await startApp({ CORS_ORIGINS: 'http://127.0.0.1:8000' });
  await addPack(app, 1000, USD.amountMinor);
  staff = await app.signUp();
  await app
    .rows('users')
    .where({ id: app.ports.ids.decode('usr', staff.id) })
    .update({ role: 'ADMIN' });
});
afterAll(async () => {
  expect(await findBillingFaults(app.ports.database, app.ports.clock.now())).toEqual([]);
  await app.close();
});
beforeEach(async () => {
  ada = await app.signUp();
});

async function buy(): Promise<string> {
  const body = { credits: 1000, provider: 'manual', returnUrl: 'http://127.0.0.1:8000/back' };
  const { body: bought } = await ada.request('/api/v1/subscriptions/credits/purchase', { method: 'POST', body });
  expect(bought).toMatchObject({ payment: { status: 'PENDING', provider: 'manual' }, actionUrl: null });
  return bought.payment.id;
}
const confirm = (paymentId: string, input: object = {}, by = staff) =>
  by.request(`/api/v1/admin/payments/${paymentId}/confirm`, {
    method: 'POST',
    body: { ...SEEN, reference: `bank-${++count}`, ...input },
  });
const available = async () => (await ada.request('/api/v1/subscriptions/credits')).body.available;
const statusOf = async (id: string) => (await ada.request(`/api/v1/subscriptions/payments/${id}`)).body.status;

it('gives what a transfer pays for when staff have seen it, once', async () => {
  const id = await buy();
  expect([await statusOf(id), await available()]).toEqual(['PENDING', 0]);
  const answers = await Promise.all(Array.from({ length: 10 }, () => confirm(id, { reference: 'bank-once' })));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  await paymentsSettled(app);
  expect([await statusOf(id), await available()]).toEqual(['SUCCEEDED', 1000]);
  expect((await confirm(id, { reference: 'bank-once' })).body).toMatchObject({ id, status: 'SUCCEEDED' });
  expect(statusAndCode(await confirm(id))).toEqual([409, 'transfer_not_open']);
  expect(await available()).toBe(1000);
  const { rows } = await app.rows.raw(`select count(*)::integer as count from events where type = 'payment.confirmed'`);
  expect(rows).toEqual([{ count: 1 }]);
});

it('gives nothing for another amount, another currency, a time to come, or a transfer that paid before', async () => {
  const paid = await buy();
  expect((await confirm(paid, { reference: 'bank-twice' })).status).toBe(200);
  const id = await buy();
  expect(id).not.toBe(paid);
  for (const [input, code] of [
    [{ amount: { ...USD, amountMinor: 9_99 } }, 'transfer_amount_differs'],
    [{ amount: { ...USD, currency: 'EUR' } }, 'transfer_amount_differs'],
    [{ receivedAt: '2999-01-01T00:00:00Z' }, 'transfer_in_future'],
    [{ reference: 'bank-twice' }, 'transfer_counted'],
    [{ reference: ' ' }, 'invalid_input'],
    [{ reference: 'a\u202eb' }, 'invalid_input'],
    [{ refundId: app.ports.ids.encode('rfd', 2 ** 40) }, 'not_found'],
  ] as const) {
    expect([input, statusAndCode(await confirm(id, input))[1]]).toEqual([input, code]);
  }
  await paymentsSettled(app);
  expect([await statusOf(id), await available()]).toEqual(['PENDING', 1000]);
});

it('is for staff alone, who have signed in lately', async () => {
  const id = await buy();
  expect(statusAndCode(await confirm(id, {}, ada))).toEqual([403, 'permission_denied']);
  await app.ageLogins(staff.id);
  expect(statusAndCode(await confirm(id))[0]).toBe(403);
  await app
    .rows('sessions')
    .where({ userId: app.ports.ids.decode('usr', staff.id) })
    .update({ authenticatedAt: new Date() });
  app.ports.actors.forget(`user:${app.ports.ids.decode('usr', staff.id)}`);
  expect((await confirm(id)).status).toBe(200);
  await paymentsSettled(app);
});

it('ends a refund when staff have sent it', async () => {
  const id = await buy();
  await confirm(id);
  await paymentsSettled(app);
  const path = `/api/v1/admin/payments/${id}/refund`;
  const amount = { amountMinor: 4_00, currency: 'USD' };
  const { body: refund } = await staff.request(path, { method: 'POST', body: { amount, reason: 'Tested' } });
  await paymentsSettled(app);
  const row = () =>
    app
      .rows('refunds')
      .where({ id: app.ports.ids.decode('rfd', refund.id) })
      .first();
  expect((await row()).status).toBe('PENDING');
  expect(statusAndCode(await confirm(id, { refundId: refund.id }))).toEqual([400, 'transfer_amount_differs']);
  expect((await confirm(id, { refundId: refund.id, amount })).status).toBe(200);
  await paymentsSettled(app);
  expect(await row()).toMatchObject({ status: 'SUCCEEDED' });
  expect(await available()).toBe(600);
});
