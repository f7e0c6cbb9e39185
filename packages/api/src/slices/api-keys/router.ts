import { NoContent } from '../../contract/common-schemas.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import { ApiKey, ApiKeyPage, CreateApiKey, CreatedApiKey, exampleKey, KeyId, ListApiKeys } from './schemas.ts';
import { createApiKey, getApiKey, listApiKeys, revokeApiKey } from './service.ts';

const tags: [Tag] = ['API keys'];

export const apiKeys = router({
  list: procedure({
    access: 'api_keys:read',
    openapi: {
      method: 'GET',
      path: '/api-keys',
      tags,
      summary: 'List API keys',
      description: 'Newest first, revoked ones included. Secrets are never shown again.',
    },
    errors: ['invalid_cursor'],
    example: { input: { limit: 25 }, output: { items: [exampleKey], nextCursor: null } },
  })
    .input(ListApiKeys)
    .output(ApiKeyPage)
    .query(({ ctx, input }) => listApiKeys(ctx, input)),

  create: procedure({
    access: 'api_keys:create',
    versioned: true,
    openapi: {
      method: 'POST',
      path: '/api-keys',
      tags,
      summary: 'Create an API key',
      description: 'The secret is in this answer only.',
    },
    rest: { status: 201 },
    errors: ['scope_not_held', 'limit_reached'],
    example: {
      input: { name: 'CI', scopes: ['api_keys:read'] },
      output: { ...exampleKey, secret: 'rapi_live_4f9aXq2Lm8Zt6Rw1Vb7Nc3Ks5Jd0HgYpTe2x7Kd' },
    },
  })
    .input(CreateApiKey)
    .output(CreatedApiKey)
    .mutation(({ ctx, input }) => createApiKey(ctx, input)),

  get: procedure({
    access: 'api_keys:read',
    versioned: true,
    openapi: {
      method: 'GET',
      path: '/api-keys/{keyId}',
      tags,
      summary: 'Get an API key',
      description: 'Without its secret, which is shown at its creation only.',
    },
    example: { input: { keyId: exampleKey.id }, output: exampleKey },
  })
    .input(KeyId)
    .output(ApiKey)
    .query(({ ctx, input }) => getApiKey(ctx, input.keyId)),

  revoke: procedure({
    access: 'api_keys:delete',
    openapi: {
      method: 'DELETE',
      path: '/api-keys/{keyId}',
      tags,
      summary: 'Revoke an API key',
      description: 'Takes effect at once and cannot be undone; the key stays listed.',
    },
    rest: { status: 204 },
    errors: ['version_mismatch'],
    example: { input: { keyId: exampleKey.id } },
  })
    .input(KeyId)
    .output(NoContent)
    .mutation(({ ctx, input }) => revokeApiKey(ctx, input.keyId)),
});
