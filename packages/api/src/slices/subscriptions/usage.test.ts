import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, type TestOrganization } from '../../../test/organization.ts';
import { addRollups } from '../../../test/rolled-up-calls.ts';
import { systemContext, within } from '../../context.ts';
import { transaction } from '../../data/transaction.ts';
import { SubscriptionCreated } from './events.ts';
import { SubscriptionModel } from './model.ts';
import { advancePeriod } from './service/advance-period.ts';
import { end } from './service/cancel.ts';
import { applyChange } from './service/change.ts';
import { begin, lockSubscription, move, type TenantContext } from './service/move.ts';
import { runDue } from './service/run-due.ts';

let app: TestApp;
let ada: Person;
let org: TestOrganization;
let subscriptionId: number;

/** Far ahead, where the server itself finds nothing due. */
const START = '2096-03-10T12:00:00Z';
const METERED = [
  { meter: null, amountMinor: 250, unitSize: 1000 },
  { meter: 'tokens', amountMinor: 3, unitSize: 100 },
];

beforeAll(async () => {
  app = await startApp({ DEFAULT_PLAN: 'FREE' });
  ada = await app.signUp();
  // Prices of another currency, so that those of the migrations stay as they are.
  for (const [plan, amountMinor] of [
    ['BASIC', 20_000],
    ['PRO', 90_000],
  ] as const)
    await app.rows('prices').insert({
      plan,
      interval: 'year',
      currency: 'CHF',
      amountMinor,
      usage: JSON.stringify(plan === 'BASIC' ? METERED : [{ meter: null, amountMinor: 100, unitSize: 1000 }]),
      createdAt: new Date(START),
    });
});
afterAll(async () => {
  await app
    .rows('prices')
    .where({ currency: 'CHF' })
    .update({ archivedAt: new Date(START) });
  for (const name of partitions) await app.rows.raw(`drop table ${name}`);
  await app.close();
});
beforeEach(async () => {
  org = await makeOrganization(app, ada);
  subscriptionId = await subscribed(at(START));
});

const inOrganization = (): TenantContext => within(systemContext(app.ports, 'test'), org.organizationId);
const at = (now: string): TenantContext => ({
  ...inOrganization(),
  now: new Date(now),
});
/** All that is due then. A run leaves what another has locked, such as the job that renders an invoice, to the next. */
const run = (now: string) =>
  eventually(async () => {
    await runDue({ ...systemContext(app.ports, 'test'), now: new Date(now) }, runControl());
    for (const table of ['subscriptions', 'usage_periods']) {
      const due = app.rows(table).where({ organizationId: org.organizationId }).where('dueAt', '<=', new Date(now));
      if (await due.first()) return undefined;
    }
    return true;
  }, 'all that is due');
const priceOf = async (plan: string): Promise<number> =>
  (await app.rows('prices').where({ plan, interval: 'year', currency: 'CHF' }).first()).id;

/** A year, which begins now, and is paid now or later. */
async function subscribed(now: TenantContext, paidAt = now.now): Promise<number> {
  const priceId = await priceOf('BASIC');
  return transaction(now, async (ctx) => {
    const row = await begin(
      ctx,
      {
        status: 'INCOMPLETE',
        priceId,
        quantity: 1,
        provider: 'manual',
        returnUrl: 'http://127.0.0.1:8000/back',
        anchorAt: ctx.now,
        periodIndex: -1,
        cycle: 0,
        creditsIndex: 0,
        periodStart: ctx.now,
        periodEnd: ctx.now,
        trialEnd: null,
        trialNoticedAt: null,
        cancelAt: null,
        endedAt: null,
        pastDueSince: null,
        dunningStep: 0,
        renewalInvoiceId: null,
        changeExpiresAt: null,
        creditsDueAt: null,
        createdAt: ctx.now,
        updatedAt: ctx.now,
      },
      SubscriptionCreated,
    );
    return (await advancePeriod({ ...ctx, now: paidAt }, row)).id;
  });
}

const called = (count: number, moment = '2096-03-20T12:00:00Z', more: object = {}) =>
  addRollups(app, org.organizationId, [{ at: moment, keyId: 1, count, ...more }]);

