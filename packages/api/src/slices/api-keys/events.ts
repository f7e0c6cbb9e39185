import { event } from '../../events/event.ts';
import { ApiKey, exampleKey } from './schemas.ts';

const visibleToOrganization = { data: ApiKey, audience: 'organization', permission: 'api_keys:read' } as const;

export const ApiKeyCreated = event('api_key.created', {
  ...visibleToOrganization,
  description: 'An API key was created. The secret is not part of it.',
  example: exampleKey,
});
export const ApiKeyRevoked = event('api_key.revoked', {
  ...visibleToOrganization,
  description: 'An API key was revoked: no call with it succeeds any more.',
  example: { ...exampleKey, revokedAt: '2026-02-01T09:00:00.000Z', updatedAt: '2026-02-01T09:00:00.000Z' },
});
