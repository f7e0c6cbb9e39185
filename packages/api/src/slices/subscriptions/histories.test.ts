import type { ObjectRef } from '@rentapi/payments/payment-provider';
import { execute, type Knex } from '@rentapi/platform/database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runControl, startApp, type TestApp } from '../../../test/app.ts';
import { addPack, paymentsSettled, type TestPayments, useNoPayments, usePayments } from '../../../test/payments.ts';
import { ANY_REFERENCE, type Arrival, createReplay, type History, recordHistory } from '../../../test/replay.ts';
import { systemContext, within } from '../../context.ts';
import { transaction } from '../../data/transaction.ts';
import { faultsOf } from '../books/service/faults.ts';
import { PaymentModel } from '../payments/model.ts';
import { runDueSubscriptions } from './jobs.ts';

const SUBSCRIPTIONS = '/api/v1/subscriptions';
const RETURN_URL = 'http://127.0.0.1:8000/back';
/** Histories of so many arrivals are lived in every order, longer ones in some. */
const MAX_FOR_ALL = 5;

type Provider = 'stripe' | 'paypal';

let app: TestApp;
let payments: TestPayments;

beforeAll(async () => {
  app = await startApp({ DEFAULT_PLAN: 'FREE', CORS_ORIGINS: 'http://127.0.0.1:8000' });
  payments = await usePayments(app);
  await app.rows('plans').update({ trialDays: 0 });
  await addPack(app, 1000, 10_00);
});
afterAll(() => app.close());

/** Numbers from 0 to 1, the same for a seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const left = [...items];
  return items.map(() => left.splice(Math.floor(random() * left.length), 1)[0]!);
}

const fakeOf = (provider: Provider) => (provider === 'stripe' ? payments.fakeStripe : payments.fakePayPal);

/** What has happened so far, in the database and at the provider, of an organization of its own. */
async function buyer(provider: Provider) {
  await usePayments(app);
  fakeOf(provider).lose(); // of another history
  const person = await app.signUp();
  const made = await person.request('/api/v1/api-keys', { method: 'POST', body: { name: 'CI', scopes: ['*'] } });
  const headers = { 'x-api-key': made.body.secret };
  const organizationId = app.ports.ids.decode('org', person.organizationId);
  const rowsOf = (table: string) => app.rows(table).where({ organizationId }).orderBy('id');
  const call = async (path: string, body: object) => {
    const answer = await app.request(SUBSCRIPTIONS + path, { method: 'POST', headers, body });
    expect([path, answer.status]).toEqual([path, expect.any(Number)]);
    expect(answer.status).toBeLessThan(300);
    await paymentsSettled(app);
    return answer.body;
  };
  const lastPayment = async () => (await rowsOf('payments')).at(-1);
  return { provider, organizationId, rowsOf, call, lastPayment };
}
type Buyer = Awaited<ReturnType<typeof buyer>>;

async function buyCredits(provider: Provider) {
  const someone = await buyer(provider);
  await someone.call('/credits/purchase', { credits: 1000, provider, returnUrl: RETURN_URL });
  return { ...someone, payment: await someone.lastPayment() };
}

async function subscribe(provider: Provider) {
  const someone = await buyer(provider);
  await someone.call('/subscribe', { plan: 'BASIC', interval: 'month', provider, returnUrl: RETURN_URL });
  return { ...someone, payment: await someone.lastPayment() };
}

const chargeOf = ({ externalId: id }: { externalId: string }) => ({ kind: 'charge', id }) as const;

/** From here on, nothing of it happens in this server but what is lived again. */
async function record({ provider }: Buyer, objects: readonly ObjectRef[], steps: readonly (() => unknown)[]) {
  await paymentsSettled(app);
  useNoPayments(app);
  const now = () => app.ports.clock.now();
  return recordHistory({ provider: payments[provider], fake: fakeOf(provider), objects, now }, steps);
}

/** The steps of a payment on a page. */
const payOnPage = (provider: Provider, id: string): (() => unknown)[] =>
  provider === 'stripe'
    ? [() => payments.fakeStripe.act(id, 'pay')]
    : [() => payments.fakePayPal.act(id, 'approve'), () => confirm(id)];

