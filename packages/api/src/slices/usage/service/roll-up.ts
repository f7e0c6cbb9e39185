import { ADVISORY_LOCKS } from '@rentapi/platform/advisory-locks';
import { execute, executeTogether, type Statement } from '@rentapi/platform/database';
import { binSql } from '@rentapi/platform/latency-sketch';
import type { Context } from '../../../context.ts';
import { dayOf } from '../../../data/day-partitions.ts';
import { transaction } from '../../../data/transaction.ts';
import type { RunControl } from '../../../jobs/job.ts';
import { SLOT_MS } from '../slots.ts';

/** The last batches of a slot are written shortly after its end; later ones have it rolled up again. */
const GRACE_MS = 30_000;
const PAGE = 100;

/** One roll-up at a time, and none while partitions are dropped: two would insert the same rows. */
export const LOCK: Statement = { text: `select pg_advisory_xact_lock(${ADVISORY_LOCKS.usage})` };

const DUE: Statement = {
  text: `
    select distinct slot from usage_pending_slots
    where slot > $1::timestamptz and slot <= $2::timestamptz order by slot limit ${PAGE}`,
};

/** What commits after this statement leaves a row of its own, and has the slot rolled up again. */
const TAKE: Statement = { text: 'delete from usage_pending_slots where slot = $1' };

const IS_KEPT: Statement = { text: 'select to_regclass($1) is not null as kept' };

const FORGET: Statement = { text: 'delete from usage_rollups /* across organizations */ where slot = $1' };

/** By bins first: what is left for the arrays is a thousandth of the calls. */
const ROLL_UP: Statement = {
  text: `
    /* across organizations */
    with binned as (
      select organization_id, coalesce(key_id, 0) as key_id, procedure, status, coalesce(environment, 'none') as environment,
             ${binSql('latency_us')} as bin,
             count(*) as calls, sum(bytes_in) as bytes_in, sum(bytes_out) as bytes_out, sum(cost) as cost
      from usage_calls where occurred_at >= $1 and occurred_at < $1::timestamptz + interval '15 minutes'
      group by 1, 2, 3, 4, 5, 6
    )
    insert into usage_rollups (organization_id, slot, key_id, procedure, status, environment, calls, errors, bytes_in,
                               bytes_out, cost, latency_bins, latency_counts)
    select organization_id, $1, key_id, procedure, status, environment, sum(calls),
           case when status >= 400 then sum(calls) else 0 end, sum(bytes_in), sum(bytes_out), sum(cost),
           array_agg(bin order by bin), array_agg(calls::integer order by bin)
    from binned group by organization_id, key_id, procedure, status, environment`,
};

/** Rolls up every slot that is over and has calls that are not rolled up, the earliest first. It may run again. */
export async function rollUp(ctx: Context, { touch, signal }: RunControl): Promise<void> {
  const until = new Date(ctx.now.getTime() - SLOT_MS - GRACE_MS);
  let after = new Date(0);
  while (!signal.aborted) {
    const due = await execute<{ slot: Date }>(ctx.db, DUE, [after, until]);
    for (const { slot } of due) {
      if (signal.aborted) return;
      await rollUpSlot(ctx, slot);
      touch();
      after = slot;
    }
    if (due.length < PAGE) return;
  }
}

function rollUpSlot(ctx: Context, slot: Date): Promise<void> {
  return transaction(ctx, async ({ db }) => {
    await execute(db, LOCK, []);
    const partition = `usage_calls_${dayOf(slot.getTime()).replaceAll('-', '')}`;
    const [, [found]] = await executeTogether<[unknown, { kept: boolean }]>(db, [
      [TAKE, [slot]],
      [IS_KEPT, [partition]],
    ]);
    // Without the calls, a roll-up would replace their counts with nothing.
    if (!found?.kept) return;
    await executeTogether(db, [
      [FORGET, [slot]],
      [ROLL_UP, [slot]],
    ]);
  });
}
