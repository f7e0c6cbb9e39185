import { printTable } from '../report.ts';
import type { Attempt, Load } from './load.ts';
import type { ReceivedMail } from './mailbox.ts';

/** The outcome of all requests. */
export interface Findings {
  acknowledged: number;
  found: number;
  /** Answered 2xx, but missing. */
  lost: string[];
  /** Stored more than once. */
  doubled: string[];
  /** Not answered 2xx; they may exist or not. */
  unanswered: Attempt[];
}

export function compare(attempts: readonly Attempt[], kept: ReadonlyMap<string, number>): Findings {
  const acknowledged = attempts.filter(({ doneAt }) => doneAt !== undefined);
  return {
    acknowledged: acknowledged.length,
    found: attempts.filter(({ name }) => kept.has(name)).length,
    lost: acknowledged.map(({ name }) => name).filter((name) => !kept.has(name)),
    doubled: attempts.map(({ name }) => name).filter((name) => (kept.get(name) ?? 0) > 1),
    unanswered: attempts.filter(({ doneAt }) => doneAt === undefined),
  };
}

export function printFindings(findings: Record<string, Findings>): void {
  const lines = Object.entries(findings).map(([what, { acknowledged, found, lost, doubled, unanswered }]) =>
    [what, acknowledged, found, lost.length, doubled.length, unanswered.length].map(String),
  );
  printTable([['', 'acknowledged', 'found', 'lost', 'doubled', 'unanswered'], ...lines]);
  for (const [what, { lost, doubled, unanswered }] of Object.entries(findings)) {
    const failures = unanswered.map(({ name, failure }) => `${name} (${failure})`);
    for (const [how, names] of Object.entries({ lost, doubled, unanswered: failures })) {
      if (names.length > 0) process.stdout.write(`${what} ${how}: ${names.slice(0, 5).join(', ')}\n`);
    }
  }
}

/** An incident, and the end of the time in which its consequences are looked for. */
export interface Struck {
  name: string;
  /** On the clock of `performance.now()`, as all times here. */
  beganAt: number;
  overAt: number;
  untilAt: number;
}

/** Why clients had to repeat requests: in total, and for the request that waited longest. */
export function printRefusals(attempts: readonly Attempt[]): void {
  const sums = new Map<string, number>();
  for (const { refusals } of attempts) {
    for (const [what, times] of refusals) sums.set(what, (sums.get(what) ?? 0) + times);
  }
  process.stdout.write(`Repeated after: ${listed(sums)}\n`);
  const waitedMs = ({ beganAt, doneAt }: Attempt) => (doneAt ?? beganAt) - beganAt;
  const slowest = attempts.reduce((one, other) => (waitedMs(other) > waitedMs(one) ? other : one));
  process.stdout.write(
    `Longest until it was done: ${slowest.name}, ${waitedMs(slowest).toFixed(0)} ms, after ${listed(slowest.refusals)}\n`,
  );
}

function listed(refusals: ReadonlyMap<string, number>): string {
  const parts = [...refusals].toSorted(([, a], [, b]) => b - a).map(([what, times]) => `${what} × ${times}`);
  return parts.join(', ') || 'nothing';
}

/** After each incident: how long nothing was answered, and how long single requests took. */
export function printIncidents(
  struck: readonly Struck[],
  { writes, registrations }: Load,
  mails: readonly ReceivedMail[],
): void {
  const answeredAt = writes.flatMap(({ doneAt }) => doneAt ?? []).toSorted((a, b) => a - b);
  const mailedAt = new Map(mails.map(({ to, at }) => [to, at]));
  const lines = struck.map(({ name, beganAt, overAt, untilAt }) => {
    const within = (at: number) => at >= beganAt && at < untilAt;
    const begun = writes.filter((attempt) => within(attempt.beganAt));
    const mailMs = registrations.flatMap(({ name, doneAt }) => {
      const at = mailedAt.get(name);
      return doneAt !== undefined && at !== undefined && within(doneAt) ? [at - doneAt] : [];
    });
    const moments = [beganAt, ...answeredAt.filter(within), untilAt];
    const resumedAt = answeredAt.find((at) => at > overAt);
    return [
      name,
      overAt - beganAt,
      resumedAt === undefined ? Number.NaN : resumedAt - overAt,
      Math.max(...moments.slice(1).map((at, n) => at - moments[n]!)),
      Math.max(0, ...begun.map(({ beganAt, doneAt }) => (doneAt ?? Number.NaN) - beganAt)),
      Math.max(0, ...mailMs),
      begun.reduce((sum, { retries }) => sum + retries, 0),
    ].map((cell) => (typeof cell === 'number' ? cell.toFixed(0) : cell));
  });
  const titles = [
    'took ms',
    'resumed after ms',
    'longest silence ms',
    'slowest write ms',
    'slowest mail ms',
    'retries',
  ];
  process.stdout.write('\n');
  printTable([['', ...titles], ...lines]);
}