const confirm = (id: string) =>
  payments.paypal.confirmCharge({ id, key: `${id}/1`, methodId: null, returnUrl: RETURN_URL });

async function openDispute(provider: Provider, id: string): Promise<string> {
  if (provider === 'stripe') return payments.fakeStripe.openDispute(id);
  const { captureId } = await payments.paypal.getCharge(id);
  return payments.fakePayPal.openDispute(captureId!);
}

/** The steps of a dispute. */
function dispute(provider: Provider, id: string, result: 'won' | 'lost'): (() => unknown)[] {
  let disputeId: string;
  return [
    async () => {
      disputeId = await openDispute(provider, id);
    },
    () => fakeOf(provider).closeDispute(disputeId, result),
  ];
}

/** This server looks at a payment, as for a page that asks, or because it is due. */
const look = ({ organizationId }: Buyer, { id }: { id: number }, seen: number): Arrival => ({
  name: `look at ${seen}`,
  seen,
  cause: { job: 'payments.charge', data: { organizationId, paymentId: id } },
});

const END = {
  name: 'end_of_history', // it is planned once
  text: `
    /* across organizations */
    select
      (select jsonb_agg(jsonb_build_array(status, amount_minor, refunded_minor, fee_minor, failure_code, due_at is null)
        order by id) from payments where organization_id = $1) as payments,
      (select jsonb_agg(jsonb_build_array(status, amount_minor, origin, failure_code) order by external_id)
        from refunds where organization_id = $1) as refunds,
      (select jsonb_agg(jsonb_build_array(status, amount_minor) order by external_id)
        from disputes where organization_id = $1) as disputes,
      (select jsonb_agg(jsonb_build_array(kind, status, reason, total_minor, paid_minor, credited_minor, returned_minor,
          charged_back_minor) order by kind, total_minor, id)
        from invoices where organization_id = $1) as invoices,
      (select jsonb_agg(jsonb_build_array(status, cycle, period_index, renewal_invoice_id is not null, dunning_step,
          declined_method is not null) order by id)
        from subscriptions where organization_id = $1) as subscriptions,
      (select plan from organizations where id = $1) as plan,
      (select jsonb_agg(jsonb_build_array(status, is_default, expires_at) order by external_id)
        from payment_methods where organization_id = $1) as methods,
      (select jsonb_agg(jsonb_build_array(source, amount, remaining, frozen) order by id)
        from credit_grants where organization_id = $1) as grants,
      (select jsonb_build_array(available, held) from credit_balances where organization_id = $1) as credits,
      (select jsonb_object_agg(account, sum) from (
        select account, sum(amount_minor) from journal_lines where organization_id = $1 group by account
      ) lines) as accounts,
      (select jsonb_object_agg(type, count) from (
        select type, count(*) from events where organization_id = $1
          and type in ('payment.succeeded', 'payment.refunded', 'payment.disputed', 'invoice.paid', 'credits.granted',
            'subscription.canceled')
        group by type
      ) said) as said,
      (select jsonb_agg(jsonb_build_array(kind, object_kind) order by kind, object_kind)
        from billing_findings where state = 'OPEN' and external_id = any ($2)) as findings,
      (select jsonb_agg(jsonb_build_array(kind, external_id, synced_seq < dirty_seq, waits_for) order by kind, external_id)
        from provider_objects where external_id = any ($2)) as objects,
      (select jsonb_agg(jsonb_build_array(external_id, capture_id, confirming_at is null, attempt, failures)
        order by id) from payments where organization_id = $1) as others`,
};

interface End extends Record<string, unknown> {
  /** On the way there, it decides what happens; at the end, it is of no matter. */
  others?: unknown;
}

async function stateOf(db: Knex, organizationId: number, objects: readonly string[]): Promise<End> {
  const [state] = await execute<End>(db, END, [organizationId, objects]);
  return state!;
}

/** Deferred checks of the database are made here, because no order is committed. */
async function endOf(db: Knex, organizationId: number, objects: readonly string[]): Promise<End> {
  await execute(db, { text: 'set constraints all immediate' }, []);
  const { others: _, ...end } = await stateOf(db, organizationId, objects);
  return end;
}

interface Life {
  buyer: Buyer;
  history: History;
  /** Jobs of this server that look by themselves. */
  looks?: Arrival[];
  confirmedAt?: number;
  /** How the in-order life ends. */
  ends: object;
}

