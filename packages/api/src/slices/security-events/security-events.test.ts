import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Person, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization } from '../../../test/organization.ts';

const ACTIVITY = '/api/v1/users/me/activity';

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  ada = await app.signUp();
});
afterAll(() => app.close());

const guess = (email: string, headers: Record<string, string> = {}) =>
  app.request('/api/v1/auth/login', { method: 'POST', body: { email, password: 'not the one' }, headers });

it('shows a person the wrong passwords of their account, newest first, in pages', async () => {
  for (const ip of ['203.0.113.1', '203.0.113.2', '203.0.113.3'])
    await guess(ada.email, { 'x-test-ip': ip, 'user-agent': 'guesser/1' });
  const first = (await ada.request(`${ACTIVITY}?limit=2`)).body;
  const rest = (await ada.request(`${ACTIVITY}?limit=2&cursor=${first.nextCursor}`)).body;
  const shown = [...first.items, ...rest.items].filter(({ kind }) => kind === 'login_failed');
  expect(shown.map(({ ip }) => ip)).toEqual(['203.0.113.3', '203.0.113.2', '203.0.113.1']);
  expect(shown[0]).toMatchObject({ userAgent: 'guesser/1', details: { method: 'password' } });
});

it('shows nothing of other accounts', async () => {
  const eve = await app.signUp();
  for (let time = 0; time < 2; time++) await guess(ada.email);
  const kinds = (await eve.request(ACTIVITY)).body.items.map(({ kind }: { kind: string }) => kind);
  expect(kinds).not.toContain('login_failed');
  const { nextCursor } = (await ada.request(`${ACTIVITY}?limit=1`)).body;
  expect((await eve.request(`${ACTIVITY}?cursor=${nextCursor}`)).body.code).toBe('invalid_cursor');
});

it('has no account in the row of an address that is not registered', async () => {
  await guess('not-registered@example.com', { 'x-request-id': 'unknown-address' });
  expect(await app.rows('security_events').where({ requestId: 'unknown-address' })).toMatchObject([
    { kind: 'login_failed', userId: null },
  ]);
});

it('says that a role was changed, without the address of who changed it', async () => {
  const { owner, join, setRole } = await makeOrganization(app);
  const member = await join('MEMBER');
  await setRole(owner, member, 'VIEWER');
  const [event] = (await member.request(ACTIVITY)).body.items;
  expect(event).toMatchObject({ kind: 'role_changed', details: { role: 'VIEWER' }, ip: null, userAgent: null });
});

it('says that a used refresh token came back', async () => {
  const refresh = (refreshToken: string) =>
    app.request('/api/v1/auth/refresh', { method: 'POST', body: { refreshToken } });
  const { body } = await refresh(ada.tokens.refreshToken);
  await refresh(body.refreshToken);
  expect((await refresh(ada.tokens.refreshToken)).body.code).toBe('invalid_refresh_token');
  const { body: again } = await app.request('/api/v1/auth/login', {
    method: 'POST',
    body: { email: ada.email, password: ada.password },
  });
  const { body: activity } = await app.request(ACTIVITY, {
    headers: { authorization: `Bearer ${again.accessToken}` },
  });
  expect(activity.items.map(({ kind }: { kind: string }) => kind)).toContain('refresh_token_replayed');
});
