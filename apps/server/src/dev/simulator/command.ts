import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@rentapi/platform/embedded-postgres';
import { printLine } from '../../print-line.ts';
import { onStopSignal } from '../../signals.ts';
import { type JointOutcome, simulateInGroups } from './groups.ts';
import { heading, lineOf } from './months.ts';
import { MAX_MONTHS, MAX_ORGANIZATIONS } from './simulate.ts';

const USAGE = 'Usage: rentapi billing simulate [--months 24] [--organizations 100] [--seed 1] [--chaos]';

const MAX_SEED = 2 ** 31 - 1;

/** The database is thrown away, so nothing has to survive a crash; and what is asked at each step is planned once. */
const FAST_AND_LOOSE = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  jit: 'off',
  plan_cache_mode: 'force_generic_plan',
};

interface Given {
  months: number;
  organizations: number;
  seed: number;
  chaos: boolean;
}

/** Never touches the database of the settings: it makes one, and removes it at the end. */
export async function runSimulation(args: string[]): Promise<number> {
  const given = readArguments(args);
  if (typeof given === 'string') {
    printLine(given);
    return 2;
  }
  const dataDir = mkdtempSync(path.join(tmpdir(), 'rentapi-simulation-'));
  chmodSync(dataDir, 0o755); // under root the server runs as another user, who must be able to enter
  const stop = new AbortController();
  onStopSignal(() => stop.abort());
  try {
    const embedded = await startEmbeddedPostgres({ dataDir, settings: FAST_AND_LOOSE });
    try {
      return await report(given, { server: embedded, dataDir, signal: stop.signal });
    } finally {
      await embedded.stop();
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function report(
  given: Given,
  place: { server: EmbeddedPostgres; dataDir: string; signal: AbortSignal },
): Promise<number> {
  const startedAt = performance.now();
  process.stdout.write(`${heading()}\n`);
  const outcome = await simulateInGroups({
    ...given,
    ...place,
    onMonth: (month) => void process.stdout.write(`${lineOf(month)}\n`),
  });
  if (place.signal.aborted) {
    printLine('Stopped.');
    return 130;
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`${sentenceOf(outcome, given, seconds)}\n`);
  return outcome.broken ? 1 : 0;
}

function sentenceOf(
  { broken, steps, group }: JointOutcome,
  { seed, organizations, months, chaos }: Given,
  seconds: string,
) {
  if (!broken) return `Every invariant held in ${steps} steps, with seed ${seed}, in ${seconds} s.`;
  const { kind, what, organizationId, step, at, after } = broken;
  const whose = organizationId === null ? '' : ` of organization ${organizationId} in group ${group}`;
  const again = `--months ${months} --organizations ${organizations} --seed ${seed}${chaos ? ' --chaos' : ''}`;
  return [
    `${kind}${whose} is broken in step ${step}, at ${at.toISOString()}, after ${after}: ${what}`,
    `The same again: rentapi billing simulate ${again}`,
  ].join('\n');
}

function readArguments(args: string[]): Given | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        months: { type: 'string', default: '24' },
        organizations: { type: 'string', default: '100' },
        seed: { type: 'string', default: '1' },
        chaos: { type: 'boolean', default: false },
      },
    });
    return {
      months: numberOf('months', values.months, 1, MAX_MONTHS),
      organizations: numberOf('organizations', values.organizations, 1, MAX_ORGANIZATIONS),
      seed: numberOf('seed', values.seed, 0, MAX_SEED),
      chaos: values.chaos,
    };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return `${error.message}\n${USAGE}`;
  }
}

function numberOf(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (!/^\d{1,10}$/.test(text) || number < least || number > most)
    throw new Error(`--${name} is a whole number from ${least} to ${most}, not \`${text}\`.`);
  return number;
}
