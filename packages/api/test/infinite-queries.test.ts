import { createContext, systemContext } from '@rentapi/api/context';
import { platformPermissionOf } from '@rentapi/api/contract/permissions';
import { toProblem } from '@rentapi/api/contract/problem';
import { type AppRouter, appRouter } from '@rentapi/api/slices/router';
import { shapeOf } from '@rentapi/api/transports/rest-routes';
import { QueryClient } from '@tanstack/react-query';
import {
  createTRPCClient,
  createWSClient,
  httpBatchLink,
  httpBatchStreamLink,
  httpLink,
  TRPCClientError,
  type TRPCLink,
  wsLink,
} from '@trpc/client';
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startApp, type TestApp } from './app.ts';
import {
  buildFixture,
  type Caller,
  call,
  callRest,
  type Fixture,
  type Procedure,
  procedures,
} from './proofs/fixture.ts';
import { OWNED_KINDS, ownedIds } from './proofs/owned-ids.ts';
import { scenario } from './proofs/scenarios.ts';
import { unscoped } from './proofs/scenes.ts';

/** TanStack Query's infinite queries, with tRPC's own options for them, on every list of the router. */

const lists = procedures.filter(({ inputs }) => inputs.some((input) => 'cursor' in shapeOf(input)));
const others = procedures.filter((procedure) => procedure.type === 'query' && !lists.includes(procedure));

/** What a list is asked for where its example finds less than two of the fixture's rows. */
const FILTERS: Record<string, object> = { 'orgs.search': { query: 'Proven' }, 'admin.jobs.list': { status: 'FAILED' } };

interface Page {
  items: unknown[];
  nextCursor: string | null;
}
interface ListOptions {
  infiniteQueryOptions(input: object, options: { getNextPageParam: (page: Page) => string | null }): InfiniteOptions;
}
interface InfiniteOptions {
  queryKey: readonly unknown[];
  queryFn: () => Promise<Page>;
  initialPageParam: string | null;
  getNextPageParam: (page: Page) => string | null;
}

const BACKWARD = { path: 'direction', message: expect.stringMatching(/^must be 'forward': a list has no cursor of/) };
const UNKNOWN = { path: 'direction', message: 'is not a field of this request' };

let app: TestApp;
let fixture: Fixture;
let owner: Caller;
let staff: Caller;
const closing: (() => void)[] = [];

beforeAll(async () => {
  app = await startApp();
  fixture = await buildFixture(app);
  await fixture.owner.request('/api/v1/organizations', { method: 'POST', body: { name: 'Proven as well' } });
  const { email, password } = fixture.owner;
  await app.request('/api/v1/auth/login', { method: 'POST', body: { email, password } }); // a second session
  for (let rows = 0; rows < 2; rows++) {
    await ownedIds(fixture, OWNED_KINDS);
    for (const list of lists) await scenario(fixture, list);
  }
  owner = fixture.inOrganization('OWNER');
  staff = unscoped(await fixture.staff('ADMIN'));
});
afterAll(async () => {
  for (const close of closing) close();
  await app.close();
});

/** Pages of one item, so that two rows are two pages. */
async function inputOf(list: Procedure): Promise<Record<string, unknown>> {
  const { input } = await scenario(fixture, list);
  const needed = Object.entries((input ?? {}) as object).filter(([name]) =>
    list.meta.openapi.path.includes(`{${name}}`),
  );
  return { ...Object.fromEntries(needed), limit: 1, ...FILTERS[list.name] };
}

/** Some lists are of the platform's staff. */
const readerOf = ({ meta }: Procedure): Caller => (platformPermissionOf(meta.access) ? staff : owner);

