// The program behind `npm start` and `npm test`: plain JavaScript without dependencies, for any Node from 18 on.
// It installs what the lockfile says, picks a Node that runs TypeScript, and hands over.
//
//   node tools/run.mjs apps/server/src/main.ts start   a program of this repository
//   node tools/run.mjs vitest run                      a tool among the root's dependencies
//   node tools/run.mjs pnpm install                    pnpm, the pinned version; nothing global is needed
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runChild } from './run/child.mjs';
import { install } from './run/install.mjs';
import { locateNode, locateTool } from './run/locate.mjs';
import { runPnpm } from './run/pnpm.mjs';

const top = dirname(dirname(fileURLToPath(import.meta.url)));

/** V8 would let what is young in a server grow to 128 MB while a large report is made. */
const PROGRAM_FLAGS = ['--max-semi-space-size=16'];

/** The pnpm commands that change what is installed: installing before them would interfere. */
const INSTALLING = ['install', 'i', 'add', 'remove', 'update', 'up', 'dedupe', 'store', 'approve-builds'];

async function main([command, ...args]) {
  process.chdir(top);
  if (!command) return fail('usage: node tools/run.mjs <file | tool | pnpm> [arguments]', 2);
  if (command === 'pnpm' && (args.length === 0 || INSTALLING.includes(args[0]))) return runPnpm(args);

  const installed = await install(top);
  if (installed !== 0) return installed;
  if (command === 'pnpm') return runPnpm(args);

  const node = locateNode(top);
  if (!node) {
    return fail(
      `RentAPI needs Node 22.21, or 24.9 and newer (this is ${process.version}), and none could be installed for ${process.platform}-${process.arch}.`,
    );
  }
  const isProgram = /\.(m|c)?[jt]s$/.test(command);
  const file = isProgram ? command : locateTool(top, command);
  if (!file) return fail(`${command} is neither a program of this repository nor a tool among its dependencies.`, 127);

  // Node 22 warns that running TypeScript is experimental; operators cannot act on that.
  return runChild(node, ['--disable-warning=ExperimentalWarning', ...(isProgram ? PROGRAM_FLAGS : []), file, ...args], {
    env: {
      // Stripping types takes half a second at each start, and 20 MB.
      NODE_COMPILE_CACHE: join(top, 'node_modules', '.cache', 'node'),
      ...process.env,
      PATH: dirname(node) + delimiter + join(top, 'node_modules', '.bin') + delimiter + process.env.PATH,
    },
  });
}

function fail(sentence, code = 1) {
  process.stderr.write(`${sentence}\n`);
  return code;
}

process.exitCode = await main(process.argv.slice(2));
