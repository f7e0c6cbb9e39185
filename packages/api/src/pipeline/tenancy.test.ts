import { request as httpRequest } from 'node:http';
import { afterAll, describe, expect, it } from 'vitest';
import { type Person, startApp, type TestApp } from '../../test/app.ts';
import { makeOrganization, statusAndCode, type TestOrganization } from '../../test/organization.ts';
import { subdomainOf } from './tenancy.ts';

const apps: TestApp[] = [];
afterAll(async () => {
  for (const app of apps) await app.close();
});

async function setUp(settings: Record<string, string>) {
  const app = await startApp(settings);
  apps.push(app);
  const ada = await app.signUp();
  const acme = await makeOrganization(app, ada, { name: 'Acme', slug: 'acme-inc' });
  const other = await makeOrganization(app, ada, { name: 'Other', slug: 'other-inc' });
  const foreign = await makeOrganization(app, undefined, { name: 'Foreign', slug: 'foreign-inc' });
  return { app, ada, acme, other, foreign };
}

/** The caller's organization, or the code of the refusal. `fetch` does not allow a Host header. */
function whereAmI(app: TestApp, who: Person, headers: Record<string, string>): Promise<string> {
  const { hostname, port } = new URL(app.url);
  return new Promise((resolve, reject) => {
    const req = httpRequest(
      { hostname, port, path: '/api/v1/users/me/permissions', headers: { ...bearer(who), ...headers } },
      (res) => {
        let text = '';
        res.on('data', (part) => (text += part));
        res.on('end', () => {
          const body = JSON.parse(text);
          resolve(body.organizationId ?? body.code);
        });
      },
    );
    req.on('error', reject).end();
  });
}
const bearer = (who: Person) => ({ authorization: `Bearer ${who.tokens.accessToken}` });
const header = ({ id }: TestOrganization) => ({ 'x-organization-id': id });

describe('MULTI_TENANCY_STRATEGY=header', () => {
  it('reads the header, then the default; the host has no effect', async () => {
    const { app, ada, acme, foreign } = await setUp({});
    expect(await whereAmI(app, ada, {})).toBe(ada.organizationId);
    expect(await whereAmI(app, ada, header(acme))).toBe(acme.id);
    expect(await whereAmI(app, ada, { 'x-tenant-id': acme.id })).toBe(acme.id);
    expect(await whereAmI(app, ada, { host: 'acme-inc.example.com' })).toBe(ada.organizationId);
    expect(await whereAmI(app, ada, header(foreign))).toBe('not_found');
    await ada.request('/api/v1/users/me', { method: 'PATCH', body: { defaultOrganizationId: acme.id } });
    expect(await whereAmI(app, ada, {})).toBe(acme.id);
  });

  it('refuses a header that disagrees with the path or with the key', async () => {
    const { app, ada, acme, other } = await setUp({});
    expect(statusAndCode(await ada.request(acme.path, { headers: header(other) }))).toEqual([
      400,
      'organization_mismatch',
    ]);
    const { body: key } = await acme.as(ada)('/api/v1/api-keys', {
      method: 'POST',
      body: { name: 'k', scopes: ['*'] },
    });
    const asKey = (path: string, headers = {}) =>
      app.request(path, { headers: { 'x-api-key': key.secret, ...headers } });
    expect(statusAndCode(await asKey('/api/v1/api-keys', header(other)))).toEqual([400, 'organization_mismatch']);
    expect(statusAndCode(await asKey(other.path))).toEqual([404, 'not_found']);
    expect((await asKey(acme.path, header(acme))).status).toBe(200);
  });
});

describe('MULTI_TENANCY_STRATEGY=subdomain', () => {
  it('reads the host, and a header can only agree', async () => {
    const { app, ada, acme, other } = await setUp({
      MULTI_TENANCY_STRATEGY: 'subdomain',
      HOST_MAIN_DOMAIN: 'example.com',
    });
    const at = (host: string, headers = {}) => whereAmI(app, ada, { host, ...headers });
    expect(await at('ACME-inc.example.com:8000')).toBe(acme.id);
    expect(await at('foreign-inc.example.com')).toBe('not_found');
    expect(await at('nobody.example.com')).toBe('not_found');
    for (const host of ['example.com', 'www.example.com', 'localhost:8000', 'acme-inc.evil.com'])
      expect(await at(host)).toBe(ada.organizationId);
    expect(await at('acme-inc.example.com', header(acme))).toBe(acme.id);
    expect(await at('acme-inc.example.com', header(other))).toBe('organization_mismatch');
    expect(await at('example.com', header(acme))).toBe('organization_mismatch');
  });
});

describe('MULTI_TENANCY_STRATEGY=none', () => {
  it('reads neither, and refuses a header that names another organization', async () => {
    const { app, ada, acme } = await setUp({ MULTI_TENANCY_STRATEGY: 'none' });
    expect(await whereAmI(app, ada, { host: 'acme-inc.example.com' })).toBe(ada.organizationId);
    expect(await whereAmI(app, ada, header(acme))).toBe('organization_mismatch');
    expect((await ada.request(acme.path)).status).toBe(200);
  });
});

it('reads one label below the main domain as an organization, except reserved ones', () => {
  const label = (host: string | undefined) => subdomainOf(host, 'example.com');
  expect(['acme.example.com', 'acme.example.com.', 'a.b.example.com'].map(label)).toEqual(['acme', 'acme', 'a.b']);
  expect([undefined, '', 'example.com', 'api.example.com', 'notexample.com'].map(label)).toEqual(Array(5).fill(null));
});

it('makes members read-only under ORG_MEMBER_READONLY', async () => {
  const { app, acme } = await setUp({ ORG_MEMBER_READONLY: 'true' });
  const member = await acme.join('MEMBER');
  const create = () =>
    acme.as(member)('/api/v1/api-keys', { method: 'POST', body: { name: 'k', scopes: ['org:read'] } });
  expect(statusAndCode(await create())).toEqual([403, 'permission_denied']);
  expect((await acme.as(member)('/api/v1/api-keys')).status).toBe(200);
  expect(app.ports.env.ORG_MEMBER_READONLY).toBe(true);
});
