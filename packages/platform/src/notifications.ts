import { randomUUID } from 'node:crypto';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { backoffMs } from './backoff.ts';
import { parseDatabaseUrl } from './database-url.ts';
import type { Logger } from './logger.ts';

/**
 * Notifications of other processes, over one connection of this process for all its channels. It opens at the first
 * subscription, and again whenever it is lost or falls silent. A notification may be late or lost with its connection:
 * it is only a hint to read, and cached rows can be trusted only as far as `provenAt` says.
 */
export interface Notifications {
  /** Calls the function of a channel with each payload, until `unsubscribe`. */
  subscribe(options: SubscribeOptions): Subscription;
  close(): Promise<void>;
}

export interface SubscribeOptions {
  channels: Record<string, (payload: string) => void>;
  /**
   * All channels are subscribed from here on, for the first time or again. Earlier notifications may have been missed:
   * read again.
   */
  onListening?: () => void;
}

/** All times are `performance.now()`. */
export interface Subscription {
  /**
   * Everything that was committed before this moment, and after `onListening`, has arrived; -Infinity while nothing is
   * proven.
   */
  readonly provenAt: number;
  /** Counts how often the subscription began. */
  readonly epoch: number;
  /** Counts how often the connection was lost. */
  readonly reconnects: number;
  /**
   * Whether nothing was missed: proven less than `provenMs` ago, and subscribed without a break for more than
   * `listeningMs`.
   */
  isSure(provenMs: number, listeningMs: number): boolean;
  unsubscribe(): void;
}

const ECHO_EVERY_MS = 300;
/** After so many echoes for which no proof was asked, two of three are left out: an idle process asks for little. */
const ECHOES_UNASKED = 30;
/** An echo that takes this long is lost: the connection is dead, whatever TCP says. */
const SILENT_AFTER_MS = 2000;
const CONNECT_TIMEOUT_MS = 2000;
const RECONNECT = { firstMs: 100, maxMs: 2000 };

/** One subscription and the state of its channels. */
interface Subscriber {
  options: SubscribeOptions;
  provenAt: number;
  epoch: number;
  reconnects: number;
  listeningSince: number;
}

interface Connection {
  listen(subscriber: Subscriber): Promise<void>;
  unlisten(channels: string[]): void;
}

