import { generateSync } from 'otplib';
import type { Person, TestApp } from './app.ts';
import { SoftAuthenticator } from './passkey.ts';

export interface Authenticator {
  secret: string;
  backupCodes: string[];
  /** A right code that was not used yet: the one of now, then the next; then the clock of the app moves on. */
  nextCode(): string;
}

const STEP_MS = 30_000;

/** What an authenticator app shows. */
export const codeAt = (secret: string, at: Date): string =>
  generateSync({ secret, epoch: Math.floor(at.getTime() / 1000) });

/** Sets up an authenticator app for a person who has logged in just now. */
export async function addAuthenticator(app: TestApp, person: Person): Promise<Authenticator> {
  const { body: setup } = await person.request('/api/v1/auth/2fa/enable', { method: 'POST' });
  const stepNow = () => Math.floor(app.ports.clock.now().getTime() / STEP_MS);
  let last = 0;
  const nextCode = () => {
    const step = Math.max(last + 1, stepNow());
    if (step > stepNow() + 1) app.advance((step - stepNow()) * STEP_MS);
    last = step;
    return codeAt(setup.secret, new Date(step * STEP_MS));
  };
  const { body } = await person.request('/api/v1/auth/2fa/verify', { method: 'POST', body: { code: nextCode() } });
  return { secret: setup.secret, backupCodes: body.backupCodes, nextCode };
}

/** The challenge of a login with the right password. */
export async function challengeOf(app: TestApp, { email, password }: Pick<Person, 'email' | 'password'>) {
  const { body } = await app.request('/api/v1/auth/login', { method: 'POST', body: { email, password } });
  return body.challengeToken as string;
}

/** Adds a passkey for a person who has logged in just now. */
export async function addPasskey(app: TestApp, person: Person, name = 'Phone') {
  const authenticator = new SoftAuthenticator(app.ports.env.PUBLIC_URL);
  const { challengeToken, options } = (
    await person.request('/api/v1/auth/passkeys/register/options', { method: 'POST' })
  ).body;
  const body = { challengeToken, credential: authenticator.create(options), name };
  const passkey = (await person.request('/api/v1/auth/passkeys/register', { method: 'POST', body })).body;
  return { authenticator, id: passkey.id as string };
}

/** What a passkey signs for a sign-in, or for the second factor of one. */
export async function passkeyProof(app: TestApp, authenticator: SoftAuthenticator, challengeToken?: string) {
  const body = challengeToken === undefined ? {} : { challengeToken };
  const { body: made } = await app.request('/api/v1/auth/passkeys/login/options', { method: 'POST', body });
  return { challengeToken: made.challengeToken as string, credential: authenticator.get(made.options) };
}
