import { MIGRATIONS } from '@rentapi/api/data/migrations';
import { hasDemoAccounts, seedDemoData } from '@rentapi/api/demo-data';
import { assertSecrets } from '@rentapi/api/deployment-secrets';
import { ensureSuperAdmin, hasSuperAdmin } from '@rentapi/api/superusers';
import { ADVISORY_LOCKS } from '@rentapi/platform/advisory-locks';
import { BadSettingError, type Env } from '@rentapi/platform/env';
import { findPlainConnections } from '@rentapi/platform/env/plain-connections';
import { isLoopback } from '@rentapi/platform/ip';
import { migrateUp } from '@rentapi/platform/migrations';
import type { Runtime } from './bootstrap.ts';
import { printLine } from './print-line.ts';

/**
 * Refuses an unusable database, migrates, checks that the secrets belong to this database, and warns of settings that
 * would lock users out or send data in the clear. Any number of processes may start at once.
 */
export async function prepareDatabase(opened: Runtime): Promise<void> {
  const { ports, secrets, migrationUrl, serving } = opened;
  await migrateUp(migrationUrl, MIGRATIONS, { say: printLine, serving });
  await assertSecrets(ports.database, secrets, {
    SECRET_KEY: ports.env.SECRET_KEYS_OLD,
    PASSWORD_PEPPER: ports.env.PASSWORD_PEPPER_OLD,
  });
  warnOfCapturedMail(opened);
  warnOfPlainConnections(opened);
}

/** A server without mail starts without an error, but users who register can never log in. */
function warnOfCapturedMail({ ports, mailbox }: Runtime): void {
  if (!ports.env.production || !mailbox) return;
  const warning = 'No mail is sent: it is captured, so users who register get no link and cannot log in';
  printLine(`${warning}. Set MAIL_DRIVER to smtp or resend (docs/guides/deploy.md).`);
  ports.log.warn(warning);
}

function warnOfPlainConnections({ ports }: Runtime): void {
  if (!ports.env.production) return;
  for (const warning of findPlainConnections(ports.env, process.env)) {
    printLine(`${warning} See docs/guides/deploy.md.`);
    ports.log.warn(warning);
  }
}

/** Creates the first accounts, for processes that serve clients. */
export async function prepareAccounts({ ports }: Runtime): Promise<void> {
  const { env, database } = ports;
  // Two processes that start together would both find the database empty.
  await database.transaction(async (lock) => {
    await lock.raw('select pg_advisory_xact_lock(?)', [ADVISORY_LOCKS.preparation]);
    const { FIRST_SUPERUSER_EMAIL: email, FIRST_SUPERUSER_PASSWORD: password } = env;
    if (email && password && !(await hasSuperAdmin(database))) {
      await ensureSuperAdmin(ports, { email, password });
      printLine(`${email} is the first SUPER_ADMIN.`);
    }
    if (env.SEED_DEMO && (await seedDemoData(ports))) printLine('The demo data was added.');
  });
  await assertDemoAccountsStayHome(env, database);
}

/** The passwords of the demo accounts are printed in the README. */
async function assertDemoAccountsStayHome(env: Env, database: Runtime['ports']['database']): Promise<void> {
  if (!env.production && (env.HOST === 'localhost' || isLoopback(env.HOST))) return;
  if (!(await hasDemoAccounts(database))) return;
  if (env.production)
    throw new BadSettingError(
      'NODE_ENV: this database contains demo accounts, whose passwords are published; use another database in production.',
    );
  throw new BadSettingError(
    `HOST: ${env.HOST} is open to others while demo accounts exist, whose passwords are published; use 127.0.0.1, or another database.`,
  );
}
