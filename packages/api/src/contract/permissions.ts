/**
 * Every organization permission and what its procedures do: `read` is a query, `write` a mutation, `fresh` a mutation
 * that also asks for a recent login. A test holds this table against the router.
 */
export const ORGANIZATION_PERMISSIONS = {
  'api_keys:read': 'read',
  'api_keys:create': 'write',
  'api_keys:delete': 'write',
  'org:read': 'read',
} as const satisfies Record<string, 'read' | 'write' | 'fresh'>;

/** Permissions over the whole platform. They come only from the platform role. */
export const PLATFORM_PERMISSIONS = ['users:read', 'system:manage', 'system:config'] as const;

export type OrganizationPermission = keyof typeof ORGANIZATION_PERMISSIONS;
export type PlatformPermission = (typeof PLATFORM_PERMISSIONS)[number];
export type Permission = OrganizationPermission | PlatformPermission;

export const ORGANIZATION_ROLES = ['OWNER', 'ADMIN', 'MEMBER', 'VIEWER'] as const;
export type OrganizationRole = (typeof ORGANIZATION_ROLES)[number];

export const PLATFORM_ROLES = ['SUPER_ADMIN', 'ADMIN', 'USER', 'VIEWER'] as const;
export type PlatformRole = (typeof PLATFORM_ROLES)[number];

const every = Object.keys(ORGANIZATION_PERMISSIONS) as OrganizationPermission[];
const reads = every.filter((permission) => ORGANIZATION_PERMISSIONS[permission] === 'read');

/** What each organization role may do. */
export const ROLE_PERMISSIONS: Record<OrganizationRole, ReadonlySet<OrganizationPermission>> = {
  OWNER: new Set(every),
  ADMIN: new Set(every),
  MEMBER: new Set([...reads, 'api_keys:create']),
  VIEWER: new Set(reads),
};

/** What each platform role may do. */
export const PLATFORM_ROLE_PERMISSIONS: Record<PlatformRole, ReadonlySet<PlatformPermission>> = {
  SUPER_ADMIN: new Set(PLATFORM_PERMISSIONS),
  ADMIN: new Set(PLATFORM_PERMISSIONS.filter((permission) => permission !== 'system:config')),
  VIEWER: new Set(['users:read']),
  USER: new Set(),
};

export function isOrganizationPermission(permission: string): permission is OrganizationPermission {
  return Object.hasOwn(ORGANIZATION_PERMISSIONS, permission);
}

/** `api_keys:read`, `api_keys:*`, `read:*`, `write:*` or `*`. */
export const SCOPES: readonly string[] = [
  '*',
  'read:*',
  'write:*',
  ...new Set(every.map((permission) => `${permission.split(':')[0]}:*`)),
  ...every,
];

/** The permissions a scope stands for. */
export function expandScope(scope: string): OrganizationPermission[] {
  if (scope === '*') return every;
  if (scope === 'read:*' || scope === 'write:*') {
    return every.filter((permission) => `${ORGANIZATION_PERMISSIONS[permission]}:*` === scope);
  }
  if (scope.endsWith(':*')) return every.filter((permission) => permission.startsWith(scope.slice(0, -1)));
  return isOrganizationPermission(scope) ? [scope] : [];
}