/** `url` leads to the primary itself: a pooler does not pass notifications on, and a replica has none. */
export function createNotifications({ url, log }: { url: string; log: Logger }): Notifications {
  const subscribers = new Set<Subscriber>();
  const closing = Promise.withResolvers<void>();
  let connection: Connection | undefined;
  let running: Promise<void> | undefined;
  let closed = false;
  let unasked = 0;

  /**
   * Postgres delivers notifications in the order of their commits, so an echo proves that all earlier ones have
   * arrived.
   */
  function proveFrom(saidAt: number): void {
    for (const subscriber of subscribers) {
      if (subscriber.listeningSince <= saidAt) subscriber.provenAt = saidAt;
    }
  }

  function deliver(channel: string, payload: string): void {
    for (const { options } of subscribers) {
      try {
        options.channels[channel]?.(payload);
      } catch (error) {
        log.error({ err: error, channel }, 'a listener failed');
      }
    }
  }

  /** A failure ends the connection, and the next one subscribes again. */
  function join(to: Connection, subscriber: Subscriber): void {
    to.listen(subscriber).catch(() => {});
  }

  /** Listens until the connection is lost, silent, or not needed any more. */
  async function listen(onListening: () => void): Promise<void> {
    const socket = new Socket();
    const client = new pg.Client({
      ...parseDatabaseUrl(url),
      application_name: 'rentapi notifications',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      stream: () => socket,
    });
    const lost = Promise.withResolvers<void>();
    client.on('error', lost.reject).on('end', () => lost.reject(new Error('the connection ended')));
    lost.promise.catch(() => {}); // it may be lost before it is awaited
    let timer: NodeJS.Timeout | undefined;
    let last: Promise<unknown> = Promise.resolve();
    /** One statement after the other, as pg requires. A failure ends the connection. */
    const run = (sql: string): Promise<unknown> => {
      last = last.then(() => client.query(sql));
      last.catch(lost.reject);
      return last;
    };
    try {
      await client.connect();
      const own = `echo_${randomUUID().replaceAll('-', '')}`;
      const echo = createEcho((text) => run(`notify ${own}, '${text}'`).catch(() => {}));
      client.on('notification', ({ channel, payload = '' }) => {
        if (channel !== own) return deliver(channel, payload);
        const saidAt = echo.arrived(payload);
        if (saidAt !== undefined) proveFrom(saidAt);
      });
      const opened: Connection = {
        async listen(subscriber) {
          for (const name of Object.keys(subscriber.options.channels)) {
            await run(`listen ${client.escapeIdentifier(name)}`);
          }
          if (connection !== opened || !subscribers.has(subscriber)) return;
          subscriber.epoch++;
          subscriber.listeningSince = performance.now();
          subscriber.options.onListening?.();
          echo.send();
        },
        unlisten(channels) {
          for (const name of channels) run(`unlisten ${client.escapeIdentifier(name)}`).catch(() => {});
        },
      };
      await run(`listen ${own}`);
      connection = opened;
      onListening();
      for (const subscriber of subscribers) join(opened, subscriber);
      timer = setInterval(() => {
        if (echo.isSilent()) lost.reject(new Error(`no echo within ${SILENT_AFTER_MS} ms`));
        else if (++unasked < ECHOES_UNASKED || unasked % 3 === 0) echo.send();
      }, ECHO_EVERY_MS);
      await Promise.race([lost.promise, closing.promise]);
    } finally {
      connection = undefined;
      clearInterval(timer);
      for (const subscriber of subscribers)
        Object.assign(subscriber, { provenAt: -Infinity, listeningSince: Infinity });
      socket.destroy(); // a dead peer would keep `end()` waiting
    }
  }

  async function keepListening(): Promise<void> {
    for (let failures = 1; !closed; failures++) {
      try {
        await listen(() => {
          failures = 0;
        });
      } catch (error) {
        if (!closed) log.warn({ err: error }, 'no notifications: asking the database instead');
      }
      if (closed) return;
      for (const subscriber of subscribers) subscriber.reconnects++;
      const pauseMs = backoffMs(Math.max(failures, 1), RECONNECT);
      await Promise.race([sleep(pauseMs, undefined, { ref: false }), closing.promise]);
    }
  }

  return {
    subscribe(options) {
      const subscriber = { options, provenAt: -Infinity, epoch: 0, reconnects: 0, listeningSince: Infinity };
      subscribers.add(subscriber);
      if (!closed) running ??= keepListening();
      if (connection) join(connection, subscriber);
      return {
        get provenAt() {
          unasked = 0;
          return subscriber.provenAt;
        },
        get epoch() {
          return subscriber.epoch;
        },
        get reconnects() {
          return subscriber.reconnects;
        },
        isSure(provenMs, listeningMs) {
          unasked = 0;
          const now = performance.now();
          return now - subscriber.provenAt < provenMs && now - subscriber.listeningSince > listeningMs;
        },
        unsubscribe() {
          if (!subscribers.delete(subscriber)) return;
          const channels = new Set([...subscribers].flatMap((other) => Object.keys(other.options.channels)));
          connection?.unlisten(Object.keys(options.channels).filter((channel) => !channels.has(channel)));
        },
      };
    },
    async close() {
      closed = true;
      subscribers.clear();
      closing.resolve();
      await running;
    },
  };
}

/** Sends one message to itself at a time, and measures when it was sent. */
function createEcho(send: (text: string) => unknown) {
  let count = 0;
  let asked: { text: string; at: number } | null = null;
  return {
    /** Undefined while the last one is on its way. */
    send(): void {
      if (asked) return;
      asked = { text: String(++count), at: performance.now() };
      send(asked.text);
    },
    /** When the message that has come back was sent. */
    arrived(text: string): number | undefined {
      if (asked?.text !== text) return undefined;
      const { at } = asked;
      asked = null;
      return at;
    },
    isSilent: (): boolean => asked !== null && performance.now() - asked.at > SILENT_AFTER_MS,
  };
}
