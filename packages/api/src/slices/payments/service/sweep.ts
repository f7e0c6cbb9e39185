import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { transaction } from '../../../data/transaction.ts';
import { enqueue } from '../../../jobs/enqueue.ts';
import type { DataJob, RunControl } from '../../../jobs/job.ts';
import { chargePayment } from './charge.ts';
import { MINUTE_MS } from './delays.ts';
import { refundPayment } from './refunds.ts';

const BATCH = 500;
/** A job that was lost is requested again after this; one that has looked sets its own time. */
const AGAIN_MS = 10 * MINUTE_MS;

const dueOf = (table: 'payments' | 'refunds'): Statement => ({
  text: `
    /* across organizations */
    update ${table} set due_at = $2
    where (organization_id, id) in (
      select organization_id, id from ${table} where due_at <= $1 order by due_at limit $3 for update skip locked
    )
    returning organization_id as "organizationId", id`,
});

interface Due {
  organizationId: number;
  id: number;
}

/** Looks again at what waits: for a provider that did not answer, for a payer, for money on its way. */
export async function sweepPayments(ctx: Context, control: RunControl): Promise<void> {
  await sweep(ctx, control, dueOf('payments'), ({ organizationId, id }) => [
    chargePayment,
    { organizationId, paymentId: id },
  ]);
  await sweep(ctx, control, dueOf('refunds'), ({ organizationId, id }) => [
    refundPayment,
    { organizationId, refundId: id },
  ]);
}

async function sweep(
  ctx: Context,
  { signal, touch }: RunControl,
  statement: Statement,
  jobOf: (due: Due) => [DataJob, unknown],
): Promise<void> {
  const again = new Date(ctx.now.getTime() + AGAIN_MS);
  for (let found = BATCH; found === BATCH && !signal.aborted; touch()) {
    found = await transaction(ctx, async (ctx) => {
      const due = await execute<Due>(ctx.db, statement, [ctx.now, again, BATCH]);
      for (const row of due) {
        const [job, data] = jobOf(row);
        await enqueue(ctx, job, data, { key: `${job.name}/${row.id}/${ctx.now.getTime()}` });
      }
      return due.length;
    });
  }
}
