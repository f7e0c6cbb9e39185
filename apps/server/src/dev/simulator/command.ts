import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@rentapi/platform/embedded-postgres';
import { readStripeAccount } from '@rentapi/platform/env';
import { printLine } from '../../print-line.ts';
import { onStopSignal } from '../../signals.ts';
import { type JointOutcome, simulateInGroups } from './groups.ts';
import { heading, lineOf } from './months.ts';
import { complaintOfKey, SANDBOX_MONTHS, SANDBOX_ORGANIZATIONS, type SandboxAccount } from './sandbox.ts';
import { MAX_MONTHS, MAX_ORGANIZATIONS } from './simulate.ts';

const USAGE = 'Usage: rentapi billing simulate [--months 24] [--organizations 100] [--seed 1] [--chaos | --sandbox]';

const MAX_SEED = 2 ** 31 - 1;

/** The database is thrown away, so nothing has to survive a crash; and what is asked at each step is planned once. */
const FAST_AND_LOOSE = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  checkpoint_timeout: '1h',
  max_wal_size: '8GB',
  shared_buffers: '256MB',
  io_method: 'sync',
  autovacuum_analyze_threshold: '2147483647', // new statistics would have all statements planned again
  track_activities: 'off',
  update_process_title: 'off',
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  plan_cache_mode: 'force_generic_plan',
  // A plan is made while its tables are empty, and kept when they are not.
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  random_page_cost: '1',
};

const BESIDE_FAKES = {
  months: { usual: '24', most: MAX_MONTHS },
  organizations: { usual: '100', most: MAX_ORGANIZATIONS },
};
/** So few that the limits of a test account are never met. */
const IN_TEST_ACCOUNT = {
  months: { usual: '3', most: SANDBOX_MONTHS },
  organizations: { usual: '2', most: SANDBOX_ORGANIZATIONS },
};

interface Given {
  months: number;
  organizations: number;
  seed: number;
  chaos: boolean;
  sandbox: SandboxAccount | null;
}

/** Printed before the months. */
const IN_SANDBOX = `In the test account of STRIPE_SECRET_KEY. What needs a page is left out: payments on pages and of credits, late
payments, and cards that are declined before a customer has them. So are PayPal, bank transfers, and lost events.
`;

/** Never touches the database of the settings: it makes one, and removes it at the end. */
export async function runSimulation(args: string[], source: NodeJS.ProcessEnv = {}): Promise<number> {
  const given = readArguments(args, source);
  if (typeof given === 'string') {
    printLine(given);
    return 2;
  }
  const dataDir = mkdtempSync(path.join(tmpdir(), 'rentapi-simulation-'));
  chmodSync(dataDir, 0o755); // under root the server runs as another user, who must be able to enter
  const stop = new AbortController();
  onStopSignal(() => stop.abort());
  try {
    const socketDir = makeSocketDir(dataDir);
    const settings = { ...FAST_AND_LOOSE, ...(socketDir && { unix_socket_directories: socketDir }) };
    const embedded = await startEmbeddedPostgres({ dataDir, settings });
    try {
      const server = { url: through(socketDir, embedded.url), servingUrl: through(socketDir, embedded.servingUrl) };
      return await report(given, { server, dataDir, signal: stop.signal });
    } finally {
      await embedded.stop();
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** For many short statements a socket costs less than TCP; Windows has none. */
function makeSocketDir(dataDir: string): string | null {
  if (process.platform === 'win32') return null;
  const socketDir = path.join(dataDir, 'socket');
  mkdirSync(socketDir);
  chmodSync(socketDir, 0o1777); // under root the server runs as another user
  return socketDir;
}

function through(socketDir: string | null, address: string): string {
  const url = new URL(address);
  if (socketDir) url.searchParams.set('host', socketDir);
  return url.href;
}

async function report(
  given: Given,
  place: { server: Pick<EmbeddedPostgres, 'url' | 'servingUrl'>; dataDir: string; signal: AbortSignal },
): Promise<number> {
  const startedAt = performance.now();
  if (given.sandbox) process.stdout.write(IN_SANDBOX);
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
  { seed, organizations, months, chaos, sandbox }: Given,
  seconds: string,
) {
  if (!broken) return `Every invariant held in ${steps} steps, with seed ${seed}, in ${seconds} s.`;
  const { kind, what, organizationId, step, at, after } = broken;
  const whose = organizationId === null ? '' : ` of organization ${organizationId} in group ${group}`;
  const again = `--months ${months} --organizations ${organizations} --seed ${seed}${chaos ? ' --chaos' : ''}${sandbox ? ' --sandbox' : ''}`;
  return [
    `${kind}${whose} is broken in step ${step}, at ${at.toISOString()}, after ${after}: ${what}`,
    `The same again: rentapi billing simulate ${again}`,
  ].join('\n');
}

function readArguments(args: string[], source: NodeJS.ProcessEnv): Given | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        months: { type: 'string' },
        organizations: { type: 'string' },
        seed: { type: 'string', default: '1' },
        chaos: { type: 'boolean', default: false },
        sandbox: { type: 'boolean', default: false },
      },
    });
    const { months, organizations } = values.sandbox ? IN_TEST_ACCOUNT : BESIDE_FAKES;
    return {
      months: numberOf('months', values.months ?? months.usual, 1, months.most),
      organizations: numberOf('organizations', values.organizations ?? organizations.usual, 1, organizations.most),
      seed: numberOf('seed', values.seed, 0, MAX_SEED),
      chaos: values.chaos,
      sandbox: values.sandbox ? sandboxOf(values.chaos, source) : null,
    };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return `${error.message}\n${USAGE}`;
  }
}

function sandboxOf(isChaotic: boolean, source: NodeJS.ProcessEnv): SandboxAccount {
  if (isChaotic) throw new Error('--sandbox has no --chaos: Stripe loses no events when it is asked to.');
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_API_BASE: apiBase } = readStripeAccount(source);
  if (secretKey === undefined) throw new Error('--sandbox needs STRIPE_SECRET_KEY, the key of a test account.');
  const complaint = complaintOfKey(secretKey);
  if (complaint) throw new Error(complaint);
  return { secretKey, apiBase };
}

function numberOf(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (!/^\d{1,10}$/.test(text) || number < least || number > most)
    throw new Error(`--${name} is a whole number from ${least} to ${most}, not \`${text}\`.`);
  return number;
}
