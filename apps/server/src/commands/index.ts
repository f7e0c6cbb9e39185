import type { Env } from '@rentapi/platform/env';

/** Resolves to the exit code. `env` is read only by what needs it, so that the document is made with an empty environment. */
export type Command = (env: () => Env) => Promise<number>;

export const USAGE = `Usage: rentapi <command>

  start                       serve and work in one process (the default of npm start)
  api                         serve only; needs DATABASE_URL, REDIS_URL and a worker
  worker [--queues=a,b]       work only, on all queues or on these
  dev                         the same, started again on a change
  migrate up|down|status      bring the database up to date, take the last migration back, list them
  migrate new <name>          add a migration file
  migrate check               compare the models with the database
  seed                        put demo data into an empty database
  create-admin <email>        make a SUPER_ADMIN; the password is read from standard input
  openapi                     print the OpenAPI document
  audit verify                follow every organization's audit log and name the first broken link
  id <public id>              decode a public id
`;

const commands: Record<string, (args: string[]) => Promise<Command>> = {
  start: async () => (await import('./start.ts')).start,
  api: async () => (await import('./api.ts')).api,
  worker: async (args) => (await import('./worker.ts')).worker(args),
  dev: async () => async () => (await import('../dev.ts')).dev(process.env),
  migrate: async (args) => (await import('./migrate.ts')).migrate(args),
  seed: async () => (await import('./seed.ts')).seed,
  'create-admin': async (args) => (await import('./create-admin.ts')).createAdmin(args),
  openapi: async () => (await import('./openapi.ts')).openapi,
  audit: async (args) => (await import('./audit.ts')).audit(args),
  id: async (args) => (await import('./id.ts')).id(args),
};

export function run(name: string, args: string[]): Command | undefined {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  return load && (async (env) => (await load(args))(env));
}
