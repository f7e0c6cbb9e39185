import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { DatabaseUrlError, parseDatabaseUrl } from './database-url.ts';
import { describeIssue } from './describe-issue.ts';
import { DATABASE_PART_NAMES, databaseParts, databaseUrlOfParts } from './env/database-parts.ts';
import { findMisspelled } from './env/misspelled.ts';
import { findProductionFaults } from './env/production.ts';
import { whole } from './env/whole.ts';
import { isLoopbackHost } from './ip.ts';
import { mailAddressFault } from './mail-address.ts';
import { isOrigin, ORIGIN_SHAPE } from './origins.ts';
import { parseRedisUrl } from './redis/address.ts';
import { KEY_ALGORITHMS, readPublicKeys, readSigningKey, SigningKeyError } from './signing-keys.ts';

const flag = z.stringbool({ truthy: ['true', '1', 'yes', 'on'], falsy: ['false', '0', 'no', 'off'] });
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);
/** A name, or all names below one: nothing else of an address. */
const hostPattern = z.string().refine((text) => {
  const name = text.replace(/^\*\./, '');
  return !/[/?#@:*\s]/.test(name) && URL.canParse(`https://${name}`);
}, 'must look like example.com,*.example.org');
const secret = z.string().min(32, 'must have at least 32 characters');
const url = z.url({ protocol: /^https?$/ }).transform((text) => text.replace(/\/+$/, ''));
/** Paths are added to it, and it is sent to everyone. */
const baseUrl = url.refine((text) => {
  const parsed = URL.parse(text);
  return parsed !== null && !parsed.username && !parsed.password && !/[?#]/.test(text);
}, 'must be an address such as https://api.example.com, without a user, a query or a fragment');
/** Secrets and money are sent there. */
const providerBase = baseUrl.refine((text) => {
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || isLoopbackHost(hostname);
}, 'must begin with https://, except on this machine');
/** Kept as it is written: an issuer that ends with a slash is another one. */
const issuer = z.url({ protocol: /^https?$/ }).refine((text) => {
  const parsed = URL.parse(text);
  return parsed !== null && !parsed.username && !parsed.password && !/[?#]/.test(text);
}, 'must be an address such as https://login.example.com, without a user, a query or a fragment');
/** Checked by what the driver makes of it. */
const databaseUrl = z.string().superRefine((text, ctx) => {
  try {
    parseDatabaseUrl(text);
  } catch (error) {
    if (!(error instanceof DatabaseUrlError)) throw error;
    ctx.addIssue({ code: 'custom', message: error.message });
  }
});
const origin = z.string().refine((text) => text === '*' || isOrigin(text), `each must be ${ORIGIN_SHAPE}`);
const mailAddress = z.string().superRefine((text, ctx) => {
  const fault = mailAddressFault(text);
  if (fault) ctx.addIssue(fault);
});
const country = z.string().regex(/^[A-Z]{2}$/, 'must be two capital letters such as DE');
/** `DE=19` as the country and millionths; `*` means every other country. */
const taxRate = z
  .string()
  .regex(/^([A-Z]{2}|\*)=\d{1,2}(\.\d{1,4})?$/, 'must look like DE=19,FR=20,*=0, in percent')
  .transform((text): [country: string, ppm: number] => {
    const [of, percent] = text.split('=') as [string, string];
    return [of, Math.round(Number(percent) * 10_000)];
  });
const BYTES = { b: 1, kb: 1024, mb: 1024 ** 2 };
const size = z
  .string()
  .regex(/^\d+(b|kb|mb)$/i, 'must look like 512kb or 1mb')
  .transform((text) => Number.parseInt(text, 10) * BYTES[/[a-z]+$/i.exec(text)![0].toLowerCase() as keyof typeof BYTES])
  .refine((bytes) => bytes > 0, 'must be more than 0');

/** Every setting, with its default. Only defaults may depend on NODE_ENV; no other code reads it. */
const settings = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  PORT: whole(0, 65_535).default(8000),
  HOST: z.string().default('127.0.0.1'),
  WORKER_PORT: whole(0, 65_535).optional(),
  PUBLIC_URL: baseUrl.optional(),
  CONSOLE_URL: baseUrl.optional(),
  PASSKEY_RP_ID: z
    .string()
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, 'must be a host such as example.com, in lower case')
    .optional(),
  SECURITY_CONTACT: z
    .url({
      protocol: /^(mailto|https|tel)$/,
      error: 'must look like mailto:security@example.com or https://example.com/security',
    })
    .optional(),
  DATA_DIR: z.string().default('./.rentapi'),
  SHUTDOWN_GRACE_MS: whole(0, 8000).optional(),
  KEEP_ALIVE_TIMEOUT_MS: whole(100, 3_600_000).default(72_000),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),

  LOG_FORMAT: z.enum(['pretty', 'json']).optional(),

  DATABASE_URL: databaseUrl.optional(),
  DATABASE_DIRECT_URL: databaseUrl.optional(),
  DATABASE_MIGRATION_URL: databaseUrl.optional(),
  DB_POOL_MIN: whole(0, 1000).default(0),
  DB_POOL_MAX: whole(2, 1000).default(20),
  DB_ACQUIRE_TIMEOUT_MS: whole(100, 600_000).default(10_000),
  DB_STATEMENT_TIMEOUT_MS: whole(0, 3_600_000).default(30_000),

  REDIS_URL: z
    .string()
    .refine(
      (text) => parseRedisUrl(text) !== null,
      'must look like redis://user:password@host:6379/0, rediss://… for TLS, or redis+cluster://host:6379,host:6379 for Redis Cluster',
    )
    .optional(),

  SECRET_KEY: secret.optional(),
  SECRET_KEYS_OLD: list.pipe(z.array(secret)).default([]),
  ID_SECRET: secret.optional(),
  PASSWORD_PEPPER: secret.optional(),
  PASSWORD_PEPPER_OLD: list.pipe(z.array(secret)).default([]),
  JWT_ALGORITHM: z.enum(['HS256', 'RS256', 'EdDSA']).default('HS256'),
  JWT_PRIVATE_KEY: z.string().optional(),
  JWT_PUBLIC_KEYS_OLD: z.string().optional(),
  ACCESS_TOKEN_TTL_S: whole(30, 86_400).default(900),
  REFRESH_TOKEN_TTL_S: whole(300, 31_536_000).default(604_800),
  SESSION_MAX_AGE_S: whole(300, 31_536_000).default(2_592_000),
  REFRESH_GRACE_S: whole(0, 300).default(10),
  BCRYPT_COST: whole(4, 16).default(12),
  REQUIRE_EMAIL_VERIFICATION: flag.optional(),
  REQUIRE_STAFF_TWO_FACTOR: flag.optional(),
  BREACH_LIST_URL: baseUrl.optional(),
  ACCOUNT_LOCKOUT_THRESHOLD: whole(1, 1000).default(5),
  ACCOUNT_LOCKOUT_DURATION_MINUTES: whole(1, 10_080).default(30),

  CORS_ORIGINS: list.pipe(z.array(origin)).optional(),
  CSP_MODE: z.enum(['strict', 'relaxed', 'disabled']).default('strict'),
  TRUST_PROXY: z.string().optional(),
  BODY_LIMIT: size.default(1024 ** 2),
  REALTIME_TOKEN_IN_URL: flag.optional(),

  RATE_LIMIT_PER_MINUTE: whole(1, 1_000_000).default(60),
  AUTH_RATE_LIMIT_PER_MINUTE: whole(1, 1_000_000).default(20),
  MAILBOX_LIMIT_PER_HOUR: whole(1, 1_000_000).default(5),
  DUNNING_DAYS: list
    .pipe(z.array(whole(0, 365)).min(1).max(30))
    .refine(
      (days) => days.every((day, at) => (at === 0 ? day === 0 : day > days[at - 1]!)),
      'must be 0, then rising days',
    )
    .default([0, 1, 3, 5, 7, 14]),
  BILLING_GRACE_DAYS: whole(0, 90).default(3),
  PAST_DUE_GRACE_DAYS: whole(0, 365).default(7),
  RENEWALS_AT_ONCE: whole(1, 50).default(20),
  DEFAULT_PLAN: z.enum(['FREE', 'BASIC', 'PRO', 'ENTERPRISE']).default('FREE'),
  API_KEY_PREFIX: z
    .string()
    .regex(/^[a-z][a-z0-9]{1,15}$/, 'must be 2 to 16 lowercase letters and digits')
    .default('rapi'),

  MULTI_TENANCY_STRATEGY: z.enum(['header', 'subdomain', 'none']).default('header'),
  HOST_MAIN_DOMAIN: z
    .string()
    .toLowerCase()
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, 'must be a domain such as example.com, without scheme or port')
    .optional(),
  ORG_MEMBER_READONLY: flag.default(false),

  MAIL_DRIVER: z.enum(['capture', 'smtp', 'resend']).default('capture'),
  MAIL_FROM: z.string().default('RentAPI <no-reply@localhost>'),
  SMTP_URL: z
    .url({ protocol: /^smtps?$/, error: 'must look like smtp://user:password@host:587 or smtps://user:password@host' })
    .optional(),
  RESEND_API_KEY: z.string().optional(),
  RESEND_BASE_URL: url.default('https://api.resend.com'),

  GOOGLE_CLIENT_ID: z.string().optional(),
  GOOGLE_CLIENT_SECRET: z.string().optional(),
  GOOGLE_ISSUER: issuer.default('https://accounts.google.com'),
  GITHUB_CLIENT_ID: z.string().optional(),
  GITHUB_CLIENT_SECRET: z.string().optional(),
  GITHUB_BASE_URL: baseUrl.default('https://github.com'),
  OIDC_ISSUER: issuer.optional(),
  OIDC_CLIENT_ID: z.string().optional(),
  OIDC_CLIENT_SECRET: z.string().optional(),
  OIDC_NAME: z.string().min(1).max(80).default('Single sign-on'),

  STRIPE_SECRET_KEY: z
    .string()
    .regex(
      /^[rs]k_(test|live)_\w{8,}$/,
      'must be a secret key, which begins with sk_test_, sk_live_, rk_test_ or rk_live_',
    )
    .optional(),
  STRIPE_WEBHOOK_SECRET: list
    .pipe(z.array(z.string().regex(/^whsec_\S{8,}$/, 'each must begin with whsec_')).min(1))
    .optional(),
  STRIPE_API_BASE: providerBase.optional(),
  PAYPAL_CLIENT_ID: z.string().optional(),
  PAYPAL_CLIENT_SECRET: z.string().optional(),
  PAYPAL_WEBHOOK_ID: z.string().optional(),
  PAYPAL_MODE: z.enum(['sandbox', 'live']).default('sandbox'),
  PAYPAL_API_BASE: providerBase.optional(),

  SELLER_NAME: z.string().min(1).max(200).optional(),
  SELLER_ADDRESS: z.string().max(500).optional(),
  SELLER_COUNTRY: country.optional(),
  SELLER_TAX_ID: z.string().min(1).max(40).optional(),
  TAX_RATES: list.pipe(z.array(taxRate).max(300)).default([]),
  INVOICE_SERIES: z
    .string()
    .regex(/^[A-Z0-9]{1,12}$/, 'must be 1 to 12 capital letters and digits')
    .default('INV'),
  INVOICE_DUE_DAYS: whole(0, 365).default(14),

  WEBHOOK_RETRY_SCHEDULE_S: list
    .pipe(z.array(whole(0, 86_400)).min(1).max(50))
    .default([0, 5, 300, 1800, 7200, 18_000, 36_000, 36_000]),
  WEBHOOK_TIMEOUT_MS: whole(1000, 25_000).default(15_000),
  WEBHOOK_ALLOWED_TARGETS: list
    .pipe(z.array(z.string().regex(/^[^\s/@]+:\d{1,5}$/, 'must look like host:port,host:port')))
    .default([]),
  OUTBOUND_ALLOWED_HOSTS: list.pipe(z.array(hostPattern)).default([]),

  WEBHOOKS_CONCURRENCY: whole(1, 1000).default(10),
  EMAILS_CONCURRENCY: whole(1, 1000).default(10),
  ANALYTICS_CONCURRENCY: whole(1, 1000).default(5),
  SUBSCRIPTIONS_CONCURRENCY: whole(1, 1000).default(5),
  MAINTENANCE_CONCURRENCY: whole(1, 1000).default(10),

  USAGE_FLUSH_MS: whole(10, 60_000).default(1000),
  USAGE_RETENTION_DAYS: whole(2, 3650).default(30),

  METRICS_TOKEN: secret.regex(/^\S+$/, 'must have no spaces or line breaks: it is sent in a header').optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: url.optional(),
  SENTRY_DSN: url.optional(),

  FIRST_SUPERUSER_EMAIL: mailAddress.optional(),
  FIRST_SUPERUSER_PASSWORD: z.string().min(8).optional(),
  SEED_DEMO: flag.optional(),
});

