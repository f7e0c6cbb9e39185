import { randomUUID } from 'node:crypto';
import { eventually, type Person } from '../../../test/app.ts';
import { SoftAuthenticator } from '../../../test/passkey.ts';
import { anyEmail, UNKNOWN_TOKEN, unscoped } from '../../../test/proofs/scenes.ts';
import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';
import { passkeyProof } from '../../../test/second-factor.ts';
import { namedOwner } from '../users/users.proofs.ts';

async function sessionOf(person: Person): Promise<string> {
  return (await person.request('/api/v1/auth/sessions')).body.items[0].id;
}

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  scenarios: {
    'admin.users.unlock': async ({ staff, members }) => ({
      caller: unscoped(await staff('ADMIN')),
      input: { userId: members.MEMBER.id },
    }),
    'auth.password.change': async ({ app }) => {
      const person = await app.signUp();
      return {
        caller: unscoped(person),
        input: { currentPassword: person.password, newPassword: 'a password of its own' },
      };
    },
    'auth.register': async () => ({
      caller: {},
      input: { email: `${randomUUID()}@example.com`, password: 'a password of its own' },
    }),
    'auth.login': async ({ owner }) => ({ caller: {}, input: { email: owner.email, password: owner.password } }),
    'auth.refresh': async ({ owner }) => ({ caller: {}, input: { refreshToken: owner.tokens.refreshToken } }),
    'auth.email.verify': async ({ app, owner }) => ({
      caller: {},
      input: { token: /token=([\w-]+)/.exec((await app.mailTo(owner.email)).text)![1] },
    }),
    'auth.unlock': async ({ app }) => {
      const { email } = await app.signUp();
      for (let attempt = 0; attempt < app.ports.env.ACCOUNT_LOCKOUT_THRESHOLD; attempt++)
        await app.request('/api/v1/auth/login', { method: 'POST', body: { email, password: 'not the one' } });
      const mail = await eventually(
        () => app.mails.find(({ to, text }) => to === email && text.includes('/unlock?')),
        'the link',
      );
      return { caller: {}, input: { token: /token=([\w-]+)/.exec(mail.text)![1]! } };
    },
    'auth.email.resendVerification': async ({ owner }) => ({ caller: {}, input: { email: owner.email } }),
    'auth.passwordReset.request': async ({ owner }) => ({ caller: {}, input: { email: owner.email } }),
    'auth.passwordReset.confirm': async ({ app, owner }) => {
      await app.request('/api/v1/auth/password-reset/request', { method: 'POST', body: { email: owner.email } });
      const mail = await eventually(
        () => app.mails.findLast(({ to, text }) => to === owner.email && text.includes('/reset-password')),
        'the link',
      );
      const token = /token=([\w-]+)/.exec(mail.text)![1]!;
      return { caller: {}, input: { token, password: 'a password of its own' } };
    },
    'auth.reauthenticate': async ({ app }) => {
      const person = await app.signUp();
      return { caller: unscoped(person), input: { password: person.password } };
    },
    'sessions.revoke': async ({ app }) => {
      const person = await app.signUp();
      return { caller: unscoped(person), input: { sessionId: await sessionOf(person) } };
    },
    'sessions.revokeAll': async ({ app }) => ({ caller: unscoped(await app.signUp()), input: {} }),
  },
  failures: {
    'admin.users.unlock': {
      target_has_more_permissions: async ({ staff }) => ({
        caller: unscoped(await staff('ADMIN')),
        input: { userId: (await staff('SUPER_ADMIN')).id },
      }),
    },
    'auth.register': {
      username_taken: async (fixture) => ({
        caller: {},
        input: { email: anyEmail(), password: 'a password of its own', username: await namedOwner(fixture) },
      }),
    },
    'auth.login': {
      invalid_credentials: async ({ owner }) => ({
        caller: {},
        input: { email: owner.email, password: 'not the one' },
      }),
      account_inactive: async ({ app, members }) => {
        const { id, email, password } = members.VIEWER;
        await app
          .rows('users')
          .where({ id: app.ports.ids.decode('usr', id) })
          .update({ status: 'SUSPENDED' });
        return { caller: {}, input: { email, password } };
      },
    },
    'auth.refresh': {
      invalid_refresh_token: async () => ({ caller: {}, input: { refreshToken: UNKNOWN_TOKEN } }),
    },
    'sessions.revoke': {
      not_found: async ({ app }) => ({ caller: unscoped(await app.signUp()), input: { sessionId: randomUUID() } }),
      reauthentication_required: async ({ app }) => {
        const person = await app.signUp();
        await app.ageLogins(person.id);
        return { caller: unscoped(person), input: { sessionId: randomUUID() } };
      },
    },
    'auth.reauthenticate': {
      invalid_credentials: async ({ owner }) => ({ caller: unscoped(owner), input: { password: 'not the one' } }),
      invalid_code: async ({ owner }) => ({ caller: unscoped(owner), input: { code: 'wrong' } }),
      invalid_challenge: async ({ app, owner }) => {
        const proof = await passkeyProof(app, new SoftAuthenticator(app.ports.env.PUBLIC_URL));
        return { caller: unscoped(owner), input: { ...proof, challengeToken: UNKNOWN_TOKEN } };
      },
      invalid_passkey: async ({ app, owner }) => ({
        caller: unscoped(owner),
        input: await passkeyProof(app, new SoftAuthenticator(app.ports.env.PUBLIC_URL)),
      }),
      too_many_codes: async ({ app, owner }) => {
        const userId = app.ports.ids.decode('usr', owner.id);
        const resetsAt = new Date(app.ports.clock.now().getTime() + 60_000);
        await app.rows('code_attempts').where({ userId }).delete();
        await app.rows('code_attempts').insert({ userId, failures: 10, resetsAt });
        return { caller: unscoped(owner), input: { code: '123456' } };
      },
    },
    'auth.password.change': {
      invalid_credentials: async ({ owner }) => ({
        caller: unscoped(owner),
        input: { currentPassword: 'not the one', newPassword: 'a password of its own' },
      }),
    },
    'auth.passwordReset.confirm': {
      invalid_token: async () => ({
        caller: {},
        input: { token: UNKNOWN_TOKEN, password: 'a password of its own' },
      }),
    },
    'auth.unlock': { invalid_token: async () => ({ caller: {}, input: { token: UNKNOWN_TOKEN } }) },
    'auth.email.verify': { invalid_token: async () => ({ caller: {}, input: { token: UNKNOWN_TOKEN } }) },
  },
};
