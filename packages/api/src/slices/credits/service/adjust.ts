import { randomUUID } from 'node:crypto';
import { type UserContext, within } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { UserModel } from '../../users/model.ts';
import { assertStaff } from '../../users/staff.ts';
import type { AdjustCredits, CreditBalance } from '../schemas.ts';
import { getCredits } from './balance.ts';
import { deductCredits, grantCredits } from './ledger.ts';

/** Spent after what was bought, because it was given. */
const PRIORITY = 100;

/** Of the personal organization of the user. */
export async function adjustCredits(
  ctx: UserContext,
  { userId, credits, reason, expiresAt }: AdjustCredits,
): Promise<CreditBalance> {
  const until = expiresAt === undefined ? undefined : new Date(expiresAt);
  if (until && until <= ctx.now) throw new ApiError('credits_expire_in_past');
  return transaction(ctx, async (ctx) => {
    const user = await UserModel.query(ctx.db).findById(ctx.ids.decode('usr', userId)).forUpdate();
    await assertStaff(ctx, 'system:manage');
    if (!user || user.status === 'DELETED') throw new ApiError('not_found');
    const there = within(ctx, user.personalOrganizationId);
    const key = randomUUID();
    if (credits > 0)
      await grantCredits(there, { source: 'ADJUSTMENT', key, credits, priority: PRIORITY, expiresAt: until, reason });
    else if (!(await deductCredits(there, { key: `adjustment/${key}`, credits: -credits, reason })))
      throw new ApiError('credits_exceed_balance');
    return getCredits(there);
  });
}
