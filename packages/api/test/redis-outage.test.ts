import { redisIsMissing, startTestRedis, type TestRedis } from '@rentapi/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually, type Person, startApp, type TestApp } from './app.ts';

describe.skipIf(redisIsMissing())('the product on Redis', () => {
  let redis: TestRedis;
  let app: TestApp;
  let user: Person;
  const up = () => eventually(() => app.ports.redis?.available || undefined, 'Redis');
  const down = () => eventually(() => !app.ports.redis?.available || undefined, 'the loss of Redis');

  beforeAll(async () => {
    redis = await startTestRedis();
    app = await startApp({ REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: '30' });
    await up();
    user = await app.signUp();
  });
  afterAll(async () => {
    await app?.close();
    await redis?.stop();
  });

  const login = () =>
    app.request('/api/v1/auth/login', { method: 'POST', body: { email: user.email, password: user.password } });

  it('reports it', async () => {
    expect((await app.request('/health/cache')).body).toMatchObject({ status: 'ok', driver: 'redis' });
    expect((await app.request('/health')).body).toMatchObject({ status: 'ok', cache: { driver: 'redis' } });
  });

  it('counts calls there, for all processes', async () => {
    const other = await startApp({ REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: '30' });
    try {
      await eventually(() => other.ports.redis?.available || undefined, 'Redis');
      const headers = { 'x-test-ip': '198.51.100.7' };
      const began = performance.now();
      let passed = 0;
      for (let i = 0; i < 40; i++) {
        const process = i % 2 ? app : other;
        if ((await process.request('/api/v1/users/me', { headers })).status !== 429) passed++;
      }
      const refilled = ((performance.now() - began) * 30) / 60_000;
      expect(passed).toBeGreaterThanOrEqual(30);
      expect(passed).toBeLessThanOrEqual(31 + refilled);
    } finally {
      await other.close();
    }
  });

  it('sends calls made with keys to the sockets of other processes', async () => {
    const other = await startApp({ REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: '30' }, app);
    await eventually(() => other.ports.redis?.available || undefined, 'Redis');
    const socket = new WebSocket(
      `${other.url.replace('http', 'ws')}/api/v1/ws/realtime?token=${user.tokens.accessToken}`,
    );
    try {
      const received: { type: string; event?: string; data?: unknown }[] = [];
      socket.on('message', (data) => void received.push(JSON.parse(String(data))));
      socket.once('open', () => socket.send(JSON.stringify({ action: 'subscribe', events: ['api_call'] })));
      await eventually(() => received.find(({ type }) => type === 'subscribed'), 'the subscription');
      const key = { name: 'CI', scopes: ['api_keys:read'] };
      const { secret } = (await user.request('/api/v1/api-keys', { method: 'POST', body: key })).body;
      // A stranger's call goes through the same channel.
      const stranger = await app.signUp();
      const theirs = (await stranger.request('/api/v1/api-keys', { method: 'POST', body: key })).body.secret;
      for (const apiKey of [theirs, secret])
        await app.request('/api/v1/api-keys', { headers: { 'x-api-key': apiKey } });
      await eventually(() => received.find(({ type }) => type === 'event'), 'the call');
      expect(received.filter(({ type }) => type === 'event')).toEqual([
        expect.objectContaining({
          id: null,
          event: 'api_call',
          data: expect.objectContaining({ procedure: 'apiKeys.list', status: 200 }),
        }),
      ]);
    } finally {
      socket.close();
      await other.close();
    }
  });

  it('continues without it for known callers, and refuses to sign in or guess', async () => {
    await redis.kill();
    await down();
    expect((await user.request('/api/v1/users/me')).status).toBe(200);
    const refused = await login();
    expect(refused.status).toBe(503);
    expect(refused.body.code).toBe('unavailable');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const guessed = await app.request('/api/v1/users/me', { headers: { authorization: 'Bearer guessed' } });
    expect(guessed.status).toBe(503);
    expect(await app.ports.metrics.registry.metrics()).toMatch(
      /^rentapi_limiter_decisions_total\{bucket="\w+",decision="unavailable"\} 2$/m,
    );
  });

  it('still limits known callers, each process for itself', async () => {
    const began = performance.now();
    let passed = 0;
    await eventually(async () => {
      const calls = await Promise.all(Array.from({ length: 100 }, () => user.request('/api/v1/users/me')));
      const served = calls.filter(({ status }) => status !== 429).length;
      passed += served;
      return served < calls.length || undefined;
    }, 'a refusal');
    const refilled = ((performance.now() - began) * 300) / 60_000;
    expect(passed).toBeGreaterThanOrEqual(299); // of 300 a minute, one was used before
    expect(passed).toBeLessThanOrEqual(300 + refilled);
  });

  it('is degraded in that time, and ready', async () => {
    expect((await app.request('/health/cache')).body).toMatchObject({ status: 'down', driver: 'redis' });
    const health = await app.request('/health');
    expect(health).toMatchObject({ status: 200, body: { status: 'degraded', cache: { status: 'down' } } });
    expect((await app.request('/health/readiness')).status).toBe(200);
  });

  it('is not ready in a process that has never reached it', async () => {
    const late = await startApp({ REDIS_URL: redis.url });
    expect((await late.request('/health/readiness')).body).toMatchObject({ status: 503, code: 'unavailable' });
    await redis.start();
    const ready = async () => (await late.request('/health/readiness')).status === 200 || undefined;
    await eventually(ready, 'readiness');
    await late.close();
    await up();
    await redis.kill();
    await down();
  });

  it('is healthy again by itself once Redis is back', async () => {
    await redis.start();
    await eventually(async () => (await login()).status === 200 || undefined, 'sign-in');
    expect((await app.request('/health')).body).toMatchObject({ status: 'ok' });
    expect((await user.request('/api/v1/users/me')).status).toBe(200);
  });

  it('logs that Redis was lost and found, once each time', () => {
    const lines = app.logs.map((line) => JSON.parse(line).msg as string).filter((text) => text.startsWith('Redis'));
    expect(lines).toEqual([
      ...['Redis does not answer: going on without it', 'Redis answers again'],
      ...['Redis does not answer: going on without it', 'Redis answers again'],
    ]);
  });
});
