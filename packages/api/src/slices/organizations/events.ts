import { event } from '../../events/event.ts';
import { Organization } from './schemas.ts';

const visibleToOrganization = { data: Organization, audience: 'organization', permission: 'org:read' } as const;

export const OrganizationCreated = event('organization.created', visibleToOrganization);
export const OrganizationUpdated = event('organization.updated', visibleToOrganization);
export const OrganizationDeleted = event('organization.deleted', visibleToOrganization);
export const OrganizationRestored = event('organization.restored', visibleToOrganization);
