import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AuthenticationError, ConnectionError, RentApi, type SessionStore, type SessionTokens } from '../src/index.ts';
import { type FakeApi, startFakeApi } from './fake-api.ts';

let api: FakeApi;
let client: RentApi;
/** Everything that was saved, oldest first; the store holds the last of it. */
let kept: (SessionTokens | null)[];
let session: SessionStore;
beforeEach(async () => {
  api = await startFakeApi();
  kept = [];
  session = { load: () => kept.at(-1), save: (tokens) => void kept.push(tokens) };
  client = new RentApi({ baseUrl: api.baseUrl, session });
});
afterEach(() => {
  vi.unstubAllGlobals();
  return api.close();
});

const logIn = () => client.auth.login({ email: 'a@example.com', password: 'right' });
const refreshes = () => api.seenAt('POST /api/v1/auth/refresh');

describe('a session', () => {
  it('begins with the login and ends with the logout', async () => {
    await logIn();
    expect(kept).toEqual([await client.tokens()]);
    expect(Date.parse(kept[0]?.expiresAt ?? '')).toBeGreaterThan(Date.now() + 890_000);
    expect(await client.users.me.get()).toMatchObject({ id: 'usr_1' });
    await client.auth.logout();
    expect(await client.tokens()).toBeNull();
    expect(kept.at(-1)).toBeNull();
    await expect(client.users.me.get()).rejects.toMatchObject({ code: 'credentials_required' });
  });

  it('is over where the answer to the logout was lost', async () => {
    await logIn();
    api.failNext({ status: 'drop', afterEffect: true });
    await client.auth.logout();
    expect(api.seenAt('POST /api/v1/auth/logout')).toHaveLength(2);
    expect([await client.tokens(), kept.at(-1)]).toEqual([null, null]);
  });

  it('sends no credential with a login', async () => {
    await logIn();
    await logIn();
    expect(api.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });

  it('is not begun by a wrong password', async () => {
    await expect(client.auth.login({ email: 'a@example.com', password: 'wrong' })).rejects.toBeInstanceOf(
      AuthenticationError,
    );
    expect(kept).toEqual([]);
  });

  it('goes on in a later run, from what was saved', async () => {
    await logIn();
    const file = JSON.stringify(kept[0]);
    const later = new RentApi({ baseUrl: api.baseUrl, tokens: JSON.parse(file) });
    api.expireAccessTokens();
    expect(await later.users.me.get()).toMatchObject({ id: 'usr_1' });
    expect(await later.users.me.get()).toMatchObject({ id: 'usr_1' });
    expect(refreshes()).toHaveLength(1);
  });

  it('may be kept where reading and writing take time', async () => {
    let text = 'null';
    const turn = () => new Promise((resolve) => setTimeout(resolve, 1));
    const load = async () => turn().then(() => JSON.parse(text));
    const save = async (tokens: SessionTokens | null) => {
      await turn();
      text = JSON.stringify(tokens);
    };
    const slow = new RentApi({ baseUrl: api.baseUrl, session: { load, save } });
    await slow.auth.login({ email: 'a@example.com', password: 'right' });
    api.expireAccessTokens();
    await slow.users.me.get();
    expect(JSON.parse(text)).toEqual(await slow.tokens());
    await slow.auth.logout();
    expect(text).toBe('null');
  });

  it('says what `load` must return, and passes on what the store throws', async () => {
    const unparsed = { load: () => JSON.parse('"{}"'), save: () => undefined };
    await expect(new RentApi({ baseUrl: api.baseUrl, session: unparsed }).users.me.get()).rejects.toThrow(
      '`session.load` must return what `session.save` was given, or null.',
    );
    const broken = { load: () => Promise.reject(new Error('The disk is gone.')), save: () => undefined };
    await expect(new RentApi({ baseUrl: api.baseUrl, session: broken }).users.me.get()).rejects.toThrow(
      'The disk is gone.',
    );
    expect(api.requests).toEqual([]);
  });

  it('is over here at once where the server cannot be reached for the logout', async () => {
    await logIn();
    const seen: (SessionTokens | null | undefined)[] = [];
    const offline = new RentApi({
      baseUrl: api.baseUrl,
      session,
      maxRetries: 0,
      fetch: async () => {
        seen.push(kept.at(-1));
        throw new TypeError('fetch failed');
      },
    });
    await expect(offline.auth.logout()).rejects.toBeInstanceOf(ConnectionError);
    expect(seen).toEqual([null]);
    expect(await client.tokens()).toBeNull();
  });

  it('is logged out with an access token that has ended, and where the server has ended it before', async () => {
    await logIn();
    api.expireAccessTokens();
    await client.auth.logout();
    expect(refreshes()).toHaveLength(1);
    await logIn();
    api.expireAccessTokens();
    api.forgetRefreshTokens();
    await client.auth.logout();
    expect(kept.at(-1)).toBeNull();
  });

  it('is not touched by a call with a credential of its own', async () => {
    await logIn();
    const headers = { Authorization: 'Bearer at_other' };
    await expect(client.users.me.get({}, { headers })).rejects.toMatchObject({ code: 'invalid_access_token' });
    await expect(client.auth.logout({}, { headers })).rejects.toMatchObject({ code: 'invalid_access_token' });
    expect(kept).toHaveLength(1);
    expect(await client.users.me.get()).toMatchObject({ id: 'usr_1' });
  });
});

describe('an expired access token', () => {
  it('is renewed once for twenty calls at the same time, and each is repeated', async () => {
    await logIn();
    api.expireAccessTokens();
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.users.me.get()));
    expect(answers).toHaveLength(20);
    expect(refreshes()).toHaveLength(1);
    expect(api.seenAt('GET /api/v1/users/me')).toHaveLength(40);
    expect(kept).toHaveLength(2);
    expect(kept[1]).toEqual(await client.tokens());
    expect(kept[1]?.refreshToken).not.toBe(kept[0]?.refreshToken);
  });

  it('is renewed before it ends, without a refused call', async () => {
    api.setExpiresIn(10); // renewed one second before
    await logIn();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 8_500 });
    await client.users.me.get();
    expect(refreshes()).toHaveLength(0);
    vi.setSystemTime(Date.now() + 1_000);
    await Promise.all([client.users.me.get(), client.users.me.get()]);
    vi.useRealTimers();
    expect(refreshes()).toHaveLength(1);
    expect(api.seenAt('GET /api/v1/users/me')).toHaveLength(3);
  });

  it('keeps the Idempotency-Key when the change is repeated', async () => {
    await logIn();
    api.expireAccessTokens();
    await client.apiKeys.create({ name: 'a', scopes: [] });
    const [refused, repeated] = api.seenAt('POST /api/v1/api-keys');
    expect(repeated!.headers['idempotency-key']).toBe(refused!.headers['idempotency-key']);
    expect(repeated!.headers.authorization).not.toBe(refused!.headers.authorization);
  });

  it('ends the session where the refresh is refused, and fails all waiting calls', async () => {
    await logIn();
    api.expireAccessTokens();
    api.forgetRefreshTokens();
    const results = await Promise.allSettled([client.users.me.get(), client.users.me.get()]);
    for (const result of results)
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'invalid_refresh_token' } });
    expect(refreshes()).toHaveLength(1);
    expect(await client.tokens()).toBeNull();
    expect(kept.slice(1)).toEqual([null]);
  });

  it('outlives a refresh whose answer never came', async () => {
    await logIn();
    api.expireAccessTokens();
    let call = 0;
    const flaky = new RentApi({
      baseUrl: api.baseUrl,
      tokens: kept[0]!,
      fetch: (url, init) => {
        if (String(url).endsWith('/auth/refresh') && call++ === 0) return Promise.reject(new TypeError('fetch failed'));
        return fetch(url, init);
      },
    });
    expect(await flaky.users.me.get()).toMatchObject({ id: 'usr_1' });
    expect(call).toBe(2);
  });

  it('is not renewed without a refresh token, nor for an API key', async () => {
    await logIn();
    api.expireAccessTokens();
    const bare = new RentApi({ baseUrl: api.baseUrl, tokens: { accessToken: kept[0]!.accessToken } });
    await expect(bare.users.me.get()).rejects.toMatchObject({ code: 'access_token_expired' });
    const key = new RentApi({ baseUrl: api.baseUrl, apiKey: 'rapi_test_key' });
    api.failNext({ status: 401, code: 'access_token_expired' });
    await expect(key.users.me.get()).rejects.toMatchObject({ code: 'access_token_expired' });
    expect(refreshes()).toHaveLength(0);
  });

  it('is renewed once for a call, not for ever', async () => {
    await logIn();
    const expired = { status: 401, code: 'access_token_expired' };
    const alwaysExpired: typeof fetch = (url, init) => {
      if (String(url).endsWith('/users/me')) api.failNext(expired);
      return fetch(url, init);
    };
    const stubborn = new RentApi({ baseUrl: api.baseUrl, tokens: kept[0]!, fetch: alwaysExpired });
    await expect(stubborn.users.me.get()).rejects.toMatchObject({ code: 'access_token_expired' });
    expect(refreshes()).toHaveLength(1);
  });

  it('does not replace a login that happened while the refresh ran', async () => {
    const release = api.holdRefreshes();
    await logIn();
    api.expireAccessTokens();
    const reading = client.users.me.get();
    await expect.poll(() => refreshes()).toHaveLength(1);
    const login = await logIn();
    release();
    expect(await reading).toMatchObject({ id: 'usr_1' });
    expect(login).toMatchObject({ accessToken: kept[1]?.accessToken, refreshToken: kept[1]?.refreshToken });
    expect(kept).toHaveLength(2);
  });
});

