import { exampleId } from '../../contract/ids.ts';
import { event } from '../../events/event.ts';
import { CreditsLeft, GrantedCredits, RemovedCredits } from './schemas.ts';

const organizationId = exampleId('org');

export const CreditsGranted = event('credits.granted', {
  data: GrantedCredits,
  audience: 'organization',
  permission: 'billing:read',
  description: 'The organization was given credits.',
  example: { organizationId, source: 'PAYMENT', credits: 1000, available: 1640 },
});

export const CreditsRevoked = event('credits.revoked', {
  data: RemovedCredits,
  audience: 'organization',
  permission: 'billing:read',
  description: 'Credits were taken back.',
  example: { organizationId, credits: 1000, available: 640 },
});

export const CreditsExpired = event('credits.expired', {
  data: RemovedCredits,
  audience: 'organization',
  permission: 'billing:read',
  description: 'Credits were not spent in time.',
  example: { organizationId, credits: 360, available: 640 },
});

export const CreditsLow = event('credits.low', {
  data: CreditsLeft,
  audience: 'organization',
  permission: 'billing:read',
  description: 'At most a tenth of the balance after the last grant is left. Once for each grant.',
  example: { organizationId, available: 96 },
});

export const CreditsExhausted = event('credits.exhausted', {
  data: CreditsLeft,
  audience: 'organization',
  permission: 'billing:read',
  description: 'The last credit was spent: calls that cost credits are refused until there are more.',
  example: { organizationId, available: 0 },
});
