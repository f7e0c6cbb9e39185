import type { EventPattern } from './generated/resources.gen.ts';
import type { Channels } from './realtime-channel.ts';
import type { Chat, ChatOptions } from './realtime-chat.ts';
import type { RealtimeEvent, WebSocketConstructor } from './realtime-connection.ts';
import type { ActiveSubscription } from './realtime-subscription.ts';
import type { Transport } from './transport.ts';

export interface SubscribeOptions {
  /**
   * Called for each event, in order. Without it, iterate: `for await (const event of subscription)`. If it throws, the
   * error goes to `onError`, and the subscription goes on with the next event.
   */
  onEvent?: ((event: RealtimeEvent) => void | Promise<void>) | undefined;
  /** Called when a connection or `onEvent` fails; `willRetry` false means that the subscription is over. */
  onError?: ((error: Error, state: { willRetry: boolean }) => void) | undefined;
  /** Called each time the server has confirmed the subscription: at first, after `add`, and after every reconnect. */
  onSubscribed?: (() => void) | undefined;
  /**
   * Start after this event, e.g. the last one that an earlier run has handled; `null`: at the first event kept. Such a
   * subscription has a connection of its own.
   */
  lastEventId?: string | null | undefined;
  organizationId?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Connections that may fail one after the other before the subscription gives up. Default 100, close to an hour. */
  maxReconnects?: number | undefined;
  /** How often to ask whether the server is still there: a dead connection looks like a silent one. Default 30,000. */
  heartbeatMs?: number | undefined;
}

interface Loaded {
  ActiveSubscription: typeof ActiveSubscription;
  channels: Channels;
}

/** `client.realtime`: events over a WebSocket, resumed where they broke off. */
export class Realtime {
  readonly #transport: Transport;
  readonly #WebSocket: WebSocketConstructor | undefined;
  #loaded: Promise<Loaded> | undefined;

  constructor(transport: Transport, WebSocket: WebSocketConstructor | undefined) {
    this.#transport = transport;
    this.#WebSocket = WebSocket;
  }

  /**
   * Event types (`api_key.created`), patterns (`api_key.*`) or the topics `api_call`, `payment`, `webhook_delivery`,
   * `notification`. Subscriptions of one organization share a connection.
   */
  subscribe(events: readonly EventPattern[], options: SubscribeOptions = {}): Subscription {
    const WebSocket = this.#webSocket();
    if (events.length === 0) throw new TypeError('Subscribe to at least one event type or pattern; `*` is all.');
    return new Subscription(this.#load(WebSocket), this.#transport, events, options);
  }

  /** The chat of an organization, once its code is loaded; `chat.ready` resolves when the server lets you in. */
  async joinChat(organizationId: string, options: ChatOptions = {}): Promise<Chat> {
    const WebSocket = this.#webSocket();
    const { Chat } = await import('./realtime-chat.ts');
    return new Chat(this.#transport, WebSocket, organizationId, options);
  }

  #webSocket(): WebSocketConstructor {
    // The guarantee: where the runtime has one, it is the standard one.
    const WebSocket = this.#WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
    if (WebSocket !== undefined) return WebSocket;
    throw new TypeError(
      'This runtime has no WebSocket (Node has one from version 22 on). Install `ws` and pass it: ' +
        '`import { WebSocket } from "ws"; new RentApi({ …, WebSocket })`.',
    );
  }

  /** In a web page, only those who subscribe load what is needed for it. */
  #load(WebSocket: WebSocketConstructor): Promise<Loaded> {
    this.#loaded ??= import('./realtime-subscription.ts').then(
      ({ ActiveSubscription, Channels }) => ({
        ActiveSubscription,
        channels: new Channels(this.#transport, WebSocket),
      }),
      (error: unknown) => {
        this.#loaded = undefined;
        throw error;
      },
    );
    return this.#loaded;
  }
}

/** Reconnects by itself until it is closed, the server refuses it, or too many connections fail in a row. */
export class Subscription implements AsyncIterable<RealtimeEvent> {
  /** Resolves when the server has confirmed the subscription: what happens from then on is delivered. */
  readonly ready: Promise<void>;
  readonly #initial: string | null | undefined;
  readonly #opening: Promise<ActiveSubscription>;
  #active: ActiveSubscription | undefined;

  constructor(loading: Promise<Loaded>, transport: Transport, events: readonly string[], options: SubscribeOptions) {
    this.#initial = options.lastEventId;
    this.#opening = loading.then(({ ActiveSubscription, channels }) => {
      this.#active = new ActiveSubscription(channels, transport.observer, events, options);
      return this.#active;
    });
    this.ready = this.#opening.then(({ ready }) => ready);
    // With `onEvent`, a failure arrives by `onError`; it must not be an unhandled rejection too.
    this.ready.catch(() => undefined);
  }

  /** Store it to resume there: the last event, or where the subscription began; `null` before the first event. */
  get lastEventId(): string | null | undefined {
    return this.#active ? this.#active.lastEventId : this.#initial;
  }

  /** Further events; resolves when the server has confirmed them. A refusal leaves the others as they are. */
  async add(events: readonly EventPattern[]): Promise<void> {
    await (await this.#opening).add(events);
  }

  /** No longer these, as they were given. */
  remove(events: readonly EventPattern[]): void {
    this.#soon((active) => active.remove(events));
  }

  close(): void {
    this.#soon((active) => active.close());
  }

  /** For one reader. Leaving the loop closes the subscription. */
  async *[Symbol.asyncIterator](): AsyncGenerator<RealtimeEvent, void, undefined> {
    yield* await this.#opening;
  }

  #soon(work: (active: ActiveSubscription) => void): void {
    if (this.#active) work(this.#active);
    else this.#opening.then(work, () => undefined);
  }
}
