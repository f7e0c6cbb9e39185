import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import process from 'node:process';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const PARENT_CHECK_MS = 250;

/** Runs a program to its end, passing signals on. Returns its exit code, or 128 + n where signal n ended it. */
export function runChild(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options });

    const pass = (signal) => {
      // A terminal's Ctrl-C has reached the child already; a second one means "now!" to some programs.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, pass);
    const stopWatching = whenNpmDies(() => child.kill('SIGTERM'));

    const finish = (code) => {
      stopWatching();
      for (const signal of SIGNALS) process.removeListener(signal, pass);
      resolve(code);
    };
    child.once('error', (error) => {
      process.stderr.write(`Cannot run ${command}: ${error.message}\n`);
      finish(127);
    });
    child.once('exit', (code, signal) => finish(code ?? 128 + constants.signals[signal]));
  });
}

/**
 * A signal can end npm, or npm and the shell between us, without reaching this process: a server would continue
 * unnoticed.
 */
function whenNpmDies(act) {
  if (!process.env.npm_lifecycle_event) return () => {};
  const parent = process.ppid;
  const npm = parentOfShell(parent);
  const watch = setInterval(() => {
    if (process.ppid === parent && (npm === undefined || isAlive(npm))) return;
    clearInterval(watch);
    act();
  }, PARENT_CHECK_MS);
  return () => clearInterval(watch);
}

/**
 * npm, where our parent is the shell that npm started. Not every shell stays: some replace themselves by us, and npm is
 * our parent.
 */
function parentOfShell(pid) {
  if (process.platform === 'win32') return undefined;
  try {
    // Small containers have no ps, but /proc.
    const line =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^\d+ \((.*)\) \S (\d+) .*$/s, '$2 $1')
        : execFileSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], { encoding: 'utf8' });
    const [parent, name] = line.trim().split(/\s+/);
    return /(^|\/)-?(sh|bash|dash|zsh|ash)$/.test(name) ? Number(parent) : undefined;
  } catch {
    return undefined; // the parent alone must be enough
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
