import { Redis as Connection } from 'ioredis';
import type { RedisAddress } from '../redis/address.ts';
import { connectionOptions } from '../redis.ts';

/** One connection that only listens. It is opened again, on the next node, whenever it ends or falls silent. */
export interface Subscriber {
  subscribe(channel: string): void;
  unsubscribe(channel: string): void;
  close(): void;
}

export interface SubscriberOptions {
  /** The current channels, read at each opening. */
  channels(): string[];
  onMessage(channel: string, text: string): void;
  /** All channels are subscribed from here on. */
  onOpen(): void;
}

const HEARTBEAT_MS = 1000;
const REOPEN_AFTER_MS = 200;

/** ioredis has one for clusters, but it does not try again when subscribing fails. Any node receives all channels. */
export function openSubscriber(address: RedisAddress, { channels, onMessage, onOpen }: SubscriberOptions): Subscriber {
  let connection = open(0);
  let reopening: NodeJS.Timeout | undefined;
  let closed = false;

  function open(attempt: number): Connection {
    const opened = new Connection({
      ...connectionOptions(address),
      ...address.nodes[attempt % address.nodes.length],
      autoResubscribe: false,
      retryStrategy: () => null,
    });
    opened.on('error', () => {}); // its end follows
    opened.on('message', onMessage);
    opened.on('ready', async () => {
      const subscribed = channels();
      if (subscribed.length > 0 && !(await succeeds(opened.subscribe(...subscribed)))) return opened.disconnect();
      onOpen();
    });
    opened.once('end', () => {
      if (!closed) reopening = setTimeout(() => (connection = open(attempt + 1)), REOPEN_AFTER_MS).unref();
    });
    return opened;
  }

  async function send(command: (to: Connection) => Promise<unknown>): Promise<void> {
    const to = connection;
    if (to.status !== 'ready') return; // opening subscribes to the channels
    if (!(await succeeds(command(to)))) to.disconnect();
  }

  const heartbeat = setInterval(() => send((to) => to.ping()), HEARTBEAT_MS).unref();
  return {
    subscribe: (channel) => void send((to) => to.subscribe(channel)),
    unsubscribe: (channel) => void send((to) => to.unsubscribe(channel)),
    close() {
      closed = true;
      clearInterval(heartbeat);
      clearTimeout(reopening);
      connection.disconnect();
    },
  };
}

function succeeds(command: Promise<unknown>): Promise<boolean> {
  return command.then(
    () => true,
    () => false,
  );
}