/** Every order, or some where there are too many, ends as the one in which it happened. */
async function endsAlike({ buyer: { provider, organizationId }, history, looks = [], confirmedAt, ends }: Life) {
  const replay = createReplay({
    app,
    provider: payments[provider],
    history,
    ...(confirmedAt !== undefined && { confirmedAt }),
  });
  const { charge, refund, dispute, method } = history.moments.at(-1)!;
  const objects = [charge, refund, dispute, method].flatMap((known) => [...known.keys()]);
  const arrivals = [...history.events, ...looks].sort((one, other) => one.seen - other.seen);
  let expected: unknown;
  await replay.oneOrder(arrivals, null, async ({ db, world }) => {
    expected = await endOf(db, organizationId, objects);
    expect(world.confirmed).toBeLessThanOrEqual(1);
    expect(await faultsOf(db, [organizationId], app.ports.clock.now())).toEqual([]);
  });
  expect(expected).toMatchObject(ends);
  const compare: Parameters<typeof replay.everyOrder>[2] = async ({ order, db, world }) => {
    expect({ order, end: await endOf(db, organizationId, objects) }).toEqual({ order, end: expected });
    expect(world.confirmed).toBeLessThanOrEqual(1);
  };
  const state = async (db: Knex) => JSON.stringify(await stateOf(db, organizationId, objects));
  const isShort = arrivals.length <= MAX_FOR_ALL;
  if (isShort) await replay.everyOrder(arrivals, state, compare);
  for (const happens of ['comes', 'is done'] as const) await replay.oneOrder(arrivals, () => happens, compare);
  for (let seed = 1; seed <= (isShort ? 1 : 5); seed++) {
    const random = randomOf(seed);
    const again = arrivals.filter(() => random() < 0.4);
    const happens = () => (random() < 0.6 ? 'nothing' : random() < 0.5 ? 'comes' : 'is done');
    await replay.oneOrder(shuffled([...arrivals, ...again], random), happens, compare);
  }
}

/** What is not decided by orders, as by events that came in time. */
async function deliver(provider: Provider): Promise<void> {
  await fakeOf(provider).deliver();
  await paymentsSettled(app);
}

async function payInTime({ provider }: Buyer, id: string, behavior: 'pays' | 'refunds_late' = 'pays') {
  if (provider === 'stripe') payments.fakeStripe.act(id, 'pay');
  else payments.fakePayPal.act(id, 'approve', behavior);
  await deliver(provider);
  await deliver(provider); // the second is of what this server has captured
}

/** To the end of the period, where the next one is charged. */
async function renew({ rowsOf }: Buyer): Promise<void> {
  const [{ periodEnd }] = await rowsOf('subscriptions');
  app.advance(periodEnd.getTime() - app.ports.clock.now().getTime());
  const now = app.ports.clock.now();
  await runDueSubscriptions.run(systemContext(app.ports, 'test'), { at: now }, runControl());
  await paymentsSettled(app);
}

/** A subscription that was paid on a page, where the method was saved. */
async function subscribed(provider: Provider) {
  const someone = await subscribe(provider);
  await payInTime(someone, someone.payment.externalId);
  const [method] = await someone.rowsOf('payment_methods');
  expect(await someone.rowsOf('subscriptions')).toMatchObject([{ status: 'ACTIVE' }]);
  return { ...someone, methodId: method.externalId as string };
}

