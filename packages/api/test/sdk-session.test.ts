import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Person, startApp, type TestApp } from './app.ts';

/** Two programs on one session store, against the real server, which decides how refresh tokens are rotated. */

interface Tokens {
  accessToken: string;
  refreshToken: string;
}
interface Client {
  users: { me: { get(): PromiseLike<{ email: string }> } };
  auth: { logout(): PromiseLike<void>; login(credentials: object): PromiseLike<unknown> };
}
/** The SDK is written for browsers too: its types need a browser's, which Node does not have. */
const SDK: string = '../../../sdk/client/src/index.ts';
const { RentApi }: { RentApi: new (options: object) => Client } = await import(SDK);

const GRACE_AND_MORE_MS = 12_000;
const ACCESS_TOKEN_TTL_MS = 901_000;

let app: TestApp;
let person: Person;
let kept: (Tokens | null)[];
let tabs: [Client, Client];

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  person = await app.signUp();
  kept = [person.tokens];
  const session = { load: () => kept.at(-1), save: (tokens: Tokens | null) => void kept.push(tokens) };
  const tab = () => new RentApi({ baseUrl: app.url, session });
  tabs = [tab(), tab()];
});
afterAll(() => app.close());

const endAccessTokens = () => app.advance(ACCESS_TOKEN_TTL_MS);
const emails = (clients: Client[]) => Promise.all(clients.map(async (tab) => (await tab.users.me.get()).email));

describe('two clients on one session store', () => {
  it('stay logged in when they renew one after the other, further apart than the grace period', async () => {
    const [first, second] = tabs;
    for (const tab of [first, second, second, first]) {
      endAccessTokens();
      expect(await emails([tab])).toEqual([person.email]);
      app.advance(GRACE_AND_MORE_MS);
      expect(await emails(tabs)).toEqual([person.email, person.email]);
    }
    expect(kept).toHaveLength(5);
    expect(kept).not.toContain(null);
  });

  it('stay logged in when they renew at the same time, with Web Locks and without', async () => {
    const { locks } = navigator;
    for (const available of [locks, undefined]) {
      Object.defineProperty(navigator, 'locks', { value: available, configurable: true });
      endAccessTokens();
      expect(await emails([...tabs, ...tabs])).toEqual(Array(4).fill(person.email));
      app.advance(GRACE_AND_MORE_MS);
    }
    Object.defineProperty(navigator, 'locks', { value: locks, configurable: true });
    endAccessTokens();
    expect(await emails([...tabs].reverse())).toEqual([person.email, person.email]);
    expect(kept).not.toContain(null);
  });

  it('are both logged out by one, and both logged in again by the other', async () => {
    const [first, second] = tabs;
    endAccessTokens();
    await first.auth.logout();
    await expect(second.users.me.get()).rejects.toMatchObject({ code: 'credentials_required' });
    await second.auth.login({ email: person.email, password: person.password });
    expect(await emails(tabs)).toEqual([person.email, person.email]);
  });

  it('empty the store when the server has ended the session', async () => {
    const copy = kept.at(-1)!;
    await tabs[0].auth.logout();
    kept.push(copy);
    await expect(tabs[1].users.me.get()).rejects.toMatchObject({ code: 'session_revoked' });
    expect(kept.at(-1)).toBeNull();
    kept.push(copy);
    endAccessTokens();
    await expect(tabs[1].users.me.get()).rejects.toMatchObject({ code: 'invalid_refresh_token' });
    expect(kept.at(-1)).toBeNull();
  });
});
