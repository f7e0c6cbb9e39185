const DAY_MS = 86_400_000;

export const STATUSES = ['INCOMPLETE', 'TRIALING', 'ACTIVE', 'PAST_DUE', 'CANCELED', 'EXPIRED'] as const;
export type Status = (typeof STATUSES)[number];

/** Of these, an organization has one at most. */
export const LIVE: readonly Status[] = ['INCOMPLETE', 'TRIALING', 'ACTIVE', 'PAST_DUE'];

/** What may follow each status. Nothing follows an end. */
export const TRANSITIONS: Readonly<Record<Status, readonly Status[]>> = {
  INCOMPLETE: ['ACTIVE', 'CANCELED', 'EXPIRED'],
  TRIALING: ['ACTIVE', 'CANCELED'],
  ACTIVE: ['PAST_DUE', 'CANCELED'],
  PAST_DUE: ['ACTIVE', 'CANCELED'],
  CANCELED: [],
  EXPIRED: [],
};

/** How long things wait, from the settings of the server. */
export interface Rules {
  /** For the payment of a first period, or of an upgrade. */
  incompleteMs: number;
  /** After the end of a period that is paid, while its renewal is not. */
  graceMs: number;
  /** Of access, after the first payment that failed. */
  pastDueGraceMs: number;
  /** Days after the first payment that failed on which it is tried again; the first is 0. */
  dunningDays: readonly number[];
}

const TRIAL_NOTICE_MS = 3 * DAY_MS;
/** After the last attempt, for a payment that takes its time. */
const LAST_CHANCE_MS = DAY_MS;

/** What of a subscription decides over access, and over what is due next. */
export interface Timed {
  status: Status;
  createdAt: Date;
  trialEnd: Date | null;
  trialNoticedAt: Date | null;
  /** Until when it is paid. */
  periodEnd: Date;
  cancelAt: Date | null;
  endedAt: Date | null;
  pastDueSince: Date | null;
  /** How many of the days of dunning were taken. */
  dunningStep: number;
  /** The invoice of the next period, while it is not paid. */
  renewalInvoiceId: number | null;
  changeExpiresAt: Date | null;
  creditsDueAt: Date | null;
}

/** From when on its plan does not count any more; null where it never does. Nothing but the row decides it. */
export function entitledUntil(row: Timed, { graceMs, pastDueGraceMs }: Rules): Date | null {
  switch (row.status) {
    case 'TRIALING':
      return earliest(row.trialEnd, row.cancelAt);
    case 'ACTIVE':
      return earliest(after(row.periodEnd, graceMs), row.cancelAt);
    case 'PAST_DUE':
      return earliest(row.pastDueSince && after(row.pastDueSince, pastDueGraceMs), row.cancelAt);
    case 'CANCELED':
      return row.endedAt;
    case 'INCOMPLETE':
    case 'EXPIRED':
      return null;
  }
}

export function isEntitled(row: Timed, rules: Rules, at: Date): boolean {
  const until = entitledUntil(row, rules);
  return until !== null && at < until;
}

export type StepKind =
  | 'CANCEL'
  | 'EXPIRE'
  | 'LAPSE_CHANGE'
  | 'GRANT_CREDITS'
  | 'NOTICE_TRIAL'
  | 'RENEW'
  | 'MISS_PAYMENT'
  | 'DUN'
  | 'GIVE_UP';

export interface Step {
  kind: StepKind;
  at: Date;
}

/** What is to be done with a subscription next, and when; null where nothing ever is. */
export function nextStep(row: Timed, rules: Rules): Step | null {
  // Of steps at one moment, the first comes first: what ends then is not renewed.
  return stepsOf(row, rules).reduce<Step | null>((first, step) => (first && first.at <= step.at ? first : step), null);
}

function stepsOf(row: Timed, rules: Rules): Step[] {
  if (!LIVE.includes(row.status)) return [];
  const steps: Step[][] = [step('CANCEL', row.cancelAt)];
  if (row.status === 'INCOMPLETE') steps.push(step('EXPIRE', after(row.createdAt, rules.incompleteMs)));
  else steps.push(step('LAPSE_CHANGE', row.changeExpiresAt));
  if (row.status === 'TRIALING') {
    const notice = row.trialEnd && row.trialNoticedAt === null ? after(row.trialEnd, -TRIAL_NOTICE_MS) : null;
    steps.push(step('NOTICE_TRIAL', notice), step('RENEW', row.trialEnd));
  }
  if (row.status === 'ACTIVE') {
    // Of a period that is not paid, no credits are given.
    if (row.creditsDueAt && row.creditsDueAt < row.periodEnd) steps.push(step('GRANT_CREDITS', row.creditsDueAt));
    if (row.renewalInvoiceId === null) steps.push(step('RENEW', row.periodEnd));
    else steps.push(step('MISS_PAYMENT', after(row.periodEnd, rules.graceMs)));
  }
  if (row.status === 'PAST_DUE' && row.pastDueSince) {
    const day = rules.dunningDays[row.dunningStep];
    const last = after(row.pastDueSince, (rules.dunningDays.at(-1) ?? 0) * DAY_MS + LAST_CHANCE_MS);
    steps.push(day === undefined ? step('GIVE_UP', last) : step('DUN', after(row.pastDueSince, day * DAY_MS)));
  }
  return steps.flat();
}

/** How many of the days of dunning have come; after a long pause, those that were missed count as taken. */
export function dunningStepAt(since: Date, { dunningDays }: Pick<Rules, 'dunningDays'>, now: Date): number {
  return dunningDays.filter((day) => after(since, day * DAY_MS) <= now).length;
}

const step = (kind: StepKind, at: Date | null): Step[] => (at ? [{ kind, at }] : []);

const after = (at: Date, ms: number): Date => new Date(at.getTime() + ms);

const earliest = (at: Date | null, other: Date | null): Date | null =>
  at && other ? (at < other ? at : other) : (at ?? other);
