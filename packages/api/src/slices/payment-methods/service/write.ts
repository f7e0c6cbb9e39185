import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { enqueue } from '../../../jobs/enqueue.ts';
import { lockAuthority } from '../../members/service/authority.ts';
import type { PaymentMethod, PaymentMethodId, UpdatePaymentMethod } from '../schemas.ts';
import { findMethod } from './find.ts';
import { settle, settleMethod } from './look.ts';
import { drop, makeDefault, patch, recordRemoval } from './rows.ts';

/** Makes a method the default. One that is pending is looked at first: its payer may just have come back. */
export async function updateMethod(
  ctx: OrganizationContext,
  { methodId }: UpdatePaymentMethod,
): Promise<PaymentMethod> {
  const id = ctx.ids.decode('pmt', methodId);
  const found = await findMethod(ctx, id);
  const seen = found.status === 'PENDING' ? await settle(ctx, id) : found;
  if (!seen) throw new ApiError('not_found');
  return transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'billing:manage');
    const row = await findMethod(ctx, seen.id);
    if (row.status === 'PENDING') throw new ApiError('payment_method_pending');
    if (row.isExpired(ctx.now) && !row.isDefault) throw new ApiError('payment_method_expired');
    return (await makeDefault(ctx, row)).present(ctx.ids, ctx.now);
  });
}

/** It is not charged from now on; a job removes it at its provider. */
export async function removeMethod(ctx: OrganizationContext, { methodId }: PaymentMethodId): Promise<void> {
  const id = ctx.ids.decode('pmt', methodId);
  await transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'billing:manage');
    const row = await findMethod(ctx, id);
    if (row.status === 'PENDING') await drop(ctx, row);
    else {
      await patch(ctx, row, { status: 'REMOVED', isDefault: false, dueAt: ctx.now, looks: 0 });
      await enqueue(ctx, settleMethod, { organizationId: row.organizationId, methodId: id });
    }
    await recordRemoval(ctx, row);
  });
}
