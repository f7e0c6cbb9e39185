import { ConnectionError, RentApiError, TimeoutError } from './errors.ts';

/** The part of WebSocket that is used; browsers, Node 22, Deno, Bun and the package `ws` have it. */
export interface WebSocketLike {
  send(data: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
}
export type WebSocketConstructor = new (url: string) => WebSocketLike;

/** Something that happened. Webhooks carry it too, under the same id. */
export interface RealtimeEvent {
  type: 'event';
  /** null for `api_call`: calls are reported as they happen and not kept. */
  id: string | null;
  /** `api_key.created` */
  event: string;
  createdAt: string;
  data: Record<string, unknown>;
}

interface ConnectOptions {
  WebSocket: WebSocketConstructor;
  url: string;
  events: readonly string[];
  lastEventId: string | null | undefined;
  heartbeatMs: number;
  signal: AbortSignal;
  /** `lastEventId`: where to resume if no event arrives before the connection ends. */
  onSubscribed: (lastEventId: string | null | undefined) => void;
  onEvent: (event: RealtimeEvent) => void;
}

const SUBSCRIBE_TIMEOUT_MS = 15_000;

/** One connection with one subscription; rejects when it ends, with the reason. */
export async function connect(options: ConnectOptions): Promise<never> {
  const { signal, events, lastEventId } = options;
  const socket = new options.WebSocket(options.url);
  const onAbort = () => socket.close(1000);
  signal.addEventListener('abort', onAbort, { once: true });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let heartbeat: ReturnType<typeof setInterval> | undefined;
  let heard = true;
  try {
    return await new Promise<never>((_, reject) => {
      const onSubscribed = (confirmed: string | null | undefined) => {
        clearTimeout(timer);
        clearInterval(heartbeat);
        heartbeat = setInterval(() => {
          if (!heard) reject(new TimeoutError('The server does not answer any more.', { code: 'timeout' }));
          heard = false;
          socket.send(JSON.stringify({ action: 'ping' }));
        }, options.heartbeatMs);
        options.onSubscribed(confirmed);
      };
      timer = setTimeout(
        () => reject(new TimeoutError('The server did not confirm the subscription in time.', { code: 'timeout' })),
        SUBSCRIBE_TIMEOUT_MS,
      );
      socket.addEventListener('open', () => socket.send(JSON.stringify({ action: 'subscribe', events, lastEventId })));
      // The reason comes with `close`, which always follows; browsers give none here.
      socket.addEventListener('error', () => undefined);
      socket.addEventListener('close', ({ code, reason }) => {
        const message = `The connection ended (${code}${reason ? `: ${reason}` : ''}).`;
        reject(new ConnectionError(message, { code: 'connection_failed' }));
      });
      socket.addEventListener('message', ({ data }) => {
        heard = true;
        const message = parse(data);
        // The guarantee: the server writes these messages; the realtime guide lists them.
        if (message?.type === 'event') options.onEvent(message as unknown as RealtimeEvent);
        else if (message?.type === 'error') reject(refusal(message));
        else if (message?.type === 'subscribed') onSubscribed(message.lastEventId as string | null | undefined);
      });
    });
  } finally {
    clearTimeout(timer);
    clearInterval(heartbeat);
    signal.removeEventListener('abort', onAbort);
    socket.close();
  }
}

function parse(data: unknown): Record<string, unknown> | null {
  try {
    const message: unknown = JSON.parse(String(data));
    return typeof message === 'object' && message !== null ? (message as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function refusal({ code, detail }: Record<string, unknown>): RentApiError {
  return new RentApiError(`${code}: ${detail}`, { code: String(code) });
}
