import { z } from 'zod';
import { exampleId } from '../../contract/ids.ts';
import { event } from '../../events/event.ts';
import { ExpiringApiKey, exampleRecordedKey, MailedKeys, RecordedApiKey } from './schemas.ts';

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
export const ApiKeyExpiring = event('api_key.expiring', {
  data: ExpiringApiKey,
  audience: 'organization',
  permission: 'api_keys:read',
  description: 'An API key expires within 14 days, or within 3: once for each, and again if `expiresAt` is changed.',
  example: { ...exampleRecordedKey, expiresAt: '2026-02-14T12:00:00.000Z', daysLeft: 14 },
});
export const ApiKeyExpired = event('api_key.expired', {
  ...visibleToOrganization,
  description: 'An API key has expired: calls with it have been refused since its `expiresAt`. Sent within a day.',
  example: { ...exampleRecordedKey, expiresAt: '2026-02-14T12:00:00.000Z' },
});

const Mailed = z.object({ userId: z.string(), email: z.string(), organization: z.string() });
const exampleMailed = { userId: exampleId('usr'), email: 'ada@example.com', organization: 'Acme' };

export const ExpiryMailed = event('api_key.expiry_mailed', {
  data: Mailed.extend(MailedKeys.shape),
  audience: 'internal',
  description: 'A person is mailed which API keys of an organization expire soon or have expired.',
  example: { ...exampleMailed, keys: [{ name: 'CI', last4: 'x7Kd', at: '2026-02-14T12:00:00.000Z' }], more: 0 },
});
export const InactiveKeysMailed = event('api_key.inactive_mailed', {
  data: Mailed.extend({ inactive: MailedKeys, longInactive: MailedKeys }),
  audience: 'internal',
  description: 'An owner is mailed which API keys of an organization nothing has used for 30 days, or for 90.',
  example: {
    ...exampleMailed,
    inactive: { keys: [{ name: 'CI', last4: 'x7Kd', at: '2026-01-01T12:00:00.000Z' }], more: 0 },
    longInactive: { keys: [{ name: 'Old', last4: 'p2Qs', at: null }], more: 0 },
  },
});
