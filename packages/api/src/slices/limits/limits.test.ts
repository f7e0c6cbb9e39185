import { readdirSync, readFileSync } from 'node:fs';
import { readEnv } from '@rentapi/platform/env';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { overtake, statusAndCode } from '../../../test/organization.ts';
import { exampleId } from '../../contract/ids.ts';
import type { Plan } from '../plans/schemas.ts';
import { capsOf } from './caps.ts';

const DAY_MS = 86_400_000;

let app: TestApp;
let staff: Person;
beforeAll(async () => {
  app = await startApp({ DEFAULT_PLAN: 'PRO' });
  staff = await makeStaff();
});
afterAll(() => app.close());

async function makeStaff(): Promise<Person> {
  const person = await app.signUp();
  await app
    .rows('users')
    .where({ id: app.ports.ids.decode('usr', person.id) })
    .update({ role: 'ADMIN' });
  return person;
}

const later = (ms = DAY_MS): string => new Date(app.ports.clock.now().getTime() + ms).toISOString();
const pathOf = ({ organizationId }: Person): string => `/api/v1/admin/organizations/${organizationId}/limits`;
const override = (person: Person, given: object, by = staff) =>
  by.request(pathOf(person), { method: 'PUT', body: { reason: 'Launch', until: later(), ...given } });

/** The limits that a caller sees, by name. */
async function limitsOf(request: Person['request']) {
  const { body } = await request('/api/v1/entitlements');
  return Object.fromEntries(
    body.limits.map(({ name, limit, because }: { name: string; limit: number; because: string }) => [
      name,
      [limit, because],
    ]),
  );
}

async function keyOf(person: Person, given: object = {}) {
  const body = { name: 'CI', scopes: ['api_keys:read'], ...given };
  const { body: key } = await person.request('/api/v1/api-keys', { method: 'POST', body });
  const request: Person['request'] = (path, rest = {}) =>
    app.request(path, { ...rest, headers: { 'x-api-key': key.secret } });
  return { id: key.id as string, request };
}

