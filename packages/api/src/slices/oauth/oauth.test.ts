import { createHash, randomBytes, randomInt, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, eventually, startApp, type TestApp } from '../../../test/app.ts';
import {
  type Account,
  CLIENT,
  type Forgery,
  startForger,
  startGitHub,
  startOpenIdProvider,
} from '../../../test/identity-providers.ts';
import { statusAndCode } from '../../../test/organization.ts';
import { giveWaysIn, waysIn } from '../../../test/ways-in.ts';

const PUBLIC = 'http://localhost:8000';
const PAGE = 'https://app.example.com';
const REFRESH = '__Host-rentapi_refresh';
const FLOW = '__Host-rentapi_oauth';

let app: TestApp;
let openId: Awaited<ReturnType<typeof startOpenIdProvider>>;
let gitHub: Awaited<ReturnType<typeof startGitHub>>;
let forger: Awaited<ReturnType<typeof startForger>>;

beforeAll(async () => {
  openId = await startOpenIdProvider(`${PUBLIC}/api/v1/oauth/google/callback`);
  gitHub = await startGitHub();
  forger = await startForger();
  app = await startApp({
    PUBLIC_URL: PUBLIC,
    CORS_ORIGINS: `*,${PAGE}`,
    GOOGLE_ISSUER: openId.issuer,
    GOOGLE_CLIENT_ID: CLIENT.id,
    GOOGLE_CLIENT_SECRET: CLIENT.secret,
    GITHUB_BASE_URL: gitHub.baseUrl,
    GITHUB_CLIENT_ID: CLIENT.id,
    GITHUB_CLIENT_SECRET: CLIENT.secret,
    OIDC_ISSUER: forger.issuer,
    OIDC_CLIENT_ID: CLIENT.id,
    OIDC_CLIENT_SECRET: CLIENT.secret,
    OIDC_NAME: 'Example Inc.',
  });
});
afterAll(async () => {
  await app.close();
  for (const each of [openId, gitHub, forger]) each.close();
});

let person: Account;
beforeEach(() => {
  const email = `${randomUUID()}@example.com`;
  person = { sub: String(randomInt(1, 2 ** 40)), email, emailVerified: true, name: 'Ada Lovelace' };
  openId.logIn(person);
  gitHub.logIn(person);
});

type Provider = 'google' | 'github' | 'oidc';

/** What one browser does: it keeps cookies, and follows redirects to providers. */
class Browser {
  readonly #cookies = new Map<string, Map<string, string>>();
  readonly #headers: Record<string, string>;

  constructor(headers: Record<string, string> = {}) {
    this.#headers = headers;
  }

  cookie(name: string): string | undefined {
    return this.#jar(PUBLIC).get(name);
  }

  /** A request to our server. */
  async ask(
    path: string,
    { method = 'GET', body, headers }: { method?: string; body?: object; headers?: object } = {},
  ) {
    const answer = await this.#fetch(PUBLIC, app.url + path, {
      method,
      headers: { ...this.#headers, ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json');
    return { status: answer.status, headers: answer.headers, body: isJson && text ? JSON.parse(text) : text } as Answer;
  }

  begin(provider: Provider, query: Record<string, string> = {}): Promise<Answer> {
    return this.ask(`/api/v1/oauth/${provider}/initiate?${new URLSearchParams(query)}`);
  }

  /** Follows the provider's pages to the address of the callback: path and query. */
  async visit(url: string): Promise<string> {
    let at = url;
    for (let steps = 0; !at.startsWith(PUBLIC) && steps < 10; steps++) {
      const { origin } = new URL(at);
      const answer = await this.#fetch(origin, at, { redirect: 'manual' });
      await answer.text();
      at = new URL(answer.headers.get('location')!, origin).href;
    }
    return at.slice(PUBLIC.length);
  }

  /** The whole login, to the answer of the callback. */
  async logIn(provider: Provider, query: Record<string, string> = {}): Promise<Answer> {
    const { headers } = await this.begin(provider, query);
    return this.ask(await this.visit(headers.get('location')!));
  }

  #jar(origin: string): Map<string, string> {
    const jar = this.#cookies.get(origin) ?? new Map<string, string>();
    this.#cookies.set(origin, jar);
    return jar;
  }

