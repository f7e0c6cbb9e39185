import type { Context } from '../context.ts';
import { ORGANIZATION_PERMISSIONS, type OrganizationPermission } from '../contract/permissions.ts';
import type { Feature, Overage, PlanCode, PlanTerms } from '../contract/plans.ts';
import type { Actor, KeyActor } from './actor.ts';

/** What staff granted in place of a plan's limits, until a moment. Null leaves a limit as it is. */
export interface LimitOverride {
  id: number;
  perHour: number | null;
  perDay: number | null;
  sockets: number | null;
  subscriptions: number | null;
  /** Unix time. It is compared at every call, so that an override ends without a job. */
  untilMs: number;
}

export interface PlanEnd {
  at: Date;
  plan: PlanCode;
  planTerms: PlanTerms;
}

/** What an organization has. It is read with the row of the actor, so that limits cost no query. */
export interface Terms {
  plan: PlanCode;
  /** What the plan includes. */
  planTerms: PlanTerms;
  /** When it ends, and what follows. It is compared at every call, so that a plan ends without a job. */
  planEnd: PlanEnd | null;
  override: LimitOverride | null;
  /** Until when its plan has no calls left, if it refuses further ones. */
  callsUsedUpUntil: Date | null;
}

/** The same, from the columns of the organization and of the plan that follows. */
export function planEndOf({ planUntil, planAfter, planAfterTerms }: PlanEndColumns): PlanEnd | null {
  if (!planUntil || !planAfter || !planAfterTerms) return null;
  return { at: planUntil, plan: planAfter, planTerms: planAfterTerms };
}

export interface PlanEndColumns {
  planUntil: Date | null;
  planAfter: PlanCode | null;
  planAfterTerms: PlanTerms | null;
}

/** The plans whose terms a row has: what changes them invalidates it. */
export const plansIn = ({ plan, planAfter }: { plan: PlanCode; planAfter: PlanCode | null }): `plan:${PlanCode}`[] =>
  planAfter ? [`plan:${plan}`, `plan:${planAfter}`] : [`plan:${plan}`];

/** The limits of one key. */
export interface KeyTerms {
  perMinute: number | null;
  perHour: number | null;
  perDay: number | null;
  override: LimitOverride | null;
}

interface Facts extends Terms {
  /** Null for a user. */
  key: KeyTerms | null;
  settings: { RATE_LIMIT_PER_MINUTE: number };
  now: Date;
}

export type LimitName =
  | 'user'
  | 'key'
  | 'key-minute'
  | 'key-hour'
  | 'key-day'
  | 'plan-hour'
  | 'plan-day'
  | 'sockets'
  | 'caller-sockets'
  | 'subscriptions'
  | 'caller-subscriptions';

export interface ResolvedLimit {
  name: LimitName;
  limit: number;
  /** Null for what is counted while it is open. */
  windowS: number | null;
  /** Who shares it. */
  of: 'organization' | 'caller';
  /** Who decided: the plan, the key's own settings, or a setting of the deployment. */
  source: 'plan' | 'key' | 'setting';
  /** What replaces the limit of the source now. */
  override: LimitOverride | null;
}

export interface Entitlements {
  plan: PlanCode;
  /** When another plan takes its place, if nothing is paid until then. */
  planUntil: Date | null;
  features: readonly Feature[];
  scopes: readonly OrganizationPermission[];
  limits: ResolvedLimit[];
  includedCalls: { perMonth: number; overage: Overage; refusedUntil: Date | null };
  /** The organization's credits that a call spends. */
  creditsPerCall: number;
}

/** What decides over a caller's limits; null for a user outside of any organization. */
export function factsOf(ctx: Pick<Context, 'ports' | 'now'>, actor: Actor): Facts | null {
  if (actor.kind === 'key') return factsOfKey(ctx, actor);
  return actor.membership && { ...actor.membership.terms, key: null, settings: ctx.ports.env, now: ctx.now };
}

export function factsOfKey({ ports, now }: Pick<Context, 'ports' | 'now'>, { key }: KeyActor): Facts {
  return { ...key.terms, key: key.limits, settings: ports.env, now };
}

/** All, whatever the plan. One with fewer must be enforced where keys are authenticated, and in roles of members. */
const SCOPES = Object.keys(ORGANIZATION_PERMISSIONS) as OrganizationPermission[];

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;
const SIGNED_IN_FACTOR = 10;
/** One caller leaves as much for the others. */
const CALLER_SHARE = 0.5;

