import path from 'node:path';
import type { Ports } from '@rentapi/api/context';
import { SECRET_FIELDS } from '@rentapi/api/contract/secret-fields';
import { openPorts } from '@rentapi/api/ports';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@rentapi/platform/embedded-postgres';
import { loadOrCreateSecrets } from '@rentapi/platform/embedded-secrets';
import type { Env } from '@rentapi/platform/env';
import { createLogger } from '@rentapi/platform/logger';
import { createCaptureMailer, type Mailbox, type Mailer } from '@rentapi/platform/mail';
import { createResendMailer } from '@rentapi/platform/mail/resend';
import { createSmtpMailer } from '@rentapi/platform/mail/smtp';
import { makeDirectory } from '@rentapi/platform/make-directory';
import { openObservers } from './observers.ts';
import { VERSION } from './version.ts';

export interface Runtime {
  ports: Ports;
  secrets: { SECRET_KEY: string; ID_SECRET: string; PASSWORD_PEPPER: string };
  databaseUrl: string;
  /** For what must outlive a pooled transaction: listeners, the sequencer, migrations. */
  directUrl: string;
  /** Where captured mail is read; null where mail leaves for good. */
  mailbox: Mailbox | null;
  embedded: EmbeddedPostgres | null;
}

/**
 * Brings up the database (ours, unless DATABASE_URL names another) and what every command needs. A command that may run `beside` a
 * server uses that one's database.
 */
export async function bootstrap(
  env: Env,
  say: (line: string) => void,
  { beside: attach = false } = {},
): Promise<Runtime> {
  const dataDir = path.resolve(env.DATA_DIR);
  const label = `rentapi ${process.pid}${attach ? '' : ` http ${env.PORT}`}`;
  const embedded = env.DATABASE_URL ? null : await startEmbeddedPostgres({ dataDir, label, attach: attach, say });
  makeDirectory(dataDir);
  const databaseUrl = env.DATABASE_URL ?? embedded!.url;
  const directUrl = env.DATABASE_DIRECT_URL ?? databaseUrl;
  const secrets = { ...(embedded && loadOrCreateSecrets(dataDir)), ...givenSecrets(env) } as Runtime['secrets'];
  const { mailer, mailbox } = openMailer(env, dataDir);
  const ports = openPorts({
    env,
    log: createLogger({ level: env.LOG_LEVEL, secretFields: SECRET_FIELDS }),
    databaseUrl,
    directUrl,
    secrets,
    mailer,
    version: VERSION,
    ...(await openObservers(env)),
  });
  return { ports, secrets, databaseUrl, directUrl, mailbox, embedded };
}

/** What a driver needs is there: `readEnv` saw to it. */
function openMailer(env: Env, dataDir: string): { mailer: Mailer; mailbox: Mailbox | null } {
  const { MAIL_DRIVER: driver, MAIL_FROM: from, SMTP_URL: url, RESEND_API_KEY: apiKey, RESEND_BASE_URL: baseUrl } = env;
  if (driver === 'smtp') return { mailer: createSmtpMailer({ url: url!, from }), mailbox: null };
  if (driver === 'resend') return { mailer: createResendMailer({ apiKey: apiKey!, from, baseUrl }), mailbox: null };
  const mailbox = createCaptureMailer(path.join(dataDir, 'mail'), () => new Date());
  return { mailer: mailbox, mailbox };
}

/** The environment wins over what embedded mode keeps in DATA_DIR. With DATABASE_URL all three are there: `readEnv` saw to it. */
function givenSecrets({ SECRET_KEY, ID_SECRET, PASSWORD_PEPPER }: Env): Partial<Runtime['secrets']> {
  return {
    ...(SECRET_KEY && { SECRET_KEY }),
    ...(ID_SECRET && { ID_SECRET }),
    ...(PASSWORD_PEPPER && { PASSWORD_PEPPER }),
  };
}