export const SETTING_NAMES: readonly string[] = [...Object.keys(settings.shape), ...DATABASE_PART_NAMES];

type Settings = z.output<typeof settings>;

/** The settings with every default filled in. */
export interface Env
  extends Omit<
    Settings,
    | 'PUBLIC_URL'
    | 'SHUTDOWN_GRACE_MS'
    | 'REQUIRE_EMAIL_VERIFICATION'
    | 'REQUIRE_STAFF_TWO_FACTOR'
    | 'CORS_ORIGINS'
    | 'SEED_DEMO'
    | 'REALTIME_TOKEN_IN_URL'
  > {
  production: boolean;
  PUBLIC_URL: string;
  /** How long a stopping process still accepts requests, so that a balancer notices first. */
  SHUTDOWN_GRACE_MS: number;
  REQUIRE_EMAIL_VERIFICATION: boolean;
  REQUIRE_STAFF_TWO_FACTOR: boolean;
  CORS_ORIGINS: string[];
  SEED_DEMO: boolean;
  /**
   * Whether a socket accepts an access token or key as `?token=`, where logs of proxies may keep it. Tickets are always
   * accepted.
   */
  realtimeTokenInUrl: boolean;
}

/** Settings that stop the start. Its message has a sentence for each, for the operator. */
export class BadSettingError extends Error {
  override name = 'BadSettingError';
}

