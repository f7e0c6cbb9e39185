import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import {
  memberPermissions,
  type OrganizationPermission,
  type OrganizationRole,
} from '../../../contract/permissions.ts';
import type { PlanCode, PlanTerms } from '../../../contract/plans.ts';
import type { UserActor } from '../../../pipeline/actor.ts';
import { type ActorQuery, loadCached } from '../../../pipeline/actor-cache.ts';
import type { Authenticated, Authenticators, Resume } from '../../../pipeline/credential.ts';
import { type LimitOverride, type PlanEndColumns, planEndOf, plansIn } from '../../../pipeline/entitlements.ts';
import { noteCaller } from '../../../pipeline/observe.ts';
import {
  assertHeader,
  organizationNotFound,
  type RequestedOrganization,
  requestedOrganization,
  resolveOrganizationId,
} from '../../../pipeline/tenancy.ts';
import { USER_COLUMNS, type UserColumns, UserModel } from '../../users/model.ts';

export const authenticateAccessToken: Authenticators['accessToken'] = async (ctx, token, path, options) => {
  const { sub, sid, expiresAt } = await ctx.ports.accessTokens.verify(token, ctx.now);
  return resumeSession({ sid, userId: ctx.ids.decode('usr', sub) }, expiresAt)(ctx, path, options);
};

/** Loads the session of a verified token, in the organization that the call names. */
function resumeSession(session: Pick<NamedSession, 'sid' | 'userId'>, expiresAt: Date | null): Resume {
  return async (ctx, path, { allowDeletedOrganization = false }) => {
    noteCaller(ctx, { userId: session.userId, sessionId: session.sid });
    if (expiresAt && expiresAt <= ctx.now) throw new ApiError('access_token_expired');
    const named = requestedOrganization(ctx, await path());
    return authenticateSession(ctx, { ...session, named, allowDeletedOrganization }, expiresAt);
  };
}

/** The caller of a session, until `expiresAt` or the end of the session. */
export async function authenticateSession(
  ctx: Context,
  session: NamedSession,
  expiresAt: Date | null,
): Promise<Authenticated> {
  const { sid, userId } = session;
  noteCaller(ctx, { userId, sessionId: sid });
  return {
    actor: await loadSession(ctx, session),
    expiresAt,
    reload: (now, id) => loadSession(now, { sid, userId, named: { id, headerId: null, subdomain: null } }),
    resume: resumeSession({ sid, userId }, expiresAt),
  };
}

/**
 * Session, user and membership in one statement: the session row is the truth, and the token only names it. The
 * membership contains what custom roles add, so a member with 20 roles costs the same as one with none.
 */
export const SESSION_ACTOR: Statement = {
  name: 'session_actor',
  short: true,
  text: `
    /* across organizations */
    select s.id as "sessionId", s.revoked_at as "sessionRevokedAt", s.expires_at as "sessionExpiresAt",
           s.authenticated_at as "authenticatedAt", named.id as "subdomainId", m.organization_id as "memberOrganizationId",
           m.role as "memberRole", m.custom_permissions as "customPermissions", o.deleted_at as "deletedAt",
           o.require_two_factor as "requireTwoFactor", o.plan, p.terms as "planTerms",
           o.plan_until as "planUntil", o.plan_after as "planAfter", next.terms as "planAfterTerms", o.limit_override as "limitOverride",
           o.calls_used_up_until as "callsUsedUpUntil", ${USER_COLUMNS}
    from sessions s
    join users u on u.id = s.user_id
    left join organizations named on named.subdomain = $4
    left join organization_members m
      on m.user_id = u.id and m.organization_id = coalesce($3, named.id, u.default_organization_id)
    left join organizations o on o.id = m.organization_id
    left join plans p on p.code = o.plan
    left join plans next on next.code = o.plan_after
    where s.public_id = $1 and s.user_id = $2`,
};

