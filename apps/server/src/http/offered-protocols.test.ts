import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rawExchange, startInProcess } from '../../test/in-process-server.ts';

const PASSWORD = 'correct horse battery staple';
const OFFER = ['Connection: Upgrade, HTTP2-Settings, close', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'];

let server: Awaited<ReturnType<typeof startInProcess>>;
let authorization: string;

beforeAll(async () => {
  server = await startInProcess();
  server.serve();
  const credentials = JSON.stringify({ email: `${randomUUID()}@example.com`, password: PASSWORD });
  const post = (path: string) =>
    fetch(`${server.url}/api/v1/auth/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: credentials,
    });
  await post('register');
  const tokens = JSON.parse(await (await post('login')).text());
  authorization = `Authorization: Bearer ${tokens.accessToken}`;
});
afterAll(() => server.close());

const call = (method: string, headers: string[], body = '') => {
  const described = body === '' ? [] : ['Content-Type: application/json', `Content-Length: ${body.length}`];
  const lines = [`${method} /api/v1/users/me HTTP/1.1`, 'Host: localhost', authorization, ...described];
  return rawExchange(server.port, `${[...lines, ...headers].join('\r\n')}\r\n\r\n${body}`);
};

describe('a request that offers HTTP/2', () => {
  it('is a call like any other: its conditions hold, and its line names the procedure', async () => {
    const { status, headers } = await call('GET', [...OFFER, 'X-Request-Id: offered']);
    expect(status).toBe(200);
    const unchanged = await call('GET', [...OFFER, `If-None-Match: ${headers.get('etag')}`]);
    expect(unchanged.status).toBe(304);
    const change = await call('PATCH', [...OFFER, 'If-None-Match: *'], '{"fullName":"Ada"}');
    expect([change.status, JSON.parse(change.body).code]).toEqual([412, 'version_mismatch']);

    const lineOf = () => server.lines.find((line) => line.includes('"requestId":"offered"'));
    await expect.poll(lineOf).toBeDefined();
    expect(JSON.parse(lineOf()!)).toMatchObject({ procedure: 'users.me.get', status: 200 });
  });
});

describe('a condition without a value', () => {
  it.each(['If-Match:', 'If-None-Match:'])('counts as absent: %s', async (header) => {
    expect((await call('PATCH', ['Connection: close', header], '{"fullName":"Ada"}')).status).toBe(200);
  });
});
