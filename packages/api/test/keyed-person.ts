import type { Person, TestApp } from './app.ts';

export interface KeyedPerson extends Person {
  /** The header of a key of their organization that may do all: it does not expire when the clock moves. */
  key: Record<string, string>;
}

export async function signUpWithKey(app: TestApp): Promise<KeyedPerson> {
  const person = await app.signUp();
  const { body } = await person.request('/api/v1/api-keys', { method: 'POST', body: { name: 'CI', scopes: ['*'] } });
  return { ...person, key: { 'x-api-key': body.secret } };
}
