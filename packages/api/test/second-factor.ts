import { generateSync } from 'otplib';
import type { Person, TestApp } from './app.ts';

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
