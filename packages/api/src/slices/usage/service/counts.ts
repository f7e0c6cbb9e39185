import type { UsageCounts } from '../schemas.ts';

export const NO_CALLS: UsageCounts = { calls: 0, errors: 0, bytesIn: 0, bytesOut: 0, cost: 0 };

export const addCounts = (some: UsageCounts, others: UsageCounts): UsageCounts => combine(some, others, 1);
export const withoutCounts = (all: UsageCounts, some: UsageCounts): UsageCounts => combine(all, some, -1);

const combine = (a: UsageCounts, b: UsageCounts, sign: 1 | -1): UsageCounts => ({
  calls: a.calls + sign * b.calls,
  errors: a.errors + sign * b.errors,
  bytesIn: a.bytesIn + sign * b.bytesIn,
  bytesOut: a.bytesOut + sign * b.bytesOut,
  cost: a.cost + sign * b.cost,
});
