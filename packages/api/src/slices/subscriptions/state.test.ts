import { describe, expect, it } from 'vitest';
import {
  dunningStepAt,
  entitledUntil,
  isEntitled,
  LIVE,
  nextStep,
  type Rules,
  STATUSES,
  type Step,
  type Timed,
  TRANSITIONS,
} from './state.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const start = new Date('2026-03-01T00:00:00Z');
const on = (days: number): Date => new Date(start.getTime() + days * DAY_MS);
const rules: Rules = {
  incompleteMs: 23 * HOUR_MS,
  graceMs: 3 * DAY_MS,
  pastDueGraceMs: 7 * DAY_MS,
  dunningDays: [0, 1, 3, 5, 7, 14],
};
const row = (given: Partial<Timed>): Timed => ({
  status: 'ACTIVE',
  createdAt: start,
  trialEnd: null,
  trialNoticedAt: null,
  periodEnd: on(31),
  cancelAt: null,
  endedAt: null,
  pastDueSince: null,
  dunningStep: 0,
  renewalInvoiceId: null,
  changeExpiresAt: null,
  creditsDueAt: null,
  ...given,
});

describe('access', () => {
  it.each<[what: string, given: Partial<Timed>, until: Date | null]>([
    ['a first payment that is under way', { status: 'INCOMPLETE' }, null],
    ['one that never came', { status: 'EXPIRED' }, null],
    ['a trial', { status: 'TRIALING', trialEnd: on(14) }, on(14)],
    ['a trial that was canceled', { status: 'TRIALING', trialEnd: on(14), cancelAt: on(9) }, on(9)],
    ['a paid period, and its grace', { status: 'ACTIVE' }, on(34)],
    ['a paid period that is the last', { status: 'ACTIVE', cancelAt: on(31) }, on(31)],
    ['a payment that failed', { status: 'PAST_DUE', pastDueSince: on(32) }, on(39)],
    ['a payment that failed, before the end', { status: 'PAST_DUE', pastDueSince: on(32), cancelAt: on(33) }, on(33)],
    ['an end', { status: 'CANCELED', endedAt: on(5) }, on(5)],
  ])('lasts through %s', (_, given, until) => {
    expect(entitledUntil(row(given), rules)).toEqual(until);
    const at = until ?? on(1);
    expect(isEntitled(row(given), rules, at)).toBe(false);
    expect(isEntitled(row(given), rules, new Date(at.getTime() - 1))).toBe(until !== null);
  });

  it('rule 26: of a trial ends by the clock, though nothing ever arrives', () => {
    const trial = row({ status: 'TRIALING', trialEnd: on(14) });
    expect([on(0), on(13), on(14), on(400)].map((at) => isEntitled(trial, rules, at))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('rule 27: lasts until the end of what is paid, though it was canceled', () => {
    const canceled = row({ cancelAt: on(31) });
    expect([on(30), on(31)].map((at) => isEntitled(canceled, rules, at))).toEqual([true, false]);
  });
});

describe('what is due next', () => {
  it.each<[what: string, given: Partial<Timed>, next: Step | null]>([
    ['of a first payment', { status: 'INCOMPLETE' }, { kind: 'EXPIRE', at: new Date(start.getTime() + 23 * HOUR_MS) }],
    ['of a trial', { status: 'TRIALING', trialEnd: on(14) }, { kind: 'NOTICE_TRIAL', at: on(11) }],
    [
      'of an announced trial',
      { status: 'TRIALING', trialEnd: on(14), trialNoticedAt: on(11) },
      { kind: 'RENEW', at: on(14) },
    ],
    ['of a paid period', {}, { kind: 'RENEW', at: on(31) }],
    ['of the last one: it is not renewed', { cancelAt: on(31) }, { kind: 'CANCEL', at: on(31) }],
    ['while a renewal is not paid', { renewalInvoiceId: 7 }, { kind: 'MISS_PAYMENT', at: on(34) }],
    ['of credits of what is not paid: nothing', { creditsDueAt: on(31) }, { kind: 'RENEW', at: on(31) }],
    ['of credits', { creditsDueAt: on(28) }, { kind: 'GRANT_CREDITS', at: on(28) }],
    ['of an upgrade that is not paid', { changeExpiresAt: on(2) }, { kind: 'LAPSE_CHANGE', at: on(2) }],
    [
      'after the second attempt',
      { status: 'PAST_DUE', pastDueSince: on(31), dunningStep: 2 },
      { kind: 'DUN', at: on(34) },
    ],
    [
      'after the last attempt',
      { status: 'PAST_DUE', pastDueSince: on(31), dunningStep: 6 },
      { kind: 'GIVE_UP', at: on(46) },
    ],
    ['of an end', { status: 'CANCELED', endedAt: on(1), cancelAt: on(1) }, null],
    ['of what never began', { status: 'EXPIRED' }, null],
  ])('%s', (_, given, next) => {
    expect(nextStep(row(given), rules)).toEqual(next);
  });

  it('is there for all that lives, so that nothing is forgotten', () => {
    const given: Record<string, Partial<Timed>> = {
      TRIALING: { trialEnd: on(14) },
      PAST_DUE: { pastDueSince: on(31) },
    };
    for (const status of STATUSES)
      expect([status, nextStep(row({ status, ...given[status] }), rules) !== null]).toEqual([
        status,
        LIVE.includes(status),
      ]);
  });

  it('skips the days of dunning that were missed', () => {
    const steps = [0, 0.5, 1, 6, 40].map((days) => dunningStepAt(start, rules, on(days)));
    expect(steps).toEqual([1, 1, 2, 4, 6]);
  });
});

it('nothing follows an end, and each status is reached from one that lives', () => {
  expect([TRANSITIONS.CANCELED, TRANSITIONS.EXPIRED]).toEqual([[], []]);
  const reached = Object.values(TRANSITIONS).flat();
  for (const status of STATUSES)
    expect([status, reached.includes(status)]).toEqual([status, !['INCOMPLETE', 'TRIALING'].includes(status)]);
});
