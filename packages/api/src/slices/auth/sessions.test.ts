import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { overtake, statusAndCode } from '../../../test/organization.ts';

const DAY_MS = 86_400_000;
const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  ada = await app.signUp();
});
afterAll(() => app.close());

interface Tokens {
  accessToken: string;
  refreshToken: string;
}
const signIn = async (headers: Record<string, string> = {}): Promise<Tokens> =>
  (
    await app.request('/api/v1/auth/login', {
      method: 'POST',
      body: { email: ada.email, password: ada.password },
      headers,
    })
  ).body;
const by = ({ accessToken }: Tokens, path: string, method = 'GET', body?: object) =>
  app.request(`/api/v1${path}`, { method, body, headers: { authorization: `Bearer ${accessToken}` } });
const refresh = ({ refreshToken }: Tokens) =>
  app.request('/api/v1/auth/refresh', { method: 'POST', body: { refreshToken } });
const list = async (who: Tokens = ada.tokens) => (await by(who, '/auth/sessions?limit=100')).body.items;
const idOf = async (who: Tokens): Promise<string> =>
  (await list(who)).find(({ isCurrent }: { isCurrent: boolean }) => isCurrent).id;
const age = (seconds: number) => app.ageLogins(ada.id, seconds * 1000);
const statusOf = async (who: Tokens) => statusAndCode(await by(who, '/users/me'));

describe('the list of sessions', () => {
  it('shows each login with its device, and which one calls', async () => {
    const browser = await signIn({ 'user-agent': FIREFOX, 'x-test-ip': '203.0.113.20' });
    const shown = await list(browser);
    expect(shown).toHaveLength(2);
    expect(shown[0]).toMatchObject({
      device: { name: 'Firefox on Windows', browser: 'Firefox', system: 'Windows', type: 'desktop' },
      ip: '203.0.113.20',
      userAgent: FIREFOX,
      isCurrent: true,
      trustedUntil: null,
    });
    expect(shown[1].isCurrent).toBe(false);
  });

  it('leaves out what has ended, and what others have', async () => {
    const eve = await app.signUp();
    const other = await signIn();
    await by(other, '/auth/logout', 'POST');
    expect(await list()).toHaveLength(1);
    expect(await list(eve.tokens)).toHaveLength(1);
  });

  it('comes in pages', async () => {
    await signIn();
    const first = (await by(ada.tokens, '/auth/sessions?limit=1')).body;
    const second = (await by(ada.tokens, `/auth/sessions?limit=1&cursor=${first.nextCursor}`)).body;
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(
      (await list()).map(({ id }: { id: string }) => id),
    );
  });

  it('says when each was used last, which no request writes', async () => {
    const writes: string[] = [];
    const listen = ({ sql }: { sql: string }) => void (/session_uses/.test(sql) && writes.push(sql));
    app.ports.database.on('query', listen);
    app.advance(3 * 60_000);
    const other = await signIn();
    await by(other, '/users/me');
    app.ports.database.off('query', listen);
    expect(writes).toEqual([]);
    const [, first] = [await list(other), (await list(other))[0]];
    expect(Date.parse(first.lastSeenAt)).toBeGreaterThan(Date.now() + 2 * 60_000);
    await app.ports.lastSeen.close();
    const stored = await app.rows('session_uses').orderBy('lastSeenAt', 'desc').first();
    expect(stored.lastSeenAt.getTime()).toBeGreaterThan(Date.now() + 2 * 60_000);
    app.advance(-3 * 60_000);
  });
});

