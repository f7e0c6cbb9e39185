import { ConnectionError, RentApiError, TimeoutError } from './errors.ts';
import type { EventMap } from './generated/resources.gen.ts';
import type { ChatMessage, ChatMessageNotice } from './generated/types.gen.ts';
import { runSafely } from './observer.ts';
import type { Operation } from './operation.ts';
import { socketUrl } from './realtime-channel.ts';
import {
  isTransient,
  parse,
  placeOf,
  refusal,
  type WebSocketConstructor,
  type WebSocketLike,
} from './realtime-connection.ts';
import { backoffMs, sleep } from './retry.ts';
import type { Transport } from './transport.ts';
import { uuid } from './uuid.ts';

/** How far a member has read. */
export interface ChatRead {
  userId: string;
  messageId: string;
  readAt: string;
}

interface Happened<Name extends string, Data, Id = string> {
  type: 'event';
  id: Id;
  event: Name;
  createdAt: string;
  data: Data;
}

/** What a chat brings: `type`, and for events `event`, decide what else there is. Ignore what is not listed here. */
export type ChatEvent =
  | Happened<'chat.message_created' | 'chat.message_updated', ChatMessage>
  | Happened<'chat.message_deleted', ChatMessageNotice>
  | Happened<'chat.read', ChatRead, null>
  | Happened<'notification', EventMap['notification'], null>
  | { type: 'joined'; lastEventId: string | null; reads: ChatRead[] }
  | { type: 'presence'; members: string[]; total: number }
  | { type: 'typing'; userId: string; expiresAt: string };

export interface ChatOptions {
  /** Called for everything that happens, in order. If it throws, the error goes to `onError`. */
  onEvent?: ((event: ChatEvent) => void) | undefined;
  /** Called when a connection or `onEvent` fails; `willRetry` false means that the chat is over. */
  onError?: ((error: Error, state: { willRetry: boolean }) => void) | undefined;
  /** Start after this event; `null`: at the first one kept. */
  lastEventId?: string | null | undefined;
  signal?: AbortSignal | undefined;
  /** Connections that may fail one after the other before the chat gives up. Default 100. */
  maxReconnects?: number | undefined;
}

interface Waiting {
  command: { action: string; clientId: string; [field: string]: string };
  resolve: (id: string) => void;
  reject: (error: Error) => void;
}

interface ChatConnection {
  socket: WebSocketLike;
  /** Whether the server knows the caller: what it refuses from then on does not end the connection. */
  isReady: boolean;
  fail: (error: Error) => void;
}

const TICKET: Operation = { id: 'ws.ticket', method: 'POST', path: '/api/v1/ws/ticket' };
const MAX_BACKOFF_MS = 30_000;
const MAX_RECONNECTS = 100;
const HEARTBEAT_MS = 30_000;
/** Commands that wait for an answer; the server takes ten a second. */
const MAX_WAITING = 1000;

/** The chat of an organization. It reconnects by itself, and then repeats what was not answered. */
export class Chat {
  /** Resolves when the server has let the client in; rejects when the chat is over before that. */
  readonly ready: Promise<void>;
  readonly #transport: Transport;
  readonly #WebSocket: WebSocketConstructor;
  readonly #organizationId: string;
  readonly #options: ChatOptions;
  readonly #stop = new AbortController();
  readonly #waiting = new Map<string, Waiting>();
  #joined: () => void = () => undefined;
  #refused: (error: Error) => void = () => undefined;
  #socket: WebSocketLike | undefined;
  #lastEventId: string | null | undefined;
  #failed = 0;

  constructor(transport: Transport, WebSocket: WebSocketConstructor, organizationId: string, options: ChatOptions) {
    this.#transport = transport;
    this.#WebSocket = WebSocket;
    this.#organizationId = organizationId;
    this.#options = options;
    this.#lastEventId = options.lastEventId;
    this.ready = new Promise((resolve, reject) => {
      this.#joined = resolve;
      this.#refused = reject;
    });
    this.ready.catch(() => undefined); // `onError` hears of it, too
    if (options.signal?.aborted) this.close();
    else options.signal?.addEventListener('abort', () => this.close(), { once: true });
    void this.#run();
  }

  /** Store it to resume there. */
  get lastEventId(): string | null | undefined {
    return this.#lastEventId;
  }

  /** Writes a message, once; resolves to its id. */
  send(text: string): Promise<string> {
    return this.#command({ action: 'message.send', text });
  }

  async edit(id: string, text: string): Promise<void> {
    await this.#command({ action: 'message.edit', id, text });
  }

  async delete(id: string): Promise<void> {
    await this.#command({ action: 'message.delete', id });
  }

  /** Marks everything up to this message as read. */
  async read(messageId: string): Promise<void> {
    await this.#command({ action: 'read', messageId });
  }

