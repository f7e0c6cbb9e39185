import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, eventually, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, statusAndCode, type TestOrganization } from '../../../test/organization.ts';
import { systemContext } from '../../context.ts';

let app: TestApp;
let acme: TestOrganization;
beforeAll(async () => {
  app = await startApp();
  acme = await makeOrganization(app);
});
afterAll(() => app.close());

const METERS = '/api/v1/usage/meters';
const byOwner = (url: string, request = {}) => acme.as(acme.owner)(url, request);
const create = (body: object) => byOwner(METERS, { method: 'POST', body });
const send = (events: object[]) => byOwner('/api/v1/usage/events', { method: 'POST', body: { events } });

async function meter(aggregation: string, property?: string): Promise<{ id: string; slug: string }> {
  const { body } = await create({ slug: randomUUID(), name: 'Some', aggregation, property });
  return body;
}

const ago = (ms: number): string => new Date(app.ports.clock.now().getTime() - ms).toISOString();
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const lastDay = () => ({ from: ago(25 * HOUR_MS), to: ago(-HOUR_MS) });

async function values(meterId: string, query: Record<string, string> = {}): Promise<Answer> {
  return byOwner(`${METERS}/${meterId}/values?${new URLSearchParams({ ...lastDay(), ...query })}`);
}
async function total(meterId: string, query: Record<string, string> = {}): Promise<number | null> {
  const { body } = await values(meterId, query);
  expect(body.items).toHaveLength(1);
  return body.items[0].value;
}
const event = (slug: string, given: object = {}) => ({ transactionId: randomUUID(), meter: slug, ...given });
const written = (slug: string) =>
  app.rows('usage_events').whereIn('meterId', app.rows('meters').where({ slug }).select('id')).orderBy('id');

describe('a meter', () => {
  it('is created, listed and archived; all of it is recorded', async () => {
    const { status, body } = await create({ slug: 'calls', name: 'Calls', aggregation: 'count' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ id: expect.stringMatching(/^mtr_/), slug: 'calls', property: null, archivedAt: null });
    for (const _ of [1, 2]) expect((await byOwner(`${METERS}/${body.id}`, { method: 'DELETE' })).status).toBe(204);
    const { items } = (await byOwner(METERS)).body;
    expect(items.find(({ id }: { id: string }) => id === body.id).archivedAt).not.toBeNull();
    const target = { targetKind: 'meters', targetId: app.ports.ids.decode('mtr', body.id) };
    const actions = await app.rows('audit_logs').where(target).orderBy('id').pluck('action');
    expect(actions).toEqual(['meter.created', 'meter.archived']);
  });

  it('has a slug of its own, also after it is archived, and only in its organization', async () => {
    const { id, slug } = await meter('count');
    await byOwner(`${METERS}/${id}`, { method: 'DELETE' });
    const body = { slug, name: 'Second', aggregation: 'count' };
    expect(statusAndCode(await create(body))).toEqual([409, 'meter_slug_taken']);
    const other = await makeOrganization(app);
    expect((await other.as(other.owner)(METERS, { method: 'POST', body })).status).toBe(201);
  });

  it.each([
    ['unique without a property', { aggregation: 'unique' }, 'property'],
    ['count with a property', { aggregation: 'count', property: 'tokens' }, 'property'],
    ['an unknown aggregation', { aggregation: 'average' }, 'aggregation'],
    ['a slug in capitals', { aggregation: 'count', slug: 'Calls' }, 'slug'],
  ])('is refused: %s', async (_, given, path) => {
    const answer = await create({ slug: randomUUID(), name: 'Bad', ...given });
    expect(statusAndCode(answer)).toEqual([400, 'invalid_input']);
    expect(answer.body.errors).toEqual([{ path, message: expect.any(String) }]);
  });

  it('is one of at most 200, counted under a lock', async () => {
    const full = await makeOrganization(app);
    await app.rows.raw(
      `insert into meters (organization_id, slug, name, aggregation, created_at)
       select ?, 'm' || n, 'Many', 'count', now() from generate_series(1, 199) n`,
      [full.organizationId],
    );
    const post = () =>
      full.as(full.owner)(METERS, {
        method: 'POST',
        body: { slug: randomUUID(), name: 'Last', aggregation: 'count' },
      });
    const answers = await Promise.all([post(), post(), post()]);
    expect(answers.map(statusAndCode).sort()).toEqual([[201], [409, 'limit_reached'], [409, 'limit_reached']]);
  });
});

