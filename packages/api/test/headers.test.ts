import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemContext } from '@rentapi/api/context';
import { procedure, router } from '@rentapi/api/procedure';
import { createRestHandler } from '@rentapi/api/transports/rest';
import { withConnectionParams } from '@rentapi/api/transports/trpc-connection-params';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Person, startApp, type TestApp } from './app.ts';
import { makeOrganization, statusAndCode, type TestOrganization } from './organization.ts';

let app: TestApp;
let ada: Person;
let acme: TestOrganization;
let other: TestOrganization;
let key: string;

beforeAll(async () => {
  app = await startApp();
  ada = await app.signUp();
  acme = await makeOrganization(app, ada);
  other = await makeOrganization(app, ada);
  const body = { name: 'CI', scopes: ['*'] };
  key = (await acme.as(ada)('/api/v1/api-keys', { method: 'POST', body })).body.secret;
});
afterAll(() => app.close());

const ME = '/api/v1/users/me';
const ask = (headers: Record<string, string>, path = ME) => app.request(path, { headers });
const token = () => ada.tokens.accessToken;

describe('a credential', () => {
  it('may be in both headers, where they contain the same text', async () => {
    expect(statusAndCode(await ask({ authorization: `Bearer ${token()}`, 'x-api-key': token() }))).toEqual([200]);
    expect(statusAndCode(await ask({ authorization: `Bearer ${key}`, 'x-api-key': key }))).toEqual([200]);
    expect(statusAndCode(await ask({ authorization: `bearer  ${key}`, 'x-api-key': key }))).toEqual([200]);
  });

  it('is refused where the headers differ', async () => {
    const ambiguous = [400, 'ambiguous_credentials'];
    expect(statusAndCode(await ask({ authorization: `Bearer ${token()}`, 'x-api-key': key }))).toEqual(ambiguous);
    expect(statusAndCode(await ask({ authorization: `Bearer ${key}`, 'x-api-key': `${key}x` }))).toEqual(ambiguous);
    expect(statusAndCode(await ask({ authorization: 'Basic YTpi', 'x-api-key': key }))).toEqual(ambiguous);
  });

  it.each([
    'Bearer rapi_live_nonsense',
    'Bearer rapi_live_with a space',
    'rapi_live_without-a-scheme',
    'Bearer rapi_',
    'Bearer acme_test_of-an-earlier-prefix',
    'Bearer RAPI_LIVE_IN_CAPITALS',
  ])('is called an invalid key where it begins as one: %s', async (authorization) => {
    expect(statusAndCode(await ask({ authorization }))).toEqual([401, 'invalid_api_key']);
  });

  it.each(['Bearer a.b.c', 'Bearer a b', 'Basic YTpi', 'Bearer rapid', 'Bearer'])(
    'is called an invalid access token otherwise: %s',
    async (authorization) => {
      expect(statusAndCode(await ask({ authorization }))).toEqual([401, 'invalid_access_token']);
    },
  );

  it('is absent in an empty header', async () => {
    expect(statusAndCode(await ask({ authorization: `Bearer ${token()}`, 'x-api-key': '' }))).toEqual([200]);
    expect(statusAndCode(await ask({ authorization: '', 'x-api-key': key }))).toEqual([200]);
    expect(statusAndCode(await ask({ authorization: `Bearer ${token()}`, 'x-organization-id': '' }))).toEqual([200]);
    expect(statusAndCode(await ask({ authorization: '', 'x-api-key': '' }))).toEqual([401, 'credentials_required']);
  });
});

describe('an organization named twice', () => {
  const PERMISSIONS = '/api/v1/users/me/permissions';
  const named = (header: TestOrganization, synonym: TestOrganization) => ({
    'x-organization-id': header.id,
    'x-tenant-id': synonym.id,
  });

  it('is refused where the two headers differ, and accepted where they agree', async () => {
    const authorization = `Bearer ${token()}`;
    const mismatch = [400, 'organization_mismatch'];
    expect(statusAndCode(await ask({ authorization, ...named(acme, other) }, PERMISSIONS))).toEqual(mismatch);
    expect(statusAndCode(await ask({ 'x-api-key': key, ...named(acme, other) }))).toEqual(mismatch);
    const { status, body } = await ask({ authorization, ...named(acme, acme) }, PERMISSIONS);
    expect([status, body.organizationId]).toEqual([200, acme.id]);
    expect(statusAndCode(await ask({ authorization, 'x-organization-id': '', 'x-tenant-id': acme.id }))).toEqual([200]);
  });
});

describe('the parameters of a tRPC connection', () => {
  const request = () => ({
    ...systemContext(app.ports, 'test').request,
    authorization: 'Bearer a',
    apiKey: undefined,
    organizationId: acme.id,
  });
  const codeOf = (given: object) => {
    try {
      withConnectionParams(request(), given);
    } catch (error) {
      return (error as { errorCode: string }).errorCode;
    }
    return 'taken';
  };

  it('may repeat a header, and are refused where they differ from it', () => {
    expect(codeOf({ token: 'a', organizationId: acme.id })).toBe('taken');
    expect(codeOf({ token: '', apiKey: '', organizationId: '' })).toBe('taken');
    expect(codeOf({ token: 'b' })).toBe('ambiguous_credentials');
    expect(codeOf({ organizationId: other.id })).toBe('organization_mismatch');
  });
});