describe.each(['stripe', 'paypal'] as const)('rules 1 to 5: in every order, with %s,', (provider) => {
  const fee = expect.any(Number);

  it.each(['won', 'lost'] as const)('a payment that is refunded in part and disputed: %s', async (result) => {
    const someone = await buyCredits(provider);
    const { externalId } = someone.payment;
    const amount = { amountMinor: 300, currency: 'USD' };
    const refund = { key: externalId, reference: `dashboard/${externalId}`, chargeId: externalId, amount };
    const history = await record(
      someone,
      [chargeOf(someone.payment)],
      [
        ...payOnPage(provider, externalId),
        () => payments[provider].refund(refund),
        ...dispute(provider, externalId, result),
      ],
    );
    await endsAlike({
      buyer: someone,
      history,
      confirmedAt: 2,
      ends: {
        payments: [['SUCCEEDED', 1000, 300, fee, null, true]],
        refunds: [['SUCCEEDED', 300, 'PROVIDER', null]],
        disputes: [[result.toUpperCase(), 1000]],
        grants: [['PAYMENT', 1000, result === 'won' ? 700 : 0, 0]],
        findings: [['OUTSIDE_REFUND', 'refund']],
      },
    });
  });

  it('a payment whose fee is said later', async () => {
    const someone = await buyCredits(provider);
    const { payment } = someone;
    const pay = payOnPage(provider, payment.externalId);
    const history = await record(someone, [chargeOf(payment)], [...pay, () => {}]);
    const { charge: charges } = history.moments[pay.length]!;
    for (const [id, charge] of charges) charges.set(id, { ...charge, feeMinor: null });
    await endsAlike({
      buyer: someone,
      history,
      looks: [pay.length, pay.length + 1].map((seen) => look(someone, payment, seen)),
      confirmedAt: pay.length,
      ends: { payments: [['SUCCEEDED', 1000, 0, fee, null, true]], accounts: { fees: fee } },
    });
  });

  it('a payment that fails days later', async () => {
    const someone = await buyCredits(provider);
    const { payment } = someone;
    const { externalId } = payment;
    const fake = fakeOf(provider);
    const begin =
      provider === 'stripe'
        ? [() => payments.fakeStripe.act(externalId, 'pay_late')]
        : [() => payments.fakePayPal.act(externalId, 'approve', 'pays_late'), () => confirm(externalId)];
    const history = await record(
      someone,
      [chargeOf(someone.payment)],
      [...begin, () => fake.settle(externalId, 'fails')],
    );
    await endsAlike({
      buyer: someone,
      history,
      looks: [look(someone, payment, 0), look(someone, payment, begin.length)],
      confirmedAt: 2,
      ends: { payments: [['FAILED', 1000, 0, null, expect.any(String), true]], grants: null, accounts: null },
    });
  });

  it.each(['succeeds', 'fails'] as const)(
    'a refund of ours whose answer was lost, and that %s later',
    async (result) => {
      const someone = await buyCredits(provider);
      const { id, externalId } = someone.payment;
      await payInTime(someone, externalId, 'refunds_late');
      payments.fakeStripe.behave('pm_card_visa', 'refunds_late');
      fakeOf(provider).fail('lose_answer', /^POST .*\/refunds?$/);
      const staff = await app.signUp();
      await app
        .rows('users')
        .where({ id: app.ports.ids.decode('usr', staff.id) })
        .update({ role: 'ADMIN' });
      const amount = { amountMinor: 300, currency: 'USD' };
      const path = `/api/v1/admin/payments/${app.ports.ids.encode('pay', id)}/refund`;
      const { body } = await staff.request(path, { method: 'POST', body: { reason: 'Tested', amount } });
      await paymentsSettled(app);
      payments.fakeStripe.behave('pm_card_visa', 'pays');
      const again = { key: externalId, reference: body.id, chargeId: externalId, amount };
      const made = await payments[provider].refund(again); // it answers the one that was made
      const objects = [chargeOf(someone.payment), { kind: 'refund', id: made.id } as const];
      const history = await record(someone, objects, [() => fakeOf(provider).settle(made.id, result)]);
      const data = { organizationId: someone.organizationId, refundId: app.ports.ids.decode('rfd', body.id) };
      const lookAt = (seen: number): Arrival => ({
        name: `look at ${seen}`,
        seen,
        cause: { job: 'payments.refund', data },
      });
      const isPaid = result === 'succeeds';
      await endsAlike({
        buyer: someone,
        history,
        looks: [lookAt(0), lookAt(1)],
        ends: {
          payments: [['SUCCEEDED', 1000, isPaid ? 300 : 0, fee, null, true]],
          refunds: [[isPaid ? 'SUCCEEDED' : 'FAILED', 300, 'STAFF', isPaid ? null : expect.any(String)]],
          grants: [['PAYMENT', 1000, isPaid ? 700 : 1000, 0]],
        },
      });
    },
  );

  it('a subscription whose first payment is disputed, and lost', async () => {
    const someone = await subscribe(provider);
    const { externalId } = someone.payment;
    const steps = [...payOnPage(provider, externalId), ...dispute(provider, externalId, 'lost')];
    const history = await record(someone, [chargeOf(someone.payment)], steps);
    await endsAlike({
      buyer: someone,
      history,
      confirmedAt: 2,
      ends: {
        plan: 'FREE',
        payments: [['SUCCEEDED', 1900, 0, fee, null, true]],
        disputes: [['LOST', 1900]],
        invoices: [['INVOICE', 'PAID', 'PERIOD', 1900, 1900, 0, 0, 1900]],
        subscriptions: [['CANCELED', 1, 0, false, 0, false]],
        grants: [['PLAN', 500, 0, 0]],
      },
    });
  });

  it('a subscription whose first payment is refunded in two parts', async () => {
    const someone = await subscribed(provider);
    const { externalId: chargeId } = someone.payment;
    const refunds = [300, 200].map((amountMinor) => () => {
      const reference = `dashboard/${chargeId}/${amountMinor}`;
      return payments[provider].refund({
        key: reference,
        reference,
        chargeId,
        amount: { amountMinor, currency: 'USD' },
      });
    });
    const history = await record(someone, [chargeOf(someone.payment)], refunds);
    await endsAlike({
      buyer: someone,
      history,
      looks: [look(someone, someone.payment, 1)],
      ends: {
        payments: [['SUCCEEDED', 1900, 500, fee, null, true]],
        invoices: [
          ['CREDIT_NOTE', 'PAID', 'CORRECTION', -300, 0, 0, 0, 0],
          ['CREDIT_NOTE', 'PAID', 'CORRECTION', -200, 0, 0, 0, 0],
          ['INVOICE', 'PAID', 'PERIOD', 1900, 1400, 500, 0, 0],
        ],
      },
    });
  });

  it('a renewal that is declined, and then paid on a page', async () => {
    const someone = await subscribed(provider);
    if (provider === 'stripe') payments.fakeStripe.behave(someone.methodId, 'declines');
    else payments.fakePayPal.behave(someone.methodId, 'declines');
    await renew(someone);
    const { id: invoiceId } = (await someone.rowsOf('invoices')).at(-1);
    const path = `/invoices/${app.ports.ids.encode('inv', invoiceId)}/pay`;
    await someone.call(path, { provider, returnUrl: RETURN_URL });
    const [, declined, payment] = await someone.rowsOf('payments');
    const { externalId } = payment;
    const decline = provider === 'stripe' ? [() => payments.fakeStripe.act(externalId, 'decline')] : [];
    const steps = [...decline, ...payOnPage(provider, externalId)];
    const history = await record(someone, [chargeOf(declined), chargeOf(payment)], steps);
    await endsAlike({
      buyer: someone,
      history,
      looks: [look(someone, payment, 0), look(someone, payment, steps.length)],
      confirmedAt: 2,
      ends: {
        plan: 'BASIC',
        payments: [
          ['SUCCEEDED', 1900, 0, fee, null, true],
          ['FAILED', 1900, 0, null, expect.any(String), true],
          ['SUCCEEDED', 1900, 0, fee, null, true],
        ],
        subscriptions: [['ACTIVE', 2, 1, false, 0, false]],
      },
    });
  });

  it('a renewal whose answer was lost', async () => {
    const someone = await subscribed(provider);
    fakeOf(provider).fail('lose_request', /\/(confirm|capture)$/);
    await renew(someone);
    const payment = await someone.lastPayment();
    const { externalId: id } = payment;
    const charge = { id, key: `${id}/again`, methodId: someone.methodId, returnUrl: RETURN_URL };
    const history = await record(someone, [chargeOf(payment)], [() => payments[provider].confirmCharge(charge)]);
    await endsAlike({
      buyer: someone,
      history,
      looks: [look(someone, payment, 0), look(someone, payment, 1)],
      confirmedAt: 1,
      ends: {
        plan: 'BASIC',
        payments: [
          ['SUCCEEDED', 1900, 0, fee, null, true],
          ['SUCCEEDED', 1900, 0, fee, null, true],
        ],
        subscriptions: [['ACTIVE', 2, 1, false, 0, false]],
      },
    });
  });

  it('a subscription that was canceled while its payer paid', async () => {
    const someone = await subscribe(provider);
    const { payment } = someone;
    const { externalId } = payment;
    const amount = { amountMinor: 1900, currency: 'USD' };
    const refund = { key: externalId, reference: ANY_REFERENCE, chargeId: externalId, amount };
    const pay = payOnPage(provider, externalId);
    const { moments, events } = await record(
      someone,
      [chargeOf(someone.payment)],
      [...pay, () => someone.call('/cancel', { at: 'now' }), () => payments[provider].refund(refund)],
    );
    await endsAlike({
      buyer: someone,
      history: { moments, events: events.filter(({ seen }) => seen <= pay.length) },
      looks: [look(someone, payment, pay.length)],
      ends: {
        plan: 'FREE',
        payments: [['SUCCEEDED', 1900, 1900, fee, null, true]],
        refunds: [['SUCCEEDED', 1900, 'DUPLICATE', null]],
        invoices: [['INVOICE', 'VOID', 'PERIOD', 1900, 0, 0, 0, 0]],
        subscriptions: [['CANCELED', 0, expect.any(Number), false, 0, false]],
        grants: null,
      },
    });
  });
});