  async #fetch(origin: string, url: string, init: RequestInit): Promise<Response> {
    const jar = this.#jar(origin);
    const headers = new Headers(init.headers);
    if (jar.size > 0) headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';')[0]!.split(/=(.*)/s);
      if (value === '' || line.includes('Max-Age=0')) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  }
}

const newPkce = () => {
  const codeVerifier = randomBytes(32).toString('base64url');
  return { codeVerifier, codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url') };
};
const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  app.request(`/api/v1${path}`, { method: 'POST', body, headers });
const exchange = (body: object) => post('/oauth/exchange', body);
const bearer = (answer: Answer) => ({ authorization: `Bearer ${answer.body.accessToken}` });
const me = (answer: Answer) => app.request('/api/v1/users/me', { headers: bearer(answer) });
const identitiesOf = async (answer: Answer) =>
  (await app.request('/api/v1/users/me/identities', { headers: bearer(answer) })).body.items;
const locationOf = (answer: Answer) => new URL(answer.headers.get('location')!);
const counts = async () => [
  Number((await app.rows('user_identities').count())[0]!['count']),
  Number((await app.rows('users').count())[0]!['count']),
];

/** A login that goes back to a page, and what the page does then. */
async function logInOnPage(provider: Provider, query: Record<string, string> = {}) {
  const browser = new Browser();
  const { codeVerifier, codeChallenge } = newPkce();
  const answer = await browser.logIn(provider, { redirectTo: `${PAGE}/welcome?from=a`, codeChallenge, ...query });
  return { browser, location: locationOf(answer), codeVerifier };
}

describe('the providers', () => {
  it('are those that are set up', async () => {
    expect((await app.request('/api/v1/oauth/providers')).body.items).toEqual([
      { provider: 'google', name: 'Google' },
      { provider: 'github', name: 'GitHub' },
      { provider: 'oidc', name: 'Example Inc.' },
    ]);
    const bare = await startApp({ GITHUB_CLIENT_ID: '', GITHUB_CLIENT_SECRET: '' });
    expect((await bare.request('/api/v1/oauth/providers')).body.items).toEqual([]);
    expect(statusAndCode(await bare.request('/api/v1/oauth/google/initiate'))).toEqual([404, 'oauth_provider_unknown']);
    await bare.close();
  });
});

describe('beginning', () => {
  it('redirects to the provider with PKCE, state, nonce and the exact redirect URI (V10.2.1, V10.4.6)', async () => {
    const browser = new Browser();
    const { status, headers, body } = await browser.begin('google');
    const { origin, searchParams } = new URL(headers.get('location')!);
    expect([status, origin, body]).toEqual([302, openId.issuer, '']);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      client_id: CLIENT.id,
      response_type: 'code',
      scope: 'openid email profile',
      redirect_uri: `${PUBLIC}/api/v1/oauth/google/callback`,
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    const cookie = headers.getSetCookie().find((line) => line.startsWith(FLOW))!;
    expect(cookie.split('; ').slice(1)).toEqual(['Max-Age=600', 'Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax']);
    for (const secret of [searchParams.get('state')!, searchParams.get('nonce')!])
      expect(Buffer.from(cookie, 'base64url').toString('latin1')).not.toContain(secret);
  });

  it('answers the address to a page that asks for JSON', async () => {
    const { status, body } = await new Browser({ accept: 'application/json' }).begin('github');
    expect([status, new URL(body.url).origin]).toEqual([200, gitHub.baseUrl]);
  });

  it.each([
    'https://evil.example/welcome',
    'https://app.example.com.evil.example/',
    'https://app.example.com@evil.example/',
    'https://evil.example@app.example.com/',
    'https://user:pass@app.example.com/',
    'https://app.example.com:8443/',
    'http://app.example.com/',
    '//evil.example/',
    '/\\evil.example',
    '\\\\evil.example',
    'https:evil.example',
    'https:/app.example.com/',
    'https:\\\\app.example.com\\',
    'https://app.example.com#@evil.example',
    'https://app.example.com\\@evil.example/',
    'https://evil.example\\.app.example.com/',
    'https://app.example.com%2eevil.example/',
    'https://evil。example/',
    'javascript:alert(1)//https://app.example.com',
    'data:text/html,https://app.example.com',
    'https://*/',
    ' https://app.example.com/',
    'ht\ntps://app.example.com/',
    'welcome',
    '',
    'null',
  ])('does not lead back to %j', async (redirectTo) => {
    const browser = new Browser();
    const answer = await browser.begin('google', { redirectTo, codeChallenge: newPkce().codeChallenge });
    expect(statusAndCode(answer)).toEqual([400, 'redirect_not_allowed']);
    expect(browser.cookie(FLOW)).toBeUndefined();
  });

  it('needs the challenge of the page that it leads back to', async () => {
    const { body } = await new Browser().begin('google', { redirectTo: PAGE });
    expect(body.errors).toEqual([{ path: 'codeChallenge', message: 'is needed with `redirectTo`' }]);
  });

  it('sets no cookie for a page of a foreign origin', async () => {
    const answer = await new Browser({ origin: 'https://evil.example', accept: 'application/json' }).begin('google');
    expect([...statusAndCode(answer), answer.headers.getSetCookie()]).toEqual([403, 'origin_not_allowed', []]);
  });
});

describe.each<Provider>(['google', 'github'])('a login with %s', (provider) => {
  it('makes an account with the verified address, once', async () => {
    const first = await new Browser().logIn(provider);
    expect([first.status, first.body.user.email, first.body.user.fullName]).toEqual([
      200,
      person.email,
      'Ada Lovelace',
    ]);
    expect(first.body.user.emailVerifiedAt).not.toBeNull();
    const second = await new Browser().logIn(provider);
    expect(second.body.user.id).toBe(first.body.user.id);
    expect(await identitiesOf(second)).toMatchObject([{ provider, email: person.email }]);
    expect((await me(second)).status).toBe(200);
  });

  it('finds the account again by what the provider calls the person, never by the address (V6.8.1, V10.5.2)', async () => {
    const first = await new Browser().logIn(provider);
    const other = { ...person, sub: String(randomInt(1, 2 ** 40)) };
    for (const each of [openId, gitHub]) each.logIn({ ...person, email: 'moved@example.com' });
    expect((await new Browser().logIn(provider)).body.user.id).toBe(first.body.user.id);
    for (const each of [openId, gitHub]) each.logIn(other);
    expect(statusAndCode(await new Browser().logIn(provider))).toEqual([409, 'identity_exists']);
  });

  it('makes no account for an address that the provider has not verified', async () => {
    for (const each of [openId, gitHub]) each.logIn({ ...person, emailVerified: false });
    const before = await counts();
    expect(statusAndCode(await new Browser().logIn(provider))).toEqual([403, 'oauth_email_unverified']);
    expect(await counts()).toEqual(before);
  });

  it('leads back to the page with a code, which the page exchanges once (V10.4.2)', async () => {
    const { location, codeVerifier } = await logInOnPage(provider);
    expect(location.href).toMatch(/^https:\/\/app\.example\.com\/welcome\?from=a&code=[\w-]{43}$/);
    const code = location.searchParams.get('code')!;
    const tokens = await exchange({ code, codeVerifier });
    expect([tokens.status, tokens.body.user.email]).toEqual([200, person.email]);
    expect((await me(tokens)).status).toBe(200);
    expect(statusAndCode(await exchange({ code, codeVerifier }))).toEqual([400, 'oauth_code_invalid']);
    expect(statusAndCode(await me(tokens))).toEqual([401, 'session_revoked']);
  });

  it('keeps the refresh token in a cookie, for whom asks, with and without a page', async () => {
    const browser = new Browser();
    expect((await browser.logIn(provider, { cookie: 'true' })).body.refreshToken).toBeNull();
    expect(browser.cookie(REFRESH)).toMatch(/^[\w-]{43}$/);
    const { location, codeVerifier } = await logInOnPage(provider);
    const answer = await exchange({ code: location.searchParams.get('code'), codeVerifier, cookie: true });
    expect([answer.body.refreshToken, answer.headers.getSetCookie()[0]]).toEqual([
      null,
      expect.stringContaining(REFRESH),
    ]);
  });

  it('is no recent login unless the provider says so (V6.8.4)', async () => {
    const answer = await new Browser().logIn(provider);
    const link = await app.request(`/api/v1/users/me/identities/${provider}`, {
      method: 'DELETE',
      headers: bearer(answer),
    });
    expect(statusAndCode(link)).toEqual([403, 'reauthentication_required']);
  });

  it('is refused for an account that is not active', async () => {
    const { body } = await new Browser().logIn(provider);
    await app.rows('users').where({ email: body.user.email }).update({ status: 'SUSPENDED' });
    expect(statusAndCode(await new Browser().logIn(provider))).toEqual([403, 'account_inactive']);
  });

  it('asks for the second factor, as a login with a password does', async () => {
    const { body } = await new Browser().logIn(provider);
    await app.rows('users').where({ email: body.user.email }).update({ twoFactorEnabledAt: new Date() });
    expect((await new Browser().logIn(provider)).body).toMatchObject({ mfaRequired: true });
    const { location, codeVerifier } = await logInOnPage(provider);
    const answer = await exchange({ code: location.searchParams.get('code'), codeVerifier, cookie: true });
    expect([answer.body.mfaRequired, answer.body.accessToken, answer.headers.getSetCookie()]).toEqual([
      true,
      undefined,
      [],
    ]);
  });
});

describe('a recent login', () => {
  it('is one for which the provider was asked, and which it confirms (V6.8.4)', async () => {
    const answer = await new Browser().logIn('google', { fresh: 'true' });
    const { status } = await app.request('/api/v1/users/me/identities/google/link', {
      method: 'POST',
      headers: bearer(answer),
      body: {},
    });
    expect(status).toBe(200);
  });

  it('is not possible with GitHub, which does not say when', async () => {
    const { status, body } = await new Browser().begin('github', { fresh: 'true' });
    expect([status, body.errors[0].path]).toEqual([400, 'fresh']);
  });

  it('is not one that was long ago, or of which the provider does not say when', async () => {
    for (const auth_time of [Math.floor(Date.now() / 1000) - 3600, undefined]) {
      const answer = await forge({ claims: { ...(auth_time && { auth_time }) } }, { fresh: 'true' });
      expect(statusAndCode(answer)).toEqual([403, 'oauth_not_fresh']);
    }
  });
});

describe('an account with a password', () => {
  const register = (email: string) => post('/auth/register', { email, password: 'a password of its own' });
  const logIn = (email: string) => post('/auth/login', { email, password: 'a password of its own' });
  const verify = async (email: string) => {
    const mail = await app.mailTo(email);
    await post('/auth/verify-email', { token: /token=([\w-]+)/.exec(mail.text)![1]! });
  };

  it('is opened by the provider too, if both have verified the address; its owner is mailed', async () => {
    await register(person.email);
    await verify(person.email);
    const { body } = await new Browser().logIn('google');
    const byPassword = await logIn(person.email);
    expect(byPassword.body.user.id).toBe(body.user.id);
    await eventually(
      () => app.mails.find(({ to, subject }) => to === person.email && subject.includes('Google')),
      'the notice',
    );
    const { body: activity } = await app.request('/api/v1/users/me/activity', { headers: bearer(byPassword) });
    expect(activity.items[0]).toMatchObject({ kind: 'identity_linked', details: { provider: 'google' } });
  });

  it('loses what was made before its address was verified, perhaps by a stranger', async () => {
    await register(person.email);
    await app.rows('users').where({ email: person.email }).update({ emailVerifiedAt: new Date() });
    const stranger = await logIn(person.email);
    await app.rows('users').where({ email: person.email }).update({ emailVerifiedAt: null });
    await giveWaysIn(app, stranger.body.user.id, 'github');
    const { body } = await new Browser().logIn('google');
    expect(body.user.id).toBe(stranger.body.user.id);
    expect(await waysIn(app, body.user.id)).toEqual(['user_identities google']);
    expect(body.user.emailVerifiedAt).not.toBeNull();
    expect(statusAndCode(await me(stranger))).toEqual([401, 'session_revoked']);
    expect(statusAndCode(await logIn(person.email))).toEqual([401, 'invalid_credentials']);
  });

  it('links a provider with another address, in the browser and session that asked (V3.5.3, V7.5.1)', async () => {
    const ada = await app.signUp();
    const browser = new Browser({ authorization: `Bearer ${ada.tokens.accessToken}` });
    const { body } = await browser.ask('/api/v1/users/me/identities/github/link', {
      method: 'POST',
      body: { redirectTo: `${PAGE}/settings` },
    });
    const answer = await browser.ask(await browser.visit(body.url));
    expect(locationOf(answer).href).toBe(`${PAGE}/settings?linked=github`);
    expect((await new Browser().logIn('github')).body.user.id).toBe(ada.id);
  });

  it('links nothing in another browser, or after the session that asked has ended', async () => {
    const ada = await app.signUp();
    const browser = new Browser({ authorization: `Bearer ${ada.tokens.accessToken}` });
    const link = () => browser.ask('/api/v1/users/me/identities/github/link', { method: 'POST', body: {} });
    const before = await counts();
    const callback = await browser.visit((await link()).body.url);
    expect(statusAndCode(await new Browser().ask(callback))).toEqual([400, 'oauth_state_invalid']);
    const late = await browser.visit((await link()).body.url);
    await ada.request('/api/v1/auth/logout', { method: 'POST' });
    expect(statusAndCode(await new Browser().ask(late))).toEqual([400, 'oauth_state_invalid']);
    expect(statusAndCode(await browser.ask(late))).toEqual([401, 'session_revoked']);
    expect(await counts()).toEqual(before);
  });

  it('cannot link a login that opens another account', async () => {
    await new Browser().logIn('github');
    const ada = await app.signUp();
    const browser = new Browser({ authorization: `Bearer ${ada.tokens.accessToken}` });
    const { body } = await browser.ask('/api/v1/users/me/identities/github/link', { method: 'POST', body: {} });
    const before = await counts();
    expect(statusAndCode(await browser.ask(await browser.visit(body.url)))).toEqual([409, 'identity_taken']);
    expect(await counts()).toEqual(before);
  });

  it('is linked by no GET', async () => {
    const ada = await app.signUp();
    const { status } = await ada.request('/api/v1/users/me/identities/github/link');
    expect(status).toBe(405);
  });
});

describe('the last way in', () => {
  const unlink = (answer: Answer, provider: Provider) =>
    app.request(`/api/v1/users/me/identities/${provider}`, { method: 'DELETE', headers: bearer(answer) });

  it('stays: of two providers one can go, also of two requests at once', async () => {
    await new Browser().logIn('github');
    const answer = await new Browser().logIn('google', { fresh: 'true' });
    expect((await identitiesOf(answer)).map(({ provider }: { provider: string }) => provider)).toEqual([
      'github',
      'google',
    ]);
    const answers = await Promise.all([unlink(answer, 'github'), unlink(answer, 'google')]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409]);
    expect(await identitiesOf(answer)).toHaveLength(1);
  });

  it('is the password, where there is one', async () => {
    const ada = await app.signUp({ email: person.email });
    await app.rows('users').where({ email: person.email }).update({ emailVerifiedAt: new Date() });
    await new Browser().logIn('google');
    const { status } = await ada.request('/api/v1/users/me/identities/google', { method: 'DELETE' });
    expect(status).toBe(204);
    expect(statusAndCode(await ada.request('/api/v1/users/me/identities/google', { method: 'DELETE' }))).toEqual([
      404,
      'not_found',
    ]);
  });
});

