import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../../../contract/errors.ts';
import type { SequencedEvent } from '../../../events/feed.ts';
import { apiCallsTopic } from '../../../pipeline/api-calls.ts';
import type { LiveCaller } from '../../../pipeline/live-caller.ts';
import type { RealtimeEvent } from '../schemas.ts';
import { presentCall, presentEvent } from './event-message.ts';
import { createLiveBuffer } from './live-buffer.ts';
import { type Batch, createReplayCursor, PAGE } from './replay-cursor.ts';
import { createSubscription, maySee, type Subscription } from './subscription.ts';

/**
 * An organization's events for one reader: first the past that it requested (replay), then what happens (live), each
 * event once, as fast as the reader reads. A position is an event's place in the order of the whole product.
 */
export interface EventStream {
  subscription: Pick<Subscription, 'list' | 'remove'>;
  /** The position of the event to resume after; null: before the first. Throws if it is no longer stored. */
  positionOf(lastEventId: string | null): Promise<number>;
  /**
   * Adds these patterns from now on, and their past events after `from`. Returns the event after which a reader resumes
   * that stops before the next one; null where there is none.
   */
  subscribe(patterns: readonly string[], from?: number): Promise<string | null>;
  /** The next events, as soon as there are some; none when the stream has ended. */
  next(): Promise<RealtimeEvent[]>;
  /** Adds something that is not stored, if it is subscribed to. */
  offer(event: RealtimeEvent): void;
  close(): void;
}

const RETRY_MS = 250;

/** `onRelease` is called when the process stops, so that the client connects elsewhere. */
export async function openStream(caller: LiveCaller, onRelease: () => void): Promise<EventStream> {
  const { ports, ids, organization } = caller.ctx;
  const { feed } = ports;
  const subscription = createSubscription(ports.eventTypes);
  const live = createLiveBuffer();
  let closed = false;
  let changed = Promise.withResolvers<void>();

  const unfollow = feed.follow(organization.id, {
    onEvent(event) {
      live.addEvent(event);
      changed.resolve();
    },
    onRelease,
  });
  const unlisten = ports.pubsub.subscribe(apiCallsTopic(organization.id), (calls) => {
    if (!isForReader({ type: 'api_call' }) || !Array.isArray(calls)) return;
    for (const call of calls) live.addCall(presentCall(call, ports.clock.now()));
    changed.resolve();
  });
  const cursor = createReplayCursor((after, limit) => feed.after(organization.id, after, limit), await feed.position());
  /** The reader's position before the last batch: until it requests more, it may not have that batch. */
  let reachedBefore: number | null = null;

  const reached = () => reachedBefore ?? cursor.reached();

  function isForReader({ type, position = Number.MAX_SAFE_INTEGER }: { type: string; position?: number }): boolean {
    return subscription.wants(type, position) && maySee(ports.eventTypes, type, caller.ctx.organization.permissions);
  }

  async function nextBatch(): Promise<Batch> {
    if (cursor.isReplaying) return cursor.nextOfPast();
    if (!live.isBehind) return cursor.nextOfLive(live.takeEvents());
    live.catchUp();
    const page = await cursor.readOn();
    if (page.length === PAGE) live.fallBehind();
    return cursor.nextOfLive(page);
  }

  /** The next events that the reader may see, by permissions that are less than a second old. */
  async function read(): Promise<RealtimeEvent[]> {
    const { events, done } = await nextBatch();
    if (live.hasCalls() || events.some(isForReader)) await caller.revalidate();
    const calls = live.takeCalls().filter(({ event }) => isForReader({ type: event }));
    const visible = [...events.filter(isForReader).map(present), ...calls];
    done();
    return visible;
  }

  const present = (event: SequencedEvent): RealtimeEvent => presentEvent(ids, event);

  const endStream = ports.connections.addStream();

  return {
    subscription,
    async positionOf(lastEventId) {
      if (lastEventId === null) return 0;
      const found = await feed.positionOf(organization.id, ids.decode('evt', lastEventId));
      if (found !== null) return found;
      throw new ApiError('not_found', {
        detail:
          'The event of `lastEventId` is not kept any more: read what you need anew, then subscribe without `lastEventId`.',
      });
    },
    async subscribe(patterns, from = cursor.position) {
      cursor.assertRoom();
      const shown = subscription.positions();
      subscription.add(patterns, from);
      // Another process may have been faster: the reader then has more than this process has read.
      if (shown.size === 0) cursor.skipTo(from);
      cursor.replay({ patterns: new Set(patterns), from, shown });
      changed.resolve();
      const last = await feed.lastEventAt(organization.id, Math.min(reached(), from));
      return last === null ? null : ids.encode('evt', last);
    },
    async next() {
      reachedBefore = null;
      while (!closed) {
        changed = Promise.withResolvers();
        const before = cursor.reached();
        try {
          const events = await read();
          if (closed) break;
          if (events.length > 0) {
            reachedBefore = before;
            return events;
          }
          if (live.isEmpty && !cursor.isReplaying) await changed.promise;
        } catch (error) {
          if (closed) break;
          ports.log.debug({ err: error }, 'events wait');
          live.fallBehind(); // what was taken is read again
          await sleep(RETRY_MS);
        }
      }
      return [];
    },
    offer(event) {
      if (!isForReader({ type: event.event })) return;
      live.addCall(event);
      changed.resolve();
    },
    close() {
      closed = true;
      endStream();
      unfollow();
      unlisten();
      changed.resolve();
    },
  };
}
