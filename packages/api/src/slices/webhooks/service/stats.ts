import { execute, type Statement } from '@rentapi/platform/database';
import type { OrganizationContext } from '../../../context.ts';
import { isoOrNull } from '../../../contract/common-schemas.ts';
import type { WebhookStats, WebhookStatsInput } from '../schemas.ts';
import { findWebhook } from './webhooks.ts';

const DAY_MS = 86_400_000;

/** Each day, and all of them: the row without a day. */
const STATS: Statement = {
  text: `
  select to_char(started_at at time zone 'UTC', 'YYYY-MM-DD') as day,
         count(*)::integer as attempts,
         count(*) filter (where succeeded)::integer as succeeded,
         percentile_cont(0.5) within group (order by duration_ms) as "p50Ms",
         percentile_cont(0.95) within group (order by duration_ms) as "p95Ms"
  from webhook_attempts
  where organization_id = $1 and webhook_id = $2 and started_at >= $3
  group by grouping sets ((to_char(started_at at time zone 'UTC', 'YYYY-MM-DD')), ())
  order by day desc nulls first`,
};

interface Counts {
  attempts: number;
  succeeded: number;
  p50Ms: number | null;
  p95Ms: number | null;
}

export async function webhookStats(
  ctx: OrganizationContext,
  { webhookId, days }: WebhookStatsInput,
): Promise<WebhookStats> {
  const { id } = await findWebhook(ctx, webhookId);
  const organizationId = ctx.organization.id;
  const since = new Date(ctx.now.getTime() - days * DAY_MS);
  const [all, ...byDay] = await execute<Counts & { day: string }>(ctx.db, STATS, [organizationId, id, since]);
  const { attempts, succeeded, p50Ms, p95Ms } = all!; // the set without columns has one row, whatever there is
  const health = await ctx.db('webhook_health').where({ organizationId, webhookId: id }).first('failingSince');
  return {
    attempts,
    succeeded,
    p50Ms,
    p95Ms,
    successRate: attempts === 0 ? null : succeeded / attempts,
    failingSince: isoOrNull(health?.failingSince ?? null),
    days: byDay,
  };
}
