import type { Env } from '@rentapi/platform/env';
import { isBuilt } from '../files.ts';
import { VERSION } from '../version.ts';
import { HELP, USAGE } from './help.ts';

/**
 * Resolves to the exit code. Commands read `env` only if they need it: the document is made with an empty environment.
 */
export type Command = (env: () => Env) => Promise<number>;

interface Row {
  /** The maximum number of arguments: one too many was probably a mistake. */
  takes: number;
  /** Whether it works on the sources, which a build does not have. */
  sources?: boolean;
  load(args: string[]): Promise<Command>;
}

const commands: Record<string, Row> = {
  start: { takes: 0, load: async () => (await import('./start.ts')).start },
  api: { takes: 0, load: async () => (await import('./api.ts')).api },
  worker: { takes: 1, load: async (args) => (await import('./worker.ts')).worker(args) },
  dev: { takes: 0, sources: true, load: async () => async () => (await import('../dev.ts')).dev(process.env) },
  migrate: { takes: 2, load: async (args) => (await import('./migrate.ts')).migrate(args) },
  seed: { takes: 0, load: async () => (await import('./seed.ts')).seed },
  'create-admin': { takes: 1, load: async (args) => (await import('./create-admin.ts')).createAdmin(args) },
  openapi: { takes: 0, load: async () => (await import('./openapi.ts')).openapi },
  asyncapi: { takes: 0, load: async () => (await import('./asyncapi.ts')).asyncapi },
  audit: { takes: 1, load: async (args) => (await import('./audit.ts')).audit(args) },
  billing: { takes: 9, load: async (args) => (await import('./billing.ts')).billing(args, process.env) },
  secrets: { takes: 1, load: async (args) => (await import('./secrets.ts')).secrets(args) },
  id: { takes: 1, load: async (args) => (await import('./id.ts')).id(args) },
  help: { takes: 1, load: async ([name = 'help']) => printing(own(HELP, name) ?? USAGE) },
  version: { takes: 0, load: async () => printing(`${VERSION}\n`) },
};

const SPELLINGS: Record<string, string> = { '--help': 'help', '-h': 'help', '--version': 'version', '-v': 'version' };

/** The command that was called, or the sentence that explains why there is none. */
export function find(name: string, args: string[]): Command | string {
  const row = own(commands, own(SPELLINGS, name) ?? name);
  if (!row) return name ? `There is no command \`${name}\`.` : 'Name a command.';
  if (args.some((arg) => SPELLINGS[arg] === 'help')) return printing(own(HELP, name) ?? USAGE);
  if (row.sources && isBuilt) return `\`${name}\` works on the sources: call it in a checkout of the repository.`;
  const surplus = args[row.takes];
  if (surplus !== undefined) return `\`${name}\` does not take \`${surplus}\`.`;
  return async (env) => (await row.load(args))(env);
}

function own<Value>(record: Record<string, Value>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function printing(text: string): Command {
  return async () => {
    process.stdout.write(text);
    return 0;
  };
}
