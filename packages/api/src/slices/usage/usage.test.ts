import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { usageCall } from '../../../test/usage-calls.ts';
import { systemContext } from '../../context.ts';
import type { UsageCall } from '../../pipeline/usage-log.ts';
import { sumUpHours } from '../analytics/service/hours.ts';
import { sumUpSpans } from '../analytics/service/spans.ts';
import { createPostgresSink } from './postgres-sink.ts';
import { rollUp } from './service/roll-up.ts';

const KEYS = '/api/v1/api-keys';
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Noon of the day before yesterday, of which calls can still be written. */
const NOON = Math.floor(Date.now() / DAY_MS) * DAY_MS - 1.5 * DAY_MS;

let app: TestApp;
let ada: Person;
let key: { id: string; secret: string };

beforeAll(async () => {
  app = await startApp({ USAGE_FLUSH_MS: '10' });
});
beforeEach(async () => {
  ada = await app.signUp();
  key = await createKey();
});
afterAll(() => app.close());

async function createKey(fields: object = {}): Promise<{ id: string; secret: string }> {
  const body = { name: 'CI', scopes: ['api_keys:read'], ...fields };
  return (await ada.request(KEYS, { method: 'POST', body })).body;
}

/** Calls with the key, at these times. */
const write = (...calls: (Partial<UsageCall> & { at: number })[]) =>
  createPostgresSink(app.ports.database).write(
    calls.map(({ at, ...fields }) =>
      usageCall({
        organizationId: app.ports.ids.decode('org', ada.organizationId),
        keyId: app.ports.ids.decode('key', key.id),
        occurredAt: new Date(at),
        ...fields,
      }),
    ),
  );
const runRollUp = () => rollUp(systemContext(app.ports, 'test'), runControl());
async function sumUp(): Promise<void> {
  await sumUpHours(systemContext(app.ports, 'test'), runControl());
  await sumUpSpans(systemContext(app.ports, 'test'), runControl());
}
const iso = (ms: number) => new Date(ms).toISOString();
const ofKey = (query: Record<string, string> = {}) =>
  ada.request(`${KEYS}/${key.id}/usage?${new URLSearchParams(query)}`);
const ofOrganization = (query: Record<string, string> = {}) =>
  ada.request(`/api/v1/organizations/${ada.organizationId}/usage?${new URLSearchParams(query)}`);
const calls = ({ body }: { body: { series: { at: string; calls: number }[] } }) =>
  body.series.filter((part) => part.calls > 0).map(({ at, calls }) => [at, calls]);

