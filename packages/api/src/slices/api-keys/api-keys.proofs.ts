import type { TestApp } from '../../../test/app.ts';
import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';

async function revoke(app: TestApp, id: string): Promise<void> {
  await app
    .rows('api_keys')
    .where({ id: app.ports.ids.decode('key', id) })
    .update({ revokedAt: new Date() });
}

/** A key that asks about itself. */
function verification({ caller }: { caller: Record<string, string> }, asked: object) {
  return { caller, input: { key: caller['x-api-key'], ...asked } };
}

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  ownedIds: {
    key: async ({ key }) => (await key(['read:*'])).id,
  },
  failures: {
    'apiKeys.rotate': {
      scope_not_held: async ({ key }) => ({
        caller: (await key(['api_keys:rotate'])).caller,
        input: { keyId: (await key(['api_keys:read'])).id },
      }),
      api_key_is_revoked: async ({ app, key }) => {
        const { id } = await key(['roles:read']);
        await revoke(app, id);
        return { caller: (await key(['api_keys:rotate'])).caller, input: { keyId: id } };
      },
    },
    'apiKeys.update': {
      scope_not_held: async ({ key }) => ({
        caller: (await key(['api_keys:update'])).caller,
        input: { keyId: (await key(['roles:read'])).id, scopes: ['api_keys:read'] },
      }),
      api_key_is_revoked: async ({ app, key }) => {
        const { id } = await key(['roles:read']);
        await revoke(app, id);
        return { caller: (await key(['api_keys:update'])).caller, input: { keyId: id, name: 'late' } };
      },
    },
    'apiKeys.verify': {
      malformed_permission_query: async ({ key }) =>
        verification(await key(['api_keys:verify']), { permissions: 'a b' }),
      permission_query_too_deep: async ({ key }) =>
        verification(await key(['api_keys:verify']), { permissions: '('.repeat(11) }),
      invalid_cost: async ({ key }) => verification(await key(['api_keys:verify']), { cost: -1 }),
      unknown_rate_limit: async ({ key }) =>
        verification(await key(['api_keys:verify']), { rateLimits: [{ name: 'none' }] }),
    },
    'apiKeys.create': {
      scope_not_held: async ({ key }) => ({
        caller: (await key(['api_keys:create'])).caller,
        input: { name: 'CI', scopes: ['api_keys:read'] },
      }),
    },
  },
};
