/** Never run: `tsc` proves here what the types promise to callers. */
import { WebSocket } from 'ws';
import {
  ConflictError,
  type EventMap,
  type EventPattern,
  RentApi,
  type RentApiError,
  type RentApiEvent,
} from '../src/index.ts';

const client = new RentApi({ baseUrl: 'http://localhost:8000', WebSocket });

for await (const key of client.apiKeys.list({ limit: 3 })) key.name satisfies string;
const page = await client.apiKeys.list();
page.nextCursor satisfies string | null;
const next = await page.next();
next?.items[0]?.name satisfies string | undefined;
// @ts-expect-error `limit` is required
await client.apiKeys.list().toArray();
(await client.apiKeys.list().toArray({ limit: 9 }))[0]?.name satisfies string | undefined;
(await client.users.me.get().asResponse()) satisfies Response;
(await client.request<{ year: number }>('GET', '/api/v1/reports')).year satisfies number;
(await client.request('GET', '/api/v1/reports')) satisfies unknown;

const login = await client.auth.login({ email: 'a@example.com', password: 'x' });
if ('accessToken' in login) login.accessToken satisfies string;

const subscription = client.realtime.subscribe(['api_key.*', 'member.added', 'an_event.of_a_newer_server']);
for await (const event of subscription) {
  if (event.event === 'api_key.created') event.data.prefix satisfies string;
  else if (event.event === 'organization.ownership_transferred') event.data.toUserId satisfies string;
  else if (event.event === 'api_call') event.id satisfies null;
}
// @ts-expect-error an invitation has no prefix
type NoPrefix = EventMap['invitation.created']['prefix'];
export type Told = RentApiEvent['event'] | EventPattern | NoPrefix;
const key = await client.apiKeys.get({ keyId: 'key_' });
key.environment satisfies string;
// @ts-expect-error a later version may answer another value
key.environment satisfies 'live' | 'test';
// @ts-expect-error what is sent is one that is known
await client.apiKeys.create({ name: 'ci', scopes: ['api_keys:fly'] });

const { headers } = await client.users.me.get({}, { timeoutMs: 1_000 }).withResponse();
headers satisfies Headers;
// @ts-expect-error options are the second argument
await client.users.me.get({ timeoutMs: 1_000 });
// @ts-expect-error `scopes` is required
await client.apiKeys.create({ name: 'ci' });
// @ts-expect-error there is no such field
await client.apiKeys.create({ name: 'ci', scopes: ['*'], colour: 'red' });

declare const error: RentApiError;
if (error.code === 'access_token_expired' || error.code === 'a_code_of_a_newer_server')
  error.status satisfies number | undefined;
if (error instanceof ConflictError) {
  error.name satisfies 'ConflictError';
  if (error.code === 'limit_reached') error.docsUrl satisfies string | null;
}
