import path from 'node:path';
import type { Ports } from '@rentapi/api/context';
import { SECRET_FIELDS } from '@rentapi/api/contract/secret-fields';
import { RESTRICTED_TABLES } from '@rentapi/api/data/restricted-tables';
import { openPorts } from '@rentapi/api/ports';
import type { PaymentProviders } from '@rentapi/payments/providers';
import type { ServingRole } from '@rentapi/platform/database/serving-role';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@rentapi/platform/embedded-postgres';
import { loadOrCreateSecrets } from '@rentapi/platform/embedded-secrets';
import type { Env } from '@rentapi/platform/env';
import { createLogger, type LogFormat } from '@rentapi/platform/logger';
import { createCaptureMailer, type Mailbox, type Mailer } from '@rentapi/platform/mail';
import { createResendMailer } from '@rentapi/platform/mail/resend';
import { makeDirectory } from '@rentapi/platform/make-directory';
import { openObservers } from './observers.ts';
import { VERSION } from './version.ts';

export interface Runtime {
  ports: Ports;
  secrets: { SECRET_KEY: string; ID_SECRET: string; PASSWORD_PEPPER: string };
  databaseUrl: string;
  /** For work that must outlive a pooled transaction: listeners, the sequencer. */
  directUrl: string;
  /** As the role that migrates. */
  migrationUrl: string;
  /** The role that serves, where it is another than the one that migrates. */
  serving: ServingRole | undefined;
  /** Where captured mail is read; null where mail is really sent. */
  mailbox: Mailbox | null;
  embedded: EmbeddedPostgres | null;
}

interface BootstrapOptions {
  /** Uses the embedded database of a running server. */
  attach?: boolean;
  /** In place of the providers whose settings are there. */
  payments?: PaymentProviders | undefined;
}

/** Starts the database (embedded, unless DATABASE_URL names another) and opens what every command needs. */
export async function bootstrap(
  env: Env,
  say: (line: string) => void,
  { attach = false, payments }: BootstrapOptions = {},
): Promise<Runtime> {
  const dataDir = path.resolve(env.DATA_DIR);
  const label = `rentapi ${process.pid}${attach ? '' : ` http ${env.PORT}`}`;
  const embedded = env.DATABASE_URL ? null : await startEmbeddedPostgres({ dataDir, label, attach, onStep: say });
  makeDirectory(dataDir);
  const databaseUrl = env.DATABASE_URL ?? embedded!.servingUrl;
  const directUrl = env.DATABASE_DIRECT_URL ?? databaseUrl;
  const ownerUrl = embedded ? embedded.url : env.DATABASE_MIGRATION_URL;
  const secrets = { ...(embedded && loadOrCreateSecrets(dataDir)), ...givenSecrets(env) } as Runtime['secrets'];
  const { mailer, mailbox } = await openMailer(env, dataDir);
  const ports = openPorts({
    env,
    log: createLogger({ level: env.LOG_LEVEL, format: logFormat(env), secretFields: SECRET_FIELDS }),
    databaseUrl,
    directUrl,
    secrets,
    mailer,
    version: VERSION,
    ...(payments && { payments }),
    ...(await openObservers(env)),
  });
  return {
    ports,
    secrets,
    databaseUrl,
    directUrl,
    migrationUrl: ownerUrl ?? directUrl,
    serving: ownerUrl ? { urls: [databaseUrl, directUrl], restricted: RESTRICTED_TABLES } : undefined,
    mailbox,
    embedded,
  };
}

/** A person at a terminal reads lines, everything else JSON. */
function logFormat(env: Env): LogFormat {
  return env.LOG_FORMAT ?? (process.stdout.isTTY && !env.production ? 'pretty' : 'json');
}

/** Casts are safe: `readEnv` checked that each driver has its settings. */
async function openMailer(env: Env, dataDir: string): Promise<{ mailer: Mailer; mailbox: Mailbox | null }> {
  const { MAIL_DRIVER: driver, MAIL_FROM: from, SMTP_URL: url, RESEND_API_KEY: apiKey, RESEND_BASE_URL: baseUrl } = env;
  if (driver === 'smtp') {
    const { createSmtpMailer } = await import('@rentapi/platform/mail/smtp');
    return { mailer: createSmtpMailer({ url: url!, from }), mailbox: null };
  }
  if (driver === 'resend') return { mailer: createResendMailer({ apiKey: apiKey!, from, baseUrl }), mailbox: null };
  const mailbox = createCaptureMailer(path.join(dataDir, 'mail'), () => new Date());
  return { mailer: mailbox, mailbox };
}

/**
 * The environment wins over the secrets that embedded mode keeps in DATA_DIR. With DATABASE_URL, `readEnv` requires all
 * three.
 */
function givenSecrets({ SECRET_KEY, ID_SECRET, PASSWORD_PEPPER }: Env): Partial<Runtime['secrets']> {
  return {
    ...(SECRET_KEY && { SECRET_KEY }),
    ...(ID_SECRET && { ID_SECRET }),
    ...(PASSWORD_PEPPER && { PASSWORD_PEPPER }),
  };
}
