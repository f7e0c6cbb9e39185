import { execute, type Statement } from '@rentapi/platform/database';
import { type Context, within } from '../../../context.ts';
import { iso } from '../../../contract/common-schemas.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import type { RunControl } from '../../../jobs/job.ts';
import { insertMoved } from '../delivery/move.ts';
import { WebhookDisabling } from '../events.ts';
import { WebhookModel } from '../model.ts';
import { disableWebhook } from './disable.ts';
import { mailNotice } from './notice.ts';

const DISABLED_AFTER_S = 5 * 86_400;
const WARNED_AFTER_S = DISABLED_AFTER_S / 2;
const BATCH = 500;

/** What waits for a webhook that gets nothing more fails, so that it can be recovered when that is enabled again. */
const FAIL_ABANDONED: Statement = {
  text: `
  /* across organizations */
  with gone as materialized (
    select q.organization_id, q.webhook_id from webhook_due q
    join webhooks w on w.organization_id = q.organization_id and w.id = q.webhook_id and not w.enabled
  ), abandoned as (
    select d.organization_id, d.webhook_id, d.id
    from gone join webhook_deliveries d on d.organization_id = gone.organization_id and d.webhook_id = gone.webhook_id
    where d.status = 'PENDING' limit ${BATCH} for update of d skip locked
  ), taken as (
    delete from webhook_deliveries d using abandoned
    where d.organization_id = abandoned.organization_id and d.webhook_id = abandoned.webhook_id and d.id = abandoned.id
      and d.status = 'PENDING'
    returning d.*
  )${insertMoved('taken', {
    status: "'FAILED'",
    step: 'd.step',
    due_at: 'null',
    status_code: 'd.status_code',
    error: "'The webhook was disabled.'",
    settled_at: '$1::timestamptz',
  })}
  returning id`,
};

/** Of webhooks that are disabled and have nothing left. One that was enabled meanwhile is not at the end of time. */
const FORGET_ABANDONED: Statement = {
  text: `
  /* across organizations */
  delete from webhook_due q using webhooks w
  where q.at = 'infinity' and w.organization_id = q.organization_id and w.id = q.webhook_id and not w.enabled
    and not exists (select from webhook_deliveries d where d.organization_id = q.organization_id
                      and d.webhook_id = q.webhook_id and d.status = 'PENDING')`,
};

/** What waits and would never be looked at, such as what an earlier release made: one step for each webhook. */
const RESCUE: Statement = {
  text: `
  /* across organizations */
  with recursive waiting as (
    (select organization_id, webhook_id, due_at from webhook_deliveries where status = 'PENDING'
     order by organization_id, webhook_id, due_at, id limit 1)
    union all
    select following.* from waiting cross join lateral (
      select organization_id, webhook_id, due_at from webhook_deliveries
      where status = 'PENDING' and (organization_id, webhook_id) > (waiting.organization_id, waiting.webhook_id)
      order by organization_id, webhook_id, due_at, id limit 1
    ) following
  ), rescued as (
    insert into webhook_due (organization_id, webhook_id, at)
    select organization_id, webhook_id, due_at from waiting
    where not exists (select from webhook_due q where q.organization_id = waiting.organization_id
                        and q.webhook_id = waiting.webhook_id)
    on conflict do nothing returning webhook_id
  )
  select pg_notify('deliveries', '') from rescued limit 1`,
};

interface Failing {
  organizationId: number;
  webhookId: number;
  failingSince: Date;
  /** From the first failed attempt to the last. */
  failedForS: number;
}

const FAILED_FOR = 'extract(epoch from coalesce(h.last_failed_at, h.failing_since) - h.failing_since)';

const FAILING: Statement = {
  text: `
  /* across organizations */
  select h.organization_id as "organizationId", h.webhook_id as "webhookId", h.failing_since as "failingSince",
         ${FAILED_FOR}::float8 as "failedForS"
  from webhook_health h
  join webhooks w on w.organization_id = h.organization_id and w.id = h.webhook_id and w.enabled
  join organizations o on o.id = h.organization_id and o.deleted_at is null
  where h.failing_since <= $1
    and (${FAILED_FOR} >= ${DISABLED_AFTER_S} or (${FAILED_FOR} >= ${WARNED_AFTER_S} and h.warned_at is null))
  order by h.failing_since limit ${BATCH}`,
};

/** Rescues what was forgotten; warns of webhooks that have been failing for long, disables those that have too long. */
export async function sweep(ctx: Context, { touch, signal }: RunControl): Promise<void> {
  for (let failed = BATCH; failed === BATCH && !signal.aborted; touch())
    failed = (await execute(ctx.db, FAIL_ABANDONED, [ctx.now])).length;
  await execute(ctx.db, FORGET_ABANDONED, []);
  touch();
  await execute(ctx.db, RESCUE, []);
  touch();
  const notAfter = new Date(ctx.now.getTime() - WARNED_AFTER_S * 1000);
  for (let found: Failing[] = [], more = true; more && !signal.aborted; more = found.length === BATCH) {
    found = await execute<Failing>(ctx.db, FAILING, [notAfter]);
    for (const failing of found) {
      if (signal.aborted) return;
      if (failing.failedForS >= DISABLED_AFTER_S) await disableWebhook(ctx.ports, failing, 'FAILING');
      else await warn(ctx, failing);
      touch();
    }
  }
}

async function warn(ctx: Context, { organizationId, webhookId, failingSince }: Failing): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const warned = await ctx
      .db('webhook_health')
      .where({ organizationId, webhookId, failingSince, warnedAt: null })
      .update({ warnedAt: ctx.now });
    if (warned === 0) return; // it has recovered, or another process has warned
    const inOrganization = within(ctx, organizationId);
    const webhook = await WebhookModel.of(inOrganization).findOne({ id: webhookId });
    const data = { ...webhook!.present(ctx.ids), failingSince: iso(failingSince) };
    await record(ctx, WebhookDisabling, { target: webhook!, organizationId, data });
    await mailNotice(inOrganization, webhook!, 'FAILING');
  });
}
