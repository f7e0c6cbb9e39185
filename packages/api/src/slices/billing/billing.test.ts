import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Person, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, statusAndCode, type TestOrganization } from '../../../test/organization.ts';

const PATH = '/api/v1/subscriptions/billing-info';
const address = { line1: 'Hauptstraße 1', city: 'Berlin', country: 'DE' };
const whole = { ...address, line2: null, postalCode: null, region: null };

let app: TestApp;
let ada: Person;
let org: TestOrganization;

beforeAll(async () => {
  app = await startApp();
  ada = await app.signUp();
});
beforeEach(async () => {
  org = await makeOrganization(app, ada);
});
afterAll(() => app.close());

const get = () => org.as(ada)(PATH);
const put = (body: object, headers: Record<string, string> = {}) => org.as(ada)(PATH, { method: 'PUT', body, headers });

describe('who is billed', () => {
  it('is nothing at first, and all of what was set afterwards', async () => {
    const nothing = { name: null, email: null, address: null, taxId: null, currency: null, updatedAt: null };
    const first = await get();
    expect([first.body, first.headers.get('etag')]).toEqual([nothing, '"0"']);
    const given = { name: 'Acme GmbH', email: 'ap@acme.example', address, taxId: 'DE123456789' };
    const { body, headers } = await put(given);
    expect(body).toMatchObject({ ...given, address: whole, currency: null });
    expect(headers.get('etag')).toBe('"1"');
    expect((await get()).body).toEqual(body);
  });

  it('is replaced: what is left out is cleared', async () => {
    await put({ name: 'Acme GmbH', email: 'ap@acme.example', address, taxId: 'DE123456789' });
    const { body } = await put({ name: 'Acme AG' });
    expect(body).toMatchObject({ name: 'Acme AG', email: null, address: null, taxId: null });
  });

  it.each([
    ['Persian', 'شرکت می\u200cخواهم'],
    ['Hindi', 'क्\u200dष'],
  ])('has the joiners within words that %s needs', async (_, name) => {
    expect((await put({ name })).body).toMatchObject({ name });
  });

  it('is another for each organization', async () => {
    await put({ name: 'Acme GmbH' });
    const other = await makeOrganization(app, ada);
    expect((await other.as(ada)(PATH)).body.name).toBeNull();
  });

  it('is changed by one of two who saw the same, also the first time', async () => {
    const first = await Promise.all([
      put({ name: 'A' }, { 'if-match': '"0"' }),
      put({ name: 'B' }, { 'if-match': '"0"' }),
    ]);
    expect(first.map(({ status }) => status).toSorted()).toEqual([200, 412]);
    expect((await put({ name: 'C' }, { 'if-match': '"0"' })).status).toBe(412);
    expect((await put({ name: 'C' }, { 'if-match': '"1"' })).status).toBe(200);
  });

  it('has an entry in the audit log without what is personal, and none where nothing changed', async () => {
    await put({ name: 'Acme GmbH', email: 'ap@acme.example', address });
    await put({ name: 'Acme GmbH', email: 'ap@acme.example', address });
    const organizationId = app.ports.ids.decode('org', org.id);
    const rows = await app.rows('audit_logs').where({ organizationId, action: 'billing_account.updated' });
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toMatch(/ap@acme|Hauptstra/);
  });

  it.each([
    ['DE', 'de 123.456-789', 'DE123456789'],
    ['GR', 'EL123456789', 'EL123456789'],
    ['NL', 'NL123456789B01', 'NL123456789B01'],
    ['IE', 'IE1234567WA', 'IE1234567WA'],
    ['ES', 'ESX1234567X', 'ESX1234567X'],
    ['US', '12-3456789', '123456789'],
  ])('takes a tax id of %s: %s', async (country, taxId, kept) => {
    const { status, body } = await put({ address: { ...address, country }, taxId });
    expect([status, body.taxId]).toEqual([200, kept]);
  });

  it.each([
    ['DE', 'DE12345678', 'tax_id_invalid'],
    ['DE', 'FR12345678901', 'tax_id_invalid'],
    ['DE', '123456789', 'tax_id_invalid'],
    ['GR', 'GR123456789', 'tax_id_invalid'],
    ['DE', 'ÄÖ123456789', 'invalid_input'],
    ['DE', '', 'invalid_input'],
    ['DE', '1'.repeat(100), 'invalid_input'],
  ])('refuses as a tax id of %s: %s', async (country, taxId, code) => {
    expect(statusAndCode(await put({ address: { ...address, country }, taxId }))).toEqual([400, code]);
    expect((await get()).body.taxId).toBeNull();
  });

  it('refuses a tax id without a country', async () => {
    expect(statusAndCode(await put({ taxId: 'DE123456789' }))).toEqual([400, 'tax_id_needs_country']);
  });

  it.each<[what: string, body: object, path: string]>([
    ['a country that is none', { address: { ...address, country: 'XX' } }, 'address.country'],
    ['a country in small letters', { address: { ...address, country: 'de' } }, 'address.country'],
    ['an address without a city', { address: { line1: 'x', country: 'DE' } }, 'address.city'],
    ['text that turns the direction', { name: 'Acme \u202eHbmG' }, 'name'],
    ['a joiner between letters that do not join', { name: 'Ac\u200dme' }, 'name'],
    ['a line break', { address: { ...address, line1: 'a\nb' } }, 'address.line1'],
    ['a field of nothing', { name: '   ' }, 'name'],
    ['a mail address that is none', { email: 'acme' }, 'email'],
    ['a name without end', { name: 'x'.repeat(201) }, 'name'],
    ['a currency, which payments decide', { currency: 'EUR' }, 'currency'],
  ])('refuses %s', async (_, given, path) => {
    const answer = await put(given);
    expect(statusAndCode(answer)).toEqual([400, 'invalid_input']);
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
  });
});

it('findings are listed for staff, newest first', async () => {
  const at = app.ports.clock.now();
  const row = {
    kind: 'UNKNOWN_OBJECT',
    provider: 'stripe',
    objectKind: 'charge',
    theirs: null,
    foundAt: at,
    seenAt: at,
  };
  await app.rows('billing_findings').insert([
    { ...row, externalId: 'pi_1' },
    { ...row, externalId: 'pi_2' },
  ]);
  const staff = await app.signUp();
  await app
    .rows('users')
    .where({ id: app.ports.ids.decode('usr', staff.id) })
    .update({ role: 'ADMIN' });
  app.ports.actors.forget(`user:${app.ports.ids.decode('usr', staff.id)}`);
  const list = (query: string) => staff.request(`/api/v1/admin/billing/findings?${query}`);
  const { body } = await list('limit=1');
  expect(body.items.map(({ externalId }: { externalId: string }) => externalId)).toEqual(['pi_2']);
  const next = await list(`limit=1&cursor=${body.nextCursor}`);
  expect(next.body.items).toMatchObject([{ externalId: 'pi_1', kind: 'UNKNOWN_OBJECT', theirs: null }]);
  expect((await ada.request('/api/v1/admin/billing/findings')).status).toBe(403);
});