describe('rules 1 to 5: in every order,', () => {
  it('the capture of an order of PayPal: by its event, by the page that comes back, and by a look', async () => {
    const someone = await buyCredits('paypal');
    const { payment } = someone;
    const history = await record(someone, [chargeOf(payment)], payOnPage('paypal', payment.externalId));
    await endsAlike({
      buyer: someone,
      history,
      looks: [1, 0, 2].map((seen) => look(someone, payment, seen)),
      confirmedAt: 2,
      ends: {
        payments: [['SUCCEEDED', 1000, 0, 40, null, true]],
        grants: [['PAYMENT', 1000, 1000, 0]],
        said: { 'payment.succeeded': 1, 'credits.granted': 1 },
      },
    });
  });

  it('a page of Stripe that ends unpaid', async () => {
    const someone = await buyCredits('stripe');
    const { payment } = someone;
    const { externalId } = payment;
    const history = await record(
      someone,
      [chargeOf(someone.payment)],
      [() => payments.stripe.cancelCharge(externalId)],
    );
    await endsAlike({
      buyer: someone,
      history,
      looks: [0, 0, 1].map((seen) => look(someone, payment, seen)),
      ends: { payments: [['CANCELED', 1000, 0, null, null, true]], grants: null },
    });
  });

  it('a card whose expiry changes often', async () => {
    const someone = await subscribed('stripe');
    const change = (expYear: number) => () =>
      payments.fakeStripe.changeCard(someone.methodId, { expMonth: 1, expYear });
    const history = await record(someone, [], [2031, 2032, 2033, 2034].map(change));
    await endsAlike({ buyer: someone, history, ends: { methods: [['ACTIVE', true, '2034-02-01T00:00:00+00:00']] } });
  });
});

