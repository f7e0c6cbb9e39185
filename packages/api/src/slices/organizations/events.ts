import { event } from '../../events/event.ts';
import { Organization } from './schemas.ts';

const told = { data: Organization, audience: 'organization', permission: 'org:read' } as const;

export const OrganizationCreated = event('organization.created', told);
export const OrganizationUpdated = event('organization.updated', told);
export const OrganizationDeleted = event('organization.deleted', told);
export const OrganizationRestored = event('organization.restored', told);
