import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const sdk = fileURLToPath(new URL('../sdk/client', import.meta.url));
const TIMEOUT_MS = 120_000;

/** The exit code of a program; 1 where a signal ended it or it took too long. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(timer);
      resolve(code ?? 1);
    });
  });
}

/** The examples import the SDK as a customer does: built, through its `exports`. */
export function buildSdk() {
  return run(process.execPath, [join(sdk, 'node_modules/tsdown/dist/run.mjs'), '--log-level', 'warn'], { cwd: sdk });
}
