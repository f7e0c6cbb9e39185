import { describe, expect, it } from 'vitest';
import { createLogger, type Logger, redactUrl, withoutRedaction } from './logger.ts';

const SECRET = 'hunter2-hunter2';

/** The content of a line, as a reader of the log sees it. */
function logged(write: (log: Logger) => void, secretFields: string[] = []): Record<string, unknown> {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  write(createLogger({ level: 'info', secretFields, destination }));
  return JSON.parse(lines[0]!) as Record<string, unknown>;
}

describe('a log line', () => {
  it.each([
    'authorization',
    'Cookie',
    'set-cookie',
    'x-api-key',
    'password',
    'currentPassword',
    'passwords',
    'accessToken',
    'refresh_token',
    'challengeToken',
    'secret',
    'client_secret',
    'backupCodes',
    'totpSeed',
    'otp',
    'privateKey',
    'credentials',
    'connectionString',
    'DATABASE_URL',
    'dsn',
  ])('never contains %s, at any depth', (name) => {
    const nested = { [name]: SECRET, list: [{ deep: { deeper: { deepest: { [name]: [SECRET] } } } }] };
    const error = Object.assign(new Error('failed', { cause: Object.assign(new Error('below'), nested) }), nested);
    for (const record of [{ [name]: SECRET }, { a: nested }, { err: error }, { other: error }]) {
      const line = JSON.stringify(logged((log) => log.info(record, 'x')));
      expect(line).not.toContain(SECRET);
      expect(line).toContain('[redacted]');
    }
    expect(JSON.stringify(logged((log) => log.child({ [name]: SECRET }).info('x')))).not.toContain(SECRET);
  });

  it('never contains a credential inside text: in a URL, in a header, in a failing row', () => {
    const error = Object.assign(new Error(`cannot reach postgres://app:${SECRET}@db:5432/app`), {
      detail: `Failing row contains (1, ${SECRET}, (x)).`,
      sent: `Authorization: Bearer ${SECRET}`,
    });
    const line = JSON.stringify(logged((log) => log.error(error)));
    expect(line).not.toContain(SECRET);
    expect(line).toContain('postgres://[redacted]@db:5432/app');
  });

  it("keeps what a diagnosis needs: an error's code, whatever the product calls secret, its type, text and cause", () => {
    const cause = Object.assign(new Error('duplicate'), { code: '23505', constraint: 'users_email_key' });
    const error = Object.assign(new TypeError('failed', { cause }), { code: 'ECONNRESET' });
    const { err } = logged((log) => log.error({ err: error, requestId: 'r-1' }), ['code', 'key']);
    expect(err).toMatchObject({ type: 'TypeError', code: 'ECONNRESET' });
    expect((err as { stack: string }).stack).toContain('logger.test.ts');
    expect((err as { message: string }).message).toContain('duplicate');
    expect(logged((log) => log.error({ err: cause }))).toMatchObject({
      err: { code: '23505', constraint: 'users_email_key' },
    });
  });

  it('hides the fields that a product names, and only those', () => {
    const record = { key: SECRET, keyId: 'key_1', nested: { Ticket: SECRET }, tokenless: true };
    expect(logged((log) => log.info(record), ['key', 'ticket'])).toMatchObject({
      key: '[redacted]',
      keyId: 'key_1',
      nested: { Ticket: '[redacted]' },
      tokenless: true,
    });
    expect(logged((log) => log.info({ key: 'place' }))).toMatchObject({ key: 'place' });
  });

  it('is bounded for any input', () => {
    const circle: Record<string, unknown> = { bytes: Buffer.from(SECRET), at: new Date(0) };
    circle['self'] = circle;
    const wide = Array.from({ length: 5000 }, () => ({}));
    const line = logged((log) => log.info({ circle, wide }));
    expect(line['circle']).toEqual({ bytes: '[binary]', at: '1970-01-01T00:00:00.000Z', self: '[circular]' });
    expect(JSON.stringify(line)).toContain('[left out]');
  });

  it('is unchanged where every field was chosen by hand', () => {
    expect(logged((log) => withoutRedaction(log).info({ key: 'k', token: 't' }), ['key'])).toMatchObject({
      key: 'k',
      token: 't',
    });
  });
});

it('a URL in a log keeps its path, and no parameter that carries a credential', () => {
  expect(redactUrl('/ws?token=abc&page=2&apiKey=x#y')).toBe('/ws?token=[redacted]&page=2&apiKey=[redacted]#y');
});