/** The limit of every signed-in caller, whatever the plan: it protects the deployment. */
export function callerLimit(name: 'user' | 'key', { RATE_LIMIT_PER_MINUTE }: Facts['settings']): ResolvedLimit {
  const limit = RATE_LIMIT_PER_MINUTE * SIGNED_IN_FACTOR;
  return { name, limit, windowS: MINUTE_S, of: 'caller', source: 'setting', override: null };
}

/**
 * What a caller may use: plan, then features, scopes, limits and costs, each with what decided it. It reads nothing and
 * is called for every call with a key.
 */
export function resolveEntitlements({
  plan: present,
  planTerms: presentTerms,
  planEnd,
  override,
  callsUsedUpUntil,
  key,
  settings,
  now,
}: Facts): Entitlements {
  const hasEnded = planEnd !== null && planEnd.at <= now;
  const { plan, planTerms: terms } = hasEnded ? planEnd : { plan: present, planTerms: presentTerms };
  const planUntil = hasEnded ? null : (planEnd?.at ?? null);
  const granted = liveAt(override, now);
  const ofKey = key && liveAt(key.override, now);
  const limits: ResolvedLimit[] = [
    callerLimit(key ? 'key' : 'user', settings),
    replaced(ofPlan('plan-hour', terms.perHour, HOUR_S), granted, granted?.perHour),
    replaced(ofPlan('plan-day', terms.perDay, DAY_S), granted, granted?.perDay),
    ...openLimits(terms, granted, ofKey),
  ];
  if (key) limits.push(...ownLimits(key, ofKey));
  const isRefused = terms.overage === 'refuse' && callsUsedUpUntil !== null && callsUsedUpUntil > now;
  const refusedUntil = isRefused ? callsUsedUpUntil : null;
  const includedCalls = { perMonth: terms.includedCallsPerMonth, overage: terms.overage, refusedUntil };
  return { plan, planUntil, features: terms.features, scopes: SCOPES, limits, includedCalls, creditsPerCall: 0 };
}

/** Until when time alone changes none of them. */
export function unchangedUntilMs({ planEnd, override, callsUsedUpUntil, key, now }: Facts): number {
  const ends = [planEnd?.at.getTime(), override?.untilMs, key?.override?.untilMs, callsUsedUpUntil?.getTime()];
  return Math.min(...ends.filter((ms) => ms !== undefined && ms > now.getTime()).map(Number));
}

/** What is counted while it is open: of the organization, and of each caller. */
function openLimits(
  plan: Pick<PlanTerms, 'sockets' | 'subscriptions'>,
  granted: LimitOverride | null,
  ofKey: LimitOverride | null,
): ResolvedLimit[] {
  return (['sockets', 'subscriptions'] as const).flatMap((name) => {
    const all = replaced(ofPlan(name, plan[name], null), granted, granted?.[name]);
    const share = Math.ceil(all.limit * CALLER_SHARE);
    return [all, replaced({ ...all, name: `caller-${name}`, limit: share, of: 'caller' }, ofKey, ofKey?.[name])];
  });
}

/** A key has these limits only where it was given them. */
function ownLimits({ perMinute, perHour, perDay }: KeyTerms, granted: LimitOverride | null): ResolvedLimit[] {
  const own = (name: LimitName, windowS: number, set: number | null, by: number | null = null): ResolvedLimit[] => {
    const limit = by ?? set;
    const override = by === null ? null : granted;
    return limit === null ? [] : [{ name, limit, windowS, of: 'caller', source: 'key', override }];
  };
  return [
    ...own('key-minute', MINUTE_S, perMinute),
    ...own('key-hour', HOUR_S, perHour, granted?.perHour),
    ...own('key-day', DAY_S, perDay, granted?.perDay),
  ];
}

function ofPlan(name: LimitName, limit: number, windowS: number | null): ResolvedLimit {
  return { name, limit, windowS, of: 'organization', source: 'plan', override: null };
}

function replaced(limit: ResolvedLimit, override: LimitOverride | null, by: number | null = null): ResolvedLimit {
  return by === null ? limit : { ...limit, limit: by, override };
}

function liveAt(override: LimitOverride | null, now: Date): LimitOverride | null {
  return override && override.untilMs > now.getTime() ? override : null;
}
