import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { addRollups, type InventedCall } from '../../../test/rolled-up-calls.ts';
import { systemContext } from '../../context.ts';
import { sumUpHours } from './service/hours.ts';
import { sumUpSpans } from './service/spans.ts';

const USAGE = '/api/v1/analytics/usage';
const ERRORS = '/api/v1/analytics/errors';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const internal = (person: Person) => app.ports.ids.decode('org', person.organizationId);

async function sumUp(): Promise<void> {
  await sumUpHours(systemContext(app.ports, 'test'), runControl());
  await sumUpSpans(systemContext(app.ports, 'test'), runControl());
}

/** Of a new organization that has made these calls. */
async function organizationWith(calls: readonly InventedCall[], summedUp = true): Promise<Person> {
  const person = await app.signUp();
  await addRollups(app, internal(person), calls);
  if (summedUp) await sumUp();
  return person;
}

async function ask(person: Person, path: string, query: Record<string, string>): Promise<Answer['body']> {
  const { status, body } = await person.request(`${path}?${new URLSearchParams(query)}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

const OCTOBER = { from: '2025-10-25T12:00:00Z', to: '2025-10-27T12:00:00Z' };

describe('usage', () => {
  it('is counted by the days of a time zone, one of which has 25 hours', async () => {
    const ada = await organizationWith([
      { at: '2025-10-25T21:59:00Z', count: 1 }, // 23:59 in Berlin
      { at: '2025-10-25T22:00:00Z', count: 10 }, // midnight
      { at: '2025-10-26T22:59:00Z', count: 100 }, // 23:59, an hour later by the clock of UTC
      { at: '2025-10-26T23:00:00Z', count: 1000 },
    ]);
    const { series, total, ...rest } = await ask(ada, USAGE, { ...OCTOBER, timeZone: 'europe/berlin' });
    expect(rest).toEqual({
      from: '2025-10-24T22:00:00.000Z',
      to: '2025-10-27T23:00:00.000Z',
      interval: 'day',
      timeZone: 'Europe/Berlin',
      environment: 'live',
      groupBy: null,
      completeUntil: null,
    });
    expect(total).toMatchObject({ requests: 1111, errors: 0, bytesIn: 11_110, bytesOut: 111_100, cost: 1111 });
    expect(series).toHaveLength(1);
    const points = series[0].points as { localStart: string; requests: number }[];
    expect(points.map(({ localStart, requests }) => [localStart, requests])).toEqual([
      ['2025-10-25T00:00:00+02:00', 1],
      ['2025-10-26T00:00:00+02:00', 110],
      ['2025-10-27T00:00:00+01:00', 1000],
    ]);
  });

  it.each([
    { interval: 'hour', timeZone: 'UTC' },
    { interval: 'day', timeZone: 'UTC' },
    { interval: 'day', timeZone: 'Europe/Berlin' },
    { interval: 'day', timeZone: 'Asia/Kathmandu' },
  ])('is the same from quarters of an hour and from sums, for %j', async (asked) => {
    const calls: InventedCall[] = [
      { at: '2025-10-25T13:20:00Z', count: 3, latencyUs: 10_000 },
      { at: '2025-10-25T13:50:00Z', count: 4, latencyUs: 20_000, status: 404 },
      { at: '2025-10-25T14:10:00Z', count: 5, latencyUs: 40_000, status: 503 },
    ];
    const query = { ...OCTOBER, ...asked, groupBy: 'status' };
    const quarters = await organizationWith(calls, false);
    const before = await ask(quarters, USAGE, query);
    await sumUp();
    expect(await ask(quarters, USAGE, query)).toEqual(before);
    expect(before.total).toMatchObject({ requests: 12, errors: 9, errorRate: 0.75 });
    expect(before.series.map(({ of, id }: { of: string; id: string }) => [of, id])).toEqual([
      ['status', '503'],
      ['status', '404'],
      ['status', '200'],
    ]);
  });

  it('has percentiles over all that is merged, within a hundredth', async () => {
    const calls = Array.from({ length: 100 }, (_, at) => ({
      at: new Date(Date.UTC(2025, 9, 26) + at * 900_000).toISOString(),
      latencyUs: (at + 1) * 1000,
      procedure: `p${at % 3}`,
    }));
    const ada = await organizationWith(calls);
    const { total } = await ask(ada, USAGE, { ...OCTOBER, groupBy: 'procedure' });
    for (const [field, exact] of [
      ['p50Ms', 50],
      ['p95Ms', 95],
      ['p99Ms', 99],
    ] as const) {
      expect(Math.abs(total[field] - exact)).toBeLessThanOrEqual(exact * 0.01 + 0.001);
    }
  });

  it('names keys, and counts calls with keys of `test` apart', async () => {
    const ada = await app.signUp();
    const make = async (environment: string) =>
      (
        await ada.request('/api/v1/api-keys', {
          method: 'POST',
          body: { name: `=${environment}`, scopes: [], environment },
        })
      ).body.id;
    const [live, test] = [await make('live'), await make('test')];
    const keyId = (id: string) => app.ports.ids.decode('key', id);
    await addRollups(app, internal(ada), [
      { at: '2025-10-26T10:00:00Z', keyId: keyId(live), count: 5 },
      { at: '2025-10-26T10:00:00Z', keyId: keyId(test), environment: 'test', count: 7 },
      { at: '2025-10-26T10:00:00Z', environment: null, count: 2 },
    ]);
    await sumUp();
    const groups = async (environment: string) =>
      (await ask(ada, USAGE, { ...OCTOBER, groupBy: 'key', environment })).series.map(
        ({ of, id, name, total }: Answer['body']) => ({ of, id, name, requests: total.requests }),
      );
    expect(await groups('live')).toEqual([
      { of: 'key', id: live, name: '=live', requests: 5 },
      { of: 'no_key', id: null, name: null, requests: 2 },
    ]);
    expect(await groups('test')).toEqual([{ of: 'key', id: test, name: '=test', requests: 7 }]);
  });

  it('answers ten groups one by one, and the others together', async () => {
    const calls = Array.from({ length: 13 }, (_, at) => ({
      at: '2025-10-26T10:00:00Z',
      procedure: `p${String(at).padStart(2, '0')}`,
      count: 100 - at,
    }));
    const ada = await organizationWith(calls);
    const { series, total } = await ask(ada, USAGE, { ...OCTOBER, groupBy: 'procedure' });
    expect(series).toHaveLength(11);
    expect(series[0]).toMatchObject({ of: 'procedure', id: 'p00', total: { requests: 100 } });
    expect(series.at(-1)).toMatchObject({
      of: 'other',
      id: null,
      total: { requests: 90 + 89 + 88, p50Ms: total.p50Ms },
    });
  });

  it('of another organization is not seen', async () => {
    await organizationWith([{ at: '2025-10-26T10:00:00Z', count: 5 }]);
    const eve = await app.signUp();
    expect(await ask(eve, USAGE, OCTOBER)).toMatchObject({ total: { requests: 0, p50Ms: null }, series: [] });
  });

  it('includes calls that were made a moment ago', async () => {
    const ada = await app.signUp();
    await ada.request('/api/v1/api-keys/key_none');
    const today = { from: new Date().toISOString() };
    await expect.poll(async () => (await ask(ada, USAGE, today)).total.errors, { timeout: 30_000 }).toBe(1);
  });
});

describe('errors', () => {
  it('are those of callers and those of the server, the group with the most first', async () => {
    const ada = await organizationWith([
      { at: '2025-10-26T10:00:00Z', procedure: 'busy', count: 100 },
      { at: '2025-10-26T10:00:00Z', procedure: 'busy', status: 429, count: 4 },
      { at: '2025-10-26T10:00:00Z', procedure: 'broken', status: 500, count: 6 },
      { at: '2025-10-26T10:00:00Z', procedure: 'broken', status: 404, count: 2 },
      { at: '2025-10-26T10:00:00Z', procedure: 'broken', status: 302, count: 2 },
    ]);
    const { total, series } = await ask(ada, ERRORS, { ...OCTOBER, groupBy: 'procedure' });
    expect(total).toMatchObject({ requests: 114, clientErrors: 6, serverErrors: 6, errorRate: 0.105263 });
    expect(series.map(({ id, total }: Answer['body']) => [id, total.clientErrorRate, total.serverErrorRate])).toEqual([
      ['broken', 0.2, 0.6],
      ['busy', 0.038462, 0],
    ]);
  });
});

describe('a range', () => {
  it.each([
    [{ to: OCTOBER.to }, 'time_range_unbounded'],
    [{ from: OCTOBER.to, to: OCTOBER.from }, 'time_range_reversed'],
    [{ from: OCTOBER.from, to: OCTOBER.from }, 'time_range_reversed'],
    [{ from: '2999-01-01T00:00:00Z' }, 'time_range_reversed'],
    [{ from: '2024-01-01T00:00:00Z', to: OCTOBER.to }, 'time_range_too_long'],
    [{ from: '0001-01-01T00:00:00Z', to: '9999-12-31T23:59:59Z' }, 'time_range_too_long'],
    [{ from: '2025-09-01T00:00:00Z', to: OCTOBER.to, interval: 'hour' }, 'too_many_points'],
    [{ ...OCTOBER, timeZone: 'Mars/Olympus' }, 'unknown_time_zone'],
    [{ ...OCTOBER, timeZone: '+01:00' }, 'unknown_time_zone'],
    [{ ...OCTOBER, interval: 'minute' }, 'invalid_input'],
    [{ ...OCTOBER, groupBy: 'user' }, 'invalid_input'],
    [{ ...OCTOBER, environment: 'prod' }, 'invalid_input'],
    [{ ...OCTOBER, from: 'yesterday' }, 'invalid_input'],
  ] as [Record<string, string>, string][])('of %j is refused with %s', async (query, code) => {
    const ada = await app.signUp();
    for (const path of [USAGE, ERRORS]) {
      const { status, body } = await ada.request(`${path}?${new URLSearchParams(query)}`);
      expect([status, body.code]).toEqual([400, code]);
    }
  });

  it('may lie in years that no clock has shown', async () => {
    const ada = await app.signUp();
    for (const from of ['0001-01-03T00:00:00Z', '9999-12-29T00:00:00Z']) {
      const to = from.replace(/-(\d\d)T/, (_, day) => `-${String(Number(day) + 1).padStart(2, '0')}T`);
      expect(await ask(ada, USAGE, { from, to, timeZone: 'Asia/Kathmandu' })).toMatchObject({ series: [] });
    }
  });
});

describe('sums of hours', () => {
  it('are made anew when a late call changes their roll-ups', async () => {
    const ada = await organizationWith([{ at: '2025-10-26T10:00:00Z', count: 5 }]);
    await addRollups(app, internal(ada), [{ at: '2025-10-26T10:40:00Z', count: 2 }]);
    expect((await ask(ada, USAGE, OCTOBER)).total.requests).toBe(7);
    await sumUp();
    expect((await ask(ada, USAGE, OCTOBER)).total.requests).toBe(7);
    await app
      .rows('usage_rollups')
      .where({ organizationId: internal(ada) })
      .delete();
    await sumUp();
    for (const table of ['usage_hours', 'usage_spans'])
      expect(await app.rows(table).where({ organizationId: internal(ada) })).toEqual([]);
  });

  it('miss nothing that is rolled up while they are made', async () => {
    const ada = await app.signUp();
    await addRollups(app, internal(ada), [{ at: '2025-10-26T10:00:00Z', count: 5 }]);
    const row = {
      organizationId: internal(ada),
      slot: new Date('2025-10-26T10:15:00Z'),
      procedure: 'late',
      status: 200,
    };
    const zero = { errors: 0, bytesIn: 0, bytesOut: 0, cost: 0, latencyBins: [], latencyCounts: [] };
    const rollingUp = await app.rows.transaction();
    await rollingUp('usage_rollups').insert({ ...row, ...zero, environment: 'live', calls: 2 });
    await sumUp(); // the hour was marked before, and its last quarter is not committed
    await rollingUp.commit();
    await sumUp();
    expect((await ask(ada, USAGE, OCTOBER)).total.requests).toBe(7);
  });
});
