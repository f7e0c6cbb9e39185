import { redisIsMissing } from '@rentapi/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { type AppsOnRedis, startAppsOnRedis } from '../../../test/apps-on-redis.ts';
import { statusAndCode } from '../../../test/organization.ts';

async function staff(app: TestApp): Promise<Person> {
  const person = await app.signUp();
  await app
    .rows('users')
    .where({ id: app.ports.ids.decode('usr', person.id) })
    .update({ role: 'SUPER_ADMIN' });
  return person;
}

const key = 'org_00000000000000000000000000';
const cached = (app: TestApp) => app.ports.cache.namespace('meters').get({ key });
const fill = (app: TestApp) => app.ports.cache.namespace('meters').set({ key, value: ['api_calls'] });

describe('the cache in memory', () => {
  let app: TestApp;
  let root: Person;
  beforeAll(async () => {
    app = await startApp();
    root = await staff(app);
  });
  afterAll(() => app.close());

  it('shows its parts', async () => {
    const { body } = await root.request('/api/v1/cache/status');
    expect(body).toMatchObject({ status: 'ok', driver: 'memory', complete: true });
    expect(body.namespaces).toContainEqual({ name: 'meters', description: expect.any(String), entries: null });
  });

  it('is cleared by part, and by key', async () => {
    await fill(app);
    expect(await cached(app)).toEqual(['api_calls']);
    expect((await root.request(`/api/v1/cache/meters:${key}`, { method: 'DELETE' })).status).toBe(204);
    expect(await cached(app)).toBeUndefined();
    await fill(app);
    const body = { namespace: 'meters' };
    expect((await root.request('/api/v1/cache/clear', { method: 'POST', body })).status).toBe(204);
    expect(await cached(app)).toBeUndefined();
  });

  it('has only the parts that are declared', async () => {
    const clear = await root.request('/api/v1/cache/clear', { method: 'POST', body: { namespace: 'limits' } });
    expect(statusAndCode(clear)).toEqual([400, 'invalid_input']);
    for (const unknown of ['limits:all', 'meters', 'meters:', 'x'.repeat(300)]) {
      const answer = await root.request(`/api/v1/cache/${unknown}`, { method: 'DELETE' });
      expect(statusAndCode(answer)).toEqual([404, 'unknown_cache_namespace']);
    }
  });

  it('records who cleared it', async () => {
    const headers = { 'x-request-id': 'a-clear' };
    await root.request('/api/v1/cache/clear', { method: 'POST', body: {}, headers });
    const [entry, ...others] = await app.rows('audit_logs').where({ requestId: 'a-clear' });
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ action: 'cache.cleared', actorId: app.ports.ids.decode('usr', root.id) });
    const event = await app.rows('events').where({ id: entry.eventId }).first();
    expect(event.data).toEqual({ namespaces: ['meters'] });
  });
});

describe.skipIf(redisIsMissing())('the cache in Redis', () => {
  let processes: AppsOnRedis;
  let app: TestApp;
  let other: TestApp;
  let root: Person;
  beforeAll(async () => {
    processes = await startAppsOnRedis();
    [app, other] = processes.apps;
    root = await staff(app);
  });
  afterAll(() => processes?.close());

  const run = <T>(command: Parameters<NonNullable<TestApp['ports']['redis']>['run']>[0]) =>
    app.ports.redis!.run(command) as Promise<T>;
  const entries = async () => {
    const { body } = await root.request('/api/v1/cache/status');
    return body.namespaces.find(({ name }: { name: string }) => name === 'meters').entries;
  };

  it.each([
    ['a clear', () => root.request('/api/v1/cache/clear', { method: 'POST', body: { namespace: 'meters' } })],
    ['the deletion of a key', () => root.request(`/api/v1/cache/meters:${key}`, { method: 'DELETE' })],
  ])('%s reaches every process, and deletes nothing else', async (_, remove) => {
    await run((client) => client.set('rentapi:limit:kept', '1'));
    await run((client) => client.set('others:kept', '1'));
    // The other process has it in memory, which alone would answer for five minutes.
    await eventually(async () => {
      await fill(app);
      expect(await cached(other)).toEqual(['api_calls']);
      expect(await entries()).toBe(1);
      expect((await remove()).status).toBe(204);
      expect(await entries()).toBe(0);
      return (await cached(other)) === undefined || undefined;
    }, 'the bus');
    expect(await run((client) => client.exists('rentapi:limit:kept', 'others:kept'))).toBe(2);
  });

  it('is not said to be cleared while other processes cannot be reached', async () => {
    await processes.redis.kill();
    await eventually(() => !app.ports.redis?.available || undefined, 'the loss of Redis');
    expect(await entries()).toBeNull();
    for (const answer of [
      await root.request('/api/v1/cache/clear', { method: 'POST', body: {}, headers: { 'x-request-id': 'unreached' } }),
      await root.request(`/api/v1/cache/meters:${key}`, { method: 'DELETE', headers: { 'x-request-id': 'unreached' } }),
    ]) {
      expect(statusAndCode(answer)).toEqual([503, 'unavailable']);
    }
    expect(await app.rows('audit_logs').where({ requestId: 'unreached' })).toEqual([]);
  });
});