async function meter(slug: string, aggregation: string): Promise<number> {
  const row = { organizationId: org.organizationId, slug, name: 'Tokens', aggregation, createdAt: new Date(START) };
  const [{ id }] = await app.rows('meters').insert(row).returning('id');
  return id;
}
/** Days so far ahead have none. */
const partitions = new Set<string>();
async function addPartition(day: string): Promise<void> {
  const name = `usage_events_${day.replaceAll('-', '')}`;
  if (partitions.has(name)) return;
  partitions.add(name);
  const next = new Date(Date.parse(day) + 86_400_000).toISOString();
  await app.rows.raw(`create table ${name} partition of usage_events for values from ('${day}Z') to ('${next}')`);
}
let events = 0;
async function metered(meterId: number, value: string, occurredAt: string, environment = 'live'): Promise<void> {
  if (occurredAt.startsWith('2096')) await addPartition(occurredAt.slice(0, 10));
  const of = { organizationId: org.organizationId, meterId, transactionId: `t${(events += 1)}`, environment };
  await app.rows('usage_events').insert({ ...of, value, occurredAt: new Date(occurredAt) });
}

const usageInvoices = () =>
  app.rows('invoices').where({ organizationId: org.organizationId, reason: 'USAGE' }).orderBy('id');
const linesOf = async () => {
  const lines = await app
    .rows('invoice_lines')
    .where({ organizationId: org.organizationId, kind: 'USAGE' })
    .orderBy('id');
  return lines.map(({ quantity, unitMinor, unitSize, amountMinor, periodStart, periodEnd }) => ({
    quantity,
    unitMinor,
    unitSize,
    amountMinor,
    from: periodStart.toISOString(),
    to: periodEnd.toISOString(),
  }));
};