describe('a batch of events', () => {
  it('is committed when it is answered, and is counted once however often it is sent', async () => {
    const { id, slug } = await meter('sum');
    const batch = [event(slug, { value: 0.1 }), event(slug, { value: 0.2 })];
    const first = await send(batch);
    expect([first.status, first.body]).toEqual([202, { accepted: 2, duplicates: 0 }]);
    expect(await total(id)).toBe(0.3); // exact, not 0.30000000000000004
    const again = await send([...batch, event(slug, { value: 1 })]);
    expect(again.body).toEqual({ accepted: 1, duplicates: 2 });
    expect(await total(id)).toBe(1.3);
  });

  it('may contain an event twice', async () => {
    const { id, slug } = await meter('sum');
    const one = event(slug, { value: 5 });
    expect((await send([one, one])).body).toEqual({ accepted: 1, duplicates: 1 });
    expect(await total(id)).toBe(5);
  });

  it('is written once by 50 concurrent requests', async () => {
    const { id, slug } = await meter('sum');
    const batch = Array.from({ length: 20 }, () => event(slug, { value: 1 }));
    const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => send(at % 2 ? batch : batch.toReversed())));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    const accepted = answers.reduce((sum, { body }) => sum + body.accepted, 0);
    const duplicates = answers.reduce((sum, { body }) => sum + body.duplicates, 0);
    expect([accepted, duplicates]).toEqual([20, 49 * 20]);
    expect(await total(id)).toBe(20);
  });

  it('is refused whole for a transaction id with other content', async () => {
    const { id, slug } = await meter('sum', 'n');
    const first = event(slug, { properties: { a: 'x', n: 1 } });
    await send([first]);
    // The order of properties is no content.
    expect((await send([{ ...first, properties: { n: 1, a: 'x' } }])).body).toEqual({ accepted: 0, duplicates: 1 });
    for (const change of [
      { properties: { a: 'x', n: 2 } },
      { properties: { a: 'y', n: 1 } },
      { externalId: 'customer' },
      { timestamp: ago(MINUTE_MS) },
      { value: 1 },
    ]) {
      const answer = await send([event(slug, { properties: { n: 100 } }), { ...first, ...change }]);
      expect(statusAndCode(answer)).toEqual([409, 'transaction_id_reused']);
      expect(answer.body.errors).toEqual([{ path: 'events.1.transactionId', message: expect.any(String) }]);
    }
    expect(await total(id)).toBe(1);
    const twice = event(slug, { properties: { n: 1 } });
    const within = await send([twice, { ...twice, properties: { n: 2 } }]);
    expect(statusAndCode(within)).toEqual([409, 'transaction_id_reused']);
    expect(within.body.errors).toEqual([{ path: 'events.1.transactionId', message: expect.any(String) }]);
    expect(await total(id)).toBe(1);
  });

  it('knows a transaction of another day, and of this organization only', async () => {
    const { slug } = await meter('count');
    const late = event(slug, { timestamp: ago(23 * HOUR_MS) });
    await send([late]);
    expect((await send([late])).body).toEqual({ accepted: 0, duplicates: 1 });
    expect(statusAndCode(await send([{ ...late, timestamp: ago(0) }]))).toEqual([409, 'transaction_id_reused']);
    const other = await makeOrganization(app);
    const asOther = other.as(other.owner);
    await asOther(METERS, { method: 'POST', body: { slug, name: 'Theirs', aggregation: 'count' } });
    const theirs = await asOther('/api/v1/usage/events', { method: 'POST', body: { events: [late] } });
    expect(theirs.body).toEqual({ accepted: 1, duplicates: 0 });
  });

  it.each([
    ['an unknown meter', 'sum', undefined, { meter: 'nothing' }, 400, 'unknown_meter', 'meter'],
    [
      'a future timestamp',
      'sum',
      undefined,
      { timestamp: () => ago(-6 * MINUTE_MS) },
      400,
      'usage_in_future',
      'timestamp',
    ],
    [
      'a late timestamp',
      'sum',
      undefined,
      { timestamp: () => ago(24 * HOUR_MS + 1000) },
      400,
      'usage_too_late',
      'timestamp',
    ],
    ['no value', 'sum', undefined, { value: undefined }, 400, 'usage_value_missing', 'value'],
    ['a negative value', 'max', undefined, { value: -0.5 }, 400, 'usage_value_negative', 'value'],
    ['a huge value', 'latest', undefined, { value: 1e12 + 1 }, 400, 'usage_value_too_large', 'value'],
    ['a value near the end of numbers', 'sum', undefined, { value: 1e308 }, 400, 'usage_value_too_large', 'value'],
    ['text for a value', 'sum', undefined, { value: 'NaN' }, 400, 'invalid_input', 'value'],
    ['no property', 'unique', 'user', {}, 400, 'usage_property_missing', 'properties'],
    ['a null property', 'sum', 'n', { properties: { n: null } }, 400, 'usage_property_missing', 'properties'],
    ['an inherited property', 'unique', 'toString', { properties: {} }, 400, 'usage_property_missing', 'properties'],
    ['text for a number', 'sum', 'n', { properties: { n: 'NaN' } }, 400, 'usage_value_not_a_number', 'properties.n'],
    ['a negative property', 'sum', 'n', { properties: { n: -1 } }, 400, 'usage_value_negative', 'properties.n'],
    [
      'an unknown key',
      'sum',
      undefined,
      { keyId: () => app.ports.ids.encode('key', 2 ** 40) },
      404,
      'not_found',
      'keyId',
    ],
    ['an unknown field', 'sum', undefined, { colour: 'red' }, 400, 'invalid_input', 'colour'],
  ] as const)('is refused whole for %s', async (_, aggregation, property, bad, status, code, field) => {
    const { slug } = await meter(aggregation, property);
    const good = event(slug, { value: 1, properties: { [property ?? 'n']: 1 } });
    const given = Object.entries(bad).map(([name, value]) => [name, typeof value === 'function' ? value() : value]);
    const answer = await send([good, event(slug, { value: 1, ...Object.fromEntries(given) })]);
    expect(statusAndCode(answer)).toEqual([status, code]);
    expect(answer.body.errors).toEqual([{ path: `events.1.${field}`, message: expect.any(String) }]);
    expect(await written(slug)).toEqual([]);
    expect((await send([good])).body).toEqual({ accepted: 1, duplicates: 0 });
  });

  it('accepts what is at the limits', async () => {
    const { id, slug } = await meter('sum');
    const events = [
      event(slug, { value: 1e12 }),
      event(slug, { value: 0, timestamp: ago(-4 * MINUTE_MS) }),
      event(slug, { value: 1e-18, timestamp: ago(24 * HOUR_MS - MINUTE_MS) }),
    ];
    expect((await send(events)).body).toEqual({ accepted: 3, duplicates: 0 });
    expect(await total(id)).toBe(1e12);
    const tooMany = Array.from({ length: 1001 }, () => event(slug, { value: 1 }));
    expect(statusAndCode(await send(tooMany))).toEqual([400, 'invalid_input']);
    expect(statusAndCode(await send([]))).toEqual([400, 'invalid_input']);
    expect((await send(tooMany.slice(1))).body).toEqual({ accepted: 1000, duplicates: 0 });
  });

  it('is refused once its meter is archived, also by a process that does not know it yet', async () => {
    const { id, slug } = await meter('count');
    const other = await startApp({}, app);
    try {
      const elsewhere = (transactionId: string) =>
        other.request('/api/v1/usage/events', {
          method: 'POST',
          headers: { authorization: `Bearer ${acme.owner.tokens.accessToken}`, 'x-organization-id': acme.id },
          body: { events: [{ transactionId, meter: slug }] },
        });
      expect((await elsewhere('a')).body).toEqual({ accepted: 1, duplicates: 0 });
      await byOwner(`${METERS}/${id}`, { method: 'DELETE' });
      for (const answer of [await elsewhere('b'), await send([event(slug)])]) {
        expect(statusAndCode(answer)).toEqual([409, 'meter_archived']);
        expect(answer.body.errors).toEqual([{ path: 'events.0.meter', message: expect.any(String) }]);
      }
      expect(await total(id)).toBe(1);
    } finally {
      await other.close();
    }
  });

  it('may name a meter that another process has just created', async () => {
    const { slug } = await meter('count');
    await send([event(slug)]); // this process knows the meters
    const [{ organizationId }] = await app.rows('meters').where({ slug });
    const later = { organizationId, name: 'Later', aggregation: 'count', createdAt: new Date() };
    await app.rows('meters').insert({ ...later, slug: 'later' });
    expect((await send([event('later')])).body).toEqual({ accepted: 1, duplicates: 0 });
  });

  it('is taken from owners, administrators and keys with the scope', async () => {
    const { slug } = await meter('count');
    const codes = [];
    for (const role of ['ADMIN', 'MEMBER', 'VIEWER'] as const) {
      const member = acme.as(await acme.join(role));
      const body = { events: [event(slug)] };
      codes.push((await member('/api/v1/usage/events', { method: 'POST', body })).status);
    }
    expect(codes).toEqual([202, 403, 403]);
    const key = await byOwner('/api/v1/api-keys', { method: 'POST', body: { name: 'meter', scopes: ['usage:write'] } });
    const answer = await app.request('/api/v1/usage/events', {
      method: 'POST',
      headers: { 'x-api-key': key.body.secret },
      body: { events: [event(slug)] },
    });
    expect(answer.status).toBe(202);
  });

  it('is written in one statement, however many events it has', async () => {
    const { slug } = await meter('count');
    await send([event(slug)]);
    const statements: string[] = [];
    const note = ({ sql }: { sql: string }) => void statements.push(sql);
    app.ports.database.on('query', note);
    try {
      await send(Array.from({ length: 200 }, () => event(slug)));
    } finally {
      app.ports.database.removeListener('query', note);
    }
    // Jobs that sum up usage run beside it.
    expect(
      statements.filter((sql) => /usage_events|meters/.test(sql) && !sql.includes('across organizations')),
    ).toHaveLength(1);
  });
});

