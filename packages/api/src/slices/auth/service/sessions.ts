import type { Call, Statement } from '@rentapi/platform/database';
import type { Context, UserContext } from '../../../context.ts';
import { iso, isoOrNull } from '../../../contract/common-schemas.ts';
import { ApiError } from '../../../contract/errors.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import { LOCK_NAME } from '../../../data/name-locks.ts';
import { rowsOf } from '../../../data/rows.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { assertFresh } from '../../../pipeline/fresh.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { endTrust, trustOf } from '../../two-factor/service/trusted-device.ts';
import { lockMe } from '../../users/staff.ts';
import { deviceOf } from '../device.ts';
import { SessionEnded } from '../events.ts';
import { SessionModel } from '../model.ts';
import type { ListSessions, RevokeAllSessions, RevokeSession, Session, SessionPage } from '../session-schemas.ts';
import { clearRefreshCookie, readRefreshCookie } from './refresh-cookie.ts';

/** Live ones of one person; one more ends the oldest. */
export const MAX_SESSIONS = 100;

/** However often it is renewed, a session ends SESSION_MAX_AGE_S after its login. */
export function sessionEnd({ now, ports: { env } }: Context, startedAt: Date): Date {
  const unused = now.getTime() + env.REFRESH_TOKEN_TTL_S * 1000;
  return new Date(Math.min(unused, startedAt.getTime() + env.SESSION_MAX_AGE_S * 1000));
}

const live = ({ db, now }: Context, userId: number) =>
  SessionModel.query(db).where({ userId }).whereNull('revokedAt').where('expiresAt', '>', now);

export async function listSessions(ctx: UserContext, input: ListSessions): Promise<SessionPage> {
  const userId = ctx.actor.user.id;
  const { rows, nextCursor } = await newestFirst(
    ctx.ports.cursors,
    { name: 'sessions', of: userId },
    input,
    rowsOf(live(ctx, userId)),
  );
  const ids = rows.map(({ id }) => id);
  const [uses, trust] = [await lastUses(ctx, ids), await trustOf(ctx, ids)];
  const present = (session: SessionModel): Session => ({
    id: session.publicId,
    device: deviceOf(session.userAgent),
    ip: session.ip,
    userAgent: session.userAgent,
    isCurrent: session.id === ctx.actor.session.id,
    trustedUntil: isoOrNull(trust.get(session.id) ?? null),
    createdAt: iso(session.createdAt),
    lastSeenAt: iso(pendingUse(ctx, session.id) ?? uses.get(session.id) ?? session.createdAt),
    expiresAt: iso(session.expiresAt),
  });
  return { items: rows.map(present), nextCursor };
}

function pendingUse({ ports }: Context, id: number): Date | undefined {
  const atMs = ports.lastSeen.pending(id);
  return atMs === undefined ? undefined : new Date(atMs);
}

async function lastUses({ db }: Context, ids: number[]): Promise<Map<number, Date>> {
  const rows: { sessionId: number; lastSeenAt: Date }[] = await db('session_uses').whereIn('sessionId', ids);
  return new Map(rows.map(({ sessionId, lastSeenAt }) => [sessionId, lastSeenAt]));
}

/** A stolen access token must not end the sessions of its owner; the own session may end at any time. */
export async function revokeSession(ctx: UserContext, { sessionId }: RevokeSession): Promise<void> {
  const isCurrent = sessionId === ctx.actor.session.publicId;
  if (!isCurrent) assertFresh(ctx, ctx.actor);
  const ended = await transaction(ctx, (ctx) => end(ctx, (sessions) => sessions.where({ publicId: sessionId })));
  if (ended === 0) throw new ApiError('not_found');
  if (isCurrent) forgetCookie(ctx);
}

/** A device that logged out has no session, but can still skip the second factor: that ends too. */
export async function revokeAllSessions(ctx: UserContext, { keepCurrent }: RevokeAllSessions): Promise<void> {
  const current = ctx.actor.session.id;
  await transaction(ctx, async (ctx) => {
    await end(ctx, (sessions) => (keepCurrent ? sessions.whereNot({ id: current }) : sessions));
    await endTrust(ctx, ctx.actor.user.id, keepCurrent ? { except: current } : {});
  });
  if (!keepCurrent) forgetCookie(ctx);
}

type Narrow = (sessions: ReturnType<typeof live>) => ReturnType<typeof live>;

/** Returns how many of the caller's sessions ended. A session that has ended meanwhile ends no other. */
async function end(ctx: UserContext, narrow: Narrow): Promise<number> {
  const { id: userId } = await lockMe(ctx);
  const ended = await narrow(live(ctx, userId)).patch({ revokedAt: ctx.now }).returning('*');
  for (const session of ended) await record(ctx, SessionEnded, { target: session, data: session.present() });
  const others = ended.filter(({ id }) => id !== ctx.actor.session.id).length;
  if (others > 0) await recordSecurityEvent(ctx, 'sessions_ended', { userId, details: { count: others } });
  return ended.length;
}

const END_OLDEST: Statement = {
  name: 'end_oldest_sessions',
  text: `
    update sessions set revoked_at = $2
    where id in (
      select id from sessions where user_id = $1 and revoked_at is null and expires_at > $2
      order by id desc offset ${MAX_SESSIONS - 1}
    )
    returning *`,
};

/**
 * The statements before a session starts: a lock, so that each of concurrent logins of one person counts those before
 * it, and the end of the sessions that are too many.
 */
export const endingOldest = ({ now }: Context, userId: number): [Call, Call] => [
  [LOCK_NAME, [`sessions of ${userId}`]],
  [END_OLDEST, [userId, now]],
];

function forgetCookie(ctx: UserContext): void {
  if (readRefreshCookie(ctx) !== undefined) clearRefreshCookie(ctx);
}