  /** Shows the others for five seconds that you write. */
  typing(): void {
    this.#socket?.send(JSON.stringify({ action: 'typing' }));
  }

  close(): void {
    this.#end(new RentApiError('The chat was closed.', { code: 'closed' }));
  }

  #end(error: Error): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#refused(error);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#socket?.close(1000);
  }

  #command(command: { action: string; [field: string]: string }): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#stop.signal.aborted) return reject(new RentApiError('The chat was closed.', { code: 'closed' }));
      if (this.#waiting.size >= MAX_WAITING)
        return reject(new RentApiError('Too much waits for an answer.', { code: 'overloaded' }));
      const waiting: Waiting = { command: { ...command, clientId: uuid() }, resolve, reject };
      this.#waiting.set(waiting.command.clientId, waiting);
      if (this.#socket) this.#transmit(waiting);
    });
  }

  #transmit(waiting: Waiting): void {
    this.#socket?.send(JSON.stringify(waiting.command));
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#connect();
      } catch (thrown) {
        if (signal.aborted) return;
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        const willRetry = isTransient(error) && ++this.#failed <= (this.#options.maxReconnects ?? MAX_RECONNECTS);
        this.#options.onError?.(error, { willRetry });
        if (!willRetry) return this.#end(error);
        await sleep(backoffMs(this.#failed - 1, MAX_BACKOFF_MS), signal).catch(() => undefined);
      }
    }
  }

  /** Rejects when the connection ends, with the reason. */
  async #connect(): Promise<never> {
    const call = { signal: this.#stop.signal, organizationId: this.#organizationId };
    const { ticket } = await this.#transport.call<{ ticket: string }>(TICKET, {}, call);
    const path = `/api/v1/ws/organizations/${encodeURIComponent(this.#organizationId)}`;
    const place = this.#lastEventId === undefined ? '' : `&lastEventId=${encodeURIComponent(this.#lastEventId ?? '')}`;
    const socket = new this.#WebSocket(socketUrl(this.#transport.url(path), ticket) + place);
    const stop = () => socket.close(1000);
    this.#stop.signal.addEventListener('abort', stop, { once: true });
    let heard = true;
    let heartbeat: ReturnType<typeof setInterval> | undefined;
    try {
      return await new Promise<never>((_, reject) => {
        const connection: ChatConnection = { socket, isReady: false, fail: reject };
        const check = () => {
          if (!heard) reject(new TimeoutError('The server does not answer any more.', { code: 'timeout' }));
          heard = false;
          if (this.#socket) socket.send('{"action":"ping"}');
        };
        heartbeat = setInterval(check, HEARTBEAT_MS);
        socket.addEventListener('error', () => undefined); // `close` follows
        socket.addEventListener('close', ({ code, reason }) => {
          const message = `The connection ended (${code}${reason ? `: ${reason}` : ''}).`;
          reject(new ConnectionError(message, { code: 'connection_failed' }));
        });
        socket.addEventListener('message', ({ data }) => {
          heard = true;
          const message = parse(data);
          if (message) this.#receive(message, connection);
        });
      });
    } finally {
      clearInterval(heartbeat);
      this.#socket = undefined;
      this.#stop.signal.removeEventListener('abort', stop);
      socket.close();
    }
  }

  #receive(message: Record<string, unknown>, connection: ChatConnection): void {
    const { type, id } = message;
    if (type === 'ready') connection.isReady = true;
    else if (type === 'ack' || type === 'error') this.#answered(message, connection);
    else if (type !== 'pong') {
      if (type === 'joined') this.#enter(message, connection);
      else if (type === 'event' && typeof id === 'string') this.#lastEventId = id;
      // The guarantee: the server writes these messages; the realtime guide lists them.
      runSafely(
        () => this.#options.onEvent?.(message as unknown as ChatEvent),
        (error) => this.#report(error),
      );
    }
  }

  #enter(message: Record<string, unknown>, { socket }: ChatConnection): void {
    this.#failed = 0;
    this.#socket = socket;
    this.#lastEventId = placeOf(message);
    this.#joined();
    for (const each of this.#waiting.values()) this.#transmit(each);
  }

  #answered(message: Record<string, unknown>, { isReady, fail }: ChatConnection): void {
    const waiting = this.#waiting.get(String(message['clientId']));
    if (waiting) {
      this.#waiting.delete(waiting.command.clientId);
      if (message['type'] === 'ack') waiting.resolve(String(message['id']));
      else waiting.reject(refusal(message));
    } else if (message['type'] === 'error') {
      if (isReady) this.#report(refusal(message));
      else fail(refusal(message));
    }
  }

  #report(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.#options.onError?.(error, { willRetry: true });
  }
}
