import { createHash } from 'node:crypto';
import { newToken, tokenHash } from '@rentapi/platform/tokens';
import type { TestApp } from '../../../test/app.ts';
import { unscoped } from '../../../test/proofs/scenes.ts';
import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';

const codeVerifier = 'a-verifier-of-the-proofs-0123456789-0123456789';

/** A code of a login at a provider, as the callback makes it. */
async function codeOf(app: TestApp, userId: string): Promise<string> {
  const code = newToken();
  const now = Date.now();
  await app.rows('oauth_codes').insert({
    codeHash: tokenHash(code),
    codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    userId: app.ports.ids.decode('usr', userId),
    createdAt: new Date(now),
    expiresAt: new Date(now + 60_000),
  });
  return code;
}

async function linkGitHub(app: TestApp, userId: string): Promise<void> {
  await app
    .rows('user_identities')
    .insert({
      userId: app.ports.ids.decode('usr', userId),
      provider: 'github',
      issuer: 'https://github.com',
      subject: newToken(),
      createdAt: new Date(),
    })
    .onConflict(['userId', 'provider'])
    .ignore();
}

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  scenarios: {
    'oauth.exchange': async ({ app, owner }) => ({
      caller: {},
      input: { code: await codeOf(app, owner.id), codeVerifier },
    }),
    'oauth.identities.link': async ({ inOrganization }) => ({
      caller: inOrganization('OWNER'),
      input: { provider: 'github' },
    }),
    'oauth.identities.unlink': async ({ app, owner, inOrganization }) => {
      await linkGitHub(app, owner.id);
      return { caller: inOrganization('OWNER'), input: { provider: 'github' } };
    },
  },
  failures: {
    'oauth.exchange': {
      oauth_code_invalid: async () => ({ caller: {}, input: { code: newToken(), codeVerifier } }),
      account_inactive: async ({ app, members }) => {
        const { id } = members.VIEWER;
        await app
          .rows('users')
          .where({ id: app.ports.ids.decode('usr', id) })
          .update({ status: 'SUSPENDED' });
        return { caller: {}, input: { code: await codeOf(app, id), codeVerifier } };
      },
    },
    'oauth.identities.link': {
      oauth_provider_unknown: async ({ owner }) => ({ caller: unscoped(owner), input: { provider: 'oidc' } }),
      redirect_not_allowed: async ({ owner }) => ({
        caller: unscoped(owner),
        input: { provider: 'github', redirectTo: 'https://evil.example/' },
      }),
    },
    'oauth.identities.unlink': {
      last_way_in: async ({ app, members }) => {
        const { id } = members.ADMIN;
        await linkGitHub(app, id);
        await app
          .rows('users')
          .where({ id: app.ports.ids.decode('usr', id) })
          .update({ passwordHash: null });
        return { caller: unscoped(members.ADMIN), input: { provider: 'github' } };
      },
    },
  },
};
