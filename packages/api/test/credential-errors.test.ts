import { readFileSync } from 'node:fs';
import { restPath } from '@rentapi/api/contract/meta';
import { rawRoutes } from '@rentapi/api/slices/registry';
import { appRouter } from '@rentapi/api/slices/router';
import { operationsOf } from '@rentapi/api/transports/rest-routes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Person, startApp, type TestApp } from './app.ts';

/**
 * Reading a credential can always refuse it, and the document says so: also where even a valid one of that kind is not
 * enough.
 */
const document = JSON.parse(readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'));
const operations = operationsOf(appRouter, rawRoutes).filter(
  ({ meta: { access, openapi } }) => access !== 'public' && !access.startsWith('proof:') && openapi.enabled !== false,
);

let app: TestApp;
let ada: Person;
const keys: Record<string, string> = {};

beforeAll(async () => {
  app = await startApp();
  ada = await app.signUp();
  const create = async (name: string, body: object = {}) => {
    const answer = await ada.request('/api/v1/api-keys', { method: 'POST', body: { name, scopes: ['*'], ...body } });
    keys[name] = answer.body.secret;
    return answer.body.id;
  };
  await create('good');
  await create('expired', { expiresAt: '2030-01-31T12:00:00Z' });
  await create('elsewhere', { ipAllowList: ['203.0.113.9'] });
  await create('in a page', { allowedOrigins: ['https://app.example.com'] });
  await ada.request(`/api/v1/api-keys/${await create('revoked')}`, { method: 'DELETE' });
  await ada.request(`/api/v1/api-keys/${await create('rotated')}/rotate`, { method: 'POST', body: {} });
  await ada.request(`/api/v1/api-keys/${await create('disabled')}`, { method: 'PATCH', body: { enabled: false } });
  await app
    .rows('api_keys')
    .where({ name: 'expired' })
    .update({ expiresAt: new Date(Date.now() - 1000) });
});
afterAll(() => app.close());

const byKey = (name: string) => () => ({ 'x-api-key': keys[name]! });
const REFUSED: Record<string, () => Record<string, string>> = {
  credentials_required: () => ({}),
  ambiguous_credentials: () => ({ ...byKey('good')(), authorization: `Bearer ${ada.tokens.accessToken}` }),
  invalid_access_token: () => ({ authorization: 'Bearer a.b.c' }),
  invalid_api_key: () => ({ 'x-api-key': 'rapi_live_nonsense' }),
  api_key_revoked: byKey('revoked'),
  api_key_rotated: byKey('rotated'),
  api_key_disabled: byKey('disabled'),
  api_key_expired: byKey('expired'),
  address_not_allowed: byKey('elsewhere'),
  origin_not_allowed: byKey('in a page'),
};

describe.each(operations)('$name', ({ meta: { openapi, example } }) => {
  it('refuses a bad credential of either kind with a code that the document lists', async () => {
    const path = restPath(openapi.path);
    const operation = document.paths[path][openapi.method.toLowerCase()];
    const url = path.replace(/\{(\w+)\}/g, (_, name: string) => String(example.input?.[name]));
    for (const [code, headers] of Object.entries(REFUSED)) {
      const { status, body } = await app.request(url, { method: openapi.method, headers: headers() });
      expect(body.code).toBe(code);
      expect(operation['x-error-codes']).toContain(code);
      expect(Object.keys(operation.responses)).toContain(String(status));
    }
  });
});
