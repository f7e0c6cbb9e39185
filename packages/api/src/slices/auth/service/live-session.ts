import type { z } from 'zod';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import type { EventType } from '../../../events/event.ts';
import { record } from '../../../events/record.ts';
import { SessionModel } from '../model.ts';

/** The session of a user, for what was begun in it. Throws when it has ended meanwhile. */
export async function findLiveSession(ctx: Context, id: number, userId: number): Promise<SessionModel> {
  const session = await SessionModel.query(ctx.db).findOne({ id, userId }).whereNull('revokedAt');
  if (!session || session.expiresAt <= ctx.now) throw new ApiError('session_revoked');
  return session;
}

/** Ends a session for the reason that the event names; one that has ended is left as it is. */
export async function endSession(
  ctx: Context,
  id: number,
  type: EventType<z.ZodType<ReturnType<SessionModel['present']>>>,
): Promise<void> {
  const session = await SessionModel.query(ctx.db)
    .findById(id)
    .patch({ revokedAt: ctx.now })
    .whereNull('revokedAt')
    .returning('*')
    .first();
  if (session) await record(ctx, type, { target: session, data: session.present() });
}
