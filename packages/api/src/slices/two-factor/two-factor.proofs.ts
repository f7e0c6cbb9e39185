import type { Person } from '../../../test/app.ts';
import type { Fixture } from '../../../test/proofs/fixture.ts';
import { UNKNOWN_TOKEN, unscoped } from '../../../test/proofs/scenes.ts';
import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';
import { addAuthenticator, challengeOf, codeAt } from '../../../test/second-factor.ts';

async function withAuthenticator({ app }: Fixture, given?: Person) {
  const person = given ?? (await app.signUp());
  return { person, caller: unscoped(person), authenticator: await addAuthenticator(app, person) };
}

async function tooManyCodes(fixture: Fixture) {
  const made = await withAuthenticator(fixture);
  const userId = fixture.app.ports.ids.decode('usr', made.person.id);
  const resetsAt = new Date(fixture.app.ports.clock.now().getTime() + 60_000);
  await fixture.app.rows('code_attempts').where({ userId }).delete();
  await fixture.app.rows('code_attempts').insert({ userId, failures: 10, resetsAt });
  return made;
}

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  scenarios: {
    'auth.twoFactor.enable': async ({ owner }) => ({ caller: unscoped(owner), input: {} }),
    'auth.twoFactor.verify': async ({ app }) => {
      const person = await app.signUp();
      const { secret } = (await person.request('/api/v1/auth/2fa/enable', { method: 'POST' })).body;
      return { caller: unscoped(person), input: { code: codeAt(secret, app.ports.clock.now()) } };
    },
    'auth.twoFactor.login': async (fixture) => {
      const { person, authenticator } = await withAuthenticator(fixture, fixture.owner);
      const challengeToken = await challengeOf(fixture.app, person);
      return { caller: {}, input: { challengeToken, code: authenticator.nextCode() } };
    },
    'auth.twoFactor.disable': async (fixture) => {
      const { person, caller, authenticator } = await withAuthenticator(fixture);
      return { caller, input: { password: person.password, code: authenticator.nextCode() } };
    },
    'auth.twoFactor.regenerateBackupCodes': async (fixture) => ({
      caller: (await withAuthenticator(fixture)).caller,
      input: {},
    }),
  },
  failures: {
    'auth.twoFactor.enable': {
      two_factor_enabled: async (fixture) => ({ caller: (await withAuthenticator(fixture)).caller, input: {} }),
    },
    'auth.twoFactor.verify': {
      two_factor_enabled: async (fixture) => ({
        caller: (await withAuthenticator(fixture)).caller,
        input: { code: '123456' },
      }),
      two_factor_not_enabled: async ({ app }) => ({
        caller: unscoped(await app.signUp()),
        input: { code: '123456' },
      }),
      invalid_code: async ({ app }) => {
        const person = await app.signUp();
        await person.request('/api/v1/auth/2fa/enable', { method: 'POST' });
        return { caller: unscoped(person), input: { code: 'wrong' } };
      },
    },
    'auth.twoFactor.login': {
      invalid_challenge: async () => ({ caller: {}, input: { challengeToken: UNKNOWN_TOKEN, code: '123456' } }),
      invalid_code: async (fixture) => {
        const { person } = await withAuthenticator(fixture);
        return { caller: {}, input: { challengeToken: await challengeOf(fixture.app, person), code: 'wrong' } };
      },
      too_many_codes: async (fixture) => {
        const { person } = await tooManyCodes(fixture);
        return { caller: {}, input: { challengeToken: await challengeOf(fixture.app, person), code: 'wrong' } };
      },
      account_inactive: async (fixture) => {
        const { person, authenticator } = await withAuthenticator(fixture);
        const challengeToken = await challengeOf(fixture.app, person);
        await fixture.app
          .rows('users')
          .where({ id: fixture.app.ports.ids.decode('usr', person.id) })
          .update({ status: 'SUSPENDED' });
        return { caller: {}, input: { challengeToken, code: authenticator.nextCode() } };
      },
    },
    'auth.twoFactor.disable': {
      two_factor_not_enabled: async ({ app }) => ({
        caller: unscoped(await app.signUp()),
        input: { password: 'any', code: '123456' },
      }),
      invalid_credentials: async (fixture) => {
        const { caller, authenticator } = await withAuthenticator(fixture);
        return { caller, input: { password: 'not the one', code: authenticator.nextCode() } };
      },
      invalid_code: async (fixture) => {
        const { person, caller } = await withAuthenticator(fixture);
        return { caller, input: { password: person.password, code: 'wrong' } };
      },
      too_many_codes: async (fixture) => {
        const { person, caller } = await tooManyCodes(fixture);
        return { caller, input: { password: person.password, code: 'wrong' } };
      },
    },
    'auth.twoFactor.regenerateBackupCodes': {
      two_factor_not_enabled: async ({ app }) => ({ caller: unscoped(await app.signUp()), input: {} }),
    },
  },
};
