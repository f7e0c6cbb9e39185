import type { Context, CurrentOrganization } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import { id } from '../contract/ids.ts';
import type { ProcedureMeta } from '../contract/meta.ts';
import {
  isOrganizationPermission,
  type OrganizationPermission,
  PLATFORM_ROLE_PERMISSIONS,
  platformPermissionOf,
  platformPermissions,
} from '../contract/permissions.ts';
import type { Actor } from './actor.ts';
import { authenticate } from './authenticate.ts';
import { admitCookies } from './cookies.ts';
import type { Authenticated } from './credential.ts';
import { assertFresh } from './fresh.ts';
import { chargeFailedAttempt, dueLimits, enforceLimits } from './limits.ts';
import { noteCaller } from './observe.ts';

const OrganizationId = id('org');

/**
 * Admits a call or throws, in this order: credential (401), limits (429), permission (403), organization (404 where the
 * caller is no member), and a recent login where required. Permission is checked before the input, and before anything
 * is looked up.
 */
export async function admit(ctx: Context, meta: ProcedureMeta, readInput: () => Promise<unknown>): Promise<Context> {
  if (meta.access === 'proof:signature') return ctx; // judged with the body, before: see `serveRaw`
  if (meta.access === 'public' || meta.access.startsWith('proof:')) {
    await enforceLimits(ctx, meta, null);
    return { ...ctx, cookies: meta.cookie ? await admitCookies(ctx, meta, readInput) : null };
  }
  const credential = await identify(ctx, meta, readInput);
  const { actor } = credential;
  const organization = currentOrganization(actor);
  if (organization) noteCaller(ctx, { organizationId: organization.id });
  const due = dueLimits(ctx, meta, actor);
  if (!due) await enforceLimits(ctx, meta, actor);
  assertAccess(ctx, meta, { actor, organization, userId: await namedUser(meta, readInput) });
  if (meta.fresh) assertFresh(ctx, actor);
  const cookies = meta.cookie ? await admitCookies(ctx, meta, readInput) : null;
  return { ...ctx, actor, credential, organization, cookies, dueLimits: due };
}

async function identify(ctx: Context, meta: ProcedureMeta, readInput: () => Promise<unknown>): Promise<Authenticated> {
  try {
    const credential = await authenticate(ctx, () => pathOrganization(ctx, meta, readInput), meta);
    if (!credential) throw new ApiError('credentials_required');
    return credential;
  } catch (error) {
    await chargeFailedAttempt(ctx, error, meta);
    throw error;
  }
}

/**
 * The organization in the path; null where there is none, and where platform staff act on one without being members.
 * The schema refuses a missing or malformed id.
 */
async function pathOrganization(
  ctx: Context,
  meta: ProcedureMeta,
  readInput: () => Promise<unknown>,
): Promise<number | null> {
  if (!meta.openapi.path.includes('{orgId}') || platformPermissionOf(meta.access)) return null;
  const input = await readInput();
  const orgId = typeof input === 'object' && input !== null && 'orgId' in input ? input.orgId : undefined;
  const { success, data } = OrganizationId.safeParse(orgId);
  return success ? ctx.ids.decode('org', data) : null;
}

/** The `userId` of the input, for access that depends on it. */
async function namedUser(meta: ProcedureMeta, readInput: () => Promise<unknown>): Promise<unknown> {
  return meta.access.startsWith('self:') ? userIdIn(await readInput()) : undefined;
}

export function userIdIn(input: unknown): unknown {
  return typeof input === 'object' && input !== null && 'userId' in input ? input.userId : undefined;
}

export function currentOrganization(actor: Actor): CurrentOrganization | null {
  if (actor.kind === 'key') return { id: actor.key.organizationId, permissions: actor.key.permissions };
  const { membership } = actor;
  return membership && { id: membership.organizationId, permissions: membership.permissions };
}

interface Caller {
  actor: Actor;
  organization: CurrentOrganization | null;
  /** The user whom the input names, for access of the user themselves. */
  userId: unknown;
}

export function assertAccess(
  { ids, ports }: Pick<Context, 'ids' | 'ports'>,
  { access }: Pick<ProcedureMeta, 'access'>,
  { actor, organization, userId }: Caller,
): void {
  if (access === 'userOrKey') return;
  if (access === 'user') {
    if (actor.kind !== 'user') throw new ApiError('user_required');
  } else if (isOrganizationPermission(access)) {
    if (organization?.permissions.has(access as OrganizationPermission)) return;
    if (actor.kind === 'user' && actor.membership?.needsTwoFactor) throw new ApiError('two_factor_required');
    throw denied(access);
  } else {
    if (actor.kind === 'user' && access.startsWith('self:') && ids.encode('usr', actor.user.id) === userId) return;
    const permission = platformPermissionOf(access);
    if (actor.kind !== 'user' || !permission || !PLATFORM_ROLE_PERMISSIONS[actor.user.role].has(permission))
      throw denied(permission ?? access);
    if (!platformPermissions(actor.user, ports.env).has(permission)) throw new ApiError('two_factor_required');
  }
}

function denied(permission: string): ApiError {
  return new ApiError('permission_denied', {
    detail: `This needs the permission \`${permission}\`, which this caller does not have here.`,
  });
}
