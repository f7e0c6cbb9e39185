import path from 'node:path';
import { startEmbeddedPostgres } from '@rentapi/platform/embedded-postgres';
import { loadOrCreateSecrets } from '@rentapi/platform/embedded-secrets';
import { readEnv } from '@rentapi/platform/env';
import { superviseServer } from './dev/supervisor.ts';
import { watchSources } from './dev/watch.ts';
import { printLine } from './print-line.ts';
import { onStopSignal } from './signals.ts';

const REPOSITORY = path.resolve(import.meta.dirname, '../../..');

/**
 * `rentapi dev`: the server as a child process that restarts when a source changes, and a database that stays up.
 * Returns the exit code once Ctrl-C or SIGTERM has stopped both, the database last.
 */
export async function dev(env: NodeJS.ProcessEnv): Promise<number> {
  const stopped = new Promise<void>((resolve) => onStopSignal(resolve)); // later signals change nothing
  const settings = readEnv(env);
  const database = settings.DATABASE_URL ? undefined : await startDatabase(settings.DATA_DIR, settings.PORT);
  const server = superviseServer({
    program: path.join(import.meta.dirname, 'main.ts'),
    env: database ? { ...withoutGiven(database.secrets, env), ...withoutEmpty(env), ...database.urls } : env,
    printLine,
  });
  const watch = watchSources(REPOSITORY, (file) => {
    printLine(`${file} changed: restarting.`);
    void server.restart();
  });
  await stopped;
  watch.close();
  await server.stop();
  await database?.stop();
  return 0;
}

/** Lets the child use the embedded database, which it takes for an external PostgreSQL. */
async function startDatabase(dataDir: string, port: number) {
  const server = await startEmbeddedPostgres({
    dataDir,
    label: `rentapi ${process.pid} http ${port}`,
    onStep: printLine,
  });
  const urls = { DATABASE_URL: server.servingUrl, DATABASE_MIGRATION_URL: server.url };
  return { urls, secrets: loadOrCreateSecrets(dataDir), stop: server.stop };
}

/** A secret that is given as a file would be there twice. */
function withoutGiven(secrets: Record<string, string>, env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(secrets).filter(([name]) => !env[`${name}_FILE`]));
}

/** An empty setting counts as absent, and must not hide a stored secret. */
function withoutEmpty(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
}