/** Settings that may come from a file instead, which `<NAME>_FILE` names. */
export const SECRET_SETTINGS = [
  'SECRET_KEY',
  'SECRET_KEYS_OLD',
  'ID_SECRET',
  'PASSWORD_PEPPER',
  'PASSWORD_PEPPER_OLD',
  'JWT_PRIVATE_KEY',
  'JWT_PUBLIC_KEYS_OLD',
  'DATABASE_URL',
  'DATABASE_DIRECT_URL',
  'DATABASE_MIGRATION_URL',
  'POSTGRES_PASSWORD',
  'REDIS_URL',
  'SMTP_URL',
  'RESEND_API_KEY',
  'METRICS_TOKEN',
  'SENTRY_DSN',
  'FIRST_SUPERUSER_PASSWORD',
  'GOOGLE_CLIENT_SECRET',
  'GITHUB_CLIENT_SECRET',
  'OIDC_CLIENT_SECRET',
  'STRIPE_SECRET_KEY',
  'STRIPE_WEBHOOK_SECRET',
  'PAYPAL_CLIENT_SECRET',
] as const;

/** What a provider of logins or payments needs. */
const PROVIDER_SETTINGS = [
  ['GOOGLE_CLIENT_ID', 'GOOGLE_CLIENT_SECRET'],
  ['GITHUB_CLIENT_ID', 'GITHUB_CLIENT_SECRET'],
  ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'],
  ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'],
  ['PAYPAL_CLIENT_ID', 'PAYPAL_CLIENT_SECRET', 'PAYPAL_WEBHOOK_ID'],
] as const;

