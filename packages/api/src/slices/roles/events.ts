import { event } from '../../events/event.ts';
import { exampleRole, Role } from './schemas.ts';

const visibleToOrganization = { data: Role, audience: 'organization', permission: 'roles:read' } as const;

export const RoleCreated = event('role.created', {
  ...visibleToOrganization,
  description: 'A custom role was created.',
  example: exampleRole,
});
export const RoleUpdated = event('role.updated', {
  ...visibleToOrganization,
  description: 'A custom role changed.',
  example: exampleRole,
});
export const RoleDeleted = event('role.deleted', {
  ...visibleToOrganization,
  description: 'A custom role was deleted.',
  example: exampleRole,
});
