import { ConnectionError, RentApiError, TimeoutError } from './errors.ts';
import { backoffMs, MAX_RETRY_AFTER_S, sleep } from './retry.ts';
import type { Operation, Transport } from './transport.ts';

/** One thing that happened, as webhooks tell it too, under the same id. */
export interface RealtimeEvent {
  type: 'event';
  /** null for `api_call`: calls are told as they happen and not kept. */
  id: string | null;
  /** `api_key.created` */
  event: string;
  createdAt: string;
  data: Record<string, unknown>;
}

export interface SubscribeOptions {
  /** Called for each event, in order. Without it, iterate: `for await (const event of subscription)`. */
  onEvent?: ((event: RealtimeEvent) => void) | undefined;
  /** Called when a connection fails; `willRetry` false means that the subscription is over. */
  onError?: ((error: Error, state: { willRetry: boolean }) => void) | undefined;
  /** Called each time the server has confirmed the subscription: at first, and after every reconnect. */
  onSubscribed?: (() => void) | undefined;
  /** Start after this event, e.g. the last one a former run has handled; `null`: with the first there is. */
  lastEventId?: string | null | undefined;
  organizationId?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Connections that may fail one after the other before the subscription gives up. Default 100, close to an hour. */
  maxReconnects?: number | undefined;
  /** How often to ask whether the server is still there: a dead connection looks like a silent one. Default 30,000. */
  heartbeatMs?: number | undefined;
}

/** The part of WebSocket that is used; browsers, Node 22, Deno, Bun and the package `ws` have it. */
export interface WebSocketLike {
  send(data: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
}
export type WebSocketConstructor = new (url: string) => WebSocketLike;

const TICKET: Operation = { id: 'ws.ticket', method: 'POST', path: '/api/v1/ws/ticket' };
const SUBSCRIBE_TIMEOUT_MS = 15_000;
const HEARTBEAT_MS = 30_000;
const MAX_BACKOFF_MS = 30_000;
const MAX_RECONNECTS = 100;
const MAX_WAITING_EVENTS = 10_000;
/** What the server says on a socket when it has not understood and refused, but only cannot just now. */
const PASSING_CODES = new Set(['internal_error', 'unavailable', 'overloaded', 'rate_limited', 'invalid_ticket']);

/** `client.realtime`: events over a WebSocket, resumed where they broke off. */
export class Realtime {
  readonly #transport: Transport;
  readonly #WebSocket: WebSocketConstructor | undefined;

  constructor(transport: Transport, WebSocket: WebSocketConstructor | undefined) {
    this.#transport = transport;
    this.#WebSocket = WebSocket;
  }

  /** Event types (`api_key.created`), patterns (`api_key.*`) or the topics `api_call`, `payment`, `webhook_delivery`, `notification`. */
  subscribe(events: readonly string[], options: SubscribeOptions = {}): Subscription {
    const WebSocket = this.#WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
    if (WebSocket === undefined) {
      throw new TypeError(
        'This runtime has no WebSocket (Node has one from version 22 on). Install `ws` and pass it: `import { WebSocket } from "ws"; new RentApi({ …, WebSocket })`.',
      );
    }
    return new Subscription(this.#transport, WebSocket, events, options);
  }
}

/** Reconnects by itself until it is closed, the server refuses it, or too many connections fail in a row. */
export class Subscription implements AsyncIterable<RealtimeEvent> {
  /** Resolves when the server has confirmed the subscription: what happens from then on is delivered. */
  readonly ready: Promise<void>;
  readonly #transport: Transport;
  readonly #WebSocket: WebSocketConstructor;
  readonly #events: readonly string[];
  readonly #options: SubscribeOptions;
  readonly #stop = new AbortController();
  readonly #waiting: RealtimeEvent[] = [];
  #resolveReady: () => void = () => undefined;
  #rejectReady: (error: unknown) => void = () => undefined;
  #wakeReader: () => void = () => undefined;
  #lastEventId: string | null | undefined;
  #failure: Error | undefined;
  #failedConnections = 0;

  constructor(
    transport: Transport,
    WebSocket: WebSocketConstructor,
    events: readonly string[],
    options: SubscribeOptions,
  ) {
    this.#transport = transport;
    this.#WebSocket = WebSocket;
    this.#events = events;
    this.#options = options;
    this.#lastEventId = options.lastEventId;
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    // Whoever only listens by `onEvent` hears of a failure by `onError`, not as an unhandled rejection.
    this.ready.catch(() => undefined);
    if (options.signal?.aborted) this.close();
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    void this.#run();
  }

  /** Keep it to start there next time: the last event, or the place at which the subscription began; `null` before the first. */
  get lastEventId(): string | null | undefined {
    return this.#lastEventId;
  }