/** A sentence for each variable whose name is nearly a setting's. */
export function findMisspelledSettings(source: NodeJS.ProcessEnv): string[] {
  return findMisspelled(source, [...SETTING_NAMES, ...SECRET_SETTINGS.map((name) => `${name}_FILE`)]);
}

const stripeAccount = settings.pick({ STRIPE_SECRET_KEY: true, STRIPE_API_BASE: true });

/** An account at Stripe without the other settings of a server. Throws `BadSettingError`. */
export function readStripeAccount(source: NodeJS.ProcessEnv): z.output<typeof stripeAccount> {
  const { success, data, error } = stripeAccount.safeParse(readGiven(source));
  if (success) return data;
  throw complaintOf(error.issues.map((issue) => [String(issue.path[0]), describeIssue(issue)]));
}

/** Without what is empty. */
function readGiven(source: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return readFiles(
    Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== '')),
  );
}

/** Reads the environment once. An empty value counts as absent. Throws `BadSettingError`. */
export function readEnv(source: NodeJS.ProcessEnv): Env {
  const given = readGiven(source);
  for (const name of ['MONGO_URI', 'MONGO_DB_NAME']) {
    if (given[name]) throwBadSetting(name, 'RentAPI keeps its data in PostgreSQL; set DATABASE_URL instead');
  }
  const env = parse(given);
  const production = env.NODE_ENV === 'production';
  if (env.DATABASE_URL) {
    const missing = (['SECRET_KEY', 'ID_SECRET', 'PASSWORD_PEPPER'] as const).filter((name) => !env[name]);
    if (missing.length > 0)
      throwBadSetting(
        missing.join(', '),
        'required with DATABASE_URL: each at least 32 random characters, the same on every start (openssl rand -base64 32)',
      );
  }
  if (env.DATABASE_MIGRATION_URL && !env.DATABASE_URL)
    throwBadSetting('DATABASE_MIGRATION_URL', 'needs DATABASE_URL, the same database under the user that serves');
  if (env.MULTI_TENANCY_STRATEGY === 'subdomain' && !env.HOST_MAIN_DOMAIN)
    throwBadSetting(
      'HOST_MAIN_DOMAIN',
      'required with MULTI_TENANCY_STRATEGY=subdomain: the domain of which organizations have subdomains',
    );
  const host = new URL(env.PUBLIC_URL ?? localUrl(env.PORT)).hostname;
  if (env.PASSKEY_RP_ID && !`.${host}`.endsWith(`.${env.PASSKEY_RP_ID}`))
    throwBadSetting('PASSKEY_RP_ID', `must be the host of PUBLIC_URL, ${host}, or a domain above it`);
  if (Boolean(env.FIRST_SUPERUSER_EMAIL) !== Boolean(env.FIRST_SUPERUSER_PASSWORD)) {
    throwBadSetting('FIRST_SUPERUSER_EMAIL', 'needs FIRST_SUPERUSER_PASSWORD: set both or neither');
  }
  for (const names of PROVIDER_SETTINGS) {
    const missing = names.filter((name) => !env[name]);
    if (missing.length > 0 && missing.length < names.length)
      throwBadSetting(missing.join(', '), `required with the others of ${names.join(', ')}: set all or none`);
  }
  for (const [driver, name] of Object.entries({ smtp: 'SMTP_URL', resend: 'RESEND_API_KEY' } as const)) {
    if (env.MAIL_DRIVER !== driver) continue;
    if (!env[name]) throwBadSetting(name, `required with MAIL_DRIVER=${driver}`);
    if (!given['MAIL_FROM'])
      throwBadSetting('MAIL_FROM', 'required where mail is sent: Name <address>, an address of your own');
  }
  assertSigningKeys(env);
  if (production && !env.PUBLIC_URL)
    throwBadSetting('PUBLIC_URL', 'required in production: mailed links are built from it');
  const { REALTIME_TOKEN_IN_URL, ...rest } = env;
  const complete: Env = {
    ...rest,
    production,
    PUBLIC_URL: env.PUBLIC_URL ?? localUrl(env.PORT),
    SECURITY_CONTACT: env.SECURITY_CONTACT ?? (production ? undefined : 'mailto:security@example.com'),
    SHUTDOWN_GRACE_MS: env.SHUTDOWN_GRACE_MS ?? (production ? 5000 : 0),
    REQUIRE_EMAIL_VERIFICATION: env.REQUIRE_EMAIL_VERIFICATION ?? production,
    REQUIRE_STAFF_TWO_FACTOR: env.REQUIRE_STAFF_TWO_FACTOR ?? production,
    CORS_ORIGINS: env.CORS_ORIGINS ?? (production ? [] : ['*']),
    SEED_DEMO: env.SEED_DEMO ?? env.NODE_ENV === 'development',
    realtimeTokenInUrl: REALTIME_TOKEN_IN_URL ?? !production,
  };
  const faults = production ? findProductionFaults(complete, given) : [];
  if (faults.length > 0) throw complaintOf(faults);
  return complete;
}

