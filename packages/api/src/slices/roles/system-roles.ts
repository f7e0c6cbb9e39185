import type { Context } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import { type OrganizationRole, rolePermissions } from '../../contract/permissions.ts';
import type { Role } from './schemas.ts';

/** The four organization roles are not rows: the contract and the settings define them. Row ids begin at 1000. */
const SYSTEM_ROLES: readonly { id: number; name: OrganizationRole; description: string }[] = [
  { id: 4, name: 'OWNER', description: 'Everything, including deletion and transfer.' },
  { id: 3, name: 'ADMIN', description: 'Everything except deletion and transfer; manages members, but never owners.' },
  { id: 2, name: 'MEMBER', description: 'Works.' },
  { id: 1, name: 'VIEWER', description: 'Reads.' },
];

/** Highest id first, as in every list. */
export function systemRoles(ctx: Context): { id: number; present(): Role }[] {
  return SYSTEM_ROLES.map(({ id, name, description }) => ({
    id,
    present: () => ({
      id: ctx.ids.encode('rol', id),
      name,
      description,
      system: true,
      parentId: null,
      permissions: [...rolePermissions(name, ctx.ports.env)],
      inheritedPermissions: [],
      createdAt: null,
      updatedAt: null,
    }),
  }));
}

export const isSystemRole = (id: number): boolean => SYSTEM_ROLES.some((role) => role.id === id);

/** The row id of a custom role. */
export function decodeCustomRoleId(ctx: Context, roleId: string): number {
  const id = ctx.ids.decode('rol', roleId);
  if (isSystemRole(id)) throw new ApiError('system_role');
  return id;
}
