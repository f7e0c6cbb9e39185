import { NoContent, NoInput } from '../../contract/common-schemas.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure } from '../../procedure.ts';
import {
  ApiKey,
  ApiKeyPage,
  CreateApiKey,
  CreatedApiKey,
  exampleKey,
  KeyId,
  ListApiKeys,
  RotateApiKey,
  ScopeCatalogue,
  UpdateApiKey,
} from './schemas.ts';
import {
  createApiKey,
  getApiKey,
  listApiKeys,
  listScopes,
  revokeApiKey,
  rotateApiKey,
  updateApiKey,
} from './service.ts';
import { verifyApiKey } from './verify.ts';
import { exampleVerified, VerifiedKey, VerifyApiKey } from './verify-schemas.ts';

const tags: [Tag] = ['API keys'];

/** `apiKeys.*`, without what other slices add. */
export const apiKeys = {
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

  scopes: procedure({
    access: 'user',
    openapi: {
      method: 'GET',
      path: '/api-keys/scopes',
      tags,
      summary: 'List all scopes there are',
      description: 'With the permissions that each includes.',
    },
    example: {
      output: { items: [{ scope: 'api_keys:read', permissions: ['api_keys:read'] }], nextCursor: null },
    },
  })
    .input(NoInput)
    .output(ScopeCatalogue)
    .query(() => listScopes()),

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

  update: procedure({
    access: 'api_keys:update',
    versioned: true,
    openapi: {
      method: 'PATCH',
      path: '/api-keys/{keyId}',
      tags,
      summary: 'Update an API key',
      description:
        'You must have the permissions of the scopes that you add. The change takes effect within a second, everywhere.',
    },
    errors: ['scope_not_held', 'api_key_is_revoked', 'version_mismatch'],
    example: {
      input: { keyId: exampleKey.id, name: 'CI', ipAllowList: ['203.0.113.0/24'] },
      output: { ...exampleKey, ipAllowList: ['203.0.113.0/24'] },
    },
  })
    .input(UpdateApiKey)
    .output(ApiKey)
    .mutation(({ ctx, input }) => updateApiKey(ctx, input)),

  rotate: procedure({
    access: 'api_keys:rotate',
    versioned: true,
    openapi: {
      method: 'POST',
      path: '/api-keys/{keyId}/rotate',
      tags,
      summary: 'Rotate an API key',
      description:
        'The key gets a new secret, which is in this answer only. The earlier one works for `gracePeriodSeconds` more. You must have the permissions of all its scopes.',
    },
    errors: ['scope_not_held', 'api_key_is_revoked', 'limit_reached', 'version_mismatch'],
    example: {
      input: { keyId: exampleKey.id, gracePeriodSeconds: 3600 },
      output: { ...exampleKey, secret: 'rapi_live_4f9aXq2Lm8Zt6Rw1Vb7Nc3Ks5Jd0HgYpTe2x7Kd' },
    },
  })
    .input(RotateApiKey)
    .output(CreatedApiKey)
    .mutation(({ ctx, input }) => rotateApiKey(ctx, input)),

  verify: procedure({
    access: 'api_keys:verify',
    openapi: {
      method: 'POST',
      path: '/api-keys/verify',
      tags,
      summary: 'Verify an API key',
      description:
        'For your own API: whether a key of your organization that a program has shown to it may make a call. Always 200: `code` says why not. Credits and limits are taken together or not at all. A change of the key counts within a second. The scopes and `allowedOrigins` of the key are not judged.',
    },
    errors: ['malformed_permission_query', 'permission_query_too_deep', 'invalid_cost', 'unknown_rate_limit'],
    takesLimits: true,
    idempotency: false,
    audit: { none: 'it changes no resource, only counts' },
    example: {
      input: { key: 'rapi_live_4f9aXq2Lm8Zt6Rw1Vb7Nc3Ks5Jd0HgYpTe2x7Kd', permissions: 'documents.read', cost: 1 },
      output: exampleVerified,
    },
  })
    .input(VerifyApiKey)
    .output(VerifiedKey)
    .mutation(({ ctx, input }) => verifyApiKey(ctx, input)),

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
};
