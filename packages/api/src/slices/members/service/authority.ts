import { type Call, execute, executeTogether, type Statement } from '@rentapi/platform/database';
import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { memberPermissions, type OrganizationPermission } from '../../../contract/permissions.ts';
import { toModel } from '../../../data/rows.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import type { UserActor } from '../../../pipeline/actor.ts';
import { findLiveKey, type LiveKey, permissionsOf } from '../../api-keys/scopes.ts';
import { OrganizationModel } from '../../organizations/model.ts';
import { MemberModel } from '../model.ts';

export interface Authority {
  organization: OrganizationModel;
  /** What the caller may do, read under the lock. */
  permissions: ReadonlySet<OrganizationPermission>;
  /** How many rows `counting` counted under the lock. */
  count: number;
}

interface LockOptions {
  allowDeletedOrganization?: boolean;
  /** A statement that selects the `count` of the organization's rows, which is its first parameter. */
  counting?: Statement;
}

/**
 * Serializes changes to permissions in an organization, by a lock on its row. While the caller waits for it, they may
 * be demoted or removed, or their key or session revoked: all of this is read again under the lock.
 */
export async function lockAuthority(
  ctx: OrganizationContext,
  needed: OrganizationPermission,
  { allowDeletedOrganization = false, counting }: LockOptions = {},
): Promise<Authority> {
  const { actor, db, organization } = ctx;
  const [[locked], [caller], counted] = await executeTogether<[LockedRow, Caller, ...Counted[]]>(db, [
    actor.kind === 'user' ? lockForUser(organization.id, actor.user.id) : lock(organization.id),
    actor.kind === 'user' ? findCallingMember(ctx, actor) : findLiveKey(ctx, actor.key.id),
    ...(counting ? [[counting, [organization.id]] as const] : []),
  ]);
  const found = assertLocked(locked, allowDeletedOrganization);
  if (caller?.revoked) throw new ApiError('session_revoked');
  const permissions = permissionsOfCaller(ctx, caller);
  if (!permissions.has(needed)) throw new ApiError('permission_denied');
  return { organization: found, permissions, count: counted?.[0]?.count ?? 0 };
}

type LockedRow = Record<string, unknown>;
type Counted = { count: number };
/** What the caller's membership and session, or key, say now. */
type Caller = Partial<Pick<MemberModel, 'role' | 'customPermissions'> & LiveKey & { revoked: boolean }>;

function permissionsOfCaller(
  { ports }: OrganizationContext,
  { role, customPermissions = [], scopes = [] }: Caller = {},
): ReadonlySet<OrganizationPermission> {
  return role ? memberPermissions({ role, customPermissions }, ports.env) : permissionsOf(scopes);
}

/** Rows of other transactions that refer to the organization can still be added: they wait for no lock of it. */
const LOCK: Statement = {
  name: 'lock_organization',
  text: 'select * from organizations where id = $1 for no key update',
};

const lock = (organizationId: number): Call => [LOCK, [organizationId]];

/** What ends all access of a user locks their row first, so it waits until what is granted here can be found. */
const LOCK_FOR_USER: Statement = {
  name: 'lock_organization_for_user',
  text: `
    with person as (select id from users where id = $2 for key share)
    select o.* from person cross join organizations o where o.id = $1 for no key update of o`,
};

const lockForUser = (organizationId: number, userId: number): Call => [LOCK_FOR_USER, [organizationId, userId]];

/** Read in a statement after the lock: rows that it joined would be those from before the wait. */
const CALLING_MEMBER: Statement = {
  name: 'calling_member',
  text: `
    select m.role, m.custom_permissions as "customPermissions",
           exists (select from sessions where id = $3 and revoked_at is not null) as revoked
    from (select) caller
    left join organization_members m on m.organization_id = $1 and m.user_id = $2`,
};

/** By the table's name: sessions belong to a slice above this one. Demo data is made by owners without a session. */
const findCallingMember = ({ organization }: Tenancy, { user, session }: UserActor): Call => [
  CALLING_MEMBER,
  [organization.id, user.id, session.id],
];

export async function lockOrganization({ db, organization }: Tenancy): Promise<OrganizationModel> {
  const [locked] = await execute<LockedRow>(db, ...lock(organization.id));
  return assertLocked(locked, false);
}

function assertLocked(row: LockedRow | undefined, allowDeletedOrganization: boolean): OrganizationModel {
  const organization = row && toModel(OrganizationModel, row);
  if (!organization || (organization.deletedAt && !allowDeletedOrganization)) throw new ApiError('not_found');
  return organization;
}

/** Empty for a user who is no member. */
export async function memberPermissionsOf(
  ctx: Pick<OrganizationContext, 'ports'> & Tenancy,
  userId: number,
): Promise<ReadonlySet<OrganizationPermission>> {
  const member = await MemberModel.of(ctx).findOne({ userId });
  return member ? memberPermissions(member, ctx.ports.env) : new Set();
}

/** Callers can only grant what they hold: otherwise the right to grant would be every permission. */
export function assertMayGrant(
  permissions: ReadonlySet<OrganizationPermission>,
  granted: Iterable<OrganizationPermission>,
): void {
  for (const permission of granted) {
    if (!permissions.has(permission)) {
      throw new ApiError('permission_not_held', {
        detail: `You do not have \`${permission}\` here: grant only permissions that you have.`,
      });
    }
  }
}

/** Callers cannot change a member with more permissions: an admin manages members, but never owners. */
export function assertNotOutranked(
  ctx: OrganizationContext,
  permissions: ReadonlySet<OrganizationPermission>,
  member: MemberModel,
): void {
  for (const permission of memberPermissions(member, ctx.ports.env)) {
    if (!permissions.has(permission)) throw new ApiError('target_has_more_permissions');
  }
}
