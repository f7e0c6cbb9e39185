import { execute, type Statement } from '@rentapi/platform/database';
import { z } from 'zod';
import { job } from '../../../jobs/job.ts';
import { makeDue } from '../delivery/due.ts';
import { insertMoved } from '../delivery/move.ts';

const BATCH = 500;

const SEND_AGAIN: Statement = {
  text: `
  with failed as (
    select id from webhook_deliveries
    where organization_id = $1 and webhook_id = $2 and status = 'FAILED' and created_at >= $3 and created_at < $4
      and settled_at <= $5
    order by created_at limit ${BATCH} for update
  ), taken as (
    delete from webhook_deliveries d using failed
    where d.organization_id = $1 and d.webhook_id = $2 and d.id = failed.id and d.status = 'FAILED' returning d.*
  )${insertMoved('taken', {
    status: "'PENDING'",
    step: '0',
    due_at: '$6::timestamptz',
    status_code: 'd.status_code',
    error: 'd.error',
    settled_at: 'null',
  })}
  returning id`,
};

/** Sends again, in batches, what had failed when it was requested: what fails again meanwhile is not taken twice. */
export const recoverDeliveries = job({
  name: 'webhooks.recover',
  queue: 'webhooks',
  data: z.object({
    organizationId: z.int(),
    webhookId: z.int(),
    since: z.iso.datetime(),
    until: z.iso.datetime(),
    requestedAt: z.iso.datetime(),
    count: z.int().default(0),
  }),
  async run(ctx, { organizationId, webhookId, since, until, requestedAt, count }, { touch, signal }) {
    let done = 0;
    for (let more = true; more && !signal.aborted; touch(count > 0 ? done / count : undefined)) {
      const sent = await execute(ctx.db, SEND_AGAIN, [organizationId, webhookId, since, until, requestedAt, ctx.now]);
      more = sent.length === BATCH;
      done += sent.length;
      await makeDue(ctx.db, { organizationId, webhookId }, ctx.now);
    }
  },
});