function assertSigningKeys(env: Pick<Env, 'JWT_ALGORITHM' | 'JWT_PRIVATE_KEY' | 'JWT_PUBLIC_KEYS_OLD'>): void {
  const { JWT_ALGORITHM: algorithm, JWT_PRIVATE_KEY: key, JWT_PUBLIC_KEYS_OLD: old } = env;
  if (algorithm !== 'HS256' && !key) throwBadSetting('JWT_PRIVATE_KEY', `required with JWT_ALGORITHM=${algorithm}`);
  if (algorithm === 'HS256' && key)
    throwBadSetting('JWT_PRIVATE_KEY', `needs JWT_ALGORITHM=${KEY_ALGORITHMS.join(' or ')}`);
  if (algorithm !== 'HS256' && key) checkKey('JWT_PRIVATE_KEY', () => readSigningKey(key, algorithm));
  if (old) checkKey('JWT_PUBLIC_KEYS_OLD', () => readPublicKeys(old));
}

function checkKey(name: string, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof SigningKeyError)) throw error;
    throwBadSetting(name, error.message);
  }
}

/**
 * What `<NAME>_FILE` names stands in for the setting itself. The byte order mark and the line breaks that editors add
 * are left out.
 */
function readFiles(given: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const read = { ...given };
  for (const name of SECRET_SETTINGS) {
    const file = given[`${name}_FILE`];
    if (file === undefined) continue;
    if (given[name] !== undefined) throwBadSetting(`${name}, ${name}_FILE`, 'set one of them, not both');
    try {
      read[name] = readFileSync(file, 'utf8').replace(/^\uFEFF|[\r\n]+$/g, '');
    } catch (error) {
      throwBadSetting(`${name}_FILE`, `cannot be read (${(error as Error).message})`);
    }
    if (read[name] === '') throwBadSetting(`${name}_FILE`, `${file} is empty`);
  }
  return read;
}