describe('the usage of a month', () => {
  it('is due at once, and not late, where the first payment came after it was to be billed', async () => {
    org = await makeOrganization(app, ada);
    const paidAt = new Date('2096-04-04T12:00:00Z');
    await subscribed(at(START), paidAt);
    const [period] = await app.rows('usage_periods').where({ organizationId: org.organizationId });
    expect(period).toMatchObject({ toAt: new Date('2096-04-01T00:00:00Z'), dueAt: paidAt });
  });

  it('is billed once, a day and an hour after its end, because events come a day late', async () => {
    const tokens = await meter('tokens', 'sum');
    await called(102_500);
    await called(10_000, '2096-03-20T12:00:00Z', { environment: 'test', keyId: 2 });
    await called(500, '2096-03-20T12:00:00Z', { environment: null, keyId: 0 });
    await metered(tokens, '1000.75', '2096-03-31T23:59:59Z');
    await metered(tokens, '5000', '2096-03-31T12:00:00Z', 'test');
    await metered(tokens, '700', '2096-04-01T00:00:00Z');
    await run('2096-04-01T12:00:00Z');
    // It is late, and comes before the month is closed.
    await metered(tokens, '250.5', '2096-03-31T13:00:00Z');
    await run('2096-04-02T00:59:00Z');
    expect(await usageInvoices()).toEqual([]);
    await run('2096-04-02T01:00:00Z');
    await run('2096-04-02T01:01:00Z');
    expect(await usageInvoices()).toMatchObject([
      { status: 'OPEN', periodKey: '2096-03', subtotalMinor: 663, currency: 'CHF', collection: 'MANUAL' },
    ]);
    const [from, to] = ['2096-03-10T12:00:00.000Z', '2096-04-01T00:00:00.000Z'];
    // 2,500 × 2.50 / 1,000 = 6.25, and 1,251 × 0.03 / 100 = 0.3753.
    expect(await linesOf()).toEqual([
      { quantity: 2500, unitMinor: 250, unitSize: 1000, amountMinor: 625, from, to },
      { quantity: 1251, unitMinor: 3, unitSize: 100, amountMinor: 38, from, to },
    ]);
  });

  it('without any beyond the plan makes no line and no invoice, and the next month is billed by itself', async () => {
    await called(100_000);
    await called(100_001, '2096-04-20T12:00:00Z');
    await run('2096-04-02T01:00:00Z');
    expect(await usageInvoices()).toEqual([]);
    await run('2096-05-02T01:00:00Z');
    // A single call costs less than half of the smallest unit.
    expect(await usageInvoices()).toEqual([]);
    await called(102_000, '2096-05-20T12:00:00Z');
    await run('2096-06-02T01:00:00Z');
    expect(await usageInvoices()).toMatchObject([{ periodKey: '2096-05', subtotalMinor: 500 }]);
  });

  it('rule 45: waits while some calls are not counted, because unknown is not zero', async () => {
    await called(103_000);
    const slot = new Date('2096-03-20T12:00:00Z');
    await app.rows('usage_pending_slots').insert({ slot, batchId: 1 });
    try {
      await run('2096-04-02T01:00:00Z');
      expect(await usageInvoices()).toEqual([]);
    } finally {
      await app.rows('usage_pending_slots').where({ slot }).delete();
    }
    await run('2096-04-02T01:09:00Z');
    expect(await usageInvoices()).toEqual([]);
    await run('2096-04-02T01:10:00Z');
    expect(await usageInvoices()).toMatchObject([{ subtotalMinor: 750 }]);
  });

  it('counts by each plan from the moment of a change on, and bills both', async () => {
    const tokens = await meter('tokens', 'sum');
    await called(101_000, '2096-03-15T12:00:00Z');
    await metered(tokens, '100', '2096-03-15T12:00:00Z');
    const priceId = await priceOf('PRO');
    await transaction(at('2096-03-20T12:00:00Z'), async (ctx) => {
      const row = (await lockSubscription(ctx, subscriptionId))!;
      const change = {
        changes: 1,
        changePriceId: priceId,
        changeQuantity: 1,
        changeAt: ctx.now,
        changeInvoiceId: 1,
        changeExpiresAt: new Date('2096-03-21T00:00:00Z'),
      };
      await applyChange(ctx, await move(ctx, row, change));
    });
    await called(900_000, '2096-03-25T12:00:00Z');
    await metered(tokens, '100', '2096-03-25T12:00:00Z');
    await run('2096-04-02T01:00:00Z');
    const changed = '2096-03-20T12:00:00.000Z';
    expect(await linesOf()).toEqual([
      // Of the first plan 1,000 are beyond 100,000; of the second 1,000 beyond 1,000,000, which costs less.
      {
        quantity: 1000,
        unitMinor: 250,
        unitSize: 1000,
        amountMinor: 250,
        from: '2096-03-10T12:00:00.000Z',
        to: changed,
      },
      {
        quantity: 1000,
        unitMinor: 100,
        unitSize: 1000,
        amountMinor: 100,
        from: changed,
        to: '2096-04-01T00:00:00.000Z',
      },
      // The second plan does not price tokens.
      { quantity: 100, unitMinor: 3, unitSize: 100, amountMinor: 3, from: '2096-03-10T12:00:00.000Z', to: changed },
    ]);
  });

  it('of which the subscription ends is billed up to its end, and none after it', async () => {
    await called(104_000, '2096-03-12T12:00:00Z');
    await called(50_000, '2096-03-20T12:00:00Z');
    await transaction(at('2096-03-15T12:00:00Z'), async (ctx) => {
      const row = (await lockSubscription(ctx, subscriptionId))!;
      await end(ctx, row, { status: 'CANCELED', at: ctx.now });
    });
    await run('2096-03-16T12:59:00Z');
    expect(await usageInvoices()).toEqual([]);
    await run('2096-03-16T13:00:00Z');
    expect(await usageInvoices()).toMatchObject([{ subtotalMinor: 1000, periodKey: '2096-03' }]);
    expect(await linesOf()).toMatchObject([{ quantity: 4000, to: '2096-03-15T12:00:00.000Z' }]);
    await run('2096-06-02T01:00:00Z');
    expect(await usageInvoices()).toHaveLength(1);
    expect(await app.rows('usage_periods').where({ organizationId: org.organizationId, closedAt: null })).toEqual([]);
  });

  it('is billed for each month in order after a long pause', async () => {
    for (const month of ['03', '04', '05']) await called(101_000, `2096-${month}-20T12:00:00Z`);
    await run('2096-06-02T01:00:00Z');
    expect((await usageInvoices()).map(({ periodKey }: { periodKey: string }) => periodKey)).toEqual([
      '2096-03',
      '2096-04',
      '2096-05',
    ]);
  });

  it('is exact where a number of floating point is not, and never more than an invoice can say', async () => {
    const tokens = await meter('tokens', 'sum');
    await metered(tokens, '999999999999.999999', '2096-03-20T12:00:00Z');
    await run('2096-04-02T01:00:00Z');
    expect(await linesOf()).toMatchObject([{ quantity: 999_999_999_999, amountMinor: 30_000_000_000 }]);
    for (let more = 0; more < 3; more++) await metered(tokens, '1000000000000', '2096-04-20T12:00:00Z');
    await run('2096-05-02T01:00:00Z');
    expect((await linesOf()).at(-1)).toMatchObject({ quantity: 1e12, amountMinor: 30_000_000_000 });
  });

  it('of a maximum is that of the whole month', async () => {
    const tokens = await meter('tokens', 'max');
    await metered(tokens, '300', '2096-03-20T12:00:00Z');
    await metered(tokens, '200', '2096-03-25T12:00:00Z');
    await run('2096-04-02T01:00:00Z');
    expect(await linesOf()).toMatchObject([{ quantity: 300, amountMinor: 9 }]);
  });

  it('that is not paid is asked for on some days after it is due, and then no more', async () => {
    await called(200_000);
    await run('2096-04-02T01:00:00Z');
    const [{ dueAt }] = await usageInvoices();
    const after = (days: number) => new Date(dueAt.getTime() + days * 86_400_000).toISOString();
    const asked = async (): Promise<number> =>
      (await app.rows('events').where({ organizationId: org.organizationId, type: 'subscription.mailed' })).length;
    for (const [n, day] of [1, 3, 5, 7, 14].entries()) {
      await run(after(day));
      expect([day, await asked()]).toEqual([day, n + 1]);
    }
    expect(await usageInvoices()).toMatchObject([{ status: 'OPEN' }]);
    await run(after(15));
    expect(await usageInvoices()).toMatchObject([{ status: 'UNCOLLECTIBLE' }]);
    expect(await asked()).toBe(5);
  });
});

