import { ConnectionError, classOfStatus, RentApiError, TimeoutError } from './errors.ts';
import type { RentApiEvent } from './generated/resources.gen.ts';

/** The part of WebSocket that is used; browsers, Node 22, Deno, Bun and the package `ws` have it. */
export interface WebSocketLike {
  send(data: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
}
export type WebSocketConstructor = new (url: string) => WebSocketLike;

/** Something that happened. `event` decides what `data` is; a newer server may send events that are not listed here. */
export type RealtimeEvent = { type: 'event' } & RentApiEvent;

type Command =
  | { action: 'subscribe'; events: readonly string[]; lastEventId?: string | null | undefined }
  | { action: 'unsubscribe'; events: readonly string[] };

/** Sends a command; resolves to the place that the server confirms, rejects where the server refuses it. */
export type SendCommand = (command: Command) => Promise<string | null | undefined>;

interface ConnectOptions {
  WebSocket: WebSocketConstructor;
  url: string;
  heartbeatMs: number;
  signal: AbortSignal;
  onOpen: (send: SendCommand) => void;
  onEvent: (event: RealtimeEvent) => void;
}

interface WaitingCommand {
  command: Command;
  resolve: (lastEventId: string | null | undefined) => void;
  reject: (error: RentApiError) => void;
}

const CONFIRM_TIMEOUT_MS = 15_000;
/** The status that an answer over HTTP has, for what a socket may be refused with. */
export const STATUS_OF_REFUSAL: Record<string, number> = {
  invalid_input: 400,
  malformed_json: 400,
  credentials_required: 401,
  invalid_ticket: 401,
  invalid_access_token: 401,
  access_token_expired: 401,
  session_revoked: 401,
  invalid_api_key: 401,
  api_key_revoked: 401,
  api_key_rotated: 401,
  api_key_disabled: 401,
  api_key_expired: 401,
  account_inactive: 403,
  address_not_allowed: 403,
  origin_not_allowed: 403,
  permission_denied: 403,
  not_your_message: 403,
  user_required: 403,
  not_found: 404,
  limit_reached: 409,
  rate_limited: 429,
  internal_error: 500,
  overloaded: 503,
  unavailable: 503,
};
/** Refusals that may be over after a while: the connection ends and is opened again. */
const TRANSIENT_CODES = new Set(['internal_error', 'unavailable', 'overloaded', 'rate_limited', 'invalid_ticket']);

/** Whether the same attempt may succeed later. A refusal of what was asked for is final. */
export function isTransient(error: Error): boolean {
  if (!(error instanceof RentApiError)) return false;
  if (TRANSIENT_CODES.has(error.code) || error instanceof ConnectionError) return true;
  return error.status !== undefined && (error.status >= 500 || error.status === 429);
}

/** One open socket; rejects when it ends, with the reason. */
export async function connect(options: ConnectOptions): Promise<never> {
  const { signal } = options;
  const socket = new options.WebSocket(options.url);
  const onAbort = () => socket.close(1000);
  signal.addEventListener('abort', onAbort, { once: true });
  /** One command waits for its answer at a time, because an answer does not name its command. */
  const waiting: WaitingCommand[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let heartbeat: ReturnType<typeof setInterval> | undefined;
  let heard = true;
  try {
    return await new Promise<never>((_, reject) => {
      const expectAnswer = () => {
        clearTimeout(timer);
        timer = setTimeout(
          () => reject(new TimeoutError('The server did not confirm the subscription in time.', { code: 'timeout' })),
          CONFIRM_TIMEOUT_MS,
        );
      };
      const sendFirst = () => {
        clearTimeout(timer);
        const [first] = waiting;
        if (!first) return;
        expectAnswer();
        socket.send(JSON.stringify(first.command));
      };
      const send: SendCommand = (command) =>
        new Promise((resolve, reject) => {
          if (waiting.push({ command, resolve, reject }) === 1) sendFirst();
        });
      const answer = (): WaitingCommand | undefined => {
        const answered = waiting.shift();
        sendFirst();
        return answered;
      };
      expectAnswer();
      socket.addEventListener('open', () => {
        clearTimeout(timer);
        heartbeat = setInterval(() => {
          if (!heard) reject(new TimeoutError('The server does not answer any more.', { code: 'timeout' }));
          heard = false;
          socket.send(JSON.stringify({ action: 'ping' }));
        }, options.heartbeatMs);
        options.onOpen(send);
      });
      // The reason comes with `close`, which always follows; browsers give none here.
      socket.addEventListener('error', () => undefined);
      socket.addEventListener('close', ({ code, reason }) => {
        const message = `The connection ended (${code}${reason ? `: ${reason}` : ''}).`;
        reject(new ConnectionError(message, { code: 'connection_failed' }));
      });
      socket.addEventListener('message', ({ data }) => {
        heard = true;
        const message = parse(data);
        if (message?.type === 'subscribed') answer()?.resolve(placeOf(message));
        // The guarantee: the server writes these messages; the realtime guide lists them.
        else if (message?.type === 'event') options.onEvent(message as unknown as RealtimeEvent);
        else if (message?.type === 'error') {
          const error = refusal(message);
          if (isTransient(error) || waiting.length === 0) reject(error);
          else answer()?.reject(error);
        }
      });
    });
  } finally {
    for (const { reject } of waiting)
      reject(new ConnectionError('The connection ended.', { code: 'connection_failed' }));
    clearTimeout(timer);
    clearInterval(heartbeat);
    signal.removeEventListener('abort', onAbort);
    socket.close();
  }
}

export function parse(data: unknown): Record<string, unknown> | null {
  try {
    const message: unknown = JSON.parse(String(data));
    return typeof message === 'object' && message !== null ? (message as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

export function placeOf({ lastEventId }: Record<string, unknown>): string | null | undefined {
  return typeof lastEventId === 'string' || lastEventId === null ? lastEventId : undefined;
}

export function refusal({ code, detail }: Record<string, unknown>): RentApiError {
  const status = STATUS_OF_REFUSAL[String(code)];
  const ErrorClass = status === undefined ? RentApiError : classOfStatus(status);
  return new ErrorClass(`${code}: ${detail}`, { code: String(code), ...(status !== undefined && { status }) });
}
