import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const MAIN = path.resolve(import.meta.dirname, '../src/main.ts');
const START_TIMEOUT_MS = 150_000;

export const SECRETS = {
  SECRET_KEY: 'secret-key-of-the-tests-0123456789',
  ID_SECRET: 'id-secret-of-the-tests-0123456789',
  PASSWORD_PEPPER: 'pepper-of-the-tests-0123456789abc',
};

/** The environment of every test process; from the tests' own environment, only what finds programs. */
const BASE = {
  PATH: process.env['PATH'],
  // Compiling the product is half of what a command costs: the first one does it for all.
  NODE_COMPILE_CACHE: path.resolve(import.meta.dirname, '../../../node_modules/.cache/rentapi-tests'),
  PORT: '0',
  LOG_LEVEL: 'silent',
  BCRYPT_COST: '4',
  RATE_LIMIT_PER_MINUTE: '1000000',
  AUTH_RATE_LIMIT_PER_MINUTE: '1000000',
  DEFAULT_PLAN: 'ENTERPRISE',
};

export interface RunningProcess {
  child: ChildProcess;
  /** Everything it wrote to stderr. */
  said(): string;
  /** Everything it wrote to stdout. */
  printed(): string;
  /** Its exit code; null where a signal ended it. */
  ended: Promise<number | null>;
}

export interface Server extends RunningProcess {
  url: string;
  port: number;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** `rentapi <args>` as a process of its own. */
export function rentapi(args: string[], env: NodeJS.ProcessEnv = {}, input = '', program = MAIN): RunningProcess {
  return run([program, ...args], { ...BASE, ...env }, input);
}

export function run(args: string[], env: NodeJS.ProcessEnv, input = ''): RunningProcess {
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  running.add(child);
  let said = '';
  let printed = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk));
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk));
  child.stdin.on('error', () => {}); // it may end without reading
  child.stdin.end(input);
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  return { child, said: () => said, printed: () => printed, ended };
}

const running = new Set<ChildProcess>();

/** For `afterAll`: ends the processes that a failed test has left. */
export function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** A server that is ready, or an error with its output. */
export async function startServer(args: string[], env: NodeJS.ProcessEnv = {}, program = MAIN): Promise<Server> {
  const server = rentapi(args, env, '', program);
  const url = await until(server, /is ready on (http:\S+)/);
  return {
    ...server,
    url,
    port: Number(new URL(url).port),
    stop(signal = 'SIGTERM') {
      server.child.kill(signal);
      return server.ended;
    },
  };
}

/** Waits until a process has printed this, and returns the first group. */
export async function until(program: RunningProcess, pattern: RegExp): Promise<string> {
  let over = false;
  void program.ended.then(() => (over = true));
  for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline && !over; await sleep(10)) {
    const match = pattern.exec(program.said() + program.printed());
    if (match) return match[1] ?? match[0];
  }
  program.child.kill('SIGKILL');
  throw new Error(`waited in vain for ${pattern}; it said: ${program.said()}${program.printed()}`);
}

/** A directory that another user may enter: under root, PostgreSQL runs as one. */
export function temporaryDirectory(): { dir: string; remove(): void } {
  const dir = mkdtempSync(path.join(tmpdir(), 'rentapi-server-'));
  chmodSync(dir, 0o755);
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
