import { describe, expect, it } from 'vitest';
import { readEnv } from '../env.ts';
import { findPlainConnections } from './plain-connections.ts';

const SECRETS = Object.fromEntries(
  ['SECRET_KEY', 'ID_SECRET', 'PASSWORD_PEPPER'].map((name) => [name, name.padEnd(40, 'x')]),
);
const smtp = (url: string) => ({ MAIL_DRIVER: 'smtp', SMTP_URL: url, MAIL_FROM: 'Acme <hello@example.com>' });
const found = (settings: Record<string, string>) => {
  const source = { ...SECRETS, ...settings };
  return findPlainConnections(readEnv(source), source);
};

describe('connections without TLS that leave the machine (V12.3.1, V12.3.3)', () => {
  it.each([
    ['DATABASE_URL', { DATABASE_URL: 'postgres://u:p@db/app' }],
    ['DATABASE_URL', { DATABASE_URL: 'postgres://u:p@db/app?sslmode=disable', PGSSLMODE: 'verify-full' }],
    ['DATABASE_URL', { DATABASE_URL: 'postgres://u:p@/app', PGHOST: 'db' }],
    ['DATABASE_URL', { DATABASE_URL: 'postgres://u:p@127.0.0.1.example.com/app' }],
    ['DATABASE_DIRECT_URL', { DATABASE_DIRECT_URL: 'postgres://u:p@10.0.0.5/app' }],
    [
      'DATABASE_MIGRATION_URL',
      { DATABASE_URL: 'postgres://u:p@[::1]/app', DATABASE_MIGRATION_URL: 'postgres://u:p@db/app' },
    ],
    ['POSTGRES_HOST', { POSTGRES_HOST: 'db', POSTGRES_PASSWORD: 'p' }],
    ['REDIS_URL', { REDIS_URL: 'redis://cache:6379' }],
    ['REDIS_URL', { REDIS_URL: 'redis+cluster://127.0.0.1:6379,cache:6379' }],
    ['SMTP_URL', smtp('smtp://mail.example.com:587?ignoreTLS=true')],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }],
    ['SENTRY_DSN', { SENTRY_DSN: 'http://key@sentry.example.com/1' }],
    [
      'RESEND_BASE_URL',
      {
        MAIL_DRIVER: 'resend',
        RESEND_API_KEY: 'k',
        RESEND_BASE_URL: 'http://resend.example.com',
        MAIL_FROM: 'Acme <hello@example.com>',
      },
    ],
  ])('are named by their setting, %s: %j', (name, settings) => {
    expect(found(settings)).toEqual([
      expect.stringMatching(new RegExp(`^${name} names a connection without TLS that leaves this machine: [^:]+`)),
    ]);
  });

  it.each([
    {},
    { DATABASE_URL: 'postgres://u:p@db/app?sslmode=verify-full' },
    { DATABASE_URL: 'postgres://u:p@db/app?sslmode=require' },
    { DATABASE_URL: 'postgres://u:p@db/app', PGSSLMODE: 'verify-full' },
    { DATABASE_URL: 'postgres://u:p@/app?host=/run/postgresql' },
    { DATABASE_URL: 'postgres://u:p@[::1]/app' },
    { DATABASE_URL: 'postgres://u:p@localhost/app', DATABASE_DIRECT_URL: 'postgres://u:p@127.0.0.1/app' },
    { DATABASE_URL: 'postgres://u:p@/app', PGHOST: '/run/postgresql' },
    { POSTGRES_HOST: '/run/postgresql' },
    { REDIS_URL: 'rediss://cache' },
    { REDIS_URL: 'redis://[::1]:6379' },
    smtp('smtp://mail.example.com:587'),
    smtp('smtp://mail.example.com:587?ignoreTLS=false'),
    smtp('smtps://mail.example.com?ignoreTLS=true'),
    smtp('smtp://127.0.0.1:1025?ignoreTLS=true'),
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example.com', SENTRY_DSN: 'https://key@sentry.example.com/1' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' },
    { RESEND_BASE_URL: 'http://unused.example.com' },
  ])('are not seen in %j', (settings) => expect(found(settings)).toEqual([]));
});
