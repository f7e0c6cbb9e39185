import { randomUUID } from 'node:crypto';
import { type Redis, RedisUnavailableError } from '@rentapi/platform/redis';
import { createMemorySlots, type Pool, type Slots } from '@rentapi/platform/slots';
import { createRedisSlots } from '@rentapi/platform/slots/redis';
import { startTestRedis } from '@rentapi/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, DRIVERS, withoutRedis } from './drivers.ts';
import { until } from './until.ts';

const pool = (size: number, given: Partial<Pool> = {}): Pool => ({
  name: 'test',
  key: `{${randomUUID()}}test`,
  size,
  ...given,
});

describe.each(DRIVERS)('slots in $driver', ({ start }) => {
  describe.skipIf(start !== null && withoutRedis)('count', () => {
    let server: { url: string; stop(): Promise<void> } | undefined;
    let redis: Redis | undefined;
    let slots: Slots;

    beforeAll(async () => {
      server = await start?.();
      redis = server && (await connect(server.url));
      slots = redis ? createRedisSlots(redis) : createMemorySlots();
    });
    afterAll(async () => {
      await slots?.close();
      await redis?.close();
      await server?.stop();
    });

    it('what is open, and give a released one to the next', async () => {
      const two = pool(2);
      const first = await slots.take([two]);
      expect((await slots.take([two])).full).toBeUndefined();
      expect((await slots.take([two])).full).toEqual(two);
      first.release!();
      first.release!(); // a second time changes nothing
      expect((await slots.take([two])).full).toBeUndefined();
      expect((await slots.take([two])).full).toEqual(two);
    });

    it('exactly, with 50 concurrent calls', async () => {
      const ten = pool(10);
      const taken = await Promise.all(Array.from({ length: 50 }, () => slots.take([ten])));
      expect(taken.filter(({ release }) => release)).toHaveLength(10);
    });

    it('in every pool or in none', async () => {
      const tag = `{${randomUUID()}}`;
      const wide = pool(3, { key: `${tag}wide` });
      const narrow = pool(1, { key: `${tag}narrow`, name: 'narrow' });
      await slots.take([wide, narrow]);
      for (let at = 0; at < 5; at++) expect((await slots.take([wide, narrow])).full).toEqual(narrow);
      expect((await slots.take([wide])).full).toBeUndefined();
      expect((await slots.take([wide])).full).toBeUndefined();
      expect((await slots.take([wide])).full).toEqual(wide);
    });
  });
});

describe.skipIf(withoutRedis)('slots of several processes', () => {
  let server: Awaited<ReturnType<typeof startTestRedis>>;
  let connections: Redis[];
  beforeAll(async () => {
    server = await startTestRedis();
    connections = [await connect(server.url), await connect(server.url)];
  });
  afterAll(async () => {
    for (const each of connections) await each.close();
    await server.stop();
  });

  it('are counted together, and those of a process that was killed are free after their lease', async () => {
    const [one, other] = [
      createRedisSlots(connections[0]!, { renewEveryMs: 3_600_000, leaseMs: 1000 }),
      createRedisSlots(connections[1]!),
    ];
    const single = pool(1);
    expect((await one.take([single])).full).toBeUndefined();
    expect((await other.take([single])).full).toEqual(single);
    await one.close(); // renews no longer, as a killed process
    await until(async () => (await other.take([single])).release !== undefined, 'the lease to end');
    await other.close();
  });

  it('are held for longer than a lease, because they are renewed', async () => {
    const slots = createRedisSlots(connections[0]!, { renewEveryMs: 20, leaseMs: 60_000 });
    const single = pool(1);
    await slots.take([single]);
    const { client } = connections[0]!;
    const heldUntil = async () => Number((await client.zrange(nameOf(single), 0, 0, 'WITHSCORES'))[1]);
    const first = await heldUntil();
    await until(async () => (await heldUntil()) > first, 'the lease to be renewed');
    await slots.close();
  });

  it('are known again to a Redis that lost its memory', async () => {
    const [one, other] = [
      createRedisSlots(connections[0]!, { renewEveryMs: 20, leaseMs: 60_000 }),
      createRedisSlots(connections[1]!),
    ];
    const single = pool(1);
    await one.take([single]);
    await connections[0]!.client.flushall();
    await until(async () => (await connections[0]!.client.exists(nameOf(single))) === 1, 'the slot to be renewed');
    expect((await other.take([single])).full).toEqual(single);
    await one.close();
    await other.close();
  });

  it('are counted by each process alone while Redis is away', async () => {
    const slots = createRedisSlots({ ...connections[0]!, run: unavailable });
    const two = pool(2);
    const first = await slots.take([two]);
    await slots.take([two]);
    expect((await slots.take([two])).full).toEqual(two);
    first.release!();
    expect((await slots.take([two])).full).toBeUndefined();
    await slots.close();
  });
});

const nameOf = ({ key }: Pool): string => `rentapi:slots:${key}`;

async function unavailable(): Promise<never> {
  throw new RedisUnavailableError('away');
}
