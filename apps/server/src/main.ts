#!/usr/bin/env node
import { BadSettingError, type Env, findMisspelledSettings, readEnv } from '@rentapi/platform/env';
import { USAGE } from './commands/help.ts';
import { find } from './commands/index.ts';
import { printLine } from './print-line.ts';

/**
 * Exit codes: 0 done, 1 failed, 2 wrong usage. A failure that an operator can fix is one sentence, never a stack trace.
 */
const [name = '', ...args] = process.argv.slice(2);
if (!runsOn(process.versions.node)) {
  process.stderr.write(`RentAPI needs Node 22.21, or 24.9 and newer: this is ${process.version}.\n`);
  process.exit(1);
}
for (const stream of [process.stdout, process.stderr]) stream.on('error', carryOn);
try {
  const command = find(name, args);
  if (typeof command === 'string') {
    process.stderr.write(`${command}\n${USAGE}`);
    process.exitCode = 2;
  } else process.exitCode = await command(readSettings);
} catch (error) {
  const known = error instanceof BadSettingError || (error instanceof Error && !isBug(error));
  process.stderr.write(`${known ? (error as Error).message : ((error as Error).stack ?? String(error))}\n`);
  process.exitCode = 1;
}
process.exit();

function readSettings(): Env {
  for (const warning of findMisspelledSettings(process.env)) printLine(warning);
  return readEnv(process.env);
}

/** `… | head -1` stops reading early: what was begun is ended all the same, including the database. */
function carryOn(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** A build starts on an older Node too, where every `Upgrade` is a socket for want of `shouldUpgradeCallback`. */
function runsOn(node: string): boolean {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 9) || (major === 22 && minor >= 21);
}

function isBug(error: Error): boolean {
  return [TypeError, ReferenceError, RangeError, SyntaxError].some((kind) => error instanceof kind);
}