it('refuses a list in both spellings of its name', async () => {
  const words = procedure({
    access: 'public',
    openapi: { method: 'GET', path: '/words', tags: ['Users'], summary: 'List words', description: 'All of them.' },
    example: {},
  })
    .input(z.strictObject({ someWords: z.array(z.string()).max(9) }))
    .output(z.array(z.string()))
    .query(({ input }) => input.someWords);
  const rest = createRestHandler({
    router: router({ words }),
    rawRoutes: [],
    ports: app.ports,
    clientAddress: () => '127.0.0.1',
  });
  const server = createServer((req, res) => void rest(req, res, () => res.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/words`;
  const answers = await Promise.all(
    [
      'someWords=a&someWords=b',
      'some_words=a&some_words=b',
      'someWords=a&some_words=b',
      'some_words=a&someWords=b',
    ].map(async (query) => (await fetch(`${url}?${query}`)).status),
  );
  await new Promise((resolve) => server.close(resolve));
  expect(answers).toEqual([200, 200, 400, 400]);
});

describe('If-None-Match', () => {
  const get = (ifNoneMatch: string, path = ME) => ada.request(path, { headers: { 'if-none-match': ifNoneMatch } });

  it('answers 304 without a body where the version is the same, with the headers of the answer', async () => {
    const { headers } = await ada.request(ME);
    const etag = headers.get('etag')!;
    for (const given of [etag, `W/${etag}`, `"0", ${etag}`, '*']) {
      const answer = await get(given);
      expect([given, answer.status, answer.body]).toEqual([given, 304, '']);
      expect(answer.headers.get('etag')).toBe(etag);
      for (const name of ['x-request-id', 'ratelimit', 'cache-control']) expect(answer.headers.has(name)).toBe(true);
      expect(answer.headers.has('content-type')).toBe(false);
    }
    for (const given of ['"0"', '', etag.slice(1)]) expect((await get(given)).status).toBe(200);
    const head = await ada.request(ME, { method: 'HEAD', headers: { 'if-none-match': etag } });
    expect(head.status).toBe(304);
  });

  it('answers the new version once there is one', async () => {
    const { headers } = await ada.request(ME);
    await ada.request(ME, { method: 'PATCH', body: { fullName: 'Ada King' } });
    const { status, body } = await get(headers.get('etag')!);
    expect([status, body.fullName]).toEqual([200, 'Ada King']);
  });

  it('has no effect on a resource without a version, and on a call of tRPC', async () => {
    expect((await get('*', '/api/v1/api-keys')).status).toBe(200);
    expect((await get('*', '/health/liveness')).status).toBe(200);
    const call = await get('*', '/trpc/users.me.get');
    expect([call.status, call.body.result.data.id]).toEqual([200, ada.id]);
  });

  it('refuses a change of an existing resource', async () => {
    const patch = async (ifNoneMatch: string) =>
      ada.request(ME, { method: 'PATCH', body: { fullName: 'Never' }, headers: { 'if-none-match': ifNoneMatch } });
    const { headers } = await ada.request(ME);
    for (const given of ['*', headers.get('etag')!, `W/${headers.get('etag')}`])
      expect(statusAndCode(await patch(given))).toEqual([412, 'version_mismatch']);
    expect((await ada.request(ME)).body.fullName).not.toBe('Never');
    expect((await patch('"0"')).status).toBe(200);
  });
});

describe('an Idempotency-Key', () => {
  const patch = (
    idempotencyKey: string,
    headers: Record<string, string>,
    body: object = { fullName: 'Ada Lovelace' },
  ) => ada.request(ME, { method: 'PATCH', body, headers: { 'idempotency-key': idempotencyKey, ...headers } });

  it('does not store a failed precondition: the call with the new tag succeeds, once', async () => {
    expect(statusAndCode(await patch('stale', { 'if-match': '"0"' }))).toEqual([412, 'version_mismatch']);
    expect(statusAndCode(await patch('stale', { 'if-none-match': '*' }))).toEqual([412, 'version_mismatch']);
    const { headers } = await ada.request(ME);
    const done = await patch('stale', { 'if-match': headers.get('etag')! });
    expect([done.status, done.headers.get('idempotency-replayed')]).toEqual([200, null]);
    // A client that lost that answer repeats with the same tag, or with the current one.
    for (const etag of [headers.get('etag')!, done.headers.get('etag')!]) {
      const again = await patch('stale', { 'if-match': etag });
      expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
      expect(again.headers.get('etag')).toBe(done.headers.get('etag'));
    }
  });

  it('counts in each organization separately', async () => {
    const create = (organization: TestOrganization) =>
      organization.as(ada)('/api/v1/api-keys', {
        method: 'POST',
        body: { name: 'CI', scopes: ['*'] },
        headers: { 'idempotency-key': 'everywhere' },
      });
    const [here, there] = [await create(acme), await create(other)];
    expect([here.status, there.status, here.body.id === there.body.id]).toEqual([201, 201, false]);
  });
});
