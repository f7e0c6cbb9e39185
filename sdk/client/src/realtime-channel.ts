import { RentApiError } from './errors.ts';
import type { Operation } from './operation.ts';
import type { SubscribeOptions } from './realtime.ts';
import {
  connect,
  isTransient,
  type RealtimeEvent,
  type SendCommand,
  type WebSocketConstructor,
} from './realtime-connection.ts';
import { backoffMs, MAX_RETRY_AFTER_S, sleep } from './retry.ts';
import type { Transport } from './transport.ts';

interface ChannelOptions {
  organizationId: string | undefined;
  /** Where to begin; undefined: with what happens from now on. */
  lastEventId: string | null | undefined;
  maxReconnects: number;
  heartbeatMs: number;
}

/** A subscription, as its connection sees it. */
export interface Member {
  /** What it wants and the server has confirmed, or is about to. */
  readonly patterns: Set<string>;
  onSubscribed(lastEventId: string | null | undefined): void;
  onEvent(event: RealtimeEvent): void;
  onError(error: Error, willRetry: boolean): void;
  fail(error: Error): void;
}

/** Patterns that a member has asked for and the server has not confirmed yet. */
interface Wish {
  member: Member;
  patterns: string[];
  resolve: () => void;
  reject: (error: unknown) => void;
}

const TICKET: Operation = { id: 'ws.ticket', method: 'POST', path: '/api/v1/ws/ticket' };
const MAX_BACKOFF_MS = 30_000;

const HEARTBEAT_MS = 30_000;
const MAX_RECONNECTS = 100;
/** The server takes no more on one connection. */
const MAX_PATTERNS = 100;

/** The connections of one client. */
export class Channels {
  readonly #transport: Transport;
  readonly #WebSocket: WebSocketConstructor;
  /** Those that further subscriptions may use, by what must be equal for that. */
  readonly #shared = new Map<string, Channel>();

  constructor(transport: Transport, WebSocket: WebSocketConstructor) {
    this.#transport = transport;
    this.#WebSocket = WebSocket;
  }

  channelFor(events: readonly string[], options: SubscribeOptions): Channel {
    const { organizationId, lastEventId, maxReconnects = MAX_RECONNECTS, heartbeatMs = HEARTBEAT_MS } = options;
    const key = JSON.stringify([organizationId, maxReconnects, heartbeatMs]);
    // The past that one subscription asks for would reach the others too.
    const shared = lastEventId === undefined ? this.#shared.get(key) : undefined;
    if (shared && !shared.isOver && new Set([...shared.patterns, ...events]).size <= MAX_PATTERNS) return shared;
    const channelOptions = { organizationId, lastEventId, maxReconnects, heartbeatMs };
    const channel = new Channel(this.#transport, this.#WebSocket, channelOptions);
    if (lastEventId === undefined) this.#shared.set(key, channel);
    return channel;
  }
}

/** One connection for its members, opened again until none is left, the server refuses it, or it failed too often. */
export class Channel {
  readonly #transport: Transport;
  readonly #WebSocket: WebSocketConstructor;
  readonly #options: ChannelOptions;
  readonly #stop = new AbortController();
  readonly #members = new Set<Member>();
  #wishes: Wish[] = [];
  #send: SendCommand | undefined;
  #granting = false;
  #begun = false;
  #lastEventId: string | null | undefined;
  /** Whether the connection has brought an event: then its place is that of the event. */
  #moved = false;
  #failedConnections = 0;

