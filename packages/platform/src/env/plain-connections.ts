import { isSocket, parseDatabaseUrl } from '../database-url.ts';
import type { Env } from '../env.ts';
import { isLoopbackHost } from '../ip.ts';
import { mayBePlain } from '../mail/smtp-url.ts';
import { parseRedisUrl } from '../redis/address.ts';

/** A sentence for each setting with which data would leave this machine unencrypted. */
export function findPlainConnections(env: Env, source: NodeJS.ProcessEnv): string[] {
  return [...plainDatabases(env, source), ...plainRedis(env), ...plainMail(env), ...plainHttp(env)].map(
    ([name, fix]) => `${name} names a connection without TLS that leaves this machine: ${fix}.`,
  );
}

function plainDatabases(env: Env, source: NodeJS.ProcessEnv): [name: string, fix: string][] {
  return (['DATABASE_URL', 'DATABASE_DIRECT_URL', 'DATABASE_MIGRATION_URL'] as const).flatMap((name) => {
    const url = env[name];
    if (!url) return [];
    const config = parseDatabaseUrl(url);
    // What the URL does not say, the driver reads from PGHOST and PGSSLMODE.
    const host = config.host || source['PGHOST'] || 'localhost';
    const encrypted = config.ssl ?? (source['PGSSLMODE'] && source['PGSSLMODE'] !== 'disable');
    if (encrypted || isSocket({ host }) || isLoopbackHost(host)) return [];
    if (name === 'DATABASE_URL' && !source[name] && !source['DATABASE_URL_FILE'])
      return [['POSTGRES_HOST', 'set PGSSLMODE=verify-full, or DATABASE_URL with sslmode=verify-full']];
    return [[name, 'add sslmode=verify-full']];
  });
}

function plainRedis({ REDIS_URL }: Env): [string, string][] {
  const address = REDIS_URL ? parseRedisUrl(REDIS_URL) : null;
  if (!address || address.tls || address.nodes.every(({ host }) => isLoopbackHost(host))) return [];
  return [['REDIS_URL', `begin it with ${address.cluster ? 'rediss+cluster' : 'rediss'}://`]];
}

function plainMail({ MAIL_DRIVER, SMTP_URL }: Env): [string, string][] {
  if (MAIL_DRIVER !== 'smtp' || !SMTP_URL || !mayBePlain(SMTP_URL)) return [];
  return isLoopbackHost(new URL(SMTP_URL).hostname) ? [] : [['SMTP_URL', 'remove ignoreTLS, or use smtps://']];
}

function plainHttp(env: Env): [string, string][] {
  const resend = env.MAIL_DRIVER === 'resend' ? (['RESEND_BASE_URL'] as const) : [];
  return (['OTEL_EXPORTER_OTLP_ENDPOINT', 'SENTRY_DSN', ...resend] as const).flatMap((name): [string, string][] => {
    const { protocol, hostname } = new URL(env[name] ?? 'https://unset.invalid');
    return protocol === 'https:' || isLoopbackHost(hostname) ? [] : [[name, 'use https://']];
  });
}
