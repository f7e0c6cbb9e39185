// The commands of README.md, the guides and the runbooks, and how a user's shell reads them.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const PASTE_TIMEOUT_MS = 60_000;

/** README.md and the guides, each with the ```bash blocks that follow `<!-- ci -->`, as one session. */
export function documentCommands() {
  const [readme, ...guides] = ['README.md', ...documentsIn('docs/guides')].map(commandsOf);
  if (!readme.commands)
    throw new Error('README.md has no ```bash block after <!-- ci -->: its commands would go unchecked.');
  return [readme, ...guides.filter(({ commands }) => commands)];
}

/** The same of what operators do. */
export function runbookCommands() {
  return documentsIn('docs/runbooks').map(commandsOf);
}

const documentsIn = (directory) =>
  readdirSync(join(root, directory))
    .sort()
    .map((name) => `${directory}/${name}`);

function commandsOf(name) {
  const text = readFileSync(join(root, name), 'utf8');
  for (const [, block] of text.matchAll(/```(?:bash|sh)\n([\s\S]*?)```/g)) assertPasteable(name, block);
  reportOthers(name, text);
  const blocks = [...text.matchAll(/<!-- ci(?: needs (\S+))? -->\s*```bash\n([\s\S]*?)```/g)].filter(([, program]) =>
    isThere(name, program),
  );
  return { name, commands: blocks.map(([, , block]) => block).join('\n') };
}

/** Blocks in other languages: which file runs them, or that none does. */
function reportOthers(name, text) {
  const runners = new Map();
  for (const [, by, language] of text.matchAll(/(?:<!-- ci by (\S+) -->\s*)?```(?!bash|sh\n)(\w+)\n[\s\S]*?```/g)) {
    if (by && !readFileSync(join(root, by), 'utf8').includes(name))
      throw new Error(`${name} says that ${by} runs a block of it, which does not name it.`);
    const said = by ? `RUN by ${by}: ${language}` : `SKIPPED, because no shell runs it: ${language}`;
    runners.set(said, (runners.get(said) ?? 0) + 1);
  }
  for (const [said, count] of runners) process.stdout.write(`${name}: ${count} × ${said}.\n`);
}

function isThere(name, program) {
  if (!program || spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0) return true;
  process.stdout.write(`SKIPPED: a block of ${name}, because ${program} is not installed.\n`);
  return false;
}

/**
 * A script may contain what a prompt does not accept: zsh runs `#` as a command, and both shells replace `!word` from
 * history.
 */
function assertPasteable(name, block) {
  const unquoted = block.replace(/'[^']*'/g, "''");
  const [line] = /^.*(?:^|\s)#.*$|^.*![^\s=(].*$/m.exec(unquoted) ?? [];
  if (line === undefined) return;
  throw new Error(`${name} has a block that cannot be pasted: put comments between blocks and \`!\` in '…': ${line}`);
}

/** Types the commands at the prompt of a shell on a terminal, with history expansion on; the first failure ends it. */
export async function paste({ name, commands }, url) {
  if (process.platform !== 'linux') return; // `script` has other arguments on other systems
  process.stdout.write(`\n— ${name}, pasted\n`);
  const shell = spawn('script', ['-qec', 'bash --noprofile --norc -i -o histexpand', '/dev/null'], {
    cwd: root,
    env: { ...process.env, BASE: url, PS1: '$ ', HISTFILE: '' },
    stdio: ['pipe', 'inherit', 'inherit'],
    timeout: PASTE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  shell.stdin.end(`set -e -o pipefail\n${commands}\nexit\n`);
  const [code] = await once(shell, 'exit');
  if (code !== 0) throw new Error(`The commands of ${name} failed with ${code ?? 'a timeout'} when they were pasted.`);
}
