import { event } from '../../events/event.ts';
import { ChangedLimits, exampleOverride } from './schemas.ts';

export const LimitsChanged = event('organization.limits_changed', {
  data: ChangedLimits,
  audience: 'organization',
  permission: 'org:read',
  description:
    'Staff changed the limits of the organization, or of one of its keys. The end of an override by its time is no event.',
  example: { organizationId: exampleOverride.organizationId, keyId: null, override: exampleOverride },
});
