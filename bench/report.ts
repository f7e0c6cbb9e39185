import type { Contender, Round, Rounds } from './harness.ts';

/** The median of several measurements, and its confidence interval of 95 %. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

export type Verdict = Measured & ({ atMost: number } | { atLeast: number });

interface Measured {
  /** What the target is about: `REST, CPU per request`. */
  promise: string;
  measured: Spread;
  unit: string;
  /** False where the two did not do the same work, so that their ratio means nothing. */
  comparable?: boolean;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
  const cut = outside(sorted.length);
  return { median, low: sorted[cut]!, high: sorted.at(-1 - cut)! };
}

/**
 * How many of `count` measurements to leave out at either end. For any distribution, each one is above or below the
 * true median with equal chance, so the ends follow the binomial distribution (Hoefler and Belli, Scientific
 * Benchmarking of Parallel Computing Systems, 2015).
 */
function outside(count: number): number {
  let cut = 0;
  let logChance = -count * Math.LN2; // the chance that none lies below: as a logarithm, because a small one would be 0
  for (let sum = Math.exp(logChance); cut < count / 2; cut++) {
    logChance += Math.log((count - cut) / (cut + 1));
    sum += Math.exp(logChance);
    if (2 * sum > 0.05) break;
  }
  return cut;
}

/** CPU of one contender divided by that of another, round by round. */
export const cpuRatio = (rounds: Rounds, of: Contender, by: Contender): Spread => ratio(rounds, of, by, 'cpuUs');

/** Elapsed time, the database's included. */
export const timeRatio = (rounds: Rounds, of: Contender, by: Contender): Spread => ratio(rounds, of, by, 'elapsedMs');

/** Requests a second of one contender divided by those of another. */
export const rateRatio = (rounds: Rounds, of: Contender, by: Contender): Spread => ratio(rounds, by, of, 'elapsedMs');

function ratio(rounds: Rounds, of: Contender, by: Contender, what: 'cpuUs' | 'elapsedMs'): Spread {
  const base = rounds.get(by)!;
  return spreadOf(rounds.get(of)!.map((round, at) => round[what] / base[at]![what]));
}

const TOLERANCE = 0.02; // a server's background work

/**
 * Whether the two sent equally many queries to the database, and asked Redis for each request or not at all: its
 * commands cannot be compared, because what one left for later is counted in turns of the other.
 */
export function askedAlike(rounds: Rounds, one: Contender, other: Contender): boolean {
  const sumsOf = (what: 'statements' | 'commands' | 'requests'): [number, number] => {
    const sumOf = (each: Contender) => rounds.get(each)!.reduce((sum, round) => sum + round[what], 0);
    return [sumOf(one), sumOf(other)];
  };
  const [[a, b], commands, requests] = [sumsOf('statements'), sumsOf('commands'), sumsOf('requests')];
  const isAsked = commands.map((count, at) => count >= (1 - TOLERANCE) * requests[at]!);
  return Math.abs(a - b) <= TOLERANCE * b && isAsked[0] === isAsked[1];
}

type Column = [title: string, digits: number, of: (round: Round) => number];

const COLUMNS: Column[] = [
  ['CPU µs/request', 1, (round) => round.cpuUs / round.requests],
  ['of it later', 1, (round) => round.laterUs / round.requests],
  ['requests/s', 0, (round) => (round.requests / round.elapsedMs) * 1000],
  ['p50 ms', 2, (round) => percentile(round.latenciesMs, 0.5)],
  ['p99 ms', 2, (round) => percentile(round.latenciesMs, 0.99)],
  ['SQL/request', 3, (round) => round.statements / round.requests],
  ['Redis/request', 3, (round) => round.commands / round.requests],
];

/** Medians over the rounds; the others are compared with the first contender. */
export function printRounds(rounds: Rounds): void {
  const contenders = [...rounds.keys()];
  const lines = contenders.map((contender) => {
    const ratio = cpuRatio(rounds, contender, contenders[0]!);
    const medians = COLUMNS.map(([, digits, of]) => spreadOf(rounds.get(contender)!.map(of)).median.toFixed(digits));
    return [
      contender.name,
      ...medians,
      `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)})`,
    ];
  });
  printTable([['', ...COLUMNS.map(([title]) => title), 'CPU ratio (95 %)'], ...lines]);
}

const percentile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * part)]!;

export function printTable(rows: string[][]): void {
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  for (const row of rows) {
    const cells = row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)));
    process.stdout.write(`${cells.join('  ')}\n`);
  }
  process.stdout.write('\n');
}

export function printVerdicts(verdicts: readonly Verdict[]): void {
  for (const verdict of verdicts) {
    const { promise, measured, unit } = verdict;
    const ends = measured.low === measured.high ? '' : ` (${measured.low.toFixed(2)}–${measured.high.toFixed(2)})`;
    const target = 'atMost' in verdict ? `at most ${verdict.atMost}` : `at least ${verdict.atLeast}`;
    process.stdout.write(
      `${judge(verdict).padEnd(9)}  ${promise}: ${measured.median.toFixed(2)}${ends} ${unit}, ${target}\n`,
    );
  }
}

/** Where the target lies within the confidence interval, no verdict is given. */
function judge(verdict: Verdict): 'kept' | 'missed' | 'undecided' {
  const { measured, comparable = true } = verdict;
  if (!comparable) return 'undecided';
  const [within, beyond] =
    'atMost' in verdict
      ? [measured.high <= verdict.atMost, measured.low > verdict.atMost]
      : [measured.low >= verdict.atLeast, measured.high < verdict.atLeast];
  if (within) return 'kept';
  return beyond ? 'missed' : 'undecided';
}
