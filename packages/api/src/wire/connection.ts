import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import type { Connection } from '../context.ts';
import type { ApiError } from '../contract/errors.ts';

/**
 * Close codes (RFC 6455, and 4000–4999 for our own): 4401 and 4403 as HTTP's, 4408 no credential in time, 1001 the server
 * stops, 1008 more messages or attempts than allowed, 1013 reads too slowly.
 */
export const CLOSE = {
  goingAway: 1001,
  tooMuch: 1008,
  tooSlow: 1013,
  unauthorized: 4401,
  forbidden: 4403,
  unauthenticated: 4408,
} as const;

/** What a socket may hold for a peer that does not read. */
const MAX_BUFFERED_BYTES = 1024 ** 2;
/** Above this nothing is added, so that what is held stays far below the most. */
const HIGH_WATER_BYTES = 64 * 1024;
const MAX_STALL_MS = 5000;
const LOOK_EVERY_MS = 20;
const WATCH_EVERY_MS = 1000;
/** For whoever may no more to be told why, before the connection ends. */
export const LAST_WORDS_MS = 250;
/** A peer that reads nothing does not read a close either. */
const CLOSE_TIMEOUT_MS = 1000;
const PING_EVERY_MS = 30_000;

const MESSAGES_PER_SECOND = 10;
const MESSAGES_AT_ONCE = 50;

export function closeWith(socket: WebSocket, code: number, reason: string): void {
  if (socket.readyState !== socket.OPEN) return;
  socket.close(code, reason);
  const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS);
  socket.once('close', () => clearTimeout(timer));
}

/** Ends a connection whose caller may no more, or has guessed too often. */
export function closeFor(socket: WebSocket, { status, errorCode }: ApiError): void {
  const code = status === 401 ? CLOSE.unauthorized : status === 429 ? CLOSE.tooMuch : CLOSE.forbidden;
  closeWith(socket, code, errorCode);
}

/** False, and the end of the connection, where the peer has left a megabyte unread. */
export function hasRoom(socket: WebSocket): boolean {
  if (socket.bufferedAmount <= MAX_BUFFERED_BYTES) return true;
  socket.terminate();
  return false;
}

/** Resolves when the peer has read most of what it was sent. One that does not within 5 s is dropped; then it rejects. */
export function drained(socket: WebSocket): Promise<void> {
  return untilRead({
    unread: () => socket.bufferedAmount,
    isOpen: () => socket.readyState === socket.OPEN,
    drop: () => closeWith(socket, CLOSE.tooSlow, 'reads too slowly'),
  });
}

/** A response that lasts, told in parts, under the rules of a socket. */
export function lastingResponse(res: ServerResponse): Connection {
  const reader: Peer = {
    // What is written waits for the reader: more than a little is never there, however long they have stopped.
    unread: () => (res.writableNeedDrain ? Number.POSITIVE_INFINITY : res.writableLength),
    isOpen: () => !res.destroyed && !res.writableFinished,
    drop: () => void res.destroy(),
  };
  watchReader(reader).catch(() => {}); // dropped
  return {
    subscriptions: 0,
    drained: () => untilRead(reader),
    // A reader who stopped does not read why, and would stay connected to a stream that is over.
    end: () => void setTimeout(() => reader.isOpen() && reader.drop(), LAST_WORDS_MS),
  };
}

/** On its own: who waits for the reader does not look how long. */
async function watchReader(reader: Peer): Promise<void> {
  while (reader.isOpen()) {
    await untilRead(reader);
    await sleep(WATCH_EVERY_MS, undefined, { ref: false });
  }
}

interface Peer {
  /** Bytes that wait for them. */
  unread(): number;
  isOpen(): boolean;
  drop(): void;
}

async function untilRead({ unread, isOpen, drop }: Peer): Promise<void> {
  for (let waitedMs = 0; unread() > HIGH_WATER_BYTES; waitedMs += LOOK_EVERY_MS) {
    if (!isOpen()) throw new Error('the connection is closed');
    if (waitedMs >= MAX_STALL_MS) {
      drop();
      throw new Error('the client reads too slowly');
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** Closes a connection that says more than 10 messages a second for longer than 50 of them. */
export function limitMessages(socket: WebSocket): void {
  let left = MESSAGES_AT_ONCE;
  let at = performance.now();
  socket.prependListener('message', () => {
    const now = performance.now();
    left = Math.min(MESSAGES_AT_ONCE, left + ((now - at) / 1000) * MESSAGES_PER_SECOND) - 1;
    at = now;
    if (left >= 0 || socket.readyState !== socket.OPEN) return;
    socket.pause(); // the rest of it is not even parsed
    closeWith(socket, CLOSE.tooMuch, `more than ${MESSAGES_PER_SECOND} messages a second`);
  });
}

/** A peer that does not answer a ping by the next one is gone, whatever TCP says. */
export function keepAlive(socket: WebSocket): void {
  let alive = true;
  socket.on('pong', () => {
    alive = true;
  });
  const timer = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
  }, PING_EVERY_MS);
  socket.on('close', () => clearInterval(timer));
}
