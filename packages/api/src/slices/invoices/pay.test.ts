import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, statusAndCode, type TestOrganization } from '../../../test/organization.ts';
import { paymentsSettled, type TestPayments, usePayments } from '../../../test/payments.ts';
import { systemContext, within } from '../../context.ts';
import { findBillingFaults } from '../books/service/faults.ts';
import { creditInvoice } from './service/credit.ts';
import { draftInvoice } from './service/draft.ts';
import { finaliseInvoice } from './service/finalise.ts';
import { voidInvoice } from './service/settle.ts';

const RETURN_URL = 'http://127.0.0.1:8000/back';

let app: TestApp;
let payments: TestPayments;
let ada: Person;
let staff: Person;
let org: TestOrganization;

beforeAll(async () => {
  app = await startApp({ CORS_ORIGINS: 'http://127.0.0.1:8000' });
  payments = await usePayments(app);
  ada = await app.signUp();
  staff = await app.signUp();
  const staffId = app.ports.ids.decode('usr', staff.id);
  await app.rows('users').where({ id: staffId }).update({ role: 'ADMIN' });
});
beforeEach(async () => {
  org = await makeOrganization(app, ada);
});
afterAll(async () => {
  await paymentsSettled(app);
  expect(await findBillingFaults(app.ports.database, app.ports.clock.now())).toEqual([]);
  await app.close();
});

const there = () => within(systemContext(app.ports, 'test'), org.organizationId);
async function addInvoice(shiftMs = 0): Promise<string> {
  const lines = [{ kind: 'OTHER', description: 'Setup', amountMinor: 1900 }] as const;
  const { id } = await draftInvoice(there(), { reason: 'OTHER', collection: 'MANUAL', currency: 'USD', lines });
  const ctx = there();
  await finaliseInvoice({ ...ctx, now: new Date(ctx.now.getTime() + shiftMs) }, id);
  return app.ports.ids.encode('inv', id);
}
const pay = (invoiceId: string, change: object = {}) =>
  org.as(ada)(`/api/v1/subscriptions/invoices/${invoiceId}/pay`, {
    method: 'POST',
    body: { provider: 'stripe', returnUrl: RETURN_URL, ...change },
  });
const read = async (invoiceId: string) => (await org.as(ada)(`/api/v1/subscriptions/invoices/${invoiceId}`)).body;
const rows = () => app.rows('payments').where({ organizationId: org.organizationId }).orderBy('id');
/** The payer pays at Stripe. */
async function act(externalId: string): Promise<void> {
  payments.fakeStripe.act(externalId, 'pay');
  await payments.fakeStripe.deliver();
  await paymentsSettled(app);
}

it('an invoice is paid once its payment has succeeded, and not before', async () => {
  const id = await addInvoice();
  const { status, body } = await pay(id);
  expect([status, body.payment]).toMatchObject([201, { purpose: 'INVOICE', amount: { amountMinor: 1900 } }]);
  expect(body.actionUrl).toMatch(/^http/);
  expect((await read(id)).status).toBe('OPEN');
  const [payment] = await rows();
  await act(payment.externalId);
  const paid = await eventually(async () => {
    const invoice = await read(id);
    return invoice.status === 'PAID' ? invoice : undefined;
  }, 'the payment to count');
  expect(paid).toMatchObject({ paid: { amountMinor: 1900 }, due: { amountMinor: 0 } });
  expect(statusAndCode(await pay(id))).toEqual([409, 'invoice_not_due']);
});

it('rule 11: an invoice that is paid again while its payer waits has one payment', async () => {
  const id = await addInvoice();
  const answers = await Promise.all([pay(id), pay(id), pay(id)]);
  expect(new Set(answers.map(({ body }) => body.payment.id)).size).toBe(1);
  expect(await rows()).toHaveLength(1);
});

it('rule 10: a payment that succeeds after the invoice has become void is refunded', async () => {
  const id = await addInvoice();
  await pay(id);
  const [payment] = await rows();
  await voidInvoice(there(), app.ports.ids.decode('inv', id));
  await act(payment.externalId);
  const refund = () => app.rows('refunds').where({ organizationId: org.organizationId, paymentId: payment.id }).first();
  expect(await eventually(refund, 'the refund')).toMatchObject({ amountMinor: 1900 });
  expect(await read(id)).toMatchObject({ status: 'VOID', paid: { amountMinor: 0 } });
});

it('rule 39: what is refunded is taken back by credit notes of the same sums, beside what was credited before', async () => {
  const id = await addInvoice();
  await pay(id);
  const [payment] = await rows();
  await act(payment.externalId);
  await eventually(async () => (await read(id)).status === 'PAID' || undefined, 'the payment to count');
  const invoiceId = app.ports.ids.decode('inv', id);
  await creditInvoice(there(), invoiceId, {
    key: 'late',
    note: 'Goodwill',
    of: { totalMinor: 400 },
    isRefunded: false,
  });
  const creditedAfter = async (amountMinor: number) => {
    const path = `/api/v1/admin/payments/${app.ports.ids.encode('pay', payment.id)}/refund`;
    const body = { amount: { amountMinor, currency: 'USD' }, reason: 'Asked for' };
    expect((await staff.request(path, { method: 'POST', body })).status).toBe(201);
    await paymentsSettled(app);
    return (await read(id)).credited.amountMinor;
  };
  expect(await creditedAfter(500)).toBe(900);
  expect(await creditedAfter(700)).toBe(1600);
  expect(await creditedAfter(700)).toBe(1900); // no more than the invoice
});

it('rule 41: an overdue invoice mails that it was paid once, when a payment of it succeeds, not where one fails', async () => {
  const notices = async () => {
    await paymentsSettled(app);
    const sent = await app.rows('events').where({ organizationId: org.organizationId }).orderBy('id');
    return sent
      .filter(({ type }: { type: string }) => /^(invoice|payment)\.mailed$/.test(type))
      .map(({ type, data }: { type: string; data: { notice: string } }) => `${type} ${data.notice}`);
  };
  const id = await addInvoice(-60 * 86_400_000);
  expect(new Date((await read(id)).dueAt) < app.ports.clock.now()).toBe(true);
  expect(await notices()).toEqual(['invoice.mailed OPEN']);
  await pay(id);
  const [first] = await rows();
  payments.fakeStripe.act(first.externalId, 'pay_late');
  await payments.fakeStripe.deliver();
  payments.fakeStripe.settle(first.externalId, 'fails');
  await payments.fakeStripe.deliver({ copies: 3 });
  const failed = ['invoice.mailed OPEN', 'payment.mailed FAILED'];
  expect(await notices()).toEqual(failed);
  await pay(id);
  const [, second] = await rows();
  payments.fakeStripe.act(second.externalId, 'pay');
  await payments.fakeStripe.deliver({ copies: 10, order: 'shuffled' });
  const paid = ['invoice.mailed PAID', 'payment.mailed SUCCEEDED'];
  expect((await notices()).toSorted()).toEqual([...failed, ...paid].toSorted());
  expect((await read(id)).status).toBe('PAID');
});

it("another organization's invoice is not found, and nothing is begun", async () => {
  const id = await addInvoice();
  org = await makeOrganization(app, ada);
  expect(statusAndCode(await pay(id))).toEqual([404, 'not_found']);
  expect(await rows()).toEqual([]);
});
