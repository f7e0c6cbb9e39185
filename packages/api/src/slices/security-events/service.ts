import { execute, type Statement } from '@rentapi/platform/database';
import type { Context, UserContext } from '../../context.ts';
import { newestFirst } from '../../contract/pagination.ts';
import { rowsOf } from '../../data/rows.ts';
import { SecurityEventModel } from './model.ts';
import {
  CAUSED_BY_OTHERS,
  type ListActivity,
  type SecurityEvent,
  type SecurityEventKind,
  type SecurityEventPage,
} from './schemas.ts';

const RECORD: Statement = {
  name: 'record_security_event',
  text: `
    insert into security_events (user_id, kind, details, ip, user_agent, request_id, created_at)
    values ($1, $2, $3, $4, $5, $6, $7)`,
};

/**
 * One statement, in the caller's transaction if there is one. `userId` is null for an address without an account, so
 * that a failed login costs the same with and without one.
 */
export async function recordSecurityEvent(
  ctx: Context,
  kind: SecurityEventKind,
  { userId, details = {} }: { userId: number | null; details?: SecurityEvent['details'] },
): Promise<void> {
  const { requestId } = ctx.request;
  const { ip, userAgent } = CAUSED_BY_OTHERS.includes(kind) ? { ip: null, userAgent: null } : ctx.request;
  await execute(ctx.db, RECORD, [userId, kind, JSON.stringify(details), ip, userAgent, requestId, ctx.now]);
}

/** Whether something of these kinds happened to an account since then; with these details, if they are given. */
export async function hasHappened(
  { db }: Context,
  kinds: readonly SecurityEventKind[],
  { userId, since, details }: { userId: number; since: Date; details?: SecurityEvent['details'] },
): Promise<boolean> {
  const found = SecurityEventModel.query(db)
    .findOne({ userId })
    .whereIn('kind', [...kinds])
    .where('createdAt', '>=', since)
    .select('id');
  if (details) found.whereRaw('details @> ?::jsonb', [JSON.stringify(details)]);
  return (await found) !== undefined;
}

export async function listActivity(ctx: UserContext, input: ListActivity): Promise<SecurityEventPage> {
  const userId = ctx.actor.user.id;
  const mine = SecurityEventModel.query(ctx.db).where({ userId });
  const { rows, nextCursor } = await newestFirst(
    ctx.ports.cursors,
    { name: 'activity', of: userId },
    input,
    rowsOf(mine),
  );
  return { items: rows.map((event) => event.present(ctx.ids)), nextCursor };
}
