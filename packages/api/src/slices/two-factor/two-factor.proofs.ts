import { systemContext } from '@rentapi/api/context';
import { objectionToken } from '@rentapi/api/slices/two-factor/service/reset';
import type { Person, TestApp } from '../../../test/app.ts';
import { SoftAuthenticator } from '../../../test/passkey.ts';
import type { Fixture } from '../../../test/proofs/fixture.ts';
import { UNKNOWN_TOKEN, unscoped } from '../../../test/proofs/scenes.ts';
import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';
import { addAuthenticator, addPasskey, challengeOf, codeAt, passkeyProof } from '../../../test/second-factor.ts';

async function withAuthenticator({ app }: Fixture, given?: Person) {
  const person = given ?? (await app.signUp());
  return { person, caller: unscoped(person), authenticator: await addAuthenticator(app, person) };
}

/** A passkey that the browser of a person has created. */
async function created(app: TestApp, person: Person, authenticator = new SoftAuthenticator(app.ports.env.PUBLIC_URL)) {
  const { body } = await person.request('/api/v1/auth/passkeys/register/options', { method: 'POST' });
  return { challengeToken: body.challengeToken as string, credential: authenticator.create(body.options) };
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
  ownedIds: {
    psk: async ({ app, owner }) => (await addPasskey(app, owner)).id,
  },
  scenarios: {
    'auth.passkeys.register': async ({ app, owner }) => ({ caller: unscoped(owner), input: await created(app, owner) }),
    'auth.passkeys.loginOptions': async () => ({ caller: {}, input: {} }),
    'auth.passkeys.login': async ({ app, owner }) => {
      const { authenticator } = await addPasskey(app, owner);
      return { caller: {}, input: await passkeyProof(app, authenticator) };
    },
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
    'admin.users.resetTwoFactor': async (fixture) => {
      const { person } = await withAuthenticator(fixture);
      return {
        caller: unscoped(await fixture.staff('SUPER_ADMIN')),
        input: { userId: person.id, reason: 'Lost the phone.' },
      };
    },
    'auth.twoFactor.objectReset': async (fixture) => {
      const { person } = await withAuthenticator(fixture);
      const admin = await fixture.staff('SUPER_ADMIN');
      const path = `/api/v1/admin/users/${person.id}/2fa/reset`;
      const { effectiveAt } = (await admin.request(path, { method: 'POST', body: { reason: 'Lost the phone.' } })).body;
      const ctx = systemContext(fixture.app.ports, 'proofs');
      return { caller: {}, input: { token: objectionToken(ctx, person.id, effectiveAt) } };
    },
    'auth.twoFactor.regenerateBackupCodes': async (fixture) => ({
      caller: (await withAuthenticator(fixture)).caller,
      input: {},
    }),
  },
  failures: {
    'auth.passkeys.register': {
      invalid_challenge: async ({ app, owner }) => ({
        caller: unscoped(owner),
        input: { ...(await created(app, owner)), challengeToken: UNKNOWN_TOKEN },
      }),
      invalid_passkey: async ({ app, owner }) => {
        const [first, second] = [await created(app, owner), await created(app, owner)];
        return { caller: unscoped(owner), input: { ...first, credential: second.credential } };
      },
      passkey_taken: async ({ app, owner }) => {
        const { authenticator } = await addPasskey(app, owner);
        return { caller: unscoped(owner), input: await created(app, owner, authenticator) };
      },
    },
    'auth.passkeys.remove': {
      last_way_in: async ({ app }) => {
        const person = await app.signUp();
        const { id } = await addPasskey(app, person);
        await app
          .rows('users')
          .where({ id: app.ports.ids.decode('usr', person.id) })
          .update({ passwordHash: null });
        return { caller: unscoped(person), input: { passkeyId: id } };
      },
    },
    'auth.passkeys.loginOptions': {
      invalid_challenge: async () => ({ caller: {}, input: { challengeToken: UNKNOWN_TOKEN } }),
    },
    'auth.passkeys.login': {
      invalid_challenge: async ({ app }) => {
        const proof = await passkeyProof(app, new SoftAuthenticator(app.ports.env.PUBLIC_URL));
        return { caller: {}, input: { ...proof, challengeToken: UNKNOWN_TOKEN } };
      },
      invalid_passkey: async ({ app }) => ({
        caller: {},
        input: await passkeyProof(app, new SoftAuthenticator(app.ports.env.PUBLIC_URL)),
      }),
      account_inactive: async ({ app }) => {
        const person = await app.signUp();
        const { authenticator } = await addPasskey(app, person);
        await app
          .rows('users')
          .where({ id: app.ports.ids.decode('usr', person.id) })
          .update({ status: 'SUSPENDED' });
        return { caller: {}, input: await passkeyProof(app, authenticator) };
      },
    },
    'admin.users.resetTwoFactor': {
      two_factor_not_enabled: async ({ staff, members }) => ({
        caller: unscoped(await staff('SUPER_ADMIN')),
        input: { userId: members.MEMBER.id, reason: 'Lost the phone.' },
      }),
    },
    'auth.twoFactor.objectReset': {
      invalid_token: async () => ({ caller: {}, input: { token: UNKNOWN_TOKEN } }),
    },
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
