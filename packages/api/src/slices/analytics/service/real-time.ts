import type { Recent, Tally } from '@rentapi/platform/recent-calls';
import type { OrganizationContext } from '../../../context.ts';
import { iso } from '../../../contract/common-schemas.ts';
import { recentScope } from '../../../pipeline/recent-calls.ts';
import type { GetRealTime, RealTimeAnalytics } from '../schemas.ts';

/** Counted while calls happen: no query, and nothing of the last minute is missing. */
export async function getRealTime(
  { ports, organization, now }: OrganizationContext,
  { minutes, environment }: GetRealTime,
): Promise<RealTimeAnalytics> {
  const recent = await ports.recentCalls.read(recentScope(organization.id, environment));
  return {
    ...liveNumbers(recent, now),
    minutes: recent.minutes.slice(-minutes).map(({ at, tally }) => numbersOf(tally, at)),
  };
}

export const liveNumbers = ({ minute }: Recent, at: Date) => numbersOf(minute, at);

function numbersOf({ calls, errors, latency }: Tally, at: Date) {
  const [p50Ms, p95Ms] = latency.quantilesMs(0.5, 0.95);
  return { at: iso(at), requests: calls, errors, p50Ms, p95Ms };
}