/** Each client is a tab or a process; the store is all that they share. */
describe.each([
  ['with Web Locks', true],
  ['without Web Locks', false],
])('two clients on one store, %s', (_, locks) => {
  let other: RentApi;
  beforeEach(async () => {
    // Node has Web Locks from version 24 on.
    if (!locks) vi.stubGlobal('navigator', {});
    other = new RentApi({ baseUrl: api.baseUrl, session });
    await logIn();
    api.expireAccessTokens();
  });
  const GRACE_AND_MORE_MS = 12_000;

  it('renew in turns, however long after each other', async () => {
    for (const renewing of [client, other, client, other]) {
      expect(await renewing.users.me.get()).toMatchObject({ id: 'usr_1' });
      api.advance(GRACE_AND_MORE_MS);
      api.expireAccessTokens();
    }
    expect(refreshes()).toHaveLength(4);
    expect(kept).not.toContain(null);
  });

  it('use what the other has stored, without a request', async () => {
    await client.users.me.get();
    api.advance(GRACE_AND_MORE_MS);
    await other.users.me.get();
    expect(refreshes()).toHaveLength(1);
    expect(await other.tokens()).toEqual(kept[1]);
  });

  it('renew at the same time', async () => {
    const answers = await Promise.all([client, other, client, other].map((tab) => tab.users.me.get()));
    expect(answers).toHaveLength(4);
    expect(await client.tokens()).toEqual(await other.tokens());
    expect(kept).not.toContain(null);
    api.expireAccessTokens();
    api.advance(GRACE_AND_MORE_MS);
    await other.users.me.get();
    await client.users.me.get();
  });

  it('go on where one was refused after the other had renewed', async () => {
    // The request of this client waits on its way until the other client has renewed and the grace is over.
    let arrive = () => {};
    const onItsWay = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const sent = vi.fn();
    vi.stubGlobal('navigator', {});
    const slow = new RentApi({
      baseUrl: api.baseUrl,
      session,
      fetch: async (url, init) => {
        if (String(url).endsWith('/auth/refresh')) {
          sent();
          await onItsWay;
          return Response.json({ code: 'invalid_refresh_token' }, { status: 401 });
        }
        return fetch(url, init);
      },
    });
    const reading = slow.users.me.get();
    await expect.poll(() => sent).toHaveBeenCalled();
    await other.users.me.get();
    arrive();
    expect(await reading).toMatchObject({ id: 'usr_1' });
    expect(kept).not.toContain(null);
  });

  it('go on where one was refused with a token of an ended session and the other has logged in again', async () => {
    await client.users.me.get();
    let changed = false;
    const late: typeof fetch = async (url, init) => {
      if (!changed) {
        changed = true;
        await client.auth.logout();
        await logIn();
      }
      return fetch(url, init);
    };
    const tab = new RentApi({ baseUrl: api.baseUrl, session, fetch: late });
    expect(await tab.users.me.get()).toMatchObject({ id: 'usr_1' });
    expect(await tab.tokens()).toEqual(kept.at(-1));
  });

  it('are both out after one logs out, and the store is empty once the server has ended the session', async () => {
    await client.users.me.get();
    const copy = kept.at(-1) ?? null;
    await client.auth.logout();
    await expect(other.users.me.get()).rejects.toMatchObject({ code: 'credentials_required' });
    await session.save(copy);
    await expect(other.users.me.get()).rejects.toMatchObject({ code: 'session_revoked' });
    expect(kept.at(-1)).toBeNull();
  });
});

describe('a Web Lock that is not granted', () => {
  it('is not waited for without end', async () => {
    await logIn();
    api.expireAccessTokens();
    const request = vi.fn(
      (_: string, { signal }: { signal: AbortSignal }) =>
        new Promise((__, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    );
    vi.stubGlobal('navigator', { locks: { request } });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const reading = client.users.me.get();
    await expect.poll(() => request).toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(10_000);
    vi.useRealTimers();
    expect(await reading).toMatchObject({ id: 'usr_1' });
  });

  it('in a page that may not use locks, is done without', async () => {
    await logIn();
    api.expireAccessTokens();
    vi.stubGlobal('navigator', { locks: { request: () => Promise.reject(new Error('SecurityError')) } });
    expect(await client.users.me.get()).toMatchObject({ id: 'usr_1' });
    expect(refreshes()).toHaveLength(1);
  });
});