/** A login whose provider answers what `forgery` says. */
async function forge(forgery: Forgery, query: Record<string, string> = {}, given: Record<string, string> = {}) {
  const browser = new Browser();
  const { headers } = await browser.begin('oidc', query);
  const { searchParams } = locationOf({ headers } as Answer);
  forger.answer(searchParams.get('nonce')!, forgery);
  const answer = { code: 'c', state: searchParams.get('state')!, iss: forger.issuer, ...given };
  return browser.ask(`/api/v1/oauth/oidc/callback?${new URLSearchParams(answer)}`);
}

describe('an answer that is not of this login', () => {
  const invalid = [400, 'oauth_answer_invalid'];

  it('is not what an honest one is refused for', async () => {
    const sub = randomUUID();
    expect((await forge({ claims: { sub, email: person.email } })).body.user.email).toBe(person.email);
  });

  it.each<[string, Forgery]>([
    ['a foreign key (V6.8.2)', { key: 'foreign' }],
    ['no signature (V6.8.2)', { key: 'none' }],
    ['another audience (V6.8.2)', { claims: { aud: 'another-client' } }],
    ['several audiences, and the token for another one (V6.8.2)', { claims: { aud: [CLIENT.id, 'b'], azp: 'b' } }],
    ['another issuer', { claims: { iss: 'https://accounts.google.com' } }],
    ['another nonce', { claims: { nonce: 'another' } }],
    ['no nonce', { claims: { nonce: undefined } }],
    ['no subject', { claims: { sub: '' } }],
    ['a code that was used', { error: 'invalid_grant' }],
    ['no JSON', { status: 200 }],
    ['a redirect, which is not followed', { status: 302 }],
  ])('is refused, and links nothing: %s', async (_, forgery) => {
    const before = await counts();
    expect(statusAndCode(await forge(forgery))).toEqual(invalid);
    expect(await counts()).toEqual(before);
    expect(forger.asked()).not.toContain('/elsewhere');
  });

  it.each<[string, Forgery]>([
    ['fails', { status: 500 }],
    ['does not know this client', { error: 'invalid_client', status: 401 }],
  ])('is no fault of the person, where the provider %s', async (_, forgery) => {
    const answer = await forge(forgery);
    expect([...statusAndCode(answer), answer.headers.get('retry-after')]).toEqual([
      503,
      'oauth_provider_unavailable',
      '5',
    ]);
  });

  it('is refused with the `iss` of another provider, or without one (mix-up, RFC 9207)', async () => {
    expect(statusAndCode(await forge({}, {}, { iss: openId.issuer }))).toEqual(invalid);
    expect(statusAndCode(await forge({}, {}, { iss: '' }))).toEqual(invalid);
  });

  it('is refused at the callback of another provider', async () => {
    const browser = new Browser();
    const callback = await browser.visit(locationOf(await browser.begin('google')).href);
    expect(statusAndCode(await browser.ask(callback.replace('/google/', '/github/')))).toEqual([
      400,
      'oauth_state_invalid',
    ]);
  });

  it('is refused with another state, a foreign cookie, none, an old one, or the same one again', async () => {
    const state = [400, 'oauth_state_invalid'];
    const before = await counts();
    const begin = async () => {
      const browser = new Browser();
      return { browser, callback: await browser.visit(locationOf(await browser.begin('google')).href) };
    };
    const [ada, eve] = [await begin(), await begin()];
    expect(statusAndCode(await new Browser().ask(eve.callback))).toEqual(state);
    expect(statusAndCode(await ada.browser.ask(eve.callback))).toEqual(state);
    const wrong = await begin();
    expect(statusAndCode(await wrong.browser.ask(wrong.callback.replace(/state=./, 'state=')))).toEqual(state);
    const headers = { cookie: `${FLOW}=${randomBytes(400).toString('base64url')}` };
    expect(statusAndCode(await app.request((await begin()).callback, { headers }))).toEqual(state);
    const late = await begin();
    app.advance(601_000);
    expect(statusAndCode(await late.browser.ask(late.callback))).toEqual(state);
    expect(await counts()).toEqual(before);
    const right = await begin();
    expect((await right.browser.ask(right.callback)).status).toBe(200);
    expect(statusAndCode(await right.browser.ask(right.callback))).toEqual(state);
  });

  it('is refused with a code that was used, by the provider too', async () => {
    const browser = new Browser();
    const callback = await browser.visit(locationOf(await browser.begin('github')).href);
    const headers = { cookie: `${FLOW}=${browser.cookie(FLOW)}` };
    expect((await app.request(callback, { headers })).status).toBe(200);
    expect(statusAndCode(await app.request(callback, { headers }))).toEqual(invalid);
  });

  it('says that the person has refused, to the page too', async () => {
    expect(statusAndCode(await forge({}, {}, { error: 'access_denied' }))).toEqual([403, 'oauth_denied']);
    const query = { redirectTo: PAGE, codeChallenge: newPkce().codeChallenge };
    const answer = await forge({}, query, { error: 'access_denied' });
    expect(answer.status).toBe(302);
    expect(locationOf(answer).origin).toBe(PAGE);
    expect(locationOf(answer).searchParams.get('error')).toBe('oauth_denied');
  });
});

