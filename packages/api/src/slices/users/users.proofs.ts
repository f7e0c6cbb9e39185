import { randomUUID } from 'node:crypto';
import type { Fixture } from '../../../test/proofs/fixture.ts';
import { unscoped } from '../../../test/proofs/scenes.ts';
import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';

/** A username that is claimed: its owner's address is verified. */
export async function namedOwner({ app, owner }: Fixture): Promise<string> {
  await app
    .rows('users')
    .where({ id: app.ports.ids.decode('usr', owner.id) })
    .update({ emailVerifiedAt: new Date() });
  const username = `u${randomUUID().slice(0, 12)}`;
  await owner.request('/api/v1/users/me', { method: 'PATCH', body: { username } });
  return username;
}

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  failures: {
    'users.me.get': {
      key_without_user: async (fixture) => {
        const { app, members } = fixture;
        const { body } = await members.ADMIN.request('/api/v1/api-keys', {
          method: 'POST',
          headers: fixture.here,
          body: { name: 'left behind', scopes: ['read:*'] },
        });
        await app
          .rows('organization_members')
          .where({ userId: app.ports.ids.decode('usr', members.ADMIN.id) })
          .delete();
        return { caller: { 'x-api-key': body.secret }, input: undefined };
      },
    },
    'users.me.update': {
      not_found: async ({ app, owner }) => ({
        caller: unscoped(owner),
        input: { defaultOrganizationId: (await app.signUp()).organizationId },
      }),
      username_taken: async (fixture) => {
        const username = await namedOwner(fixture);
        return { caller: unscoped(fixture.members.VIEWER), input: { username } };
      },
    },
  },
};
