import { execute, type Statement } from '@rentapi/platform/database';
import { LatencySketch } from '@rentapi/platform/latency-sketch';
import type { OrganizationContext } from '../../../context.ts';
import { isoOrNull } from '../../../contract/common-schemas.ts';
import { dayOf } from '../../../data/day-partitions.ts';
import type { WebhookStats, WebhookStatsInput } from '../schemas.ts';
import { findWebhook } from './webhooks.ts';

const DAY_MS = 86_400_000;

/** As many rows as there are bins with attempts, however many attempts those are. */
const STATS: Statement = {
  text: `
  select day::text as day, bin, attempts, succeeded from webhook_stats
  where organization_id = $1 and webhook_id = $2 and day > $3::date
  order by day desc`,
};

interface Bin {
  day: string;
  bin: number;
  attempts: number;
  succeeded: number;
}

export async function webhookStats(
  ctx: OrganizationContext,
  { webhookId, days }: WebhookStatsInput,
): Promise<WebhookStats> {
  const { id } = await findWebhook(ctx, webhookId);
  const organizationId = ctx.organization.id;
  const dayBefore = dayOf(ctx.now.getTime() - days * DAY_MS);
  const bins = await execute<Bin>(ctx.db, STATS, [organizationId, id, dayBefore]);
  const health = await ctx.db('webhook_health').where({ organizationId, webhookId: id }).first('failingSince');
  const { attempts, succeeded, ...durations } = sumOf(bins);
  return {
    attempts,
    succeeded,
    ...durations,
    successRate: attempts === 0 ? null : succeeded / attempts,
    failingSince: isoOrNull(health?.failingSince ?? null),
    days: [...Map.groupBy(bins, ({ day }) => day)].map(([day, ofDay]) => ({ day, ...sumOf(ofDay) })),
  };
}

function sumOf(bins: readonly Bin[]) {
  const durations = new LatencySketch();
  let succeeded = 0;
  for (const bin of bins) {
    durations.addToBin(bin.bin, bin.attempts);
    succeeded += bin.succeeded;
  }
  const [p50Ms, p95Ms] = durations.quantilesMs(0.5, 0.95);
  return { attempts: durations.total, succeeded, p50Ms, p95Ms };
}
