import { ApiError } from '../../contract/errors.ts';
import type { OrganizationPermission } from '../../contract/permissions.ts';

interface RoleNode {
  id: number;
  parentId: number | null;
  permissions: readonly OrganizationPermission[];
}

export const MAX_GENERATIONS = 5;

/** A role and its ancestors, nearest first. Throws for a circle or too many generations. */
export function ancestry<Role extends RoleNode>(roles: ReadonlyMap<number, Role>, id: number): Role[] {
  const line: Role[] = [];
  for (let role = roles.get(id); role; role = role.parentId === null ? undefined : roles.get(role.parentId)) {
    if (line.includes(role)) throw new ApiError('role_cycle');
    line.push(role);
  }
  if (line.length > MAX_GENERATIONS) throw new ApiError('role_too_deep');
  return line;
}

/** The permissions of each role, including those of its ancestors. */
export function effectivePermissions(roles: readonly RoleNode[]): Map<number, OrganizationPermission[]> {
  const byId = new Map(roles.map((role) => [role.id, role]));
  return new Map(
    roles.map(({ id }) => {
      const all = ancestry(byId, id).flatMap(({ permissions }) => permissions);
      return [id, [...new Set(all)].sort()];
    }),
  );
}
