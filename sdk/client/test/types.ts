import { WebSocket } from 'ws';
import { RentApi } from '../src/index.ts';

const c = new RentApi({ baseUrl: '', WebSocket });
for await (const k of c.apiKeys.list({ limit: 3 })) {
  const s: string = k.name;
  console.log(s);
}
const p = await c.apiKeys.list();
p.nextCursor satisfies string | null;
const l = await c.auth.login({ email: '', password: '' });
if ('accessToken' in l) l.refreshToken satisfies string | null;
await c.users.me.get({}, { timeoutMs: 3 });
// @ts-expect-error
await c.users.me.get({ timeoutMs: 3 });
// @ts-expect-error
await c.apiKeys.create({ name: '' });
// @ts-expect-error
await c.apiKeys.create({ name: '', scopes: [], nam: 2 });
