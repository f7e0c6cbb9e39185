import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseDatabaseUrl } from './database-url.ts';
import { readEnv, withPort } from './env.ts';

describe('settings of mail', () => {
  const smtp = { MAIL_DRIVER: 'smtp', SMTP_URL: 'smtp://mail.example.com:587', MAIL_FROM: 'Acme <hello@acme.com>' };

  it('captures mail by default', () => {
    expect(readEnv({}).MAIL_DRIVER).toBe('capture');
    expect(readEnv(smtp)).toMatchObject(smtp);
  });

  it.each([
    ['SMTP_URL', { ...smtp, SMTP_URL: '' }],
    ['SMTP_URL', { ...smtp, SMTP_URL: 'mail.example.com:587' }],
    ['MAIL_FROM', { ...smtp, MAIL_FROM: '' }],
    ['RESEND_API_KEY', { MAIL_DRIVER: 'resend', MAIL_FROM: smtp.MAIL_FROM }],
    ['MAIL_DRIVER', { MAIL_DRIVER: 'sendmail' }],
  ])('names %s where it stops the start', (name, settings) => expect(() => readEnv(settings)).toThrow(`${name}: `));
});

describe('settings of external services', () => {
  it('accepts Redis and Redis Cluster, and keeps passwords out of error messages', () => {
    expect(readEnv({ REDIS_URL: 'redis+cluster://a:1,b:2' }).REDIS_URL).toBe('redis+cluster://a:1,b:2');
    expect(() => readEnv({ REDIS_URL: 'redis://:hunter2@a:1,b:2' })).toThrow(
      /^REDIS_URL: must look like (?!.*hunter2)/,
    );
  });

  it('accepts webhook targets as host:port only', () => {
    const targets = (text: string) => readEnv({ WEBHOOK_ALLOWED_TARGETS: text }).WEBHOOK_ALLOWED_TARGETS;
    expect(targets('localhost:9000, [::1]:9000')).toEqual(['localhost:9000', '[::1]:9000']);
    for (const wrong of ['localhost', 'http://localhost:9000', '*', 'a:1/path']) {
      expect(() => targets(wrong)).toThrow('WEBHOOK_ALLOWED_TARGETS: ');
    }
  });
});

describe('the schedule of deliveries', () => {
  it('has pauses of at most a day: after two days without an attempt a webhook counts as no longer failing', () => {
    const schedule = (text: string) => readEnv({ WEBHOOK_RETRY_SCHEDULE_S: text }).WEBHOOK_RETRY_SCHEDULE_S;
    expect(schedule('0,60,86400')).toEqual([0, 60, 86_400]);
    for (const wrong of ['0,86401', '-1']) expect(() => schedule(wrong)).toThrow('WEBHOOK_RETRY_SCHEDULE_S: ');
  });
});

describe('hosts that webhooks may call (V13.2.4)', () => {
  const hosts = (text: string) => readEnv({ OUTBOUND_ALLOWED_HOSTS: text }).OUTBOUND_ALLOWED_HOSTS;
  it('are names, or all names below one', () => {
    expect(hosts('')).toEqual([]);
    expect(hosts('hooks.example.com, *.example.org')).toEqual(['hooks.example.com', '*.example.org']);
  });
  it.each([
    '*',
    '*.',
    'a.*.example',
    'https://example.com',
    'example.com:443',
    'example.com/x',
    'a b',
    'u@example.com',
  ])('are not %s', (text) => expect(() => hosts(text)).toThrow('OUTBOUND_ALLOWED_HOSTS: '));
});

