import process from 'node:process';
import { runChild } from './child.mjs';

// Not `packageManager` of package.json: pnpm would ask the registry for itself, and a frozen lockfile would fail.
const PNPM = 'pnpm@12.21.0';

let offline;

/** Runs the pinned pnpm through npm, which every Node has. */
export async function runPnpm(args, options = {}) {
  // npm asks the registry even about an exact version that it has cached: without a network that takes minutes.
  offline ??= (await npmExec('--offline', ['--version'], { stdio: 'ignore' })) === 0;
  return npmExec(offline ? '--offline' : '--prefer-online', args, options);
}

function npmExec(mode, args, options) {
  const all = [
    'exec',
    '--yes',
    '--loglevel=error',
    '--progress=false',
    mode,
    `--package=${PNPM}`,
    '--',
    'pnpm',
    ...args,
  ];
  const full = { env: cleanEnvironment(), ...options };
  // The npm that called us, if one did: no question of PATH, nor of npm.cmd on Windows.
  const caller = process.env.npm_execpath ?? '';
  if (/npm-cli\.js$/.test(caller)) return runChild(process.execPath, [caller, ...all], full);
  return runChild('npm', all, { ...full, shell: process.platform === 'win32' });
}

const KEPT = /^npm_config_(registry|.*proxy|cafile|cache|userconfig)$/i;

/** Without what the calling npm exports: its `production`, `ignore-scripts` or `nodedir` would steer pnpm. */
function cleanEnvironment() {
  const entries = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || KEPT.test(name));
  return Object.fromEntries(entries);
}
