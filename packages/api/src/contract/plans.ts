import { ORGANIZATION_PERMISSIONS, type OrganizationPermission } from './permissions.ts';

export const PLAN_CODES = ['FREE', 'BASIC', 'PRO', 'ENTERPRISE'] as const;
export type PlanCode = (typeof PLAN_CODES)[number];

export const FEATURES = ['api_keys', 'custom_roles', 'realtime', 'audit_log'] as const;
export type Feature = (typeof FEATURES)[number];

/** What happens to calls beyond those that a month includes. */
export const OVERAGES = ['refuse', 'bill'] as const;
export type Overage = (typeof OVERAGES)[number];

export interface Plan {
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
  /** The permissions that a scope of a key can include. */
  scopes: readonly OrganizationPermission[];
}

const everything = {
  features: FEATURES,
  // A plan with fewer must be enforced where keys are authenticated, and in the roles of its members.
  scopes: Object.keys(ORGANIZATION_PERMISSIONS) as OrganizationPermission[],
};

/** What each plan includes. Prices and subscriptions refer to these codes. */
export const PLANS: Readonly<Record<PlanCode, Plan>> = {
  FREE: {
    perHour: 100,
    perDay: 1000,
    sockets: 20,
    subscriptions: 40,
    includedCallsPerMonth: 10_000,
    overage: 'refuse',
    ...everything,
  },
  BASIC: {
    perHour: 1000,
    perDay: 10_000,
    sockets: 100,
    subscriptions: 200,
    includedCallsPerMonth: 100_000,
    overage: 'bill',
    ...everything,
  },
  PRO: {
    perHour: 10_000,
    perDay: 100_000,
    sockets: 1000,
    subscriptions: 2000,
    includedCallsPerMonth: 1_000_000,
    overage: 'bill',
    ...everything,
  },
  ENTERPRISE: {
    perHour: 50_000,
    perDay: 500_000,
    sockets: 10_000,
    subscriptions: 20_000,
    includedCallsPerMonth: 10_000_000,
    overage: 'bill',
    ...everything,
  },
};