interface SessionRow extends UserColumns, PlanEndColumns {
  sessionId: number;
  sessionRevokedAt: Date | null;
  sessionExpiresAt: Date;
  authenticatedAt: Date;
  subdomainId: number | null;
  memberOrganizationId: number | null;
  memberRole: OrganizationRole | null;
  customPermissions: OrganizationPermission[] | null;
  deletedAt: Date | null;
  requireTwoFactor: boolean | null;
  plan: PlanCode | null;
  planTerms: PlanTerms | null;
  limitOverride: LimitOverride | null;
  callsUsedUpUntil: Date | null;
}

type SessionValues = [sid: string, userId: number, organizationId: number | null, subdomain: string | null];

/** Cached for members only: no notification reaches this entry when a non-member joins. */
function sessionQuestion(ctx: Context, values: SessionValues): ActorQuery<SessionRow> {
  const [, userId, , subdomain] = values;
  return {
    key: `session ${values[0]} ${userId} ${values[2] ?? ''} ${subdomain ?? ''}`,
    load: () => execute<SessionRow>(ctx.db, SESSION_ACTOR, values).then(firstRow),
    invalidatedBy: ({ memberOrganizationId, subdomainId, plan, planAfter }) =>
      memberOrganizationId === null || plan === null || (subdomain !== null && subdomainId !== memberOrganizationId)
        ? null
        : [`user:${userId}`, `organization:${memberOrganizationId}`, ...plansIn({ plan, planAfter })],
  };
}

const firstRow = <Row>(rows: Row[]): Row | undefined => rows[0];

export interface NamedSession {
  sid: string;
  userId: number;
  named: RequestedOrganization;
  /** Whether a deleted organization still counts. */
  allowDeletedOrganization?: boolean;
}

const NO_PERMISSIONS: ReadonlySet<OrganizationPermission> = new Set();

/** The caller of a session, in the named organization or the default one. */
async function loadSession(
  ctx: Context,
  { sid, userId, named, allowDeletedOrganization = false }: NamedSession,
): Promise<UserActor> {
  const row = await loadCached(ctx, sessionQuestion(ctx, [sid, userId, named.id, named.subdomain]));
  if (!row || row.sessionRevokedAt || row.sessionExpiresAt <= ctx.now) throw new ApiError('session_revoked');
  const { sessionId, authenticatedAt, subdomainId, memberOrganizationId, memberRole, customPermissions, deletedAt } =
    row;
  const { plan, planTerms, limitOverride, callsUsedUpUntil } = row;
  // Statements share a connection: an answer to another one would give this caller the rights of someone else.
  if (row.id !== userId) throw new Error('the session of one user was read as that of another');
  const user = UserModel.ofRow(row);
  if (user.status !== 'ACTIVE') throw new ApiError('account_inactive');
  // Everything that asks for permissions finds none until the second factor is set up.
  const needsTwoFactor = row.requireTwoFactor === true && !user.twoFactorEnabledAt;
  const wanted = resolveOrganizationId(named, subdomainId);
  const membership =
    memberOrganizationId === null ||
    memberRole === null ||
    plan === null ||
    planTerms === null ||
    (deletedAt && !allowDeletedOrganization)
      ? null
      : {
          organizationId: memberOrganizationId,
          role: memberRole,
          permissions: needsTwoFactor
            ? NO_PERMISSIONS
            : memberPermissions({ role: memberRole, customPermissions: customPermissions ?? [] }, ctx.ports.env),
          terms: { plan, planTerms, planEnd: planEndOf(row), override: limitOverride, callsUsedUpUntil },
          needsTwoFactor,
        };
  // An organization of which the caller is no member is treated as unknown.
  if (wanted !== null && !membership) throw organizationNotFound(named);
  if (wanted === null) assertHeader(named, membership?.organizationId);
  ctx.ports.lastSeen.note(sessionId, ctx.now.getTime());
  return { kind: 'user', user, session: { id: sessionId, publicId: sid, authenticatedAt }, membership };
}
