import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { createClient, SystemResource, UsersMeResource, UsersResource } from '../src/core.ts';
import type { User } from '../src/index.ts';
import { type FakeApi, startFakeApi } from './fake-api.ts';

let api: FakeApi;
const KEY = 'rapi_test_key';
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(() => api.close());

const organizations = () => api.requests.map(({ headers }) => headers['x-organization-id']);

describe('a client of some groups', () => {
  it('has these groups under the names that they were given, and no other', async () => {
    const client = createClient({ users: UsersResource, own: UsersMeResource }, { baseUrl: api.baseUrl, apiKey: KEY });
    expect(await client.users.me.get()).toMatchObject({ id: 'usr_1' });
    expect(await client.own.get()).toMatchObject({ id: 'usr_1' });
    expectTypeOf(client.own.get).returns.resolves.toEqualTypeOf<User>();
    expect(client).not.toHaveProperty('apiKeys');
    expectTypeOf(client).not.toHaveProperty('apiKeys');
  });

  it('has them with other options too', async () => {
    const client = createClient({ users: UsersResource }, { baseUrl: api.baseUrl, apiKey: KEY });
    const ofAnother = client.withOptions({ organizationId: 'org_2' }).withOptions({ timeoutMs: 5_000 });
    await ofAnother.users.me.get();
    expectTypeOf(ofAnother).toEqualTypeOf(client);
    expect(organizations()).toEqual(['org_2']);
  });

  it('has what every client has', async () => {
    const client = createClient({ system: SystemResource }, { baseUrl: api.baseUrl, apiKey: KEY });
    expect(await client.request('GET', '/api/v1/users/me')).toMatchObject({ id: 'usr_1' });
    expect(await client.requestHeaders()).toMatchObject({ authorization: `Bearer ${KEY}` });
  });

  it('refuses an option that does not exist, and a group that would hide what every client has', () => {
    const options = { baseUrl: api.baseUrl, apikey: KEY };
    expect(() => createClient({ users: UsersResource }, options)).toThrow('RentApi has no option `apikey`.');
    expect(() => createClient({ request: UsersResource }, { baseUrl: api.baseUrl, apiKey: KEY })).toThrow(
      'A group cannot be called `request`: every client has that already.',
    );
  });
});
