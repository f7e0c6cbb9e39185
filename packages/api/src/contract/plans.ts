export const PLAN_CODES = ['FREE', 'BASIC', 'PRO', 'ENTERPRISE'] as const;
export type PlanCode = (typeof PLAN_CODES)[number];

export const INTERVALS = ['month', 'year'] as const;
export type Interval = (typeof INTERVALS)[number];

export const FEATURES = ['api_keys', 'custom_roles', 'realtime', 'audit_log'] as const;
export type Feature = (typeof FEATURES)[number];

/** What happens to calls beyond those that a month includes. */
export const OVERAGES = ['refuse', 'bill'] as const;
export type Overage = (typeof OVERAGES)[number];

/** What a plan includes, as its row in `plans` says. */
export interface PlanTerms {
  /** Calls with the organization's API keys, all together. */
  perHour: number;
  perDay: number;
  /** WebSockets that the organization's callers have open at once. */
  sockets: number;
  /** Event subscriptions of tRPC clients that are open at once. */
  subscriptions: number;
  /** Calls with live keys in a month of UTC. It is no bucket: calls are counted after they were made. */
  includedCallsPerMonth: number;
  overage: Overage;
  features: readonly Feature[];
}

/** For what acts without making calls, such as the seed of demo data. */
export const NO_TERMS: PlanTerms = {
  perHour: 0,
  perDay: 0,
  sockets: 0,
  subscriptions: 0,
  includedCallsPerMonth: 0,
  overage: 'refuse',
  features: [],
};
