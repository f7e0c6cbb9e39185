import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { isHostNodeNewEnough, locateBundledNode } from './locate.mjs';
import { runPnpm } from './pnpm.mjs';

/** Installs the dependencies unless that was done for this exact lockfile. Returns an exit code. */
export async function install(top) {
  const stamp = join(top, 'node_modules', '.rentapi-installed');
  const wanted = fingerprint(top);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return 0;

  say(
    existsSync(stamp)
      ? 'The dependencies changed: installing them.'
      : 'First start: installing the dependencies (once).',
  );
  rmSync(stamp, { force: true });
  const started = Date.now();
  const code = await installWithPnpm(top);
  if (code > 128) return code; // interrupted
  if (code !== 0) {
    say('Installing failed (see above). The first time, an npm registry must be within reach.');
    return code;
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
  say(`Installed in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
  return 0;
}

async function installWithPnpm(top) {
  const flags = [
    '--frozen-lockfile',
    '--prefer-offline',
    process.stdout.isTTY ? '--reporter=default' : '--reporter=append-only',
    '--config.confirm-modules-purge=false',
    '--config.update-notifier=false',
  ];
  // The one install script that may run fetches a Node. A host with a new enough Node skips it.
  if (isHostNodeNewEnough(top)) return runPnpm(['install', ...flags, '--ignore-scripts']);

  // Packages are checked by the Node that will run them, or each would warn about the host's.
  const { devDependencies } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'));
  const judge = `--config.node-version=${devDependencies.node}`;
  const code = await runPnpm(['install', ...flags, judge]);
  // Where an earlier install skipped the script, pnpm finds everything in place and does not run it.
  if (code !== 0 || existsSync(locateBundledNode(top))) return code;
  return runPnpm(['rebuild', judge, 'node']);
}

function fingerprint(top) {
  const hash = createHash('sha256');
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(top, file)));
  hash.update(`${process.platform} ${process.arch} ${isHostNodeNewEnough(top) ? 'host' : 'bundled'}`);
  return hash.digest('hex');
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
