import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Person, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, type TestOrganization } from '../../../test/organization.ts';
import { addRollups } from '../../../test/rolled-up-calls.ts';
import { systemContext, within } from '../../context.ts';
import { InvoiceLineModel, InvoiceModel } from './model.ts';
import { billUsage } from './service/usage.ts';

const MONTH = new Date('2026-03-01T00:00:00Z');
const AFTERWARDS = new Date('2026-04-01T02:00:00Z');
const PRO = { included: 1000, perThousandMinor: 250, currency: 'EUR', collection: 'AUTOMATIC' } as const;

let app: TestApp;
let ada: Person;
let org: TestOrganization;

beforeAll(async () => {
  app = await startApp();
  ada = await app.signUp();
});
beforeEach(async () => {
  org = await makeOrganization(app, ada);
  await app.rows('usage_pending_slots').delete();
});
afterAll(() => app.close());

const of = () => ({ ...within(systemContext(app.ports, 'test'), org.organizationId), now: AFTERWARDS });
const bill = (now = AFTERWARDS) => billUsage({ ...of(), now }, { ...PRO, subscriptionId: 7, month: MONTH });
const called = (count: number, more: object = {}) =>
  addRollups(app, org.organizationId, [{ at: '2026-03-10T12:00:00Z', keyId: 1, count, ...more }]);
const invoices = () => InvoiceModel.of(of());

describe('calls beyond a plan', () => {
  it('are billed once for the month, by what a thousand cost', async () => {
    await called(3000);
    await called(10_000, { environment: 'test', keyId: 2 });
    await called(500, { environment: null, keyId: 0 });
    await called(10_000, { at: '2026-04-01T00:00:00Z' });
    await called(500, { at: '2026-03-31T23:45:00Z' });
    expect(await bill()).toMatchObject({ reason: 'USAGE', periodKey: '2026-03', subtotalMinor: 625 });
    const [line] = await InvoiceLineModel.of(of());
    expect(line).toMatchObject({ kind: 'USAGE', quantity: 2500, periodStart: MONTH });
    await called(9000, { at: '2026-03-11T12:00:00Z' });
    await bill();
    expect(await invoices()).toMatchObject([{ subtotalMinor: 625 }]);
  });

  it('that are none, or cost less than the smallest unit, make no invoice', async () => {
    await called(1000);
    expect(await bill()).toBeNull();
    await called(1, { at: '2026-03-11T12:00:00Z' });
    expect(await bill()).toBeNull();
    expect(await invoices()).toEqual([]);
  });

  it('rule 45: wait while some are not counted, because unknown is not zero', async () => {
    await called(3000);
    await app.rows('usage_pending_slots').insert({ slot: new Date('2026-03-20T12:00:00Z'), batchId: 1 });
    expect(await bill()).toBe('WAITS');
    expect(await invoices()).toEqual([]);
    await app.rows('usage_pending_slots').delete();
    expect(await bill()).toMatchObject({ subtotalMinor: 500 });
  });

  it('rule 45: wait until the month is over, and what was stored late has come', async () => {
    await called(3000);
    expect(await bill(new Date('2026-03-31T23:59:59Z'))).toBe('WAITS');
    expect(await bill(new Date('2026-04-01T00:30:00Z'))).toBe('WAITS');
    expect(await invoices()).toEqual([]);
  });

  it('rule 45: are no invoice where they cannot be read', async () => {
    await called(3000);

    await app.rows.raw('alter table usage_rollups rename to usage_rollups_away');
    try {
      await expect(bill()).rejects.toThrow('usage_rollups');
    } finally {
      await app.rows.raw('alter table usage_rollups_away rename to usage_rollups');
    }
    expect(await invoices()).toEqual([]);
  });
});
