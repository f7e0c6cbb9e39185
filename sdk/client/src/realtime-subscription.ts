import { RentApiError } from './errors.ts';
import { type Observer, runSafely } from './observer.ts';
import type { SubscribeOptions } from './realtime.ts';
import { type Channel, Channels, type Member } from './realtime-channel.ts';
import type { RealtimeEvent } from './realtime-connection.ts';

export { Channels };

const MAX_WAITING_EVENTS = 10_000;

/** A `Subscription` whose code has been loaded. */
export class ActiveSubscription implements AsyncIterable<RealtimeEvent> {
  readonly ready: Promise<void>;
  readonly #channel: Channel;
  readonly #observer: Observer;
  readonly #member: Member;
  readonly #options: SubscribeOptions;
  readonly #waiting: RealtimeEvent[] = [];
  readonly #stop = new AbortController();
  readonly #stopped: Promise<never>;
  #wakeReader: () => void = () => undefined;
  #lastEventId: string | null | undefined;
  #failure: Error | undefined;

  constructor(channels: Channels, observer: Observer, events: readonly string[], options: SubscribeOptions) {
    this.#channel = channels.channelFor(events, options);
    this.#observer = observer;
    this.#options = options;
    this.#lastEventId = options.lastEventId;
    this.#member = {
      patterns: new Set(),
      onSubscribed: (lastEventId) => this.#onSubscribed(lastEventId),
      onEvent: (event) => this.#onEvent(event),
      onError: (error, willRetry) => this.#report(error, willRetry),
      fail: (error) => this.#fail(error),
    };
    this.#stopped = new Promise((_, reject) => {
      this.#stop.signal.addEventListener('abort', () => reject(this.#failure ?? closed()), { once: true });
    });
    this.#stopped.catch(() => undefined);
    this.ready = this.add(events).catch((error: unknown) => {
      if (this.#stop.signal.aborted) throw this.#failure ?? error;
      // The connection goes on for the subscriptions that it has besides.
      const refusal = error instanceof Error ? error : new Error(String(error));
      this.#report(refusal, false);
      this.#fail(refusal);
      throw refusal;
    });
    // With `onEvent`, a failure arrives by `onError`; it must not be an unhandled rejection too.
    this.ready.catch(() => undefined);
    if (options.signal?.aborted) this.close();
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get lastEventId(): string | null | undefined {
    return this.#lastEventId;
  }

  add(events: readonly string[]): Promise<void> {
    if (this.#stop.signal.aborted) return Promise.reject(closed());
    return Promise.race([this.#channel.add(this.#member, events), this.#stopped]);
  }

  remove(events: readonly string[]): void {
    this.#channel.remove(this.#member, events);
  }

  close(): void {
    if (this.#stop.signal.aborted) return;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#stop.abort();
    this.#channel.leave(this.#member);
    this.#wakeReader();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RealtimeEvent, void, undefined> {
    try {
      for (;;) {
        const event = this.#waiting.shift();
        if (event) {
          this.#moveTo(event);
          yield event;
        } else if (this.#failure) throw this.#failure;
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

  #onSubscribed(lastEventId: string | null | undefined): void {
    if (this.#lastEventId === undefined) this.#lastEventId = lastEventId;
    const { onSubscribed } = this.#options;
    if (onSubscribed) runSafely(onSubscribed, (error) => this.#report(error, true));
  }

  #onEvent(event: RealtimeEvent): void {
    const { onEvent } = this.#options;
    if (onEvent) {
      this.#moveTo(event);
      runSafely(
        () => onEvent(event),
        (error) => this.#report(error, true),
      );
    } else if (this.#waiting.push(event) > MAX_WAITING_EVENTS) {
      const message = `More than ${MAX_WAITING_EVENTS} events wait to be read; subscribe again from \`lastEventId\`.`;
      this.#fail(new RentApiError(message, { code: 'reader_too_slow' }));
    }
    this.#wakeReader();
  }

  /** Only when an event is handed over: a reader that stops must not lose those that still wait. */
  #moveTo({ id }: RealtimeEvent): void {
    if (id !== null) this.#lastEventId = id;
  }

  #report(thrown: unknown, willRetry: boolean): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const { onError } = this.#options;
    const log = (message: string, detail: unknown) => this.#observer.log('warn', message, detail);
    if (onError)
      runSafely(
        () => onError(error, { willRetry }),
        (failure) => log('`onError` of a subscription failed.', failure),
      );
    else if (!(error instanceof RentApiError)) log('`onEvent` or `onSubscribed` of a subscription failed.', error);
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.close();
  }
}

function closed(): RentApiError {
  return new RentApiError('The subscription was closed.', { code: 'closed' });
}