describe('the values of a meter', () => {
  it('are the number, sum, maximum, different values and latest value of its events', async () => {
    const [count, sum, max, unique, latest] = [
      await meter('count'),
      await meter('sum', 'n'),
      await meter('max', 'n'),
      await meter('unique', 'user'),
      await meter('latest', 'n'),
    ];
    const at = ago(2 * HOUR_MS);
    for (const { slug } of [count, sum, max, unique, latest]) {
      await send([
        event(slug, { timestamp: at, properties: { n: 3, user: 'ada' } }),
        event(slug, { timestamp: at, properties: { n: 4, user: 'eve' } }), // as late, and later in the batch
        event(slug, { timestamp: ago(3 * HOUR_MS), properties: { n: 9, user: 'ada' } }), // arrives last
      ]);
    }
    const all = [count, sum, max, unique, latest].map(({ id }) => total(id));
    expect(await Promise.all(all)).toEqual([3, 16, 9, 2, 4]);
    const none = { from: ago(20 * HOUR_MS), to: ago(10 * HOUR_MS) };
    const empty = [count, sum, max, unique, latest].map(({ id }) => total(id, none));
    expect(await Promise.all(empty)).toEqual([0, 0, null, 0, null]);
  });

  it('are asked for by key and customer, and grouped by them', async () => {
    const { id, slug } = await meter('sum');
    const { body: key } = await byOwner('/api/v1/api-keys', { method: 'POST', body: { name: 'used', scopes: [] } });
    await send([
      event(slug, { value: 1, externalId: 'a' }),
      event(slug, { value: 2, externalId: 'b', keyId: key.id }),
      event(slug, { value: 4, keyId: key.id }),
    ]);
    expect(await total(id, { externalId: 'a' })).toBe(1);
    expect(await total(id, { keyId: key.id })).toBe(6);
    expect(await total(id, { keyId: key.id, externalId: 'b' })).toBe(2);
    const grouped = async (groupBy: string) =>
      (await values(id, { groupBy })).body.items.map((item: { keyId: string; externalId: string; value: number }) => [
        item.keyId,
        item.externalId,
        item.value,
      ]);
    expect(await grouped('externalId')).toEqual([
      [null, null, 4],
      [null, 'b', 2],
      [null, 'a', 1],
    ]);
    expect(await grouped('key')).toEqual([
      [key.id, null, 6],
      [null, null, 1],
    ]);
  });

  it('of test keys are counted apart', async () => {
    const { id, slug } = await meter('sum');
    const given = { name: 'test', scopes: ['usage:write'], environment: 'test' };
    const { body: key } = await byOwner('/api/v1/api-keys', { method: 'POST', body: given });
    const headers = { 'x-api-key': key.secret };
    const body = { events: [event(slug, { value: 8 })] };
    expect((await app.request('/api/v1/usage/events', { method: 'POST', headers, body })).status).toBe(202);
    await send([event(slug, { value: 1 })]);
    expect([await total(id), await total(id, { environment: 'test' })]).toEqual([1, 8]);
  });

  it('are those of the days and hours of a time zone, where clocks change too', async () => {
    const { id, slug } = await meter('count');
    await send([event(slug)]);
    const [model] = await written(slug);
    await app.rows.raw("select create_day_partition('usage_events', day) from unnest(?::date[]) day", [
      ['2026-03-28', '2026-03-29', '2026-10-24', '2026-10-25'],
    ]);
    const times = ['2026-03-28T22:59:59Z', '2026-03-28T23:00:00Z', '2026-03-29T21:59:59Z', '2026-03-29T22:00:00Z'];
    const repeated = ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z']; // 02:30 twice
    for (const occurredAt of [...times, ...repeated]) {
      const { id: _, ...row } = model;
      await app.rows('usage_events').insert({ ...row, occurredAt, transactionId: occurredAt });
    }
    const counts = async (from: string, to: string, interval: string) =>
      (await values(id, { from, to, interval, timeZone: 'Europe/Berlin' })).body.items.map(
        (item: { from: string; value: number }) => [item.from, item.value],
      );
    expect(await counts('2026-03-27T23:00:00Z', '2026-03-29T23:00:00Z', 'day')).toEqual([
      ['2026-03-27T23:00:00.000Z', 1],
      ['2026-03-28T23:00:00.000Z', 2], // 23 hours
      ['2026-03-29T22:00:00.000Z', 1],
    ]);
    expect(await counts('2026-10-25T00:00:00Z', '2026-10-25T03:00:00Z', 'hour')).toEqual([
      ['2026-10-25T00:00:00.000Z', 1],
      ['2026-10-25T01:00:00.000Z', 1],
      ['2026-10-25T02:00:00.000Z', 0],
    ]);
  });

  it.each([
    [{ timeZone: 'Mars/Olympus' }, 'unknown_time_zone'],
    [{ timeZone: '+01:00' }, 'unknown_time_zone'],
    [{ from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }, 'time_range_reversed'],
    [{ from: '2999-01-01T00:00:00Z' }, 'time_range_reversed'],
    [{ from: '2026-02-01T00:00:00Z', to: '2026-02-01T00:00:00Z' }, 'time_range_reversed'],
    [{ from: '2024-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }, 'time_range_too_long'],
    [{ from: '0001-01-01T00:00:00Z', to: '9999-12-31T23:59:59Z', interval: 'day' }, 'time_range_too_long'],
    [{ from: '2026-01-01T00:00:00Z', to: '2026-02-02T00:00:00Z', interval: 'hour' }, 'time_range_too_long'],
    [{ interval: 'minute' }, 'invalid_input'],
  ])('are refused for %j', async (query, code) => {
    const { id } = await meter('count');
    expect(statusAndCode(await values(id, query))).toEqual([400, code]);
  });

  it('are those up to now, and never those of all time', async () => {
    const { id, slug } = await meter('count');
    await send([event(slug, { timestamp: ago(MINUTE_MS) })]);
    const ask = (query: string) => byOwner(`${METERS}/${id}/values?${query}`);
    const from = ago(HOUR_MS);
    expect((await ask(`from=${from}`)).body).toMatchObject({ items: [{ from, value: 1 }] });
    for (const query of ['', `to=${from}`])
      expect(statusAndCode(await ask(query))).toEqual([400, 'time_range_unbounded']);
  });

  it.each([
    { from: '0001-01-01T00:00:00Z', to: '0001-01-03T00:00:00Z' },
    { from: '9999-12-30T00:00:00Z', to: '9999-12-31T23:59:59.999Z' },
    { from: '2025-12-30T00:00:00Z', to: '2026-12-31T00:00:00Z' },
  ])('are shown for %j, in every part of it', async (range) => {
    const { id } = await meter('max');
    const parts = (await values(id, { ...range, interval: 'day', timeZone: 'Pacific/Apia' })).body.items;
    expect([parts[0].from, parts.at(-1).to].map(Date.parse)).toEqual([range.from, range.to].map(Date.parse));
    for (const [at, part] of parts.slice(1).entries()) expect(part.from).toBe(parts[at].to);
  });

  it('are of at most 2,000 groups, the largest first', async () => {
    const { id, slug } = await meter('sum');
    for (let batch = 0; batch < 3; batch++) {
      const events = Array.from({ length: 700 }, (_, at) =>
        event(slug, { value: batch * 700 + at, externalId: `c${batch * 700 + at}` }),
      );
      expect((await send(events)).status).toBe(202);
    }
    const { body } = await values(id, { groupBy: 'externalId' });
    expect([body.items.length, body.complete, body.items[0].externalId]).toEqual([2000, false, 'c2099']);
  });
});

describe('the events', () => {
  const run = async (name: string) => {
    const ctx = systemContext(app.ports, 'test');
    const job = app.ports.jobs.all.find((known) => known.name === name)!;
    await job.run(ctx, { at: ctx.now }, runControl());
  };
  const partitions = async (): Promise<string[]> => {
    const { rows } = await app.rows.raw<{ rows: { name: string }[] }>(
      "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'usage_events'::regclass order by 1",
    );
    return rows.map(({ name }) => name);
  };
  const nameOf = (daysFromNow: number) =>
    `usage_events_${new Date(Date.now() + daysFromNow * 24 * HOUR_MS).toISOString().slice(0, 10).replaceAll('-', '')}`;

  it('have a partition for each day, made ahead and dropped after 400 days', async () => {
    await app.rows.raw(`drop table ${nameOf(7)}`);
    await app.rows.raw(
      `create table ${nameOf(-402)} partition of usage_events
       for values from ((current_date - 402)::timestamptz) to ((current_date - 401)::timestamptz)`,
    );
    await run('metering.partitions');
    const names = await partitions();
    expect(names).toContain(nameOf(7));
    expect(names).not.toContain(nameOf(-402));
  });

  it('make their partition themselves where no job did', async () => {
    const { slug } = await meter('count');
    await app.rows.raw(`drop table ${nameOf(0)}`);
    expect((await send([event(slug)])).body).toEqual({ accepted: 1, duplicates: 0 });
    expect(await partitions()).toContain(nameOf(0));
  });

  it('are known by their transaction for 35 days', async () => {
    const { slug } = await meter('count');
    const repeated = event(slug);
    await send([repeated]);
    app.advance(34 * 24 * HOUR_MS);
    await run('metering.purge_transactions');
    expect(await app.rows('usage_transactions').where({ transactionId: repeated.transactionId })).toHaveLength(1);
    app.advance(2 * 24 * HOUR_MS);
    await run('metering.purge_transactions');
    await eventually(
      async () => (await app.rows('usage_transactions').where({ transactionId: repeated.transactionId })).length === 0,
      'the purge',
    );
  });
});
