import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApp, type TestApp } from '../test/app.ts';
import { giveWaysIn, waysIn } from '../test/ways-in.ts';
import { ensureSuperAdmin } from './superusers.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const BOSS = { email: 'boss@example.com', password: 'a password of the operator' };
const post = (path: string, body: object) => app.request(`/api/v1/auth/${path}`, { method: 'POST', body });

it("makes an existing account the platform's administrator, and ends the sessions of the person who registered it first", async () => {
  const eve = await app.signUp({ email: BOSS.email });
  await giveWaysIn(app, eve.id);
  const etag = (await eve.request('/api/v1/users/me')).headers.get('etag');
  await ensureSuperAdmin(app.ports, BOSS);
  expect((await eve.request('/api/v1/users/me')).body.code).toBe('session_revoked');
  const refreshed = await post('refresh', { refreshToken: eve.tokens.refreshToken });
  expect(refreshed.body.code).toBe('invalid_refresh_token');
  expect((await post('login', { email: BOSS.email, password: eve.password })).body.code).toBe('invalid_credentials');

  expect(await waysIn(app, eve.id)).toEqual([]);

  const { body: tokens } = await post('login', BOSS);
  const headers = { authorization: `Bearer ${tokens.accessToken}` };
  const me = await app.request('/api/v1/users/me', { headers });
  expect([me.body.id, me.body.role]).toEqual([eve.id, 'SUPER_ADMIN']);
  expect(me.headers.get('etag')).not.toBe(etag);
  const [entry] = await app.rows('audit_logs').where({ action: 'user.updated', actorKind: 'system' });
  expect([entry.before.role, entry.after.role]).toEqual(['USER', 'SUPER_ADMIN']);
});
