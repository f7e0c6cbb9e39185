import { printTable, type Spread, spreadOf } from './report.ts';

/** Work that is repeated in this process. */
export interface Work {
  name: string;
  run(times: number): Promise<void> | void;
  /** Done before measuring starts. */
  prepare?(times: number): Promise<void>;
}

interface Sample {
  elapsedNs: number;
  cpuNs: number;
}

/** The cost of one repetition, round by round; the n-th rounds of all ran side by side. */
export type Samples = Map<Work, Sample[]>;

export interface Turns {
  /** Some 5 ms of work or more: the clock of the CPU counts microseconds. */
  timesPerTurn: number;
  turns: number;
  rounds: number;
}

export const WARM_UPS = 2;

/** Lets the works take turns until each has had all its rounds. */
export async function takeTurns(works: readonly Work[], { timesPerTurn, turns, rounds }: Turns): Promise<Samples> {
  const samples: Samples = new Map(works.map((work) => [work, []]));
  for (let round = -WARM_UPS; round < rounds; round++) {
    const sums = new Map(works.map((work) => [work, { elapsedNs: 0, cpuNs: 0 }]));
    for (let turn = 0; turn < turns; turn++) {
      // Reversed each time, so that none always comes after the same one.
      for (const work of turn % 2 === 0 ? works : works.toReversed()) {
        await work.prepare?.(timesPerTurn);
        const cpu = process.cpuUsage();
        const began = performance.now();
        await work.run(timesPerTurn);
        const sum = sums.get(work)!;
        sum.elapsedNs += (performance.now() - began) * 1e6;
        const { user, system } = process.cpuUsage(cpu);
        sum.cpuNs += (user + system) * 1e3;
      }
    }
    const times = timesPerTurn * turns;
    for (const [work, { elapsedNs, cpuNs }] of round < 0 ? [] : sums) {
      samples.get(work)!.push({ elapsedNs: elapsedNs / times, cpuNs: cpuNs / times });
    }
  }
  return samples;
}

/** CPU of one work divided by that of another, round by round. */
export function workRatio(samples: Samples, of: Work, by: Work): Spread {
  const base = samples.get(by)!;
  return spreadOf(samples.get(of)!.map(({ cpuNs }, at) => cpuNs / base[at]!.cpuNs));
}

/** Repetitions a second of one work divided by those of another, round by round. */
export function speedRatio(samples: Samples, of: Work, by: Work): Spread {
  const base = samples.get(by)!;
  return spreadOf(samples.get(of)!.map(({ elapsedNs }, at) => base[at]!.elapsedNs / elapsedNs));
}

/** Medians over the rounds; the others are compared with the first work. */
export function printSamples(title: string, samples: Samples): void {
  const [first] = samples.keys();
  const lines = [...samples].map(([work, each]) => {
    const ratio = workRatio(samples, work, first!);
    return [
      work.name,
      (1e9 / spreadOf(each.map(({ elapsedNs }) => elapsedNs)).median).toFixed(0),
      (spreadOf(each.map(({ cpuNs }) => cpuNs)).median / 1000).toFixed(2),
      `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)})`,
    ];
  });
  process.stdout.write(`\n${title}\n`);
  printTable([['', 'ops/s', 'CPU µs/op', 'CPU ratio (95 %)'], ...lines]);
}

/** For work that waits for an answer: this many run at once. */
export async function atOnce(senders: number, times: number, once: (at: number) => unknown): Promise<void> {
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let at = next++; at < times; at = next++) await once(at);
  };
  await Promise.all(Array.from({ length: senders }, sender));
}
