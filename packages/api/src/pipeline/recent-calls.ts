import type { Ports } from '../context.ts';
import type { UsageCall } from './usage-log.ts';

export type CallEnvironment = 'live' | 'test';

/** Whose calls are counted together while they happen: those of an organization with keys of one environment. */
export const recentScope = (organizationId: number, environment: CallEnvironment): string =>
  `${organizationId}:${environment}`;

/** The status from which a call counts as an error. */
const FIRST_ERROR_STATUS = 400;

/** Counts a call that has just ended for its organization. Calls without a key are live. */
export function countRecent(
  { recentCalls }: Ports,
  { organizationId, environment, status, latencyUs }: UsageCall,
): void {
  if (organizationId === 0) return;
  recentCalls.add(recentScope(organizationId, environment ?? 'live'), {
    latencyUs,
    failed: status >= FIRST_ERROR_STATUS,
  });
}
