import { randomUUID } from 'node:crypto';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@rentapi/platform/logger';
import pg from 'pg';

/** Hears whose rights change, and knows up to when it has heard everything. All times are `performance.now()`. */
export interface ChangeListener {
  /** Every change committed before this moment has been told; -Infinity while nothing is proven. */
  readonly provenAt: number;
  /** Goes up with every LISTEN. */
  readonly epoch: number;
  readonly reconnects: number;
  /** Whether nothing was missed by silence, as far as `provenMs` ago, nor between two connections, as far as `listeningMs` ago. */
  isSure(provenMs: number, listeningMs: number): boolean;
  close(): Promise<void>;
}

const ECHO_EVERY_MS = 300;
/** An echo that takes this long is not late, it is lost: the connection is dead, whatever TCP says. */
const SILENT_AFTER_MS = 2000;
const CONNECT_TIMEOUT_MS = 2000;
const MAX_PAUSE_MS = 2000;

/**
 * LISTENs on one connection of its own, and says something to itself there: Postgres hands notifications out in the order of
 * their commits, so what comes back proves that every change committed before it was said has come too. A notification may be
 * late, or lost with its connection; then nothing is proven, and everybody asks the database.
 */
export function startChangeListener(options: {
  url: string;
  log: Logger;
  heard: (invalidationKey: string) => void;
}): ChangeListener {
  const { url, log, heard } = options;
  const state = { provenAt: -Infinity, epoch: 0, reconnects: 0, listeningSince: Infinity };
  const closing = Promise.withResolvers<void>();
  let closed = false;

  /** Listens until the connection is lost, or silent, or closed by us. */
  async function listen(): Promise<void> {
    const socket = new Socket();
    const client = new pg.Client({
      connectionString: url,
      application_name: 'rentapi actors',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      stream: () => socket,
    });
    const lost = Promise.withResolvers<void>();
    client.on('error', lost.reject).on('end', () => lost.reject(new Error('the connection ended')));
    lost.promise.catch(() => {}); // it may be lost before anybody waits
    let timer: NodeJS.Timeout | undefined;
    try {
      await client.connect();
      const own = `echo_${randomUUID().replaceAll('-', '')}`;
      const echo = createEcho((text) => client.query('select pg_notify($1, $2)', [own, text]).catch(lost.reject));
      client.on('notification', ({ channel, payload = '' }) => {
        if (channel === 'actors') heard(payload);
        else state.provenAt = echo.heard(payload) ?? state.provenAt;
      });
      await client.query(`listen actors; listen ${own}`);
      state.epoch++;
      state.listeningSince = performance.now();
      const beat = () => (echo.isSilent() ? lost.reject(new Error('no echo')) : echo.say());
      beat();
      timer = setInterval(beat, ECHO_EVERY_MS);
      await Promise.race([lost.promise, closing.promise]);
    } finally {
      clearInterval(timer);
      state.provenAt = -Infinity;
      state.listeningSince = Infinity;
      socket.destroy(); // a dead peer would keep `end()` waiting
    }
  }

  const running = (async () => {
    for (let pauseMs = 50; !closed; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      const { epoch } = state;
      try {
        await listen();
      } catch (error) {
        if (!closed) log.warn({ err: error }, 'not hearing of revocations: asking the database instead');
      }
      if (closed) break;
      state.reconnects++;
      if (state.epoch > epoch) pauseMs = 50;
      await Promise.race([sleep(pauseMs * (0.5 + Math.random()), undefined, { ref: false }), closing.promise]);
    }
  })();

  return {
    get provenAt() {
      return state.provenAt;
    },
    get epoch() {
      return state.epoch;
    },
    get reconnects() {
      return state.reconnects;
    },
    isSure(provenMs, listeningMs) {
      const now = performance.now();
      return now - state.provenAt < provenMs && now - state.listeningSince > listeningMs;
    },
    async close() {
      closed = true;
      closing.resolve();
      await running;
    },
  };
}

/** One thing said to oneself at a time, and when. */
function createEcho(send: (text: string) => void) {
  let count = 0;
  let asked: { text: string; at: number } | null = null;
  return {
    /** Nothing, while the last one is on its way. */
    say(): void {
      if (asked) return;
      asked = { text: String(++count), at: performance.now() };
      send(asked.text);
    },
    /** When it was said that has come back. */
    heard(text: string): number | undefined {
      if (asked?.text !== text) return undefined;
      const { at } = asked;
      asked = null;
      return at;
    },
    isSilent: (): boolean => asked !== null && performance.now() - asked.at > SILENT_AFTER_MS,
  };
}