describe('an invalid setting', () => {
  const secrets = ['SECRET_KEY', 'ID_SECRET', 'PASSWORD_PEPPER'];

  it('is reported with all missing secrets at once', () => {
    expect(() => readEnv({ DATABASE_URL: 'postgres://db/x' })).toThrow(
      `${secrets.join(', ')}: required with DATABASE_URL`,
    );
  });

  it('is reported with every other, each in a line that says what it must be', () => {
    expect(() => readEnv({ PORT: 'abc', DB_POOL_MAX: '1.5', LOG_LEVEL: 'loud', FIRST_SUPERUSER_EMAIL: 'ada' })).toThrow(
      [
        'PORT: must be a whole number from 0 to 65535.',
        'LOG_LEVEL: must be one of fatal, error, warn, info, debug, trace, silent.',
        'DB_POOL_MAX: must be a whole number from 2 to 1000.',
        'FIRST_SUPERUSER_EMAIL: must be an e-mail address.',
      ].join('\n'),
    );
  });

  it.each([
    ['PORT', '  '],
    ['PORT', '0x1f90'],
    ['PORT', '1e3'],
    ['PORT', '-0'],
    ['PORT', ' 8000'],
    ['DB_POOL_MAX', '9'.repeat(400)],
    ['BODY_LIMIT', '0b'],
    ['BODY_LIMIT', '0mb'],
    ['PUBLIC_URL', 'https://user:password@api.example.com'],
    ['PUBLIC_URL', 'https://user@api.example.com'],
    ['PUBLIC_URL', 'https://api.example.com/?a=1'],
    ['PUBLIC_URL', 'https://api.example.com?'],
    ['PUBLIC_URL', 'https://api.example.com/#top'],
    ['METRICS_TOKEN', `${'t'.repeat(32)} ${'t'.repeat(32)}`],
    ['METRICS_TOKEN', `${'t'.repeat(32)}\n`],
  ])('is named: %s=%j', (name, value) => {
    expect(() => readEnv({ [name]: value })).toThrow(new RegExp(`^${name}: must [^\\n]*\\.$`));
  });

  it('is named in parts of the database too', () => {
    expect(() => readEnv({ ...SECRETS, POSTGRES_HOST: 'db', POSTGRES_PORT: '0x10' })).toThrow(
      'POSTGRES_PORT: must be a whole number from 1 to 65535.',
    );
  });

  it('must name web origins as browsers do', () => {
    const origins = (text: string) => readEnv({ CORS_ORIGINS: text }).CORS_ORIGINS;
    expect(origins('https://app.example.com, http://localhost:5173,capacitor://localhost')).toHaveLength(3);
    expect(origins('*')).toEqual(['*']);
    for (const wrong of [
      'foo',
      'https://a.com/',
      'https://A.com',
      'https://a.com:443',
      'a.com:8080',
      'https://u@a.com',
    ])
      expect(() => origins(`https://good.example,${wrong}`), wrong).toThrow(
        /^CORS_ORIGINS: each must be an origin, which is scheme, host and port only/,
      );
  });
});

const random = (seed: number) => createHash('sha256').update(`seed ${seed}`).digest('base64');
const SECRETS = { SECRET_KEY: random(1), ID_SECRET: random(2), PASSWORD_PEPPER: random(3) };

describe('settings of the database', () => {
  it('accept a socket, an address without brackets, and names with any characters', () => {
    const meaning = (settings: Record<string, string>) =>
      parseDatabaseUrl(readEnv({ ...SECRETS, ...settings }).DATABASE_URL!);
    expect(meaning({ DATABASE_URL: 'postgres://u:p@/db?host=/run/pg' })).toMatchObject({ host: '/run/pg' });
    expect(meaning({ POSTGRES_HOST: '/run/pg' })).toMatchObject({ host: '/run/pg', port: 5432, user: 'postgres' });
    for (const host of ['::1', '[::1]']) expect(meaning({ POSTGRES_HOST: host })).toMatchObject({ host: '::1' });
    const parts = { POSTGRES_USER: 'a@b', POSTGRES_PASSWORD: 'p/:@?#%', POSTGRES_DB: 'app@prod' };
    expect(meaning({ POSTGRES_HOST: 'db', POSTGRES_PORT: '6543', ...parts })).toMatchObject({
      host: 'db',
      port: 6543,
      user: 'a@b',
      password: 'p/:@?#%',
      database: 'app@prod',
    });
  });

  it.each([
    ['POSTGRES_PORT', { POSTGRES_HOST: 'db', POSTGRES_PORT: 'tcp://10.0.0.1:5432' }],
    ['POSTGRES_PORT', { POSTGRES_HOST: 'db', POSTGRES_PORT: 'abc' }],
    ['POSTGRES_PORT', { POSTGRES_HOST: 'db', POSTGRES_PORT: '70000' }],
    ['POSTGRES_HOST', { POSTGRES_HOST: 'db:5432' }],
    ['POSTGRES_HOST', { POSTGRES_HOST: 'postgres://db' }],
    ['POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB', { POSTGRES_USER: 'u', POSTGRES_PASSWORD: 'p', POSTGRES_DB: 'd' }],
    ['DATABASE_URL', { DATABASE_URL: 'postgres://db/app?sslmode=prefer' }],
    ['DATABASE_DIRECT_URL', { DATABASE_DIRECT_URL: 'db' }],
    ['DATABASE_MIGRATION_URL', { DATABASE_URL: 'postgres://u:p@db/app', DATABASE_MIGRATION_URL: 'db' }],
    ['DATABASE_MIGRATION_URL', { DATABASE_MIGRATION_URL: 'postgres://u:p@db/app' }],
  ])('names %s where it stops the start', (name, settings) =>
    expect(() => readEnv({ ...SECRETS, ...settings })).toThrow(new RegExp(`^${name}: [^\\n]*$`)),
  );

  it('ignores the parts when there is a DATABASE_URL: a cluster sets POSTGRES_PORT by itself', () => {
    const settings = { DATABASE_URL: 'postgres://u:p@db/app', POSTGRES_PORT: 'tcp://10.0.0.1:5432' };
    expect(readEnv({ ...SECRETS, ...settings }).DATABASE_URL).toBe(settings.DATABASE_URL);
  });
});