describe('the code of a page', () => {
  it('is of no use without the verifier, and then used (V10.4.6)', async () => {
    const { location, codeVerifier } = await logInOnPage('google');
    const code = location.searchParams.get('code')!;
    expect(statusAndCode(await exchange({ code, codeVerifier: newPkce().codeVerifier }))).toEqual([
      400,
      'oauth_code_invalid',
    ]);
    expect(statusAndCode(await exchange({ code, codeVerifier }))).toEqual([400, 'oauth_code_invalid']);
  });

  it('is valid for 60 seconds', async () => {
    const { location, codeVerifier } = await logInOnPage('google');
    app.advance(61_000);
    const code = location.searchParams.get('code')!;
    expect(statusAndCode(await exchange({ code, codeVerifier }))).toEqual([400, 'oauth_code_invalid']);
  });

  it('is of no use once the access of its person has ended', async () => {
    const { location, codeVerifier } = await logInOnPage('google');
    const staff = await app.signUp();
    await app.rows('users').where({ email: staff.email }).update({ role: 'ADMIN' });
    const { id } = await app.rows('users').where({ email: person.email }).first('id');
    for (const verb of ['suspend', 'activate']) {
      const path = `/api/v1/users/${app.ports.ids.encode('usr', id)}/${verb}`;
      expect((await staff.request(path, { method: 'POST' })).status).toBe(200);
    }
    const code = location.searchParams.get('code')!;
    expect(statusAndCode(await exchange({ code, codeVerifier }))).toEqual([400, 'oauth_code_invalid']);
  });

  it('opens at most one session of 20 exchanges at once, and none that goes on', async () => {
    const { location, codeVerifier } = await logInOnPage('google');
    const code = location.searchParams.get('code')!;
    const answers = await Promise.all(Array.from({ length: 20 }, () => exchange({ code, codeVerifier })));
    const opened = answers.filter(({ status }) => status === 200);
    expect(opened.length).toBeLessThanOrEqual(1);
    for (const answer of opened) expect(statusAndCode(await me(answer))).toEqual([401, 'session_revoked']);
  });

  it('is unknown to everyone else', async () => {
    const code = randomBytes(32).toString('base64url');
    expect(statusAndCode(await exchange({ code, codeVerifier: newPkce().codeVerifier }))).toEqual([
      400,
      'oauth_code_invalid',
    ]);
  });
});

describe('a third provider', () => {
  it('costs no code, also one that names the address in its userinfo only', async () => {
    const issuer = await startOpenIdProvider(`${PUBLIC}/api/v1/oauth/oidc/callback`, { inUserInfo: true });
    issuer.logIn(person);
    const other = await startApp({
      PUBLIC_URL: PUBLIC,
      OIDC_ISSUER: issuer.issuer,
      OIDC_CLIENT_ID: CLIENT.id,
      OIDC_CLIENT_SECRET: CLIENT.secret,
    });
    const first = app;
    app = other;
    try {
      expect((await new Browser().logIn('oidc')).body.user.email).toBe(person.email);
    } finally {
      app = first;
      await other.close();
      issuer.close();
    }
  });
});