describe('the usage of a key', () => {
  it('has the calls of each day of 30, without a range, a few moments after they were made', async () => {
    for (let at = 0; at < 3; at++) await app.request(`${KEYS}?limit=1`, { headers: { 'x-api-key': key.secret } });
    const { body } = await eventually(async () => {
      const answer = await ofKey();
      return answer.body.total.calls === 3 ? answer : undefined;
    }, 'three calls');
    expect(body).toMatchObject({ keyId: key.id, interval: 'day', timeZone: 'UTC', total: { errors: 0 } });
    expect(body.series).toHaveLength(31);
    expect(body.series[0].at).toBe(body.from);
    expect(body.series.at(-1)).toMatchObject({ at: iso(Math.floor(Date.now() / DAY_MS) * DAY_MS), calls: 3 });
  });

  it('is the same before and after calls are rolled up, and while a late one is not', async () => {
    await write({ at: NOON, bytesOut: 100, cost: 2 }, { at: NOON + 1, status: 404, bytesIn: 7 });
    const range = { from: iso(NOON - HOUR_MS), to: iso(NOON + HOUR_MS), interval: 'hour' };
    const before = (await ofKey(range)).body;
    expect(before.total).toEqual({ calls: 2, errors: 1, bytesIn: 7, bytesOut: 612, cost: 2 });
    await runRollUp();
    expect((await ofKey(range)).body).toEqual(before);
    await write({ at: NOON + 2 });
    expect((await ofKey(range)).body.total.calls).toBe(3);
    await runRollUp();
    expect((await ofKey(range)).body.total.calls).toBe(3);
  });

  it('has only the calls of this key, by quarters of an hour', async () => {
    const other = await createKey();
    await write(
      { at: NOON - 1 },
      { at: NOON },
      { at: NOON + 899_999 },
      { at: NOON + 900_000 },
      { at: NOON, keyId: app.ports.ids.decode('key', other.id) },
      { at: NOON, keyId: null, environment: null },
    );
    const query = { from: iso(NOON + 60_000), to: iso(NOON + 600_000), interval: 'hour' };
    for (const step of [async () => {}, runRollUp, sumUp]) {
      await step();
      const answer = await ofKey(query);
      expect(answer.body).toMatchObject({ from: iso(NOON), to: iso(NOON + 900_000) });
      expect(calls(answer)).toEqual([[iso(NOON), 2]]);
    }
  });

  it('counts by the days and hours of a time zone', async () => {
    await write({ at: NOON }, { at: NOON + 6 * HOUR_MS + 900_000 }, { at: NOON + 7 * HOUR_MS });
    const range = { from: iso(NOON), to: iso(NOON + 8 * HOUR_MS) };
    // In Nepal, 5:45 ahead, the day ends at 18:15 UTC.
    const midnight = NOON + 6 * HOUR_MS + 900_000;
    const expected = [
      [iso(NOON), 1],
      [iso(midnight), 2],
    ];
    for (const interval of ['day', 'hour'])
      expect(calls(await ofKey({ ...range, timeZone: 'Asia/Kathmandu', interval }))).toEqual(expected);
    for (const step of [runRollUp, sumUp]) {
      await step();
      expect(calls(await ofKey({ ...range, timeZone: 'Asia/Kathmandu' }))).toEqual(expected);
    }
  });

  it.each([
    ['Europe/Berlin', '2026-03-27T23:00:00Z', '2026-03-30T22:00:00Z', [24, 23, 24]],
    ['Europe/Berlin', '2026-10-23T22:00:00Z', '2026-10-26T23:00:00Z', [24, 25, 24]],
    ['America/New_York', '2026-03-07T05:00:00Z', '2026-03-10T04:00:00Z', [24, 23, 24]],
    ['Australia/Lord_Howe', '2026-04-03T13:00:00Z', '2026-04-06T13:30:00Z', [24, 24.5, 24]],
  ])('has days of %s as long as their dates, from %s', async (timeZone, from, to, hours) => {
    const { body } = await ofKey({ from, to, timeZone });
    const starts: number[] = body.series.map(({ at }: { at: string }) => Date.parse(at));
    const ends = [...starts.slice(1), Date.parse(to)];
    expect(starts.map((start, at) => (ends[at]! - start) / HOUR_MS)).toEqual(hours);
  });

  it('is not found by strangers, nor for a key of others', async () => {
    const eve = await app.signUp();
    expect((await eve.request(`${KEYS}/${key.id}/usage`)).status).toBe(404);
  });

  it.each([
    [
      'an end before the beginning',
      { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' },
      'time_range_reversed',
    ],
    ['an empty range', { from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }, 'time_range_reversed'],
    ['a beginning in the future', { from: '2990-01-01T00:00:00Z' }, 'time_range_reversed'],
    ['all time', { from: '0001-01-01T00:00:00Z' }, 'time_range_too_long'],
    ['all time to come', { from: '2026-01-01T00:00:00Z', to: '9999-12-31T00:00:00Z' }, 'time_range_too_long'],
    [
      'a year of hours',
      { from: '2026-01-01T00:00:00Z', to: '2026-12-31T00:00:00Z', interval: 'hour' },
      'time_range_too_long',
    ],
    ['a zone that does not exist', { timeZone: 'Mars/Olympus' }, 'unknown_time_zone'],
    ['an offset', { timeZone: '+01:00' }, 'unknown_time_zone'],
    ['a rule of POSIX', { timeZone: 'XYZ-5' }, 'unknown_time_zone'],
    ['a path', { timeZone: '../../etc/passwd' }, 'unknown_time_zone'],
    ['another interval', { interval: 'week' }, 'invalid_input'],
    ['no date', { from: 'yesterday' }, 'invalid_input'],
  ])('refuses %s', async (_, query, code) => {
    const { status, body } = await ofKey(query);
    expect([status, body.code]).toEqual([400, code]);
  });

  it('answers for the earliest and the latest year that can be written', async () => {
    for (const timeZone of ['UTC', 'Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
      const early = { from: '0001-01-01T00:00:00Z', to: '0001-01-03T00:00:00Z', timeZone };
      expect((await ofKey(early)).status).toBe(200);
      const late = { from: '9999-12-30T00:00:00Z', to: '9999-12-31T23:59:59Z', timeZone };
      expect((await ofKey(late)).status).toBe(200);
    }
  });
});

describe('the usage of an organization', () => {
  it('has its calls of the month by environment, and the limits of its plan', async () => {
    const test = await createKey({ environment: 'test' });
    const testKey = app.ports.ids.decode('key', test.id);
    const at = Date.now();
    await write(
      { at, bytesOut: 10 },
      { at, bytesOut: 10, status: 429 },
      { at, keyId: testKey, environment: 'test', bytesOut: 10 },
      { at, procedure: 'verify', transport: 'verify', bytesOut: 0 }, // asked for with another key
    );
    // The call that created the key had none: it is written with the next batch.
    const body = await eventually(async () => {
      const answer = await ofOrganization();
      return answer.body.withoutKey.calls > 0 ? answer.body : undefined;
    }, 'the calls without a key');
    const now = new Date(at);
    expect(body).toMatchObject({
      organizationId: ada.organizationId,
      from: iso(Date.UTC(now.getUTCFullYear(), now.getUTCMonth())),
      live: { calls: 3, errors: 1, bytesIn: 0, bytesOut: 20, cost: 0 },
      test: { calls: 1, errors: 0, bytesIn: 0, bytesOut: 10, cost: 0 },
      plan: 'ENTERPRISE',
    });
    expect(body.limits).toEqual([
      { name: 'plan-hour', limit: 50_000, windowS: 3600, calls: 2 },
      { name: 'plan-day', limit: 500_000, windowS: 86_400, calls: 2 },
    ]);
  });

  it('has the calls of a period, before and after they are rolled up', async () => {
    const without = { keyId: null, environment: null };
    const test = { environment: 'test' } as const;
    await write({ at: NOON }, { at: NOON - DAY_MS / 4 }, { at: NOON + HOUR_MS }, { at: NOON + DAY_MS / 2 });
    await write({ at: NOON, status: 404, bytesOut: 7, ...without }, { at: NOON, ...test }, { at: NOON, ...test });
    const short = { from: iso(NOON), to: iso(NOON + HOUR_MS) };
    const long = { from: iso(NOON - DAY_MS / 2), to: iso(NOON + DAY_MS / 2) };
    for (const step of [async () => {}, runRollUp, sumUp]) {
      await step();
      for (const [period, calls] of [
        [short, 1],
        [long, 3],
      ] as const) {
        expect((await ofOrganization(period)).body).toMatchObject({
          ...period,
          live: { calls, errors: 0 },
          test: { calls: 2 },
          withoutKey: { calls: 1, errors: 1, bytesOut: 7 },
        });
      }
    }
  });

  it('is that of the month that ends at the end that is asked for', async () => {
    const { body } = await ofOrganization({ to: '2026-03-01T00:00:00Z' });
    expect(body).toMatchObject({ from: '2026-02-01T00:00:00.000Z', to: '2026-03-01T00:00:00.000Z' });
  });

  it('is not found by strangers', async () => {
    const eve = await app.signUp();
    expect((await eve.request(`/api/v1/organizations/${ada.organizationId}/usage`)).status).toBe(404);
  });

  it.each([
    [{ from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }, 'time_range_reversed'],
    [{ from: '2000-01-01T00:00:00Z' }, 'time_range_too_long'],
  ])('refuses %j', async (query, code) => {
    const { status, body } = await ofOrganization(query);
    expect([status, body.code]).toEqual([400, code]);
  });
});
