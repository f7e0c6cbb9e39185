import { execute, type Statement } from '@rentapi/platform/database';
import type { Call, Context } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import type { OrganizationRole } from '../contract/permissions.ts';
import { authenticateKey, looksLikeKey } from '../slices/api-keys/authenticate.ts';
import { USER_COLUMNS, UserModel } from '../slices/users/model.ts';
import type { Actor, UserActor } from './actor.ts';

/** Who is calling, from the one credential of the call; null where there is none. Throws 401 for one that is not good. */
export async function authenticate(ctx: Context, pathOrganizationId: number | null): Promise<Actor | null> {
  const credential = readCredential(ctx.call, ctx.ports.env.API_KEY_PREFIX);
  if (!credential) return null;
  if ('key' in credential) return authenticateKey(ctx, credential.key);
  return authenticateSession(ctx, credential.token, pathOrganizationId);
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

/** Session, person and membership in one statement: the session row is the truth, the token only names it. */
const SESSION_ACTOR: Statement = {
  name: 'session_actor',
  text: `
    select s.id as "sessionId", s.revoked_at as "sessionRevokedAt", s.expires_at as "sessionExpiresAt",
           m.organization_id as "memberOrganizationId", m.role as "memberRole", ${USER_COLUMNS}
    from sessions s
    join users u on u.id = s.user_id
    left join organization_members m
      on m.user_id = u.id and m.organization_id = coalesce($3, u.default_organization_id)
    where s.public_id = $1 and s.user_id = $2`,
};

interface SessionRow {
  sessionId: number;
  sessionRevokedAt: Date | null;
  sessionExpiresAt: Date;
  memberOrganizationId: number | null;
  memberRole: OrganizationRole | null;
}

async function authenticateSession(ctx: Context, token: string, pathOrganizationId: number | null): Promise<UserActor> {
  const { sub, sid } = await ctx.ports.accessTokens.verify(token, ctx.now);
  return loadSession(ctx, {
    sid,
    userId: ctx.ids.decode('usr', sub),
    organizationId: namedOrganization(ctx, pathOrganizationId),
  });
}

/** The caller behind a session, in the organization named, or in their default one. */
export async function loadSession(
  ctx: Context,
  { sid, userId, organizationId }: { sid: string; userId: number; organizationId: number | null },
): Promise<UserActor> {
  const [row] = await execute<SessionRow>(ctx.db, SESSION_ACTOR, [sid, userId, organizationId]);
  if (!row || row.sessionRevokedAt || row.sessionExpiresAt <= ctx.now) throw new ApiError('session_revoked');
  const { sessionId, sessionRevokedAt, sessionExpiresAt, memberOrganizationId, memberRole, ...columns } = row;
  const user = UserModel.hydrate(columns);
  if (user.status !== 'ACTIVE') throw new ApiError('account_inactive');
  // An organization of which the caller is no member is the same as none.
  if (organizationId !== null && memberRole === null) throw new ApiError('not_found');
  return {
    kind: 'user',
    user,
    session: { id: sessionId, publicId: sid },
    membership:
      memberOrganizationId !== null && memberRole !== null
        ? { organizationId: memberOrganizationId, role: memberRole }
        : null,
  };
}

/** The organization that the call names in its path or header; null leaves it to the caller's default. */
function namedOrganization(ctx: Context, pathOrganizationId: number | null): number | null {
  if (ctx.call.organizationId === undefined) return pathOrganizationId;
  const named = ctx.ids.decode('org', ctx.call.organizationId);
  if (pathOrganizationId !== null && pathOrganizationId !== named) throw new ApiError('organization_mismatch');
  return named;
}
