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