describe('prices of usage', () => {
  it('are shown with the plans, and never change', async () => {
    const { items } = (await app.request('/api/v1/subscriptions/plans')).body;
    const basic = items.find(({ code }: { code: string }) => code === 'BASIC');
    const franc = (amountMinor: number) => ({ amountMinor, currency: 'CHF' });
    expect(
      basic.prices.find(({ amount }: { amount: { currency: string } }) => amount.currency === 'CHF').usage,
    ).toEqual([
      { meter: null, unitPrice: franc(250), unitSize: 1000 },
      { meter: 'tokens', unitPrice: franc(3), unitSize: 100 },
    ]);
    await expect(app.rows('prices').where({ currency: 'CHF' }).update({ usage: '[]' })).rejects.toThrow(
      'never changes',
    );
  });

  it.each([
    '{}',
    '[{"meter":null,"amountMinor":0,"unitSize":1}]',
    '[{"meter":null,"amountMinor":1.5,"unitSize":1}]',
    '[{"meter":null,"amountMinor":1}]',
    '[{"amountMinor":1,"unitSize":1}]',
    '[{"meter":"No Slug","amountMinor":1,"unitSize":1}]',
    '[{"meter":null,"amountMinor":1,"unitSize":1},{"meter":null,"amountMinor":2,"unitSize":1}]',
  ])('are refused by the database: %s', async (usage) => {
    const row = { plan: 'FREE', interval: 'year', currency: 'SEK', amountMinor: 1, usage, createdAt: new Date(START) };
    await expect(app.rows('prices').insert(row)).rejects.toThrow('check');
  });

  it('are in the preview, and in the summary with what was used so far', async () => {
    org = await makeOrganization(app, ada);
    await subscribed(inOrganization());
    const as = org.as(ada);
    const preview = await as('/api/v1/subscriptions/preview', { method: 'POST', body: { plan: 'PRO' } });
    expect(preview.body.usage).toEqual([
      { meter: null, unitPrice: { amountMinor: 100, currency: 'CHF' }, unitSize: 1000 },
    ]);
    const tokens = await meter('tokens', 'sum');
    await metered(tokens, '120', app.ports.clock.now().toISOString());
    const { usage } = (await as('/api/v1/subscriptions/usage-summary')).body;
    expect(usage.total.currency).toBe('CHF');
    expect(usage.items).toMatchObject([
      { meter: null, unitSize: 1000, quantity: 0, amount: { amountMinor: 0 } },
      { meter: 'tokens' },
    ]);
  });

  it('are none of what nobody pays for', async () => {
    const other = await makeOrganization(app, ada);
    const { usage } = (await other.as(ada)('/api/v1/subscriptions/usage-summary')).body;
    expect(usage).toEqual({ items: [], total: null });
    expect(await SubscriptionModel.of({ ...at(START), organization: { id: other.organizationId } })).toEqual([]);
  });
});
