import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  ownedIds: {
    key: async ({ key }) => (await key(['read:*'])).id,
  },
  failures: {
    'apiKeys.update': {
      scope_not_held: async ({ key }) => ({
        caller: (await key(['api_keys:update'])).caller,
        input: { keyId: (await key([])).id, scopes: ['api_keys:read'] },
      }),
      api_key_is_revoked: async ({ app, key }) => {
        const { id } = await key([]);
        await app.ports
          .database('api_keys')
          .whereRaw('/* across organizations */ id = ?', [app.ports.ids.decode('key', id)])
          .update({ revokedAt: new Date() });
        return { caller: (await key(['api_keys:update'])).caller, input: { keyId: id, name: 'late' } };
      },
    },
    'apiKeys.create': {
      scope_not_held: async ({ key }) => ({
        caller: (await key(['api_keys:create'])).caller,
        input: { name: 'CI', scopes: ['api_keys:read'] },
      }),
    },
  },
};
