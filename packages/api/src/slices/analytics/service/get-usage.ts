import type { OrganizationContext } from '../../../context.ts';
import type { AnalyticsQuery, ErrorAnalytics, UsageAnalytics } from '../schemas.ts';
import { errorNumbers, readSeries, SHARES, usageNumbers } from './series.ts';

/** How much was called, how it went and how long it took; the groups with the most calls first. */
export function getUsage(ctx: OrganizationContext, query: AnalyticsQuery): Promise<UsageAnalytics> {
  return readSeries(ctx, query, 'calls', (sum) => usageNumbers(sum, sum.latency.quantilesMs(...SHARES)));
}

/** How often calls failed; the groups with the most errors first. */
export function getErrors(ctx: OrganizationContext, query: AnalyticsQuery): Promise<ErrorAnalytics> {
  return readSeries(ctx, query, 'errors', errorNumbers);
}
