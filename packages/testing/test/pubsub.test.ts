import { randomUUID } from 'node:crypto';
import { createMemoryPubSub, type PubSub } from '@rentapi/platform/pubsub';
import { createRedisPubSub } from '@rentapi/platform/pubsub/redis';
import type { Redis } from '@rentapi/platform/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, DRIVERS, withoutRedis } from './drivers.ts';
import { until } from './until.ts';

describe.each(DRIVERS)('pub/sub in $driver', ({ start }) => {
  describe.skipIf(start !== null && withoutRedis)('delivers', () => {
    let server: { url: string; stop(): Promise<void> } | undefined;
    const connections: Redis[] = [];
    const errors: unknown[] = [];
    let here: PubSub;
    let there: PubSub;
    let topic: string;

    async function open(): Promise<PubSub> {
      if (!server) return createMemoryPubSub((error) => errors.push(error));
      const redis = await connect(server.url);
      connections.push(redis);
      return createRedisPubSub(redis, (error) => errors.push(error));
    }

    beforeAll(async () => {
      server = await start?.();
      here = await open();
      there = server ? await open() : here; // without Redis there is only one process
    });
    afterAll(async () => {
      await here?.close();
      await there?.close();
      for (const connection of connections) await connection.close();
      await server?.stop();
    });
    beforeEach(() => {
      topic = `topic:${randomUUID()}`;
      errors.length = 0;
    });

    /** A listener that is known to receive from the other process. */
    async function listen(to: PubSub, from: PubSub, given = topic) {
      const received: unknown[] = [];
      let ready = false;
      const stop = to.subscribe(given, (message) => (message === 'ready?' ? (ready = true) : received.push(message)));
      await until(() => {
        if (!ready) from.publish(given, 'ready?');
        return ready;
      }, 'the subscription');
      return { received, stop };
    }

    it('each message once and in order, to every listener', async () => {
      const first = await listen(there, here);
      const second = await listen(there, here);
      const sent = Array.from({ length: 200 }, (_, i) => ({ i }));
      for (const message of sent) here.publish(topic, message);
      await until(() => second.received.length >= 200, 'the messages');
      expect(first.received).toEqual(sent);
      expect(second.received).toEqual(sent);
    });

    it('to its own process too, at once and once', async () => {
      const mine = await listen(here, here);
      const theirs = await listen(there, here);
      here.publish(topic, 1);
      expect(mine.received).toEqual([1]);
      await until(() => theirs.received.length > 0, 'the echo');
      here.publish(topic, 2);
      await until(() => theirs.received.length > 1, 'the echo');
      expect(mine.received).toEqual([1, 2]);
    });

    it('what JSON makes of a message, wherever the listener is', async () => {
      const mine = await listen(here, here);
      const theirs = await listen(there, here);
      here.publish(topic, { at: new Date(0), gone: undefined, text: 'żółw 🐢\n' });
      await until(() => theirs.received.length > 0, 'the message');
      const expected = { at: '1970-01-01T00:00:00.000Z', text: 'żółw 🐢\n' };
      expect(mine.received).toEqual([expected]);
      expect(theirs.received).toEqual([expected]);
    });

    it('nothing of another topic', async () => {
      const other = await listen(there, here, `${topic}:other`);
      const mine = await listen(there, here);
      here.publish(topic, 'mine');
      await until(() => mine.received.length > 0, 'the message');
      expect(other.received).toEqual([]);
    });

    it('nothing after the listener left, and again after it came back', async () => {
      const gone = await listen(there, here);
      const stays = await listen(there, here);
      gone.stop();
      here.publish(topic, 1);
      await until(() => stays.received.length > 0, 'the message');
      stays.stop();
      stays.stop(); // unsubscribing twice removes no other listener
      const back = await listen(there, here);
      here.publish(topic, 2);
      await until(() => back.received.length > 0, 'the message');
      expect([gone.received, stays.received, back.received]).toEqual([[], [1], [2]]);
    });

    it('although another listener throws', async () => {
      there.subscribe(topic, () => {
        throw new Error('listener');
      });
      const next = await listen(there, here);
      here.publish(topic, 1);
      await until(() => next.received.length > 0, 'the message');
      expect(errors.length).toBeGreaterThan(0);
    });
  });
});