const links: Record<string, (reader: Caller) => TRPCLink<AppRouter>> = {
  httpLink: (headers) => httpLink({ url: `${app.url}/trpc`, headers }),
  httpBatchLink: (headers) => httpBatchLink({ url: `${app.url}/trpc`, headers }),
  httpBatchStreamLink: (headers) => httpBatchStreamLink({ url: `${app.url}/trpc`, headers }),
  wsLink({ authorization, 'x-organization-id': organizationId }) {
    const token = authorization!.slice('Bearer '.length);
    const client = createWSClient({
      url: `${app.url.replace('http', 'ws')}/trpc`,
      WebSocket: WebSocket as unknown as typeof globalThis.WebSocket, // the same API, typed apart
      connectionParams: { token, ...(organizationId && { organizationId }) },
    });
    closing.push(() => void client.close());
    return wsLink({ client });
  },
};

/** What is at `apiKeys.list` of a proxy, whose members exist only when they are read. */
function at<T>(proxy: object, name: string): T {
  // The guarantee: the router has a list of that name, and the proxy follows the router.
  return name.split('.').reduce<unknown>((value, key) => Reflect.get(value as object, key), proxy) as T;
}

it('finds the lists', () => {
  expect(lists.map(({ name }) => name)).toEqual(expect.arrayContaining(['apiKeys.list', 'orgs.search']));
});

describe.each(Object.entries(links))('over %s', (_, link) => {
  it.each(lists)('an infinite query reads $name page by page', async (list) => {
    const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } });
    const client = createTRPCClient<AppRouter>({ links: [link(readerOf(list))] });
    const trpc = createTRPCOptionsProxy<AppRouter>({ client, queryClient });
    const options = at<ListOptions>(trpc, list.name).infiniteQueryOptions(await inputOf(list), {
      getNextPageParam: ({ nextCursor }) => nextCursor,
    });
    const { pages } = await queryClient.fetchInfiniteQuery({ ...options, pages: 2 });
    expect(pages.map(({ items }) => items.length)).toEqual([1, 1]);
    expect(pages[0]!.items).not.toEqual(pages[1]!.items);
  });

  it.each(lists)('$name refuses to go backward, and says why', async (list) => {
    const client = createTRPCClient<AppRouter>({ links: [link(readerOf(list))] });
    const query = at<(input: object) => Promise<unknown>>(client, `${list.name}.query`);
    const error = await query({ ...(await inputOf(list)), direction: 'backward' }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(TRPCClientError);
    expect((error as TRPCClientError<AppRouter>).data?.problem).toMatchObject({
      code: 'invalid_input',
      errors: [BACKWARD],
    });
  });
});

describe("over tRPC's caller", () => {
  it.each(lists)('$name goes forward only', async (list) => {
    const { request } = systemContext(app.ports, 'caller');
    const { authorization, 'x-organization-id': organizationId } = readerOf(list);
    const caller = appRouter.createCaller(createContext(app.ports, { ...request, authorization, organizationId }));
    const query = at<(input: object) => Promise<Page>>(caller, list.name);
    const input = await inputOf(list);
    expect((await query({ ...input, direction: 'forward' })).items).toHaveLength(1);
    expect((await query({ ...input, direction: undefined })).items).toHaveLength(1);
    const error: unknown = await query({ ...input, direction: 'backward' }).catch((error: unknown) => error);
    expect(toProblem(error, { requestId: '', publicUrl: '' })).toMatchObject({
      code: 'invalid_input',
      errors: [BACKWARD],
    });
  });
});

describe('`direction` is a field of infinite queries alone', () => {
  it.each(lists)('$name has none over REST', async (list) => {
    for (const direction of ['forward', 'backward']) {
      const { status, body } = await callRest(app, list, readerOf(list), { ...(await inputOf(list)), direction });
      expect([status, body.code, body.errors]).toEqual([400, 'invalid_input', [UNKNOWN]]);
    }
  });

  it.each(others)('$name, which has no pages, has none', async (procedure) => {
    const { caller, input } = await scenario(fixture, procedure);
    const { body } = await call(app, procedure, caller, { ...(input as object), direction: 'forward' });
    expect(body.error?.data.problem.errors).toEqual([UNKNOWN]);
  });
});
