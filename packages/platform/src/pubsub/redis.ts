import { randomInt, randomUUID } from 'node:crypto';
import { Cluster } from 'ioredis';
import { createTopics, type PubSub } from '../pubsub.ts';
import { REDIS_PREFIX, type Redis, type RedisClient, RedisUnavailableError } from '../redis.ts';
import { openSubscriber } from './subscriber.ts';

const CHANNEL = `${REDIS_PREFIX}topic:`;

/**
 * Between all processes on one Redis. A message's own process gets it directly and skips the echo, so it still works
 * within the process while Redis is away.
 */
export function createRedisPubSub(redis: Redis, onError: (error: unknown) => void): PubSub {
  const origin = randomUUID();
  const lane = randomInt(1_000_000);
  const topics = createTopics(onError);
  const gapListeners = new Set<() => void>();
  const subscriber = openSubscriber(redis.address, {
    channels: () => topics.names().map((topic) => CHANNEL + topic),
    onMessage(channel, text) {
      if (!text.startsWith(origin)) topics.deliver(channel.slice(CHANNEL.length), text.slice(origin.length));
    },
    onOpen() {
      for (const listener of gapListeners) listener();
    },
  });
  return {
    publish(topic, message) {
      topics.publish(topic, message);
      if (!redis.available) return;
      redis
        .run((client) => publisher(client, lane).publish(CHANNEL + topic, origin + JSON.stringify(message)))
        .catch((error: unknown) => error instanceof RedisUnavailableError || onError(error));
    },
    subscribe(topic, listener) {
      if (!topics.has(topic)) subscriber.subscribe(CHANNEL + topic);
      const remove = topics.add(topic, listener);
      return () => {
        const subscribed = topics.has(topic);
        remove();
        if (subscribed && !topics.has(topic)) subscriber.unsubscribe(CHANNEL + topic);
      };
    },
    onGap: (listener) => void gapListeners.add(listener),
    async close() {
      subscriber.close();
      topics.clear();
    },
  };
}

/** Any node of a cluster passes a message to all, but only messages through one node stay in order. */
function publisher(client: RedisClient, lane: number): RedisClient {
  if (!(client instanceof Cluster)) return client;
  const masters = client.nodes('master');
  return masters[lane % masters.length] ?? client;
}
