import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import type { Connection } from '../context.ts';
import type { ApiError } from '../contract/errors.ts';

/**
 * Close codes (RFC 6455, and 4000–4999 for our own): 4401 and 4403 as HTTP's, 4408 no credential in time, 1001 the
 * server stops, 1008 more messages, attempts or sockets than allowed, 1011 a failure of the server, 1013 reads too
 * slowly.
 */
export const CLOSE = {
  goingAway: 1001,
  tooMuch: 1008,
  failed: 1011,
  tooSlow: 1013,
  unauthorized: 4401,
  forbidden: 4403,
  unauthenticated: 4408,
} as const;

/** The maximum that is buffered for a peer that does not read. */
const MAX_BUFFERED_BYTES = 1024 ** 2;
/** Nothing is added above this, so that the buffer stays far below the maximum. */
const HIGH_WATER_BYTES = 64 * 1024;
const MAX_STALL_MS = 5000;
const POLL_EVERY_MS = 20;
/** Time for the peer to read the reason, before the connection ends. */
export const LAST_MESSAGE_MS = 250;
/** A peer that reads nothing does not read a close frame either. */
const CLOSE_TIMEOUT_MS = 1000;
/** An open socket without a caller costs something, too: it is closed when this is over. */
export const CREDENTIAL_TIMEOUT_MS = 10_000;
const PING_EVERY_MS = 30_000;

export const MESSAGES_PER_SECOND = 10;
const MESSAGES_AT_ONCE = 50;

/** The code with which this side ended a connection: a peer that was cut off has not confirmed it. */
const ended = new WeakMap<WebSocket, number>();

export const endedWith = (socket: WebSocket): number | undefined => ended.get(socket);

export function closeWith(socket: WebSocket, code: number, reason: string): void {
  if (socket.readyState !== socket.OPEN) return;
  ended.set(socket, code);
  socket.close(code, reason);
  const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS);
  socket.once('close', () => clearTimeout(timer));
}

/** Ends a connection whose caller lost access, or never had it. */
export function closeFor(socket: WebSocket, { status, errorCode }: ApiError): void {
  closeWith(socket, closeCodeOf(status), errorCode);
}

function closeCodeOf(status: number): number {
  if (status >= 500) return CLOSE.failed;
  if (status === 429 || status === 409) return CLOSE.tooMuch;
  return status === 401 ? CLOSE.unauthorized : CLOSE.forbidden;
}

/** Ends the connection and returns false if the peer has left a megabyte unread. */
export function hasRoom(socket: WebSocket): boolean {
  if (socket.bufferedAmount <= MAX_BUFFERED_BYTES) return true;
  ended.set(socket, CLOSE.tooSlow);
  socket.terminate();
  return false;
}

/** True when the peer has read most of what was sent; false when it has gone, or was dropped after 5 s. */
export async function drained(socket: WebSocket): Promise<boolean> {
  for (let waitedMs = 0; socket.bufferedAmount > HIGH_WATER_BYTES; waitedMs += POLL_EVERY_MS) {
    if (waitedMs >= MAX_STALL_MS) closeWith(socket, CLOSE.tooSlow, 'reads too slowly');
    if (socket.readyState !== socket.OPEN) return false;
    await sleep(POLL_EVERY_MS);
  }
  return socket.readyState === socket.OPEN;
}

/** A long response that is sent in parts, under the rules of a socket. */
export function lastingResponse(res: ServerResponse): Connection {
  return {
    subscriptions: 0,
    drained: () => responseDrained(res),
    // A reader that stopped does not read the reason, and would stay connected to a stream that has ended.
    end: () => void setTimeout(() => res.writableFinished || res.destroy(), LAST_MESSAGE_MS),
    traffic: null,
  };
}

/**
 * True when the response accepts more; false when its reader has gone, or was dropped after reading nothing for 5 s.
 */
export function responseDrained(res: ServerResponse): Promise<boolean> {
  if (res.destroyed || !res.writableNeedDrain) return Promise.resolve(!res.destroyed);
  return new Promise((resolve) => {
    const timer = setTimeout(() => res.destroy(), MAX_STALL_MS);
    res.once('drain', settle).once('close', settle);
    function settle(): void {
      clearTimeout(timer);
      res.off('drain', settle).off('close', settle);
      resolve(!res.destroyed);
    }
  });
}

/**
 * Drops the connection of an answer that is not read for 5 s: its buffer would be kept for as long as the client likes.
 * An answer that has not begun is waited for.
 */
export function dropUnread(res: ServerResponse): void {
  res.setTimeout(MAX_STALL_MS).on('timeout', destroyIfUnread);
}

/** Node calls it after 5 s in which nothing was read or sent, and again after the next 5 s. */
function destroyIfUnread(socket: Socket): void {
  if (socket.writableLength > 0) socket.destroy();
}

/** Closes a connection that sends more than 10 messages a second for longer than 50 of them. */
export function limitMessages(socket: WebSocket): void {
  let left = MESSAGES_AT_ONCE;
  let at = performance.now();
  socket.prependListener('message', () => {
    const now = performance.now();
    left = Math.min(MESSAGES_AT_ONCE, left + ((now - at) / 1000) * MESSAGES_PER_SECOND) - 1;
    at = now;
    if (left >= 0 || socket.readyState !== socket.OPEN) return;
    socket.pause(); // the rest is not even parsed
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
