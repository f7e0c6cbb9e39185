import { unscoped } from '../../../test/proofs/scenes.ts';
import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  ownedIds: {
    exp: async ({ owner }) => (await owner.request('/api/v1/users/me/export', { method: 'POST' })).body.id,
  },
  scenarios: {
    'users.me.export': async ({ app }) => ({ caller: unscoped(await app.signUp()), input: undefined }),
  },
};
