import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventually, type Person, startApp, type TestApp } from '../../test/app.ts';
import { createOrigins } from './origins.ts';

const settings = { PUBLIC_URL: 'https://api.example.com', CONSOLE_URL: undefined, CORS_ORIGINS: [] };

afterEach(() => void vi.useRealTimers());

describe('the origins of keys', () => {
  it('are remembered for less than a second', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    let asked = 0;
    const origins = createOrigins(settings, async () => ++asked === 1);
    const after = (ms: number) => {
      vi.advanceTimersByTime(ms);
      return origins.isOfKey('https://shop.example.org');
    };
    expect([await after(0), await after(899), asked]).toEqual([true, true, 1]);
    expect([await after(1), asked]).toEqual([false, 2]);
  });

  it('are asked for once, however many ask at a time', async () => {
    let asked = 0;
    const origins = createOrigins(settings, async () => ++asked > 0);
    await Promise.all(Array.from({ length: 50 }, () => origins.isOfKey('https://shop.example.org')));
    expect(asked).toBe(1);
  });

  it('are asked for two at a time, and beyond a hundred that wait they are refused with a time to wait', async () => {
    let running = 0;
    let most = 0;
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const origins = createOrigins(settings, async () => {
      most = Math.max(most, ++running);
      await answered;
      running--;
      return false;
    });
    const asking = Array.from({ length: 200 }, (_, at) => origins.isOfKey(`https://a${at}.example`));
    const settled = Promise.allSettled(asking);
    answer();
    const outcomes = await settled;
    expect(most).toBe(2);
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(refused.length).toBeGreaterThanOrEqual(98);
    expect(refused[0]).toMatchObject({ errorCode: 'overloaded', retryAfterS: 1 });
  });

  it('are not remembered where the database failed', async () => {
    let asked = 0;
    const origins = createOrigins(settings, async () => {
      if (++asked === 1) throw new Error('down');
      return true;
    });
    await expect(origins.isOfKey('https://shop.example.org')).rejects.toThrow('down');
    expect(await origins.isOfKey('https://shop.example.org')).toBe(true);
  });

  it('that no key can have are refused without asking', async () => {
    const origins = createOrigins(settings, () => expect.fail('asked'));
    for (const origin of [
      'null',
      '*',
      'https://*.example.com',
      'https://a.example/',
      `https://${'a'.repeat(300)}.example`,
    ])
      expect(await origins.isOfKey(origin)).toBe(false);
  });
});

describe('in another process', () => {
  let app: TestApp;
  let other: TestApp;
  let ada: Person;
  beforeAll(async () => {
    app = await startApp();
    other = await startApp({}, app);
    ada = await app.signUp();
  });
  afterAll(async () => {
    await other.close();
    await app.close();
  });

  it.each([
    ['revoked', { method: 'DELETE' }],
    ['disabled', { method: 'PATCH', body: { enabled: false } }],
    ['moved', { method: 'PATCH', body: { allowedOrigins: ['https://elsewhere.example.org'] } }],
  ])('a key that was %s gives its origin no more leave', async (what, request) => {
    const origin = `https://${what}.example.org`;
    const body = { name: 'web', scopes: [], allowedOrigins: [origin] };
    expect(await other.ports.origins.isOfKey(origin)).toBe(false);
    const { body: key } = await ada.request('/api/v1/api-keys', { method: 'POST', body });
    const becomes = (expected: boolean) =>
      eventually(async () => ((await other.ports.origins.isOfKey(origin)) === expected ? true : undefined), 'it');
    await becomes(true);
    await ada.request(`/api/v1/api-keys/${key.id}`, request);
    await becomes(false);
  });
});
