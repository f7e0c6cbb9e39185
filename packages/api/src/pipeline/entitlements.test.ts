import { describe, expect, it } from 'vitest';
import type { PlanTerms } from '../contract/plans.ts';
import { type LimitOverride, plansIn, resolveEntitlements } from './entitlements.ts';

const now = new Date('2026-02-01T12:00:00Z');
const until = (ms: number, given: Partial<LimitOverride>): LimitOverride => ({
  id: 12,
  perHour: null,
  perDay: null,
  sockets: null,
  subscriptions: null,
  untilMs: now.getTime() + ms,
  ...given,
});
const planTerms: PlanTerms = {
  perHour: 10_000,
  perDay: 100_000,
  sockets: 1000,
  subscriptions: 2000,
  includedCallsPerMonth: 1_000_000,
  overage: 'bill',
  features: ['api_keys'],
};
const ofKey = { perMinute: null, perHour: null, perDay: null, override: null };

function limitsOf(given: Partial<Parameters<typeof resolveEntitlements>[0]>) {
  const settings = { RATE_LIMIT_PER_MINUTE: 60 };
  const { limits } = resolveEntitlements({
    plan: 'PRO',
    planTerms,
    planEnd: null,
    override: null,
    callsUsedUpUntil: null,
    key: null,
    settings,
    now,
    ...given,
  });
  return Object.fromEntries(limits.map(({ name, limit, source, override }) => [name, [limit, source, override?.id]]));
}

describe('entitlements', () => {
  it('are those of the plan', () => {
    expect(limitsOf({ planTerms: { ...planTerms, perHour: 7 } })).toMatchObject({
      user: [600, 'setting', undefined],
      'plan-hour': [7, 'plan', undefined],
      'plan-day': [100_000, 'plan', undefined],
    });
  });

  it('replace only what an override names, in either direction', () => {
    const limits = limitsOf({ override: until(1, { perHour: 1000, sockets: 5 }) });
    expect(limits).toMatchObject({
      'plan-hour': [1000, 'plan', 12],
      'plan-day': [100_000, 'plan', undefined],
      sockets: [5, 'plan', 12],
      'caller-sockets': [3, 'plan', 12],
      subscriptions: [2000, 'plan', undefined],
    });
  });

  it('rule 26: are those of the plan that follows from the moment at which a plan ends, without a job', () => {
    const after = { ...planTerms, perHour: 100 };
    const endAt = (ms: number) => ({ at: new Date(now.getTime() + ms), plan: 'FREE' as const, planTerms: after });
    expect(limitsOf({ planEnd: endAt(1) })['plan-hour']).toEqual([10_000, 'plan', undefined]);
    expect(limitsOf({ planEnd: endAt(0) })['plan-hour']).toEqual([100, 'plan', undefined]);
  });

  it('are the plan again at the moment an override ends', () => {
    expect(limitsOf({ override: until(0, { perHour: 1 }) })['plan-hour']).toEqual([10_000, 'plan', undefined]);
  });

  it("include a key's own limits only where it has some", () => {
    expect(Object.keys(limitsOf({ key: ofKey }))).not.toContain('key-hour');
    expect(limitsOf({ key: { ...ofKey, perMinute: 7, perHour: 70 } })).toMatchObject({
      key: [600, 'setting', undefined],
      'key-minute': [7, 'key', undefined],
      'key-hour': [70, 'key', undefined],
    });
  });

  it('let an override of a key replace its own limits and its share of sockets, not those of the plan', () => {
    const override = { ...until(1, { perDay: 9, sockets: 900 }), id: 13 };
    expect(limitsOf({ key: { ...ofKey, perDay: 5, override } })).toMatchObject({
      'key-day': [9, 'key', 13],
      'plan-day': [100_000, 'plan', undefined],
      sockets: [1000, 'plan', undefined],
      'caller-sockets': [900, 'plan', 13],
      'caller-subscriptions': [1000, 'plan', undefined],
    });
  });
});

it('a caller is read again when their plan changes, or the one that follows', () => {
  expect(plansIn({ plan: 'PRO', planAfter: null })).toEqual(['plan:PRO']);
  expect(plansIn({ plan: 'PRO', planAfter: 'FREE' })).toEqual(['plan:PRO', 'plan:FREE']);
});