  constructor(transport: Transport, WebSocket: WebSocketConstructor, options: ChannelOptions) {
    this.#transport = transport;
    this.#WebSocket = WebSocket;
    this.#options = options;
    this.#lastEventId = options.lastEventId;
    // Its first member joins right after this.
    void Promise.resolve().then(() => this.#run());
  }

  get isOver(): boolean {
    return this.#stop.signal.aborted;
  }

  /** The patterns of all members, asked for ones included. */
  get patterns(): Set<string> {
    const asked = this.#wishes.flatMap(({ patterns }) => patterns);
    return new Set([...this.#members].flatMap(({ patterns }) => [...patterns]).concat(asked));
  }

  /** Resolves when the server has confirmed the patterns. */
  add(member: Member, patterns: readonly string[]): Promise<void> {
    this.#members.add(member);
    return new Promise((resolve, reject) => {
      this.#wishes.push({ member, patterns: [...patterns], resolve, reject });
      void this.#grant();
    });
  }

  remove(member: Member, patterns: readonly string[]): void {
    for (const pattern of patterns) member.patterns.delete(pattern);
    for (const wish of this.#wishes)
      if (wish.member === member) wish.patterns = wish.patterns.filter((pattern) => !patterns.includes(pattern));
    this.#release(patterns);
  }

  leave(member: Member): void {
    if (!this.#members.delete(member)) return;
    this.#wishes = this.#wishes.filter((wish) => wish.member !== member);
    if (this.#members.size === 0) this.#stop.abort();
    else this.#release([...member.patterns]);
  }

  /** Unsubscribes from what no member wants any more. If that is lost, members still get only what they want. */
  #release(patterns: readonly string[]): void {
    const wanted = this.patterns;
    const events = patterns.filter((pattern) => !wanted.has(pattern));
    if (events.length > 0) this.#send?.({ action: 'unsubscribe', events }).catch(() => undefined);
  }

  async #run(): Promise<void> {
    const stopped = this.#stop.signal;
    while (!stopped.aborted) {
      try {
        await this.#connect();
      } catch (thrown) {
        if (stopped.aborted) return;
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        this.#failedConnections++;
        const willRetry = isTransient(error) && this.#failedConnections <= this.#options.maxReconnects;
        for (const member of [...this.#members]) member.onError(error, willRetry);
        if (!willRetry) return this.#fail(error);
        const askedMs = error instanceof RentApiError ? Math.min(error.retryAfter ?? 0, MAX_RETRY_AFTER_S) * 1000 : 0;
        await sleep(askedMs + backoffMs(this.#failedConnections - 1, MAX_BACKOFF_MS), stopped).catch(() => undefined);
      }
    }
  }

  #fail(error: Error): void {
    this.#stop.abort();
    for (const member of [...this.#members]) member.fail(error);
  }

  /** Rejects when the connection ends, with the reason. */
  async #connect(): Promise<never> {
    const { signal } = this.#stop;
    const { organizationId, heartbeatMs } = this.#options;
    const { ticket } = await this.#transport.call<{ ticket: string }>(TICKET, {}, { signal, organizationId });
    try {
      return await new Promise<never>((_, reject) => {
        connect({
          WebSocket: this.#WebSocket,
          url: socketUrl(this.#transport.url('/api/v1/ws/realtime'), ticket),
          heartbeatMs,
          signal,
          onOpen: (send) => void this.#resume(send).catch(reject),
          onEvent: (event) => this.#deliver(event),
        }).catch(reject);
      });
    } finally {
      this.#send = undefined;
    }
  }

  async #resume(send: SendCommand): Promise<void> {
    this.#moved = false;
    const members = [...this.#members].filter(({ patterns }) => patterns.size > 0);
    const events = [...new Set(members.flatMap(({ patterns }) => [...patterns]))];
    if (events.length > 0) {
      const place = await send({ action: 'subscribe', events, lastEventId: this.#lastEventId });
      this.#confirmed(place);
      for (const member of members) member.onSubscribed(place);
    }
    this.#send = send;
    await this.#grant();
  }

  /** Asks for what is wished, one wish after the other, so that a refusal concerns one alone. */
  async #grant(): Promise<void> {
    const send = this.#send;
    if (!send || this.#granting) return;
    this.#granting = true;
    for (let wish = this.#wishes[0]; wish && this.#send === send; wish = this.#wishes[0])
      await this.#grantOne(wish, send);
    this.#granting = false;
    if (this.#wishes.length > 0) await this.#grant();
  }

  async #grantOne(wish: Wish, send: SendCommand): Promise<void> {
    const { member } = wish;
    const events = wish.patterns.filter((pattern) => !member.patterns.has(pattern));
    // Before the answer, because events may come before it.
    for (const pattern of events) member.patterns.add(pattern);
    try {
      if (events.length > 0) {
        const lastEventId = this.#begun ? undefined : this.#options.lastEventId;
        const place = await send({ action: 'subscribe', events, lastEventId });
        this.#confirmed(place);
        if (this.#members.has(member)) member.onSubscribed(place);
        this.#release(events);
      }
      wish.resolve();
    } catch (thrown) {
      for (const pattern of events) member.patterns.delete(pattern);
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      // The next connection asks again.
      if (isTransient(error)) {
        this.#send = undefined;
        return;
      }
      wish.reject(error);
    }
    this.#wishes = this.#wishes.filter((other) => other !== wish);
  }

  #confirmed(place: string | null | undefined): void {
    this.#begun = true;
    this.#failedConnections = 0;
    // Known before the first event too, so that none is lost if the connection breaks before it.
    if (place !== undefined && !this.#moved) this.#lastEventId = place;
  }

  #deliver(event: RealtimeEvent): void {
    if (event.id !== null) {
      this.#lastEventId = event.id;
      this.#moved = true;
    }
    for (const member of [...this.#members]) if (wants(member.patterns, event.event)) member.onEvent(event);
  }
}

const UNSTORED = ['api_call', 'notification'];

/**
 * As the server decides it. Calls and notifications are not kept as events are: only their own name asks for them.
 * @public for a test of the server.
 */
export function wants(patterns: ReadonlySet<string>, event: string): boolean {
  if (patterns.has(event)) return true;
  const [resource = ''] = event.split('.');
  const topic = event.startsWith('webhook.delivery_') ? 'webhook_delivery' : resource;
  return !UNSTORED.includes(event) && [`${resource}.*`, '*', topic].some((pattern) => patterns.has(pattern));
}

/** `url` is a path where the base URL is the page's own origin. */
export function socketUrl(url: string, ticket: string): string {
  const absolute = url.startsWith('/') ? `${globalThis.location.origin}${url}` : url;
  return `${absolute.replace(/^http/i, 'ws')}?ticket=${encodeURIComponent(ticket)}`;
}
