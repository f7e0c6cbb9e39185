import { RentApi, RentApiError, type SignInChallenge, type Tokens } from '@rentapi/sdk';
import { newChallenge, takeVerifier } from './pkce.ts';

declare const __RENTAPI_URL__: string;

/** The refresh token is an HttpOnly cookie of the API: no script of this page can read it. */
const client = new RentApi({ baseUrl: __RENTAPI_URL__, session: 'cookie' });
let challengeToken = '';

const element = <E extends HTMLElement>(id: string): E => {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return found as E;
};

function show(section: 'sign-in' | 'second-factor' | 'home'): void {
  for (const each of ['sign-in', 'second-factor', 'home']) element(each).hidden = each !== section;
}

function complain(text: string | null): void {
  const alert = document.querySelector<HTMLElement>('[role=alert]')!;
  alert.hidden = text === null;
  alert.textContent = text;
}

/** Runs a step, and shows why it was refused. */
async function attempt(step: () => Promise<void>): Promise<void> {
  complain(null);
  try {
    await step();
  } catch (error) {
    if (!(error instanceof RentApiError)) throw error;
    complain(`${error.code} ${error.message}`);
  }
}

/** Every way of signing in answers tokens, which the client keeps, or asks for a second factor. */
async function goOn(answer: Tokens | SignInChallenge): Promise<void> {
  if ('mfaRequired' in answer) {
    challengeToken = answer.challengeToken;
    show('second-factor');
  } else await showHome();
}

async function showHome(): Promise<void> {
  const { email } = await client.users.me.get();
  element('hello').textContent = `Hello, ${email}`;
  show('home');
}

function onSubmit(id: string, submit: (field: (name: string) => string) => Promise<void>): void {
  element<HTMLFormElement>(id).addEventListener('submit', (event) => {
    event.preventDefault();
    const form = new FormData(element<HTMLFormElement>(id));
    void attempt(() => submit((name) => String(form.get(name))));
  });
}

onSubmit('password', async (field) =>
  goOn(await client.auth.login({ email: field('email'), password: field('password') })),
);
onSubmit('code', async (field) => {
  await client.auth.twoFactor.login({ challengeToken, code: field('code') });
  await showHome();
});
element('sign-out').addEventListener('click', () =>
  attempt(async () => {
    await client.auth.logout();
    show('sign-in');
  }),
);

/** A whole navigation: the API sets a cookie that binds the login to this browser, and sends it to the provider. */
async function leaveFor(provider: string): Promise<void> {
  const query = new URLSearchParams({
    redirectTo: location.origin + location.pathname,
    codeChallenge: await newChallenge(),
  });
  location.assign(`${__RENTAPI_URL__}/api/v1/oauth/${provider}/initiate?${query}`);
}

async function offerProviders(): Promise<void> {
  const { items } = await client.oauth.providers();
  element('providers').replaceChildren(
    ...items.map(({ provider, name }) => {
      const button = document.createElement('button');
      button.textContent = `Sign in with ${name}`;
      button.addEventListener('click', () => void leaveFor(provider));
      return button;
    }),
  );
}

/** Back from a provider, or a page that was loaded again: perhaps the cookie still opens a session. */
async function start(): Promise<void> {
  const query = new URLSearchParams(location.search);
  history.replaceState(null, '', location.pathname);
  const [code, error] = [query.get('code'), query.get('error')];
  if (code !== null) return goOn(await client.oauth.exchange({ code, codeVerifier: takeVerifier() }));
  if (error !== null) complain(error);
  if (await client.accessToken()) await showHome();
  else show('sign-in');
}

await attempt(offerProviders);
await attempt(start);