/** Throws with a sentence for each setting that is malformed. */
function parse(given: Record<string, unknown>): Settings {
  const parts = given['DATABASE_URL'] ? undefined : readDatabaseParts(given);
  const url = parts?.success && { DATABASE_URL: databaseUrlOfParts(parts.data) };
  const parsed = settings.safeParse({ ...given, ...url });
  if (parsed.success && parts?.success !== false) return parsed.data;
  const issues = [...(parsed.error?.issues ?? []), ...(parts?.error?.issues ?? [])];
  throw complaintOf(issues.map((issue) => [String(issue.path[0]), describeIssue(issue)]));
}

/** The address of a server without PUBLIC_URL: on this machine. */
function localUrl(port: number): string {
  return `http://localhost:${port}`;
}

/** With PORT=0 the system chooses the port, so an address derived from it is known only then. */
export function withPort(env: Env, port: number): Env {
  return env.PORT === 0 && env.PUBLIC_URL === localUrl(0) ? { ...env, PUBLIC_URL: localUrl(port) } : env;
}

/** Undefined where none is given. */
function readDatabaseParts(given: Record<string, unknown>) {
  const names = DATABASE_PART_NAMES.filter((name) => given[name]);
  if (names.length === 0) return undefined;
  if (!given['POSTGRES_HOST']) {
    throwBadSetting(names.join(', '), 'needs POSTGRES_HOST: set it too, or DATABASE_URL, or none of them');
  }
  return databaseParts.safeParse(given);
}

function throwBadSetting(name: string, why: string): never {
  throw new BadSettingError(complaint(name, why));
}

/** One line for each setting; for several faults of one setting, the last. */
function complaintOf(faults: [name: string, why: string][]): BadSettingError {
  return new BadSettingError([...new Map(faults)].map(([name, why]) => complaint(name, why)).join('\n'));
}

const complaint = (name: string, why: string): string => `${name}: ${why}.`;
