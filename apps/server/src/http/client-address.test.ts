import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { cloneDatabase } from '@rentapi/testing/postgres';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { killAll, SECRETS, type Server, startServer, temporaryDirectory } from '../../test/processes.ts';
import { createClientAddress } from './client-address.ts';

function requestFrom(peer: string | undefined, forwardedFor?: string): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: peer });
  const req = new IncomingMessage(socket);
  if (forwardedFor !== undefined) req.headers['x-forwarded-for'] = forwardedFor;
  return req;
}

describe('the address of a client', () => {
  it.each([
    [undefined, '::ffff:127.0.0.1', '198.51.100.8', '127.0.0.1'],
    ['0', '192.0.2.1', '198.51.100.8', '192.0.2.1'],
    ['1', '192.0.2.1', undefined, '192.0.2.1'],
    ['1', '192.0.2.1', '198.51.100.8', '198.51.100.8'],
    ['1', '192.0.2.1', '198.51.100.8:40000', '198.51.100.8'],
    ['1', '192.0.2.1', '[2001:db8::8]:40000', '2001:db8::8'],
    ['1', '192.0.2.1', '::ffff:cb00:7109', '203.0.113.9'],
    ['1', '192.0.2.1', 'unknown', '192.0.2.1'],
    ['1', '192.0.2.1', '<script>', '192.0.2.1'],
    ['1', '192.0.2.1', '203.0.113.66, 198.51.100.8:40000', '198.51.100.8'],
    ['2', '192.0.2.1', '198.51.100.8:40000, 192.0.2.2:50000', '198.51.100.8'],
    ['2', '192.0.2.1', '198.51.100.8, unknown', '192.0.2.1'],
    ['192.0.2.0/24', '192.0.2.1', '198.51.100.8:40000, 192.0.2.2:50000', '198.51.100.8'],
    ['192.0.2.0/24', '::ffff:192.0.2.1', '198.51.100.8', '198.51.100.8'],
    ['192.0.2.0/24', '203.0.113.66', '198.51.100.8', '203.0.113.66'],
    ['1', undefined, '198.51.100.8', '0.0.0.0'],
  ])('with TRUST_PROXY=%s, from %s for %s, is %s', (trustProxy, peer, forwardedFor, address) => {
    expect(createClientAddress(trustProxy)(requestFrom(peer, forwardedFor))).toBe(address);
  });
});

describe('behind a proxy that writes ports', () => {
  const home = temporaryDirectory();
  const password = 'correct horse battery staple';
  let database: Awaited<ReturnType<typeof cloneDatabase>>;
  let server: Server;
  beforeAll(async () => {
    database = await cloneDatabase(inject('postgres'));
    server = await startServer(['start'], {
      NODE_ENV: 'test',
      DATABASE_URL: database.url,
      DATA_DIR: home.dir,
      TRUST_PROXY: '1',
      AUTH_RATE_LIMIT_PER_MINUTE: '10',
      ...SECRETS,
    });
  });
  afterAll(async () => {
    await server?.stop();
    killAll();
    await database?.drop();
    home.remove();
  });

  const post = (path: string, forwardedFor: string, body: object, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/api/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': forwardedFor, ...headers },
      body: JSON.stringify(body),
    });

  it.each(['198.51.100.8', '[2001:db8::8]'])('%s is one source, whatever its port', async (address) => {
    const statuses: number[] = [];
    for (let port = 40_000; port < 40_014; port++) {
      const answer = await post('/auth/login', `${address}:${port}`, { email: 'nobody@example.com', password });
      statuses.push(answer.status);
    }
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(statuses.slice(10)).toContain(429);
  });

  it('a key works from the addresses it allows, and sessions and the audit log store the address without its port', async () => {
    const email = 'ada@example.com';
    const ada = '203.0.113.9:51234';
    await post('/auth/register', ada, { email, password });
    const login = await post('/auth/login', ada, { email, password });
    const { accessToken } = (await login.json()) as { accessToken: string };
    const given = { name: 'office', scopes: ['*'], ipAllowList: ['203.0.113.0/24'] };
    const created = await post('/api-keys', ada, given, { authorization: `Bearer ${accessToken}` });
    const { secret } = (await created.json()) as { secret: string };
    const from = async (address: string): Promise<unknown[]> => {
      const headers = { 'x-api-key': secret, 'x-forwarded-for': address };
      const answer = await fetch(`${server.url}/api/v1/api-keys`, { headers });
      return [answer.status, ((await answer.json()) as { code?: string }).code];
    };
    expect(await from('203.0.113.9:51234')).toEqual([200, undefined]);
    expect(await from('::ffff:cb00:7109')).toEqual([200, undefined]);
    expect(await from('203.0.114.9:51234')).toEqual([403, 'address_not_allowed']);

    const operator = new pg.Client(database.ownerUrl);
    await operator.connect();
    const { rows } = await operator.query('select ip from sessions union select ip from audit_logs');
    await operator.end();
    expect(rows).toEqual([{ ip: '203.0.113.9' }]);
  });
});
