import { execute, type Statement } from '@rentapi/platform/database';
import { type Context, within } from '../../../context.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import type { RunControl } from '../../../jobs/job.ts';
import { OrganizationModel } from '../../organizations/model.ts';
import { CreditsExhausted, CreditsExpired, CreditsLow } from '../events.ts';
import { availableCredits } from './ledger.ts';

const BATCH = 500;

const DUE: Statement = {
  text: `
    /* across organizations */
    select organization_id as "organizationId" from (
      (select organization_id from credit_balances where notice is not null and organization_id > $2 order by 1 limit $3)
      union
      (select organization_id from credit_balances where next_expiry_at <= $1 and next_expiry_at < 'infinity' and organization_id > $2 order by 1 limit $3)
    ) due order by 1 limit $3`,
};
const OVERDUE_HOLDS: Statement = {
  text: `
    /* across organizations */
    select organization_id as "organizationId", key from credit_holds where used is null and expires_at <= $1
    order by expires_at limit $2`,
};
const SETTLE: Statement = { text: 'select credit_settle($1, $2, 0, $3)' };
const EXPIRE: Statement = { text: 'select credit_expire($1, $2) as expired, credit_notice($1) as notice' };

/** Does what is due: releases holds that nothing settled, expires credits, and announces that they run out. */
export async function sweepCredits(ctx: Context, { signal, touch }: RunControl): Promise<void> {
  for (let settled = BATCH; settled === BATCH && !signal.aborted; touch()) {
    const holds = await execute<{ organizationId: number; key: string }>(ctx.db, OVERDUE_HOLDS, [ctx.now, BATCH]);
    for (const { organizationId, key } of holds) await execute(ctx.db, SETTLE, [organizationId, key, ctx.now]);
    settled = holds.length;
  }
  for (let after = 0, found = BATCH; found === BATCH && !signal.aborted; touch()) {
    const due = await execute<{ organizationId: number }>(ctx.db, DUE, [ctx.now, after, BATCH]);
    for (const { organizationId } of due) await expireAndAnnounce(ctx, organizationId);
    found = due.length;
    after = due.at(-1)?.organizationId ?? 0;
  }
}

async function expireAndAnnounce(ctx: Context, organizationId: number): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const [row] = await execute<{ expired: number; notice: 'LOW' | 'EXHAUSTED' | null }>(ctx.db, EXPIRE, [
      organizationId,
      ctx.now,
    ]);
    const { expired, notice } = row!;
    const target = await OrganizationModel.query(ctx.db).findById(organizationId).whereNull('deletedAt');
    if (!target) return;
    const there = within(ctx, organizationId);
    const left = {
      organizationId: ctx.ids.encode('org', organizationId),
      available: await availableCredits(there),
    };
    if (expired > 0) await record(there, CreditsExpired, { target, data: { ...left, credits: expired } });
    if (notice) await record(there, notice === 'LOW' ? CreditsLow : CreditsExhausted, { target, data: left });
  });
}
