import { setTimeout as sleep } from 'node:timers/promises';
import { KEEP_ALIVE_MS } from '@rentapi/platform/database';
import type { Logger } from '@rentapi/platform/logger';
import pg from 'pg';

export interface Listener {
  close(): Promise<void>;
}

const MAX_PAUSE_MS = 2000;

/**
 * Calls back on NOTIFY with its payload (empty after a reconnection), over a connection of its own that is opened again
 * when it is lost. Notifications are a hint to look sooner, never the truth: every caller also looks once a second.
 */
export function startListener(options: {
  url: string;
  log: Logger;
  channels: Record<string, (payload: string) => void>;
}): Listener {
  const { url, log, channels } = options;
  let closed = false;
  let client: pg.Client | undefined;

  const running = (async () => {
    for (let pauseMs = 50; !closed; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      client = new pg.Client({
        connectionString: url,
        application_name: 'rentapi listener',
        connectionTimeoutMillis: 5000,
        keepAlive: true,
        keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      });
      const lost = new Promise<Error | undefined>((resolve) => {
        client?.on('error', resolve).on('end', () => resolve(undefined));
      });
      client.on('notification', ({ channel, payload }) => channels[channel]?.(payload ?? ''));
      try {
        await client.connect();
        for (const channel of Object.keys(channels)) await client.query(`listen ${channel}`);
        pauseMs = 50;
        for (const wake of Object.values(channels)) wake(''); // notifications from before are lost
        const error = await lost;
        if (!closed) log.warn({ err: error }, 'listening connection lost');
      } catch (error) {
        if (!closed) log.warn({ err: error }, 'cannot listen');
      }
      await client.end().catch(() => {});
      if (!closed) await sleep(pauseMs);
    }
  })();

  return {
    async close() {
      closed = true;
      await client?.end().catch(() => {});
      await running;
    },
  };
}
