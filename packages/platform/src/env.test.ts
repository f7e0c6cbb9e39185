import { describe, expect, it } from 'vitest';
import { readEnv } from './env.ts';

describe('settings of mail', () => {
  const smtp = { MAIL_DRIVER: 'smtp', SMTP_URL: 'smtp://mail.example.com:587', MAIL_FROM: 'Acme <hello@acme.com>' };

  it('captures mail unless told otherwise', () => {
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

describe('settings of what is outside', () => {
  it('takes Redis and Redis Cluster, and keeps a password out of its complaint', () => {
    expect(readEnv({ REDIS_URL: 'redis+cluster://a:1,b:2' }).REDIS_URL).toBe('redis+cluster://a:1,b:2');
    expect(() => readEnv({ REDIS_URL: 'redis://:hunter2@a:1,b:2' })).toThrow(
      /^REDIS_URL: must look like (?!.*hunter2)/,
    );
  });

  it('takes webhook targets as host:port only', () => {
    const targets = (text: string) => readEnv({ WEBHOOK_ALLOWED_TARGETS: text }).WEBHOOK_ALLOWED_TARGETS;
    expect(targets('localhost:9000, [::1]:9000')).toEqual(['localhost:9000', '[::1]:9000']);
    for (const wrong of ['localhost', 'http://localhost:9000', '*', 'a:1/path']) {
      expect(() => targets(wrong)).toThrow('WEBHOOK_ALLOWED_TARGETS: ');
    }
  });
});

describe('a setting that cannot be', () => {
  const secrets = ['SECRET_KEY', 'ID_SECRET', 'PASSWORD_PEPPER'];

  it('names every secret that is missing, at once', () => {
    expect(() => readEnv({ DATABASE_URL: 'postgres://db/x' })).toThrow(
      `${secrets.join(', ')}: required with DATABASE_URL`,
    );
  });

  it('is told with every other, each in a line that says what it must be', () => {
    expect(() => readEnv({ PORT: 'abc', DB_POOL_MAX: '1.5', LOG_LEVEL: 'loud', FIRST_SUPERUSER_EMAIL: 'ada' })).toThrow(
      [
        'PORT: must be a whole number from 0 to 65535.',
        'LOG_LEVEL: must be one of fatal, error, warn, info, debug, trace, silent.',
        'DB_POOL_MAX: must be a whole number from 2 to 1000.',
        'FIRST_SUPERUSER_EMAIL: must be an e-mail address.',
      ].join('\n'),
    );
  });

  it('names web origins as browsers do, or refuses them', () => {
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
