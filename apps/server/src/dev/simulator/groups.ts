import { once } from 'node:events';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { MIGRATIONS } from '@rentapi/api/data/migrations';
import { RESTRICTED_TABLES } from '@rentapi/api/data/restricted-tables';
import type { EmbeddedPostgres } from '@rentapi/platform/embedded-postgres';
import { migrateUp } from '@rentapi/platform/migrations';
import { noteChanges, openAsOwner } from './invariants.ts';
import type { Month } from './months.ts';
import type { Outcome, Simulation } from './simulate.ts';

/** Organizations live in so many groups side by side, whatever the machine, so that a seed does the same again. */
const MAX_GROUPS = 2;

/** What a group says of itself: a month that has passed, or its end. */
export type Said = { month: Month } | { outcome: Omit<Outcome, 'months'> };

interface Given extends Pick<Simulation, 'months' | 'organizations' | 'seed' | 'chaos' | 'dataDir' | 'sandbox'> {
  /** As the owner, and as the role that serves. */
  server: Pick<EmbeddedPostgres, 'url' | 'servingUrl'>;
  signal: AbortSignal;
  onMonth(month: Month): void;
}

export interface JointOutcome extends Outcome {
  /** Of what is broken. */
  group: number;
}

/** Each group has a database and a thread of its own, and never hears of the others. */
export async function simulateInGroups(given: Given): Promise<JointOutcome> {
  const count = given.sandbox ? 1 : Math.min(MAX_GROUPS, given.organizations); // an account has one limit of requests
  const passed: Month[][] = Array.from({ length: count }, () => []);
  const months: Month[] = [];
  const names = Array.from({ length: count }, (_, group) => `simulation_${group}`);

  function pass(group: number, month: Month): void {
    passed[group]!.push(month);
    const at = months.length;
    if (!passed.every((ofGroup) => ofGroup.length > at)) return;
    months.push(sumOf(passed.map((ofGroup) => ofGroup[at]!)));
    given.onMonth(months[at]!);
  }

  function start(_: unknown, group: number): Worker {
    const { months, seed, chaos, sandbox = null, dataDir, server } = given;
    const workerData: Simulation = {
      months,
      seed,
      chaos,
      sandbox,
      group,
      organizations: Math.floor((given.organizations + count - 1 - group) / count),
      databaseUrl: withName(server.servingUrl, names[group]!),
      dataDir: path.join(dataDir, `group-${group}`),
    };
    return new Worker(new URL('./group.ts', import.meta.url), { workerData });
  }

  async function live(worker: Worker, group: number): Promise<Omit<Outcome, 'months'>> {
    const ended = once(worker, 'exit');
    let outcome: Omit<Outcome, 'months'> = { steps: 0, broken: null };
    worker.on('message', (said: Said) => {
      if ('month' in said) pass(group, said.month);
      else outcome = said.outcome;
    });
    await Promise.race([ended, ready]); // an error of the thread rejects it
    worker.postMessage('begin');
    await ended;
    return outcome;
  }

  const workers = passed.map(start); // they load their modules while the databases are made
  const ready = makeDatabases(given.server, names);
  const stop = () => Promise.all(workers.map((worker) => worker.terminate()));
  given.signal.addEventListener('abort', stop, { once: true });
  const outcomes = await Promise.all(workers.map(live)).finally(stop);
  const steps = outcomes.reduce((sum, outcome) => sum + outcome.steps, 0);
  const [first] = outcomes
    .flatMap(({ broken }, group) => (broken ? [{ broken, group }] : []))
    .sort((a, b) => a.broken.at.getTime() - b.broken.at.getTime());
  return { months, steps, broken: first?.broken ?? null, group: first?.group ?? 0 };
}

function sumOf([first, ...others]: readonly Month[]): Month {
  const sum = { ...first! };
  const counts = Object.keys(sum).filter((name) => name !== 'month') as Exclude<keyof Month, 'month'>[];
  for (const other of others) for (const name of counts) sum[name] += other[name];
  return sum;
}

/** Databases that are migrated and without data: one is made, and copied. */
async function makeDatabases({ url, servingUrl }: Given['server'], names: readonly string[]): Promise<void> {
  const [first, ...copies] = names;
  const admin = openAsOwner(url);
  try {
    await admin.raw('create database ??', [first!]);
    const serving = { urls: [withName(servingUrl, first!)], restricted: RESTRICTED_TABLES };
    await migrateUp(withName(url, first!), MIGRATIONS, { serving });
    await noteChanges(withName(url, first!));
    for (const copy of copies) await admin.raw('create database ?? template ??', [copy, first!]);
  } finally {
    await admin.destroy();
  }
}

function withName(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
