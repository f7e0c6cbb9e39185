import { event } from '../../events/event.ts';
import { ChangedLimits, exampleOverride, ReachedThreshold } from './schemas.ts';

export const LimitsChanged = event('organization.limits_changed', {
  data: ChangedLimits,
  audience: 'organization',
  permission: 'org:read',
  description:
    'Staff changed the limits of the organization, or of one of its keys. The end of an override by its time is no event.',
  example: { organizationId: exampleOverride.organizationId, keyId: null, override: exampleOverride },
});

export const UsageThresholdReached = event('usage.threshold_reached', {
  data: ReachedThreshold,
  audience: 'organization',
  permission: 'org:read',
  description: 'The organization has used 50, 80 or 100 % of the calls that its plan includes; once a month each.',
  example: {
    organizationId: exampleOverride.organizationId,
    month: '2026-02',
    percent: 80,
    calls: 80_412,
    included: 100_000,
    overage: 'bill',
  },
});