  close(): void {
    if (this.#stop.signal.aborted) return;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#stop.abort();
    this.#rejectReady(this.#failure ?? new RentApiError('The subscription was closed.', { code: 'closed' }));
    this.#wakeReader();
  }

  /** For one reader. Leaving the loop closes the subscription. */
  async *[Symbol.asyncIterator](): AsyncGenerator<RealtimeEvent, void, undefined> {
    try {
      for (;;) {
        const event = this.#waiting.shift();
        if (event) yield event;
        else if (this.#failure) throw this.#failure;
        else if (this.#stop.signal.aborted) return;
        else
          await new Promise<void>((resolve) => {
            this.#wakeReader = resolve;
          });
      }
    } finally {
      this.close();
    }
  }

  readonly #onAbort = (): void => this.close();

  async #run(): Promise<void> {
    const stopped = this.#stop.signal;
    while (!stopped.aborted) {
      try {
        await this.#connect();
      } catch (thrown) {
        if (stopped.aborted) return;
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        this.#failedConnections++;
        const willRetry =
          isPassing(error) && this.#failedConnections <= (this.#options.maxReconnects ?? MAX_RECONNECTS);
        this.#options.onError?.(error, { willRetry });
        if (!willRetry) return this.#fail(error);
        const askedMs = error instanceof RentApiError ? Math.min(error.retryAfter ?? 0, MAX_RETRY_AFTER_S) * 1000 : 0;
        await sleep(askedMs + backoffMs(this.#failedConnections - 1, MAX_BACKOFF_MS), stopped).catch(() => undefined);
      }
    }
  }

  /** One connection; rejects when it ends, with the reason. */
  async #connect(): Promise<never> {
    const stopped = this.#stop.signal;
    const { ticket } = await this.#transport.call<{ ticket: string }>(
      TICKET,
      {},
      { signal: stopped, organizationId: this.#options.organizationId },
    );
    const url = new URL(this.#transport.url('/api/v1/ws/realtime'), globalThis.location?.href);
    url.protocol = url.protocol.replace('http', 'ws');
    url.searchParams.set('ticket', ticket);
    const socket = new this.#WebSocket(url.href);
    const onStop = () => socket.close(1000);
    stopped.addEventListener('abort', onStop, { once: true });
    let timer: ReturnType<typeof setTimeout> | undefined;
    let heartbeat: ReturnType<typeof setInterval> | undefined;
    let heard = true;
    try {
      return await new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new TimeoutError('The server did not confirm the subscription in time.', { code: 'timeout' })),
          SUBSCRIBE_TIMEOUT_MS,
        );
        socket.addEventListener('open', () =>
          socket.send(JSON.stringify({ action: 'subscribe', events: this.#events, lastEventId: this.#lastEventId })),
        );
        // What failed is said by `close`, which always follows; browsers tell nothing here.
        socket.addEventListener('error', () => undefined);
        socket.addEventListener('close', ({ code, reason }) =>
          reject(
            new ConnectionError(`The connection ended (${code}${reason ? `: ${reason}` : ''}).`, {
              code: 'connection_failed',
            }),
          ),
        );
        socket.addEventListener('message', ({ data }) => {
          heard = true;
          const message = parse(data);
          if (message?.type === 'event') this.#deliver(message as unknown as RealtimeEvent);
          else if (message?.type === 'error') reject(refusal(message));
          else if (message?.type === 'subscribed') {
            clearTimeout(timer);
            clearInterval(heartbeat);
            // Before the first event, too, there is a place to go on from: what happens while the connection is away is not lost.
            if (this.#lastEventId === undefined) this.#lastEventId = message.lastEventId as string | null | undefined;
            heartbeat = setInterval(() => {
              if (!heard) reject(new TimeoutError('The server does not answer any more.', { code: 'timeout' }));
              heard = false;
              socket.send(JSON.stringify({ action: 'ping' }));
            }, this.#options.heartbeatMs ?? HEARTBEAT_MS);
            this.#failedConnections = 0;
            this.#resolveReady();
            this.#options.onSubscribed?.();
          }
        });
      });
    } finally {
      clearTimeout(timer);
      clearInterval(heartbeat);
      stopped.removeEventListener('abort', onStop);
      socket.close();
    }
  }

  #deliver(event: RealtimeEvent): void {
    // A socket that is closing still hands over what had arrived.
    if (this.#stop.signal.aborted) return;
    if (this.#options.onEvent) this.#options.onEvent(event);
    else if (this.#waiting.push(event) > MAX_WAITING_EVENTS) {
      this.#fail(
        new RentApiError(
          `More than ${MAX_WAITING_EVENTS} events wait to be read; subscribe again from \`lastEventId\`.`,
          { code: 'reader_too_slow' },
        ),
      );
      return;
    }
    if (event.id !== null) this.#lastEventId = event.id;
    this.#wakeReader();
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.close();
  }
}

/** Whether the same attempt may succeed later: not where the server has understood and refused. */
function isPassing(error: Error): boolean {
  if (!(error instanceof RentApiError)) return false;
  if (PASSING_CODES.has(error.code)) return true;
  return (
    error instanceof ConnectionError || (error.status !== undefined && (error.status >= 500 || error.status === 429))
  );
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
