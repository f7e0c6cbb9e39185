import { describe, expect, it } from 'vitest';
import { formatDatabaseUrl, parseDatabaseUrl } from './database-url.ts';

describe('the URL of a database', () => {
  it.each([
    ['postgres://u:p@db:6543/app', { user: 'u', password: 'p', host: 'db', port: 6543, database: 'app' }],
    ['postgresql://u@[::1]/app', { user: 'u', host: '::1', database: 'app' }],
    [
      'postgres://u:p@/app?host=/run/postgresql',
      { user: 'u', password: 'p', host: '/run/postgresql', database: 'app' },
    ],
    ['postgres:///app?host=/run/pg&user=u', { user: 'u', host: '/run/pg', database: 'app' }],
    ['postgres://u:p@%2Frun%2Fpg/app', { user: 'u', host: '/run/pg', database: 'app' }],
    ['postgres://u:p%40%2F%3A@db/app%40prod%23%3F', { password: 'p@/:', database: 'app@prod#?' }],
    ['postgres:///app', { host: '', database: 'app' }],
    ['postgres://db/app?sslmode=disable', { ssl: false }],
    ['postgres://db/app?sslmode=verify-full', { ssl: {} }],
  ])('is read as the driver reads it: %s', (url, meaning) => expect(parseDatabaseUrl(url)).toMatchObject(meaning));

  it.each([
    ['mysql://db/app', /^must look like postgres:/],
    ['db:5432/app', /^must look like postgres:/],
    ['postgres://db:tcp/app', /^must look like postgres:/],
    ['postgres://db/app?port=70000', /^must look like postgres:/],
    ['postgres://a,b/app', /must name one host/],
    ['postgres://db/app?sslmode=prefer', /sslmode that is not supported: use sslmode=verify-full, or sslmode=disable/],
    ['postgres://db/app?sslmode=allow', /sslmode that is not supported/],
    ['postgres://db/app?sslmode=prefer&uselibpqcompat=true', /sslmode that is not supported/],
    ['postgres://db/app?sslrootcert=/none/ca.pem', /cannot be read: \/none\/ca\.pem$/],
  ])('is refused where the driver reads something else: %s', (url, why) =>
    expect(() => parseDatabaseUrl(url)).toThrow(why),
  );

  it.each(['db', '::1', '/run/postgresql'])('keeps every character of its parts, on %s', (host) => {
    const parts = { host, port: 5433, user: 'u@/:%41 ü', password: ' p@/:?#&=+%', database: 'app@prod/#?&+;,$% "x' };
    expect(parseDatabaseUrl(formatDatabaseUrl(parts))).toMatchObject(parts);
  });
});
