import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Usage } from './probe.ts';

/** A server in a process of its own, which reports the resources it has used. */
export interface Child {
  pid: number;
  /** `http://127.0.0.1:<port>`; for a worker, the line it printed. */
  origin: string;
  usage(): Promise<Usage>;
  stop(): Promise<void>;
  /** SIGKILL: what a crash looks like from outside. */
  kill(): Promise<void>;
}

const PROBE = import.meta.resolve('./probe.ts');
/** The line of a server names its address, that of a worker its queues. */
const READY = /ready (?:on (http:\/\/127\.0\.0\.1:\d+)|for [\w, ]+\.)/;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const USAGE_TIMEOUT_MS = 30_000;
const MAX_KEPT_OUTPUT = 10_000;

/** Resolves once the program has printed on stderr that it is ready. */
export async function startChild(options: {
  program: string;
  args: string[];
  env: Record<string, string>;
}): Promise<Child> {
  const { program, args, env } = options;
  // The bench was started with the flags of `npm start`.
  const child = spawn(process.execPath, [...process.execArgv, '--import', PROBE, program, ...args], {
    // Nothing of the caller's settings: two runs must measure the same program.
    env: { PATH: process.env['PATH'] ?? '', NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '', ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  try {
    const { origin, said } = await untilReady(child, program);
    let ending = false;
    const endBy = (signal: 'SIGTERM' | 'SIGKILL') => {
      ending = true;
      return end(child, signal);
    };
    child.once('exit', (code, signal) => {
      if (!ending) process.stderr.write(`${program} ${args.join(' ')} ended with ${code ?? signal}: ${said()}\n`);
    });
    return {
      pid: child.pid!,
      origin,
      usage: () => usageOf(child),
      stop: () => endBy('SIGTERM'),
      kill: () => endBy('SIGKILL'),
    };
  } catch (error) {
    await end(child, 'SIGTERM');
    throw error;
  }
}

/** A Python program, which reports nothing itself: its CPU time is the kernel's, to 10 ms. */
export async function startPython(program: string, env: Record<string, string>): Promise<Child> {
  const child = spawn(PYTHON, [program], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const { origin } = await untilReady(child, program);
    return {
      pid: child.pid!,
      origin,
      usage: async () => kernelUsage(child.pid!),
      stop: () => end(child, 'SIGTERM'),
      kill: () => end(child, 'SIGKILL'),
    };
  } catch (error) {
    await end(child, 'SIGTERM');
    throw error;
  }
}

/** Debian's own, which has its packages. */
export const PYTHON = '/usr/bin/python3';
const TICK_US = 10_000;
const PAGE_BYTES = 4096;

function kernelUsage(pid: number): Usage {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  const [user, system, rssPages] = [fields[11], fields[12], fields[21]].map(Number) as [number, number, number];
  return { cpuUs: (user + system) * TICK_US, rssBytes: rssPages * PAGE_BYTES };
}

/** What it says from then on is kept as well, for the case that it ends. */
function untilReady(child: ChildProcess, program: string): Promise<{ origin: string; said: () => string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ origin: string; said: () => string }>();
  let said = '';
  const timer = setTimeout(() => reject(new Error(`${program} was not ready in time: ${said}`)), START_TIMEOUT_MS);
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-MAX_KEPT_OUTPUT);
    const ready = READY.exec(said);
    if (ready) resolve({ origin: ready[1] ?? ready[0], said: () => said });
  });
  child.once('error', reject);
  child.once('exit', (code) => reject(new Error(`${program} ended with ${code}: ${said}`)));
  return promise.finally(() => clearTimeout(timer));
}

async function usageOf(child: ChildProcess): Promise<Usage> {
  const answer = once(child, 'message', { signal: AbortSignal.timeout(USAGE_TIMEOUT_MS) });
  child.send('usage');
  return ((await answer) as [Usage])[0];
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
