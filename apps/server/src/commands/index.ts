import type { Env } from '@rentapi/platform/env';
import { isBuilt } from '../files.ts';
import { VERSION } from '../version.ts';

/**
 * Resolves to the exit code. Commands read `env` only if they need it: the document is made with an empty environment.
 */
export type Command = (env: () => Env) => Promise<number>;

export const USAGE = `Usage: rentapi <command>

  start                       serve clients and run jobs in one process (as npm start does)
  api                         serve clients only; needs DATABASE_URL, REDIS_URL and a worker
  worker [--queues=a,b]       run jobs only, of all queues or of these
  dev                         as start, restarted when a source changes
  migrate up|down|status      migrate the database, undo the last migration, list all
  migrate new <name>          add a migration file
  migrate check               compare the models with the database
  seed                        add demo data to an empty database
  create-admin <email>        create a SUPER_ADMIN; the password is read from standard input. An existing account
                              is promoted, and its password replaced
  openapi                     print the OpenAPI document
  audit verify                check every organization's audit log and name the first broken link
  id <public id>              decode a public id
  help, version               print this, or the version
`;

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
  audit: { takes: 1, load: async (args) => (await import('./audit.ts')).audit(args) },
  id: { takes: 1, load: async (args) => (await import('./id.ts')).id(args) },
  help: { takes: 1, load: async () => printing(USAGE) },
  version: { takes: 0, load: async () => printing(`${VERSION}\n`) },
};

const SPELLINGS: Record<string, string> = { '--help': 'help', '-h': 'help', '--version': 'version', '-v': 'version' };

/** The command that was called, or the sentence that explains why there is none. */
export function find(name: string, args: string[]): Command | string {
  const asksForHelp = args.some((arg) => SPELLINGS[arg] === 'help');
  const row = asksForHelp ? commands['help'] : own(commands, own(SPELLINGS, name) ?? name);
  if (!row) return name ? `There is no command \`${name}\`.` : 'Name a command.';
  if (row.sources && isBuilt) return `\`${name}\` works on the sources: call it in a checkout of the repository.`;
  const surplus = asksForHelp ? undefined : args[row.takes];
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
