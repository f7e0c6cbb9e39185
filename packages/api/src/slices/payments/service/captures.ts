import type { ObjectRef, PaymentProvider } from '@rentapi/payments/payment-provider';
import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { lockName } from '../../../data/name-locks.ts';
import { enqueue } from '../../../jobs/enqueue.ts';
import { syncObject } from '../../billing/service/sync.ts';
import { PaymentModel } from '../model.ts';

/** Refunds and disputes name a capture, and may be read before the payment is known to be of that capture. */

/** Of one that looks for the payment and one that has learnt its capture, the second sees what the first wrote. */
const lock = ({ db }: Context, provider: string, captureId: string): Promise<void> =>
  lockName(db, `capture ${provider}/${captureId}`);

const WAIT: Statement = {
  text: 'update provider_objects set waits_for = $4 where provider = $1 and kind = $2 and external_id = $3',
};

/** The paid payment of a capture. Where there is none yet, the object is read again once there is. */
export async function findPaid(
  ctx: Context,
  { name }: PaymentProvider,
  { kind, id }: ObjectRef,
  captureId: string | null,
): Promise<PaymentModel | undefined> {
  if (captureId === null) return undefined;
  await lock(ctx, name, captureId);
  const paid = await PaymentModel.acrossOrganizations(ctx.db)
    .where({ provider: name, captureId, status: 'SUCCEEDED' })
    .first();
  if (!paid) await execute(ctx.db, WAIT, [name, kind, id, captureId]);
  return paid;
}

const WAKE: Statement = {
  text: `
    update provider_objects set waits_for = null, dirty_seq = dirty_seq + 1, dirty_at = $3
    where provider = $1 and waits_for = $2 returning kind, external_id as id, dirty_seq as seq`,
};

/** Has everything read again that waits for the payment of this capture. */
export async function wakeWaiting(ctx: Context, { name: provider }: PaymentProvider, captureId: string): Promise<void> {
  await lock(ctx, provider, captureId);
  const waiting = await execute<{ kind: 'refund' | 'dispute'; id: string; seq: number }>(ctx.db, WAKE, [
    provider,
    captureId,
    ctx.now,
  ]);
  for (const { kind, id, seq } of waiting)
    await enqueue(ctx, syncObject, { provider, kind, id, seq }, { key: `${provider}/${kind}/${id}/${seq}` });
}
