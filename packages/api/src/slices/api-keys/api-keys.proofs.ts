import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  ownedIds: {
    key: async ({ key }) => (await key(['read:*'])).id,
  },
  failures: {
    'apiKeys.create': {
      scope_not_held: async ({ key }) => ({
        caller: (await key(['api_keys:create'])).caller,
        input: { name: 'CI', scopes: ['api_keys:read'] },
      }),
    },
  },
};
