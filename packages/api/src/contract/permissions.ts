/**
 * Every organization permission and what its procedures do: `read` is a query, `write` a mutation, `fresh` a mutation
 * that also requires a recent login. A test compares this table with the router.
 */
export const ORGANIZATION_PERMISSIONS = {
  'org:read': 'read',
  'org:create': 'write',
  'org:update': 'write',
  'org:delete': 'fresh',
  'org:transfer': 'fresh',
  'org:audit': 'read',
  'members:invite': 'write',
  'members:update': 'write',
  'members:remove': 'write',
  'roles:read': 'read',
  'roles:create': 'write',
  'roles:update': 'write',
  'roles:delete': 'write',
  'roles:assign': 'write',
  'api_keys:read': 'read',
  'api_keys:create': 'write',
  'api_keys:update': 'write',
  'api_keys:delete': 'write',
  'api_keys:rotate': 'write',
  'api_keys:verify': 'write',
  'webhooks:read': 'read',
  'webhooks:create': 'write',
  'webhooks:update': 'write',
  'webhooks:delete': 'write',
  'webhooks:test': 'write',
  'billing:read': 'read',
  'billing:manage': 'write',
  'analytics:read': 'read',
  'analytics:export': 'read',
  'usage:write': 'write',
  'storage:read': 'read',
  'storage:manage': 'write',
  'files:read': 'read',
  'files:write': 'write',
  'files:delete': 'write',
  'ai:use': 'write',
} as const satisfies Record<string, 'read' | 'write' | 'fresh'>;

/** Permissions over the whole platform. They come only from the platform role. */
export const PLATFORM_PERMISSIONS = [
  'users:read',
  'users:create',
  'users:update',
  'users:delete',
  'users:suspend',
  'users:impersonate',
  'system:manage',
  'system:audit',
  'system:config',
  'system:broadcast',
  'system:maintenance',
] as const;

export type OrganizationPermission = keyof typeof ORGANIZATION_PERMISSIONS;
export type PlatformPermission = (typeof PLATFORM_PERMISSIONS)[number];
export type Permission = OrganizationPermission | PlatformPermission;

export const ORGANIZATION_ROLES = ['OWNER', 'ADMIN', 'MEMBER', 'VIEWER'] as const;
export type OrganizationRole = (typeof ORGANIZATION_ROLES)[number];

export const PLATFORM_ROLES = ['SUPER_ADMIN', 'ADMIN', 'USER', 'VIEWER'] as const;
export type PlatformRole = (typeof PLATFORM_ROLES)[number];

const every = Object.keys(ORGANIZATION_PERMISSIONS) as OrganizationPermission[];
const reads = every.filter((permission) => ORGANIZATION_PERMISSIONS[permission] === 'read');

/** Only owners have these: no custom role can contain them. */
const OWNER_ONLY = ['org:delete', 'org:transfer'] as const satisfies OrganizationPermission[];

/** What a custom role may contain. */
export type GrantablePermission = Exclude<OrganizationPermission, (typeof OWNER_ONLY)[number]>;
export const GRANTABLE_PERMISSIONS: readonly GrantablePermission[] = every.filter(isGrantable);

export function isGrantable(permission: OrganizationPermission): permission is GrantablePermission {
  return !(OWNER_ONLY as readonly string[]).includes(permission);
}

// Not the audit log: it contains people's addresses and devices.
const readPermissions = reads.filter((permission) => permission !== 'org:audit');

/** What each organization role may do. */
export const ROLE_PERMISSIONS: Record<OrganizationRole, ReadonlySet<OrganizationPermission>> = {
  OWNER: new Set(every),
  ADMIN: new Set(GRANTABLE_PERMISSIONS),
  MEMBER: new Set([
    ...readPermissions,
    'api_keys:create',
    'webhooks:create',
    'webhooks:update',
    'webhooks:test',
    'files:write',
    'files:delete',
    'ai:use',
  ]),
  VIEWER: new Set(readPermissions),
};

/** The same under ORG_MEMBER_READONLY, where members may only read. */
export function rolePermissions(
  role: OrganizationRole,
  { ORG_MEMBER_READONLY }: { ORG_MEMBER_READONLY: boolean },
): ReadonlySet<OrganizationPermission> {
  return ROLE_PERMISSIONS[role === 'MEMBER' && ORG_MEMBER_READONLY ? 'VIEWER' : role];
}

/** What a member may do: the permissions of the organization role, and those of the assigned custom roles. */
export function memberPermissions(
  member: { role: OrganizationRole; customPermissions: readonly OrganizationPermission[] },
  settings: { ORG_MEMBER_READONLY: boolean },
): ReadonlySet<OrganizationPermission> {
  const ofRole = rolePermissions(member.role, settings);
  return member.customPermissions.length > 0 ? new Set([...ofRole, ...member.customPermissions]) : ofRole;
}

const SUPER_ADMIN_ONLY: ReadonlySet<PlatformPermission> = new Set([
  'users:impersonate',
  'system:config',
  'system:broadcast',
  'system:maintenance',
]);

/** What each platform role may do. */
export const PLATFORM_ROLE_PERMISSIONS: Record<PlatformRole, ReadonlySet<PlatformPermission>> = {
  SUPER_ADMIN: new Set(PLATFORM_PERMISSIONS),
  ADMIN: new Set(PLATFORM_PERMISSIONS.filter((permission) => !SUPER_ADMIN_ONLY.has(permission))),
  VIEWER: new Set(['users:read', 'system:audit']),
  USER: new Set(),
};

/** Staff without a second factor have none where the deployment asks for one. */
export function platformPermissions(
  user: { role: PlatformRole; twoFactorEnabledAt: Date | null },
  { REQUIRE_STAFF_TWO_FACTOR }: { REQUIRE_STAFF_TWO_FACTOR: boolean },
): ReadonlySet<PlatformPermission> {
  const mayUse = !REQUIRE_STAFF_TWO_FACTOR || user.twoFactorEnabledAt !== null;
  return PLATFORM_ROLE_PERMISSIONS[mayUse ? user.role : 'USER'];
}

/** The platform permission that an access asks for, where it does. */
export function platformPermissionOf(access: string): PlatformPermission | undefined {
  const name = access.replace(/^self:/, '');
  return PLATFORM_PERMISSIONS.find((permission) => permission === name);
}

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

/** The permissions that a scope includes. */
export function expandScope(scope: string): OrganizationPermission[] {
  if (scope === '*') return every;
  if (scope === 'read:*' || scope === 'write:*') {
    return every.filter((permission) => `${ORGANIZATION_PERMISSIONS[permission]}:*` === scope);
  }
  if (scope.endsWith(':*')) return every.filter((permission) => permission.startsWith(scope.slice(0, -1)));
  return isOrganizationPermission(scope) ? [scope] : [];
}
