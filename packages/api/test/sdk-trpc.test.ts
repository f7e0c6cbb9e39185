import type { TRPCLink } from '@trpc/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AppRouter } from '../src/slices/router.ts';
import { type Person, startApp, type TestApp } from './app.ts';

/** `rentapiLink` against the server as it is: what it refuses and remembers is its decision. */

interface Client {
  tokens(): Promise<{ accessToken: string } | null>;
  auth: { logout(): PromiseLike<void> };
}
/** The SDK is written for browsers too: its types need a browser's, which nothing here has. */
const SDK: string = '../../../sdk/client/src/index.ts';
const LINK: string = '../../../sdk/client/src/trpc.ts';
/** The copy that the link uses, as in a program, which has one. */
const TRPC: string = '../../../sdk/client/node_modules/@trpc/client/dist/index.mjs';
const { createTRPCClient }: typeof import('@trpc/client') = await import(TRPC);
const { RentApi }: { RentApi: new (options: object) => Client } = await import(SDK);
const { rentapiLink }: { rentapiLink: (client: Client, options?: object) => TRPCLink<AppRouter> } = await import(LINK);

const ACCESS_TOKEN_TTL_MS = 901_000;

let app: TestApp;
let person: Person;
let client: Client;
let sent: { url: string; headers: Headers }[];
beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  person = await app.signUp();
  client = new RentApi({ baseUrl: app.url, tokens: person.tokens });
  sent = [];
});
afterAll(() => app.close());

const trpcOf = (of: Client) => {
  const spy: typeof fetch = (url, init) => {
    sent.push({ url: String(url), headers: new Headers(init?.headers) });
    return fetch(url, init);
  };
  return createTRPCClient<AppRouter>({ links: [rentapiLink(of, { fetch: spy })] });
};

describe('the link', () => {
  it('signs queries and mutations, in the organization of the client', async () => {
    const organizationId = person.organizationId;
    const trpc = trpcOf(new RentApi({ baseUrl: app.url, tokens: person.tokens, organizationId }));
    expect((await trpc.users.me.get.query()).email).toBe(person.email);
    const { id } = await trpc.apiKeys.create.mutate({ name: 'k', scopes: ['read:*'] });
    expect((await trpc.apiKeys.get.query({ keyId: id })).id).toBe(id);
    expect(sent.map(({ headers }) => headers.get('x-organization-id'))).toEqual(Array(3).fill(organizationId));
  });

  it('signs with an API key too', async () => {
    const { secret } = await trpcOf(client).apiKeys.create.mutate({ name: 'k', scopes: ['*'] });
    const trpc = trpcOf(new RentApi({ baseUrl: app.url, apiKey: secret }));
    expect((await trpc.users.me.get.query()).email).toBe(person.email);
  });

  it('renews the session once for all calls of a batch and a concurrent mutation, and repeats them', async () => {
    const before = await client.tokens();
    app.advance(ACCESS_TOKEN_TTL_MS);
    const trpc = trpcOf(client);
    const [me, list, key] = await Promise.all([
      trpc.users.me.get.query(),
      trpc.apiKeys.list.query({}),
      trpc.apiKeys.create.mutate({ name: 'k', scopes: ['read:*'] }),
    ]);
    expect([me.email, list.nextCursor, key.name]).toEqual([person.email, null, 'k']);
    expect((await client.tokens())?.accessToken).not.toBe(before?.accessToken);
    const created = sent.filter(({ url }) => url.includes('apiKeys.create'));
    const keys = created.map(({ headers }) => headers.get('idempotency-key'));
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys).toEqual(Array(keys.length).fill(keys[0]));
  });

  it('makes a change once for one Idempotency-Key of its context', async () => {
    const trpc = trpcOf(client);
    const create = () =>
      trpc.apiKeys.create.mutate({ name: 'k', scopes: ['read:*'] }, { context: { idempotencyKey: 'mine' } });
    expect((await create()).id).toBe((await create()).id);
  });

  it('passes other refusals on, and that of a session that has ended', async () => {
    const trpc = trpcOf(client);
    const refusal = (call: Promise<unknown>) =>
      call.then(
        () => expect.fail('The call succeeded.'),
        (error) => error.data.problem,
      );
    expect(await refusal(trpc.apiKeys.get.query({ keyId: person.organizationId }))).toMatchObject({ status: 400 });
    await client.auth.logout();
    expect(await refusal(trpc.users.me.get.query())).toMatchObject({ code: 'credentials_required' });
    expect(sent).toHaveLength(2);
  });

  it('gives the failure of the store to the caller, and takes no subscription', async () => {
    const session = { load: () => Promise.reject(new Error('The disk is gone.')), save: () => undefined };
    const trpc = trpcOf(new RentApi({ baseUrl: app.url, session }));
    await expect(trpc.users.me.get.query()).rejects.toThrow('The disk is gone.');
    const error = await new Promise<Error>((resolve) =>
      trpc.realtime.events.subscribe({ events: ['*'] }, { onError: resolve }),
    );
    expect(error.message).toBe('`rentapiLink` takes no subscriptions: send them to `wsLink` with `splitLink`.');
  });
});
