import { event } from '../../events/event.ts';
import { Role } from './schemas.ts';

const told = { data: Role, audience: 'organization', permission: 'roles:read' } as const;

export const RoleCreated = event('role.created', told);
export const RoleUpdated = event('role.updated', told);
export const RoleDeleted = event('role.deleted', told);
