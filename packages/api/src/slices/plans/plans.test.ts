import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startApp, type TestApp } from '../../../test/app.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ DEFAULT_PLAN: 'FREE' });
});
afterAll(() => app.close());

const sql = (text: string, ...values: string[]) => app.rows.raw(text, values);

describe('plans', () => {
  it('are listed for everyone, from the smallest to the largest, with a price for each interval and currency', async () => {
    const { status, body } = await app.request('/api/v1/subscriptions/plans');
    expect(status).toBe(200);
    const named = body.items.map(({ code, prices }: { code: string; prices: object[] }) => [code, prices.length]);
    expect(named).toEqual([
      ['FREE', 0],
      ['BASIC', 4],
      ['PRO', 4],
      ['ENTERPRISE', 4],
    ]);
    expect(body.items[1]).toMatchObject({
      limits: { perHour: 1000, perDay: 10_000, sockets: 100, subscriptions: 200 },
      includedCallsPerMonth: 100_000,
      overage: 'bill',
    });
    expect(body.items[1].prices).toContainEqual({
      id: expect.stringMatching(/^prc_/),
      interval: 'year',
      amount: { amountMinor: 19_000, currency: 'EUR' },
      usage: [{ meter: null, unitPrice: { amountMinor: 40, currency: 'EUR' }, unitSize: 1000 }],
    });
  });

  it('and prices are archived, never deleted, and a price never changes', async () => {
    for (const statement of [
      'delete from prices',
      'truncate prices cascade',
      'delete from plans',
      'truncate plans cascade',
      "update prices set amount_minor = 1 where plan = 'PRO'",
      "update prices set currency = 'CHF' where plan = 'PRO'",
    ])
      await expect(sql(statement)).rejects.toThrow(/archive|never|keep/);
  });

  it('have one live price for each interval and currency', async () => {
    const add = () =>
      sql(
        "insert into prices (plan, interval, currency, amount_minor, created_at) values ('FREE', 'month', 'GBP', 1, now())",
      );
    await add();
    await expect(add()).rejects.toThrow('prices_live_unique');
    await sql("update prices set archived_at = now() where plan = 'FREE'");
    await add();
    await sql("update prices set archived_at = now() where plan = 'FREE'");
    const { body } = await app.request('/api/v1/subscriptions/plans');
    expect(body.items[0].prices).toEqual([]);
  });

  it('can be changed by the owner of the database alone', async () => {
    for (const statement of ["update plans set name = 'x'", 'update prices set archived_at = now()'])
      await expect(app.ports.database.raw(statement)).rejects.toThrow('permission denied');
  });
});

describe('what a plan includes', () => {
  const limitOf = async (request: (path: string) => Promise<{ body: { limits: { name: string }[] } }>) =>
    (await request('/api/v1/entitlements')).body.limits.find(({ name }) => name === 'plan-hour');

  it('counts for the organizations that have it, with what decided it', async () => {
    const ada = await app.signUp();
    expect(await limitOf(ada.request)).toMatchObject({ limit: 100, because: '100/h because plan FREE' });
    const organizationId = app.ports.ids.decode('org', ada.organizationId);
    await app.rows('organizations').where({ id: organizationId }).update({ plan: 'BASIC' });
    const changed = await eventually(async () => {
      const limit = await limitOf(ada.request);
      return limit && 'limit' in limit && limit.limit === 1000 ? limit : undefined;
    }, 'the plan to count');
    expect(changed).toMatchObject({ because: '1,000/h because plan BASIC' });
  });

  it('counts for callers that are known already once it was changed, without a query for each call', async () => {
    const ada = await app.signUp();
    const before = await limitOf(ada.request);
    expect(before).toMatchObject({ limit: 100 });
    await sql(`update plans set terms = terms || '{"perHour": 123}' where code = 'FREE'`);
    try {
      const changed = await eventually(async () => {
        const limit = await limitOf(ada.request);
        return limit && 'limit' in limit && limit.limit === 123 ? limit : undefined;
      }, 'the new limit to count');
      expect(changed).toMatchObject({ because: '123/h because plan FREE' });
    } finally {
      await sql(`update plans set terms = terms || '{"perHour": 100}' where code = 'FREE'`);
    }
  });
});
