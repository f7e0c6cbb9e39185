import { execute, type Statement } from '@rentapi/platform/database';
import type { Call, Context } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import { memberPermissions, type OrganizationPermission, type OrganizationRole } from '../contract/permissions.ts';
import { authenticateKey, looksLikeKey } from '../slices/api-keys/authenticate.ts';
import { USER_COLUMNS, UserModel } from '../slices/users/model.ts';
import type { Actor, UserActor } from './actor.ts';
import { type Question, recall } from './session-lease.ts';
import { agreed, assertHeader, type NamedOrganization, namedOrganization, unseen } from './tenancy.ts';

/**
 * Who is calling, from the one credential of the call, and in which organization; null where there is no credential. Throws
 * 401 for one that is not good. The path is looked at only behind a good one: else strangers would learn which ids are there.
 */
export async function authenticate(
  ctx: Context,
  pathOrganization: () => Promise<number | null>,
  { inDeleted = false } = {},
): Promise<Actor | null> {
  const credential = readCredential(ctx.call, ctx.ports.env.API_KEY_PREFIX);
  if (!credential) return null;
  if ('key' in credential) return authenticateKey(ctx, credential.key, pathOrganization);
  const { sub, sid } = await ctx.ports.accessTokens.verify(credential.token, ctx.now);
  const named = namedOrganization(ctx, await pathOrganization());
  return loadSession(ctx, { sid, userId: ctx.ids.decode('usr', sub), named, inDeleted });
}

function readCredential(call: Call, keyPrefix: string): { token: string } | { key: string } | null {
  const { authorization, apiKey } = call;
  if (authorization !== undefined && apiKey !== undefined) throw new ApiError('ambiguous_credentials');
  if (apiKey !== undefined) return { key: apiKey };
  if (authorization === undefined) return null;
  const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (!bearer) throw new ApiError('invalid_access_token', { detail: 'Send `Authorization: Bearer <access token>`.' });
  return looksLikeKey(bearer, keyPrefix) ? { key: bearer } : { token: bearer };
}

/**
 * Session, person and membership in one statement: the session row is the truth, the token only names it. What custom roles
 * add stands in the membership already, so that a member with 20 roles costs what one with none costs.
 */
export const SESSION_ACTOR: Statement = {
  name: 'session_actor',
  text: `
    /* across organizations */
    select s.id as "sessionId", s.revoked_at as "sessionRevokedAt", s.expires_at as "sessionExpiresAt",
           s.authenticated_at as "authenticatedAt", named.id as "subdomainId", m.organization_id as "memberOrganizationId",
           m.role as "memberRole", m.custom_permissions as "customPermissions", o.deleted_at as "deletedAt", ${USER_COLUMNS}
    from sessions s
    join users u on u.id = s.user_id
    left join organizations named on named.subdomain = $4
    left join organization_members m
      on m.user_id = u.id and m.organization_id = coalesce($3, named.id, u.default_organization_id)
    left join organizations o on o.id = m.organization_id
    where s.public_id = $1 and s.user_id = $2`,
};

interface SessionRow {
  sessionId: number;
  sessionRevokedAt: Date | null;
  sessionExpiresAt: Date;
  authenticatedAt: Date;
  subdomainId: number | null;
  memberOrganizationId: number | null;
  memberRole: OrganizationRole | null;
  customPermissions: OrganizationPermission[] | null;
  deletedAt: Date | null;
}

type SessionValues = [sid: string, userId: number, organizationId: number | null, subdomain: string | null];

/** Kept only where the caller is a member: what makes them one is told neither of them nor of an organization known before. */
function sessionQuestion(ctx: Context, values: SessionValues): Question<SessionRow> {
  const [, userId, , subdomain] = values;
  return {
    key: `session ${values.join(' ')}`,
    load: async () => (await execute<SessionRow>(ctx.db, SESSION_ACTOR, values))[0],
    subjectsOf: ({ memberOrganizationId, subdomainId }) =>
      memberOrganizationId === null || (subdomain !== null && subdomainId !== memberOrganizationId)
        ? null
        : [`user:${userId}`, `organization:${memberOrganizationId}`],
  };
}

interface NamedSession {
  sid: string;
  userId: number;
  named: NamedOrganization;
  /** Whether a deleted organization is one still. */
  inDeleted?: boolean;
}

/** The caller behind a session, in the organization named, or in their default one. */
export async function loadSession(
  ctx: Context,
  { sid, userId, named, inDeleted = false }: NamedSession,
): Promise<UserActor> {
  const row = await recall(ctx, sessionQuestion(ctx, [sid, userId, named.id, named.subdomain]));
  if (!row || row.sessionRevokedAt || row.sessionExpiresAt <= ctx.now) throw new ApiError('session_revoked');
  const {
    sessionId,
    sessionRevokedAt,
    sessionExpiresAt,
    authenticatedAt,
    subdomainId,
    memberOrganizationId,
    memberRole,
    customPermissions,
    deletedAt,
    ...columns
  } = row;
  const user = UserModel.hydrate(columns);
  if (user.status !== 'ACTIVE') throw new ApiError('account_inactive');
  const wanted = agreed(named, subdomainId);
  const membership =
    memberOrganizationId === null || memberRole === null || (deletedAt && !inDeleted)
      ? null
      : {
          organizationId: memberOrganizationId,
          role: memberRole,
          permissions: memberPermissions(
            { role: memberRole, customPermissions: customPermissions ?? [] },
            ctx.ports.env,
          ),
        };
  // An organization of which the caller is no member is the same as none.
  if (wanted !== null && !membership) throw unseen(named);
  if (wanted === null) assertHeader(named, membership?.organizationId);
  return { kind: 'user', user, session: { id: sessionId, publicId: sid, authenticatedAt }, membership };
}
