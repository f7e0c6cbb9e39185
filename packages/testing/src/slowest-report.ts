import path from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

const SHOWN = 10;

interface Timed {
  name: string;
  ms: number;
}

/** Prints the slowest files and tests at the end of a run: where the next minute is to be saved. */
export class SlowestReport implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const files = modules.map((module) => ({ name: nameOf(module), ms: durationOf(module) }));
    const tests = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => ({
        name: `${nameOf(module)} > ${test.fullName}`,
        ms: test.diagnostic()?.duration ?? 0,
      })),
    );
    // A single file names its slow tests anyway.
    if (files.length > 1) process.stdout.write(`${table('files', files)}${table('tests', tests)}\n`);
  }
}

const nameOf = ({ moduleId }: TestModule): string => path.relative(process.cwd(), moduleId);

/** All that a worker is busy with a file: loading it, preparing, its hooks and its tests. */
function durationOf(module: TestModule): number {
  const { environmentSetupDuration, prepareDuration, collectDuration, setupDuration, duration } = module.diagnostic();
  return environmentSetupDuration + prepareDuration + collectDuration + setupDuration + duration;
}

function table(what: string, timed: Timed[]): string {
  const slowest = timed.toSorted((a, b) => b.ms - a.ms).slice(0, SHOWN);
  const rows = slowest.map(({ name, ms }) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${name}\n`);
  return `\n The ${slowest.length} slowest ${what}\n${rows.join('')}`;
}
