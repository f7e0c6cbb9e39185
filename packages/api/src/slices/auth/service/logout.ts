import type { UserContext } from '../../../context.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { keepTrust } from '../../two-factor/service/trusted-device.ts';
import { SessionEnded } from '../events.ts';
import { SessionModel } from '../model.ts';
import { clearRefreshCookie, readRefreshCookie } from './refresh-cookie.ts';

/** Ends the session: its refresh token and all its access tokens are refused from now on. */
export async function logout(ctx: UserContext): Promise<void> {
  const hasCookie = readRefreshCookie(ctx) !== undefined;
  await transaction(ctx, async (ctx) => {
    const session = await SessionModel.query(ctx.db)
      .findById(ctx.actor.session.id)
      .patch({ revokedAt: ctx.now })
      .whereNull('revokedAt')
      .returning('*')
      .first();
    if (!session) return;
    await keepTrust(ctx, session.id);
    await record(ctx, SessionEnded, { target: session, data: session.present() });
  });
  if (hasCookie) clearRefreshCookie(ctx);
}