describe('rule 5: credits of a payment', () => {
  it('are given once, and taken back once for each of its refunds and disputes, however often that is said', async () => {
    const { organizationId, payment } = await buyCredits('stripe');
    useNoPayments(app);
    const { settle, reverse } = app.ports.fulfilments.CREDITS!;
    const ctx = within(systemContext(app.ports, 'test'), organizationId);
    const left: unknown[] = [];
    await transaction(ctx, async (ctx) => {
      const row = await PaymentModel.of(ctx).findOne({ id: payment.id }).throwIfNotFound();
      const steps = [
        () => settle(ctx, row),
        () => reverse(ctx, row, 'refund', 300),
        () => reverse(ctx, row, 'dispute_opened', 1000),
        () => reverse(ctx, row, 'dispute_won', 1000),
        () => reverse(ctx, row, 'refund', 500), // of all refunds so far
        () => reverse(ctx, row, 'dispute_lost', 1000),
      ];
      for (const step of steps)
        for (const _ of ['once', 'again']) {
          await step();
          left.push((await stateOf(ctx.db, organizationId, []))['grants']);
        }
    });
    const lefts = [
      [1000, 0],
      [700, 0],
      [0, 700],
      [700, 0],
      [500, 0],
      [0, 0],
    ].map((rest) => [['PAYMENT', 1000, ...rest]]);
    expect(left).toEqual(lefts.flatMap((rest) => [rest, rest]));
  });
});