describe('ending sessions (V7.4.2, V7.5.2)', () => {
  it('refuses the tokens of an ended session, in every process', async () => {
    const other = await signIn();
    const process = await startApp({}, app);
    try {
      expect((await by(ada.tokens, `/auth/sessions/${await idOf(other)}`, 'DELETE')).status).toBe(204);
      expect(await statusOf(other)).toEqual([401, 'session_revoked']);
      expect((await refresh(other)).status).toBe(401);
      const elsewhere = () =>
        process.request('/api/v1/users/me', { headers: { authorization: `Bearer ${other.accessToken}` } });
      await eventually(async () => ((await elsewhere()).status === 401 ? true : undefined), 'the other process');
    } finally {
      await process.close();
    }
    expect(await statusOf(ada.tokens)).toEqual([200]);
  });

  it('asks for a recent login to end another session, and not for the own one', async () => {
    const other = await signIn();
    const [mine, theirs] = [await idOf(ada.tokens), await idOf(other)];
    await age(601);
    app.ports.actors.forget(`user:${app.ports.ids.decode('usr', ada.id)}`);
    expect(statusAndCode(await by(ada.tokens, `/auth/sessions/${theirs}`, 'DELETE'))).toEqual([
      403,
      'reauthentication_required',
    ]);
    expect(statusAndCode(await by(ada.tokens, '/auth/logout-all', 'POST'))).toEqual([403, 'reauthentication_required']);
    expect((await by(ada.tokens, `/auth/sessions/${mine}`, 'DELETE')).status).toBe(204);
    expect(await statusOf(ada.tokens)).toEqual([401, 'session_revoked']);
  });

  it("answers a stranger's session as one that never existed", async () => {
    const eve = await app.signUp();
    const foreign = await by(ada.tokens, `/auth/sessions/${await idOf(eve.tokens)}`, 'DELETE');
    const missing = await by(ada.tokens, `/auth/sessions/${randomUUID()}`, 'DELETE');
    expect(statusAndCode(foreign)).toEqual([404, 'not_found']);
    expect({ ...foreign.body, requestId: '' }).toEqual({ ...missing.body, requestId: '' });
    expect(await statusOf(eve.tokens)).toEqual([200]);
  });

  it('ends every other session, or all, under both paths', async () => {
    const others = [await signIn(), await signIn()];
    expect((await by(ada.tokens, '/auth/logout-all', 'POST', { keepCurrent: true })).status).toBe(204);
    for (const other of others) expect(await statusOf(other)).toEqual([401, 'session_revoked']);
    expect(await statusOf(ada.tokens)).toEqual([200]);
    const { items } = (await by(ada.tokens, '/users/me/activity')).body;
    expect(items[0]).toMatchObject({ kind: 'sessions_ended', details: { count: 2 } });
    expect((await by(ada.tokens, '/auth/logout-everywhere', 'POST')).status).toBe(204);
    expect(await statusOf(ada.tokens)).toEqual([401, 'session_revoked']);
  });
});

describe('a session (V7.1.1, V7.1.2, V7.3.2, V10.4.8)', () => {
  it('ends 30 days after its login, however often it is renewed', async () => {
    let tokens: Tokens = ada.tokens;
    for (let day = 6; day <= 24; day += 6) {
      app.advance(6 * DAY_MS);
      const answer = await refresh(tokens);
      expect([day, answer.status]).toEqual([day, 200]);
      tokens = answer.body;
    }
    app.advance(5 * DAY_MS);
    const last = await refresh(tokens);
    expect(last.status).toBe(200);
    app.advance(DAY_MS + 1000);
    expect((await refresh(last.body)).body.code).toBe('invalid_refresh_token');
    app.advance(-30 * DAY_MS - 1000);
  });

  it('is one of at most 100 of a person: one more ends the oldest, also at once', async () => {
    const userId = app.ports.ids.decode('usr', ada.id);
    const row = { userId, ip: '203.0.113.1', createdAt: new Date(), authenticatedAt: new Date() };
    const expiresAt = new Date(Date.now() + DAY_MS);
    await app.rows('sessions').insert(Array.from({ length: 98 }, () => ({ ...row, expiresAt })));
    expect(await list()).toHaveLength(99);
    // Another login of the person, which is not committed yet.
    const { status, body } = await overtake(app, {
      async lock(db) {
        await db.raw('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`sessions of ${userId}`]);
        await db('sessions').insert({ ...row, expiresAt });
      },
      request: () =>
        app.request('/api/v1/auth/login', { method: 'POST', body: { email: ada.email, password: ada.password } }),
      change: async () => {},
    });
    expect(status).toBe(200);
    expect(await list(body)).toHaveLength(100);
    expect(await statusOf(ada.tokens)).toEqual([401, 'session_revoked']);
  });

  it('is replaced by reauthentication: a copy of the old tokens does not become fresh (V7.2.4)', async () => {
    const { body, status } = await by(ada.tokens, '/auth/reauthenticate', 'POST', { password: ada.password });
    expect(status).toBe(200);
    expect(await statusOf(ada.tokens)).toEqual([401, 'session_revoked']);
    expect((await refresh(ada.tokens)).status).toBe(401);
    expect(await statusOf(body)).toEqual([200]);
    expect((await refresh(body)).status).toBe(200);
  });
});
