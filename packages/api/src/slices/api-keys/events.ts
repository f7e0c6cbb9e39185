import { event } from '../../events/event.ts';
import { exampleRecordedKey, RecordedApiKey } from './schemas.ts';

const visibleToOrganization = { data: RecordedApiKey, audience: 'organization', permission: 'api_keys:read' } as const;

export const ApiKeyCreated = event('api_key.created', {
  ...visibleToOrganization,
  description: 'An API key was created. The secret is not part of it.',
  example: exampleRecordedKey,
});
export const ApiKeyUpdated = event('api_key.updated', {
  ...visibleToOrganization,
  description: 'An API key was changed: what it may do, from where, how often, until when, or whether it is enabled.',
  example: { ...exampleRecordedKey, enabled: false, updatedAt: '2026-02-01T09:00:00.000Z' },
});
export const ApiKeyRotated = event('api_key.rotated', {
  ...visibleToOrganization,
  description: 'An API key got a new secret, which is not part of it. The earlier one works on for the grace period.',
  example: { ...exampleRecordedKey, last4: 'p2Qs', updatedAt: '2026-02-01T09:00:00.000Z' },
});
export const ApiKeyRevoked = event('api_key.revoked', {
  ...visibleToOrganization,
  description: 'An API key was revoked: no call with it succeeds any more.',
  example: { ...exampleRecordedKey, revokedAt: '2026-02-01T09:00:00.000Z', updatedAt: '2026-02-01T09:00:00.000Z' },
});