describe('settings in production', () => {
  const production = {
    ...SECRETS,
    NODE_ENV: 'production',
    DATABASE_URL: 'postgres://u:p@db/app',
    PUBLIC_URL: 'https://api.example.com',
  };

  it.each([
    {},
    { PUBLIC_URL: 'http://127.0.0.1:8000' },
    { PUBLIC_URL: 'http://localhost' },
    { PUBLIC_URL: 'http://[::1]:8000' },
    { DATABASE_URL: 'postgres://u@/app?host=/run/pg' },
    { DATABASE_URL: 'postgres://u@db/app', PGPASSWORD: 'p' },
    { METRICS_TOKEN: random(4), BCRYPT_COST: '10' },
    { SECRET_KEYS_OLD: random(32) },
    { SECRET_KEY: createHash('sha256').update('hex').digest('hex') },
  ])('are accepted: %j', (settings) => expect(readEnv({ ...production, ...settings }).production).toBe(true));

  it.each([
    ['PUBLIC_URL', { PUBLIC_URL: 'http://api.example.com' }],
    ['PUBLIC_URL', { PUBLIC_URL: 'http://127.0.0.1.example.com' }],
    ['SECRET_KEY', { SECRET_KEY: 'a'.repeat(40) }],
    ['SECRET_KEYS_OLD', { SECRET_KEYS_OLD: 'changeme-changeme-changeme-changeme' }],
    ['SECRET_KEY', { SECRET_KEY: 'secret-key-of-the-tests-0123456789' }],
    ['ID_SECRET', { ID_SECRET: 'changeme-7f3k9q2x8w1z5v4b6n0m7c2a' }],
    ['ID_SECRET', { ID_SECRET: '0123456789012345678901234567890123456789' }],
    ['PASSWORD_PEPPER', { PASSWORD_PEPPER: 'abcdefghijklmnopqrstuvwxyz0123456789' }],
    ['PASSWORD_PEPPER', { PASSWORD_PEPPER: SECRETS.ID_SECRET }],
    ['METRICS_TOKEN', { METRICS_TOKEN: SECRETS.SECRET_KEY }],
    ['DATABASE_URL', { DATABASE_URL: 'postgres://u@db/app' }],
    ['DATABASE_DIRECT_URL', { DATABASE_DIRECT_URL: 'postgres://u@db/app' }],
    ['DATABASE_MIGRATION_URL', { DATABASE_MIGRATION_URL: 'postgres://u@db/app' }],
    ['POSTGRES_PASSWORD', { DATABASE_URL: '', POSTGRES_HOST: 'db' }],
    ['BCRYPT_COST', { BCRYPT_COST: '9' }],
    ['CORS_ORIGINS', { CORS_ORIGINS: '*' }],
    ['SEED_DEMO', { SEED_DEMO: 'true' }],
    ['FIRST_SUPERUSER_PASSWORD', { FIRST_SUPERUSER_EMAIL: 'a@example.com', FIRST_SUPERUSER_PASSWORD: 'Admin123!@#' }],
  ])('name %s where it is unsafe (V4.4.1, V12.2.1, V13.2.3): %j', (name, settings) => {
    expect(() => readEnv({ ...production, ...settings })).toThrow(new RegExp(`^${name}: [^\\n]*$`));
    expect(() => readEnv({ ...production, ...settings, NODE_ENV: 'test' })).not.toThrow();
  });

  it('accept tokens in the URL of a socket only on request (V14.2.1)', () => {
    const inUrl = (settings: Record<string, string>) => readEnv(settings).realtimeTokenInUrl;
    expect([inUrl({}), inUrl(production)]).toEqual([true, false]);
    expect(inUrl({ ...production, REALTIME_TOKEN_IN_URL: 'true' })).toBe(true);
    expect(inUrl({ REALTIME_TOKEN_IN_URL: 'false' })).toBe(false);
  });
});

it('derives PUBLIC_URL from the port that the system chose, and leaves a given one', () => {
  expect(withPort(readEnv({ PORT: '0' }), 4711).PUBLIC_URL).toBe('http://localhost:4711');
  expect(withPort(readEnv({ PORT: '8000' }), 8000).PUBLIC_URL).toBe('http://localhost:8000');
  expect(withPort(readEnv({ PORT: '0', PUBLIC_URL: 'https://a.example' }), 4711).PUBLIC_URL).toBe('https://a.example');
});