describe('entitlements', () => {
  it('say of each limit what decided it, to a person and to a key', async () => {
    const ada = await app.signUp();
    const key = await keyOf(ada, { rateLimitPerHour: 70 });
    expect(await limitsOf(ada.request)).toMatchObject({
      user: [1_000_000, '1,000,000/min because RATE_LIMIT_PER_MINUTE'],
      'plan-hour': [10_000, '10,000/h because plan PRO'],
      sockets: [1000, '1,000 open because plan PRO'],
    });
    expect(await limitsOf(key.request)).toMatchObject({
      'plan-day': [100_000, '100,000/d because plan PRO'],
      'key-hour': [70, '70/h because the key'],
    });
  });

  it('name the override that counts instead, and its end', async () => {
    const ada = await app.signUp();
    const until = later();
    const { body } = await override(ada, { perHour: 1000, until });
    const { id } = body.items[0];
    const { body: seen } = await ada.request('/api/v1/entitlements');
    expect(seen.limits).toContainEqual({
      name: 'plan-hour',
      limit: 1000,
      windowS: 3600,
      of: 'organization',
      because: `1,000/h because plan PRO + override ${id}`,
      override: { id, until },
    });
  });

  it('list every cap that is the same for all, from the constant that enforces it (V2.1.3)', async () => {
    const { body } = await (await app.signUp()).request('/api/v1/entitlements');
    expect(body.caps).toEqual(capsOf(app.ports.env));
    const slices = new URL('../', import.meta.url);
    const read = (name: string) => readFileSync(new URL(name, slices), 'utf8');
    const enforced = readdirSync(slices, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !/\.(test|proofs)\.ts$/.test(name))
      .flatMap((name) => {
        const text = read(name);
        const refuses = /assertRoom\(|'limit_reached', \{/.test(text);
        return refuses ? [...text.matchAll(/(?<!\.)\bMAX_[A-Z_]+\b/g)].map(([constant]) => constant) : [];
      });
    expect(enforced).toContain('MAX_KEYS');
    const listed = read('limits/caps.ts');
    expect(enforced.filter((constant) => !listed.includes(`, ${constant}, `))).toEqual([]);
  });
});

describe('docs/guides/limits.md', () => {
  const page = readFileSync(new URL('../../../../../docs/guides/limits.md', import.meta.url), 'utf8');
  /** The cells of the table below a heading. */
  const rowsBelow = (heading: string) =>
    page
      .split(`## ${heading}\n`)[1]!
      .split('\n## ')[0]!
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
      .map((cells) => cells.slice(1, -1));
  const inWords = (number: number) => number.toLocaleString('en-US');

  const sold = async (): Promise<Plan[]> => (await app.request('/api/v1/subscriptions/plans')).body.items;

  it('has the numbers of every plan', async () => {
    const plans = (await sold()).map(({ code, limits: { perHour, perDay, sockets, subscriptions } }) => [
      code,
      ...[perHour, perDay, sockets, subscriptions].map(inWords),
    ]);
    expect(rowsBelow('Plans')).toEqual(plans);
  });

  it('has the calls that each plan includes, and what follows them', async () => {
    const included = (await sold()).map(({ code, includedCallsPerMonth, overage }) => [
      code,
      inWords(includedCallsPerMonth),
      overage,
    ]);
    expect(rowsBelow('Calls that a month includes')).toEqual(included);
  });

  it('lists every cap with its number (V2.1.3)', () => {
    const caps = capsOf(readEnv({})).map(({ name, limit, of, description }) => [
      name,
      inWords(limit),
      of,
      description.replace(/\.$/, ''),
    ]);
    expect(rowsBelow('What is the same for every plan')).toEqual(caps);
  });
});

describe('an override', () => {
  it('counts at once for calls with a key, and replaces the one before', async () => {
    const ada = await app.signUp();
    const { request } = await keyOf(ada);
    await override(ada, { perHour: 2, sockets: 7 });
    const policy = async () => (await request('/api/v1/api-keys')).headers.get('ratelimit-policy');
    expect(await policy()).toBe('"plan-hour";q=2;w=3600');
    const { body } = await override(ada, { perDay: 3, reason: 'Less' });
    expect(body).toMatchObject({ plan: 'PRO', items: [{ perHour: null, perDay: 3, sockets: null, reason: 'Less' }] });
    expect(body.items).toHaveLength(1);
    expect(await policy()).toBe('"plan-day";q=3;w=86400');
    expect((await staff.request(pathOf(ada))).body).toEqual(body);
  });

  it('of one key counts for that key only', async () => {
    const ada = await app.signUp();
    const [one, other] = [await keyOf(ada), await keyOf(ada)];
    const { body } = await override(ada, { keyId: one.id, perHour: 5 });
    expect(body.items).toMatchObject([{ keyId: one.id, perHour: 5 }]);
    const policy = async ({ request }: typeof one) =>
      (await request('/api/v1/api-keys')).headers.get('ratelimit-policy');
    expect(await policy(one)).toBe('"key-hour";q=5;w=3600');
    expect(await policy(other)).not.toBe('"key-hour";q=5;w=3600');
  });

  it('is ended by one without numbers, which is recorded', async () => {
    const ada = await app.signUp();
    await override(ada, { perHour: 1 });
    expect((await override(ada, { reason: 'Over' })).body.items).toEqual([]);
    expect((await limitsOf(ada.request))['plan-hour']).toEqual([10_000, '10,000/h because plan PRO']);
    expect((await override(ada, { reason: 'Nothing to end' })).status).toBe(200);
    const path = `/api/v1/organizations/${ada.organizationId}/audit-logs?action=organization.limits_changed`;
    const items = await eventually(async () => {
      const { body } = await ada.request(path);
      return body.items.length >= 2 ? body.items : undefined;
    }, 'two entries');
    expect(items).toHaveLength(2);
    expect(items[1]).toMatchObject({
      actor: { id: staff.id },
      before: null,
      after: { perHour: 1, reason: 'Launch', createdBy: staff.id },
    });
    expect(items[0]).toMatchObject({ before: { perHour: 1 }, after: null });
  });

  it('ends by the clock, without a job', async () => {
    const ada = await app.signUp();
    const { request } = await keyOf(ada);
    await override(ada, { perHour: 300, until: later(60_000) });
    const policy = async () => (await request('/api/v1/api-keys')).headers.get('ratelimit-policy');
    expect(await policy()).toBe('"plan-hour";q=300;w=3600');
    const { actors } = app.ports;
    await eventually(async () => {
      const { hits } = actors.stats();
      await policy();
      return actors.stats().hits > hits || undefined;
    }, 'the key to be remembered, with its limits');
    app.advance(60_000);
    try {
      expect(await policy()).not.toBe('"plan-hour";q=300;w=3600');
      expect((await staff.request(pathOf(ada))).body.items).toEqual([]);
    } finally {
      app.advance(-60_000);
    }
  });

  it('does not change the version of the organization', async () => {
    const ada = await app.signUp();
    const etag = async () => (await ada.request(`/api/v1/organizations/${ada.organizationId}`)).headers.get('etag');
    const before = await etag();
    await override(ada, { perHour: 1 });
    expect(await etag()).toBe(before);
  });

  it.each([
    ['into the past', { perHour: 1, until: '2020-01-01T00:00:00Z' }, 'override_in_past'],
    ['of nothing', { perHour: 0 }, 'invalid_input'],
    ['of a fraction', { perDay: 1.5 }, 'invalid_input'],
    ['of more than can be counted', { sockets: 1e12 }, 'invalid_input'],
    ['without a reason', { perHour: 1, reason: ' ' }, 'invalid_input'],
    ['of a key that does not exist', { perHour: 1, keyId: exampleId('key') }, 'not_found'],
  ])('%s is refused, and nothing is written', async (_, given, code) => {
    const ada = await app.signUp();
    expect((await override(ada, given)).body.code).toBe(code);
    expect((await staff.request(pathOf(ada))).body.items).toEqual([]);
  });

  it("of another organization's key is refused as of one that does not exist", async () => {
    const [ada, bea] = [await app.signUp(), await app.signUp()];
    const { id } = await keyOf(bea);
    expect(statusAndCode(await override(ada, { keyId: id, perHour: 1 }))).toEqual([404, 'not_found']);
  });

  it('of a hundred keys leaves no room for another', async () => {
    const ada = await app.signUp();
    const organizationId = app.ports.ids.decode('org', ada.organizationId);
    const createdBy = app.ports.ids.decode('usr', staff.id);
    const keys = await Promise.all(Array.from({ length: 101 }, () => keyOf(ada)));
    const rows = keys.slice(0, 100).map(({ id }) => ({
      organizationId,
      apiKeyId: app.ports.ids.decode('key', id),
      perHour: 1,
      reason: 'One of many',
      until: later(),
      createdBy,
      createdAt: new Date(),
    }));
    await app.rows('limit_overrides').insert(rows);
    expect(statusAndCode(await override(ada, { keyId: keys[100]!.id, perHour: 1 }))).toEqual([409, 'limit_reached']);
    expect((await override(ada, { keyId: keys[0]!.id, perHour: 2 })).body.items).toHaveLength(100);
  });

  it('is refused to a member of staff whose role was taken while it waited', async () => {
    const [ada, former] = [await app.signUp(), await makeStaff()];
    const answer = await overtake(app, {
      lock: (db) =>
        db('organizations')
          .where({ id: app.ports.ids.decode('org', ada.organizationId) })
          .forUpdate(),
      request: () => override(ada, { perHour: 1 }, former),
      change: (db) =>
        db('users')
          .where({ id: app.ports.ids.decode('usr', former.id) })
          .update({ role: 'USER' }),
    });
    expect(statusAndCode(answer)).toEqual([403, 'permission_denied']);
  });
});
