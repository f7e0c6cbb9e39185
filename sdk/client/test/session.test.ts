import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AuthenticationError, RentApi, type SessionTokens } from '../src/index.ts';
import { type FakeApi, startFakeApi } from './fake-api.ts';

let api: FakeApi;
let kept: (SessionTokens | null)[];
let client: RentApi;
beforeEach(async () => {
  api = await startFakeApi();
  kept = [];
  client = new RentApi({ baseUrl: api.baseUrl, onTokens: (tokens) => void kept.push(tokens) });
});
afterEach(() => api.close());

const logIn = () => client.auth.login({ email: 'a@example.com', password: 'right' });
const refreshes = () => api.seenAt('POST /api/v1/auth/refresh');

describe('a session', () => {
  it('begins with the login and ends with the logout', async () => {
    await logIn();
    expect(kept).toEqual([client.tokens]);
    expect(Date.parse(client.tokens?.expiresAt ?? '')).toBeGreaterThan(Date.now() + 890_000);
    expect(await client.users.me.get()).toMatchObject({ id: 'usr_1' });
    await client.auth.logout();
    expect(client.tokens).toBeNull();
    expect(kept.at(-1)).toBeNull();
    await expect(client.users.me.get()).rejects.toMatchObject({ code: 'credentials_required' });
  });

  it('is over where the answer to the logout was lost', async () => {
    await logIn();
    api.failNext({ status: 'drop', afterEffect: true });
    await client.auth.logout();
    expect(api.seenAt('POST /api/v1/auth/logout')).toHaveLength(2);
    expect([client.tokens, kept.at(-1)]).toEqual([null, null]);
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

  it('can be taken up again from what onTokens handed out', async () => {
    await logIn();
    const later = new RentApi({ baseUrl: api.baseUrl, tokens: JSON.parse(JSON.stringify(kept[0])) });
    api.expireAccessTokens();
    expect(await later.users.me.get()).toMatchObject({ id: 'usr_1' });
    expect(refreshes()).toHaveLength(1);
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
    expect(kept[1]).toEqual(client.tokens);
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

  it('ends the session where the refresh is refused, and all waiting calls hear of it', async () => {
    await logIn();
    api.expireAccessTokens();
    api.forgetRefreshToken();
    const results = await Promise.allSettled([client.users.me.get(), client.users.me.get()]);
    for (const result of results)
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'invalid_refresh_token' } });
    expect(refreshes()).toHaveLength(1);
    expect(client.tokens).toBeNull();
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
    api.setRefreshDelay(80);
    await logIn();
    api.expireAccessTokens();
    const reading = client.users.me.get();
    await vi.waitFor(() => expect(refreshes()).toHaveLength(1));
    const login = await logIn();
    expect(await reading).toMatchObject({ id: 'usr_1' });
    expect(login).toMatchObject({ accessToken: client.tokens?.accessToken, refreshToken: client.tokens?.refreshToken });
    expect(kept).toHaveLength(2);
  });
});
