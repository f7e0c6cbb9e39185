import { ConnectionError, RentApiError } from './errors.ts';
import type { Operation } from './operation.ts';
import { connect, type RealtimeEvent, type WebSocketConstructor } from './realtime-connection.ts';
import { backoffMs, MAX_RETRY_AFTER_S, sleep } from './retry.ts';
import type { Transport } from './transport.ts';

export interface SubscribeOptions {
  /** Called for each event, in order. Without it, iterate: `for await (const event of subscription)`. */
  onEvent?: ((event: RealtimeEvent) => void) | undefined;
  /** Called when a connection fails; `willRetry` false means that the subscription is over. */
  onError?: ((error: Error, state: { willRetry: boolean }) => void) | undefined;
  /** Called each time the server has confirmed the subscription: at first, and after every reconnect. */
  onSubscribed?: (() => void) | undefined;
  /** Start after this event, e.g. the last one that an earlier run has handled; `null`: at the first event kept. */
  lastEventId?: string | null | undefined;
  organizationId?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Connections that may fail one after the other before the subscription gives up. Default 100, close to an hour. */
  maxReconnects?: number | undefined;
  /** How often to ask whether the server is still there: a dead connection looks like a silent one. Default 30,000. */
  heartbeatMs?: number | undefined;
}

const TICKET: Operation = { id: 'ws.ticket', method: 'POST', path: '/api/v1/ws/ticket' };
const HEARTBEAT_MS = 30_000;
const MAX_BACKOFF_MS = 30_000;
const MAX_RECONNECTS = 100;
const MAX_WAITING_EVENTS = 10_000;
/** Refusals on a socket that may be over after a while. */
const TRANSIENT_CODES = new Set(['internal_error', 'unavailable', 'overloaded', 'rate_limited', 'invalid_ticket']);

/** `client.realtime`: events over a WebSocket, resumed where they broke off. */
export class Realtime {
  readonly #transport: Transport;
  readonly #WebSocket: WebSocketConstructor | undefined;

  constructor(transport: Transport, WebSocket: WebSocketConstructor | undefined) {
    this.#transport = transport;
    this.#WebSocket = WebSocket;
  }

  /**
   * Event types (`api_key.created`), patterns (`api_key.*`) or the topics `api_call`, `payment`, `webhook_delivery`,
   * `notification`.
   */
  subscribe(events: readonly string[], options: SubscribeOptions = {}): Subscription {
    const WebSocket = this.#WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
    if (WebSocket === undefined) {
      throw new TypeError(
        'This runtime has no WebSocket (Node has one from version 22 on). Install `ws` and pass it: ' +
          '`import { WebSocket } from "ws"; new RentApi({ …, WebSocket })`.',
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
    // With `onEvent`, a failure arrives by `onError`; it must not be an unhandled rejection too.
    this.ready.catch(() => undefined);
    if (options.signal?.aborted) this.close();
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    void this.#run();
  }

  /** Store it to resume there: the last event, or where the subscription began; `null` before the first event. */
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
          isTransient(error) && this.#failedConnections <= (this.#options.maxReconnects ?? MAX_RECONNECTS);
        this.#options.onError?.(error, { willRetry });
        if (!willRetry) return this.#fail(error);
        const askedMs = error instanceof RentApiError ? Math.min(error.retryAfter ?? 0, MAX_RETRY_AFTER_S) * 1000 : 0;
        await sleep(askedMs + backoffMs(this.#failedConnections - 1, MAX_BACKOFF_MS), stopped).catch(() => undefined);
      }
    }
  }

  /** Rejects when the connection ends, with the reason. */
  async #connect(): Promise<never> {
    const { signal } = this.#stop;
    const { organizationId, heartbeatMs = HEARTBEAT_MS } = this.#options;
    const { ticket } = await this.#transport.call<{ ticket: string }>(TICKET, {}, { signal, organizationId });
    return connect({
      WebSocket: this.#WebSocket,
      url: socketUrl(this.#transport.url('/api/v1/ws/realtime'), ticket),
      events: this.#events,
      lastEventId: this.#lastEventId,
      heartbeatMs,
      signal,
      onEvent: (event) => this.#deliver(event),
      onSubscribed: (lastEventId) => {
        // Known before the first event too, so that none is lost if the connection breaks before it.
        if (this.#lastEventId === undefined) this.#lastEventId = lastEventId;
        this.#failedConnections = 0;
        this.#resolveReady();
        this.#options.onSubscribed?.();
      },
    });
  }

  #deliver(event: RealtimeEvent): void {
    // A socket that is closing still delivers what had arrived.
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

/** Whether the same attempt may succeed later. A refusal of what was asked for is final. */
function isTransient(error: Error): boolean {
  if (!(error instanceof RentApiError)) return false;
  if (TRANSIENT_CODES.has(error.code)) return true;
  return (
    error instanceof ConnectionError || (error.status !== undefined && (error.status >= 500 || error.status === 429))
  );
}

/** `url` is a path where the base URL is the page's own origin. */
function socketUrl(url: string, ticket: string): string {
  const absolute = url.startsWith('/') ? `${globalThis.location.origin}${url}` : url;
  return `${absolute.replace(/^http/i, 'ws')}?ticket=${encodeURIComponent(ticket)}`;
}
