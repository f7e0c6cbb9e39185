#!/usr/bin/env node
import { BadSettingError, readEnv } from '@rentapi/platform/env';
import { run, USAGE } from './commands/index.ts';

/** Exit codes: 0 done, 1 failed, 2 called wrongly. A failure that an operator can mend is one sentence, never a stack trace. */
const [command = '', ...args] = process.argv.slice(2);
try {
  const work = run(command, args);
  if (!work) {
    process.stderr.write(`${command ? `There is no command \`${command}\`.\n` : ''}${USAGE}`);
    process.exitCode = 2;
  } else process.exitCode = await work(() => readEnv(process.env));
} catch (error) {
  const known = error instanceof BadSettingError || (error instanceof Error && !isBug(error));
  process.stderr.write(`${known ? (error as Error).message : ((error as Error).stack ?? String(error))}\n`);
  process.exitCode = 1;
}
process.exit();

function isBug(error: Error): boolean {
  return [TypeError, ReferenceError, RangeError, SyntaxError].some((kind) => error instanceof kind);
}
