import { z } from 'zod';
import { exampleId, id } from '../../contract/ids.ts';
import { event } from '../../events/event.ts';
import { exampleOrganization, Organization } from './schemas.ts';

const visibleToOrganization = { data: Organization, audience: 'organization', permission: 'org:read' } as const;

export const OrganizationCreated = event('organization.created', {
  ...visibleToOrganization,
  description: 'An organization was created.',
  example: exampleOrganization,
});
export const OrganizationUpdated = event('organization.updated', {
  ...visibleToOrganization,
  description: 'The name, the settings or the metadata of an organization changed.',
  example: exampleOrganization,
});
export const OrganizationDeleted = event('organization.deleted', {
  ...visibleToOrganization,
  description: 'An organization was deleted. For 30 days an owner can restore it.',
  example: { ...exampleOrganization, deletedAt: '2026-02-01T09:00:00.000Z' },
});
export const OrganizationRestored = event('organization.restored', {
  ...visibleToOrganization,
  description: 'A deleted organization was restored.',
  example: exampleOrganization,
});
export const OrganizationPurged = event('organization.purged', {
  data: z.object({ id: id('org') }),
  audience: 'internal',
  description: 'The data of a deleted organization were deleted for good.',
  example: { id: exampleId('org') },
});
