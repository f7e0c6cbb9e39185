import { DEMO_ADMIN, hasDemoAccounts, seedDemoData } from '@rentapi/api/demo-data';
import { assertSecrets } from '@rentapi/api/deployment-secrets';
import { MIGRATIONS } from '@rentapi/api/migrations';
import { startWork } from '@rentapi/api/outbox/work';
import { closePorts } from '@rentapi/api/ports';
import { ensureSuperAdmin, hasSuperAdmin } from '@rentapi/api/superusers';
import { BadSettingError, type Env } from '@rentapi/platform/env';
import { migrateUp } from '@rentapi/platform/migrations';
import { createHttpServer, type HttpServer } from '../http/server.ts';
import { type Opened, open } from '../open.ts';
import { say } from '../say.ts';
import { untilStopped } from '../signals.ts';
import type { Command } from './index.ts';

/** Serves everything in one process until a signal stops it: requests first, then work, then the database. */
export const start: Command = async (readSettings) => {
  const stopped = untilStopped();
  const env = readSettings();
  const opened = await open(env, say);
  let http: HttpServer | undefined;
  let work: ReturnType<typeof startWork> | undefined;
  try {
    http = await createHttpServer(opened);
    await prepare(opened);
    work = startWork(opened.ports, opened.directUrl);
    http.serve(work.feed);
    announce(env, http.port, opened.mailbox !== null, await hasDemoAccounts(opened.ports.database));
    await stopped;
    say('Stopping: finishing the requests under way.');
    opened.ports.process.draining = true;
    return 0;
  } finally {
    await http?.close();
    await work?.stop();
    await closePorts(opened.ports);
    await opened.embedded?.stop();
  }
};

/** Migrates, proves that the secrets are this database's, and makes the first accounts. */
async function prepare({ ports, secrets, directUrl }: Opened): Promise<void> {
  const { env, database } = ports;
  await migrateUp(directUrl, MIGRATIONS, say);
  await assertSecrets(database, secrets, env.SECRET_KEYS_OLD);
  const { FIRST_SUPERUSER_EMAIL: email, FIRST_SUPERUSER_PASSWORD: password } = env;
  if (email && password && !(await hasSuperAdmin(database))) {
    await ensureSuperAdmin(ports, { email, password });
    say(`${email} is the first SUPER_ADMIN.`);
  }
  if (env.SEED_DEMO && (await seedDemoData(ports))) say('Demo data is in.');
  await assertDemoAccountsStayHome(ports.env, database);
}

/** The passwords of the demo accounts are printed in the README. */
async function assertDemoAccountsStayHome(env: Env, database: Opened['ports']['database']): Promise<void> {
  if (!env.production && isLoopback(env.HOST)) return;
  if (!(await hasDemoAccounts(database))) return;
  if (env.production)
    throw new BadSettingError(
      'NODE_ENV: this database holds demo accounts, whose passwords are published; use another database in production.',
    );
  throw new BadSettingError(
    `HOST: ${env.HOST} is open to others while demo accounts exist, whose passwords are published; use 127.0.0.1, or another database.`,
  );
}

const isLoopback = (host: string): boolean => /^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host);

function announce(env: Env, port: number, mailIsCaptured: boolean, demo: boolean): void {
  const base = env.PUBLIC_URL.replace(/:0$/, `:${port}`);
  const lines: [string, string][] = [
    ['API', `${base}/api/v1`],
    ['Reference', `${base}/docs`],
    ['Start page', `${base}/`],
  ];
  if (mailIsCaptured) lines.push(['Captured mail', `${base}/dev/mail`]);
  if (demo) lines.push(['Demo account', `${DEMO_ADMIN.email} / ${DEMO_ADMIN.password}`]);
  say(`\nRentAPI is ready on http://${env.HOST.includes(':') ? `[${env.HOST}]` : env.HOST}:${port}`);
  for (const [name, value] of lines) say(`  ${name.padEnd(14)} ${value}`);
}
