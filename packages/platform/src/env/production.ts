import { isSocket, parseDatabaseUrl } from '../database-url.ts';
import type { Env } from '../env.ts';
import { isLoopbackHost } from '../ip.ts';
import { weaknessOf } from './secret-strength.ts';

const MIN_BCRYPT_COST = 10;
/** Of the demo accounts, printed in the README. */
const PUBLISHED_PASSWORDS = ['Admin123!@#', 'User123!@#'];
const MAKE_ONE = 'make one with openssl rand -base64 32';
const SECRETS = ['SECRET_KEY', 'ID_SECRET', 'PASSWORD_PEPPER', 'METRICS_TOKEN'] as const;

/** What production refuses although it is well formed: each setting's name and the reason. */
export function findProductionFaults(env: Env, source: NodeJS.ProcessEnv): [name: string, why: string][] {
  return [
    ...findExposedAddress(env),
    ...findPlainProviders(env),
    ...findWeakSecrets(env),
    ...findMissingDatabasePassword(env, source),
    ...(env.CORS_ORIGINS.includes('*') ? [fault('CORS_ORIGINS', 'must name its origins in production, not *')] : []),
    ...(env.SEED_DEMO
      ? [fault('SEED_DEMO', 'demo accounts have published passwords and are refused in production')]
      : []),
    ...(env.BCRYPT_COST < MIN_BCRYPT_COST
      ? [fault('BCRYPT_COST', `must be at least ${MIN_BCRYPT_COST} in production`)]
      : []),
    ...(env.FIRST_SUPERUSER_PASSWORD && PUBLISHED_PASSWORDS.includes(env.FIRST_SUPERUSER_PASSWORD)
      ? [fault('FIRST_SUPERUSER_PASSWORD', 'is published as the password of a demo account: choose another')]
      : []),
  ];
}

const fault = (name: string, why: string): [string, string] => [name, why];

function findExposedAddress({ PUBLIC_URL }: Env): [string, string][] {
  const { protocol, hostname } = new URL(PUBLIC_URL);
  if (protocol === 'https:' || isLoopbackHost(hostname)) return [];
  return [
    [
      'PUBLIC_URL',
      'must begin with https:// in production: credentials would travel in the clear, and mailed links too',
    ],
  ];
}

/** Codes and client secrets are sent there. */
function findPlainProviders(env: Env): [string, string][] {
  return (['GOOGLE_ISSUER', 'GITHUB_BASE_URL', 'OIDC_ISSUER'] as const).flatMap((name) => {
    const url = env[name] && new URL(env[name]);
    if (!url || url.protocol === 'https:' || isLoopbackHost(url.hostname)) return [];
    return [fault(name, 'must begin with https:// in production: client secrets would travel in the clear')];
  });
}

/** Old keys too: tokens that are signed with one are still accepted. */
function findWeakSecrets(env: Env): [string, string][] {
  const current = SECRETS.flatMap((name) => (env[name] === undefined ? [] : [{ name, secret: env[name] }]));
  const given = [...current, ...env.SECRET_KEYS_OLD.map((secret) => ({ name: 'SECRET_KEYS_OLD', secret }))];
  return given.flatMap(({ name, secret }, at) => {
    const twin = given.slice(0, at).find((earlier) => earlier.secret === secret);
    const why = weaknessOf(secret) ?? (twin && `is the same as ${twin.name}`);
    return why ? [fault(name, `${why}: ${MAKE_ONE}`)] : [];
  });
}

function findMissingDatabasePassword(env: Env, source: NodeJS.ProcessEnv): [string, string][] {
  if (source['PGPASSWORD'] || source['PGPASSFILE']) return [];
  return (['DATABASE_URL', 'DATABASE_DIRECT_URL', 'DATABASE_MIGRATION_URL'] as const).flatMap((name) => {
    const url = env[name];
    if (!url) return [];
    const config = parseDatabaseUrl(url);
    const hasCertificate = typeof config.ssl === 'object' && config.ssl.cert !== undefined;
    if (config.password || isSocket(config) || hasCertificate) return [];
    const named = name === 'DATABASE_URL' && !source[name] ? 'POSTGRES_PASSWORD' : name;
    return [fault(named, 'gives no password of the database, which production requires except on a Unix socket')];
  });
}
