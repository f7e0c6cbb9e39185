import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../../contract/errors.ts';
import type { StampedEvent } from '../../events/feed.ts';
import { apiCallTopic } from '../../pipeline/api-calls.ts';
import type { LiveCaller } from '../../pipeline/live-caller.ts';
import type { RealtimeEvent } from './schemas.ts';
import { createSubscription, type Subscription } from './subscription.ts';

/** An organization's events for one reader, who takes them at their own pace, in order of `position`, each once. */
export interface EventStream {
  subscription: Subscription;
  /** The place of the event after which a reader wants to go on; null: before the first. Throws for one that is not there any more. */
  placeOf(lastEventId: string | null): Promise<number>;
  /**
   * From now on also these; what came after `from` too, though it is past. The event after which a reader who breaks off
   * before the next one goes on; null where there is none.
   */
  subscribe(patterns: readonly string[], from?: number): Promise<string | null>;
  /** What there is to tell, as soon as there is something; nothing when the stream is over. */
  next(): Promise<RealtimeEvent[]>;
  close(): void;
}

const PAGE = 500;
/** A reader who is further behind than this reads from the database, so that nothing is kept for them. */
const MAX_WAITING = 500;
const RETRY_MS = 250;

/** What happened in the past, for patterns that were asked for only now. */
interface Rewind {
  subscription: Subscription;
  from: number;
  until: number;
}

interface Batch {
  events: StampedEvent[];
  subscription: Subscription;
  /** They were told, or are not to be. */
  done(): void;
}

/** `onRelease` is told when the process stops, so that the client goes elsewhere. */
export async function openStream(caller: LiveCaller, onRelease: () => void): Promise<EventStream> {
  const { ports, ids, organization } = caller.ctx;
  const { feed } = ports;
  const subscription = createSubscription();
  const rewinds: Rewind[] = [];
  const live: StampedEvent[] = [];
  const calls: RealtimeEvent[] = [];
  let place = 0;
  /** Where the reader stood before what they were given last: until they ask for more, they may not have it. */
  let underWay: number | null = null;
  let behind = false;
  let closed = false;
  let woken = Promise.withResolvers<void>();
  const wake = () => woken.resolve();
  const fallBehind = () => {
    behind = true;
    live.length = 0;
  };

  const mayTell = (event: string, { wants }: Subscription = subscription) =>
    wants(event, caller.ctx.organization.permissions);

  const unfollow = feed.follow(organization.id, {
    onEvent(event) {
      if (behind) return;
      if (live.push(event) > MAX_WAITING) fallBehind();
      wake();
    },
    onRelease: onRelease,
  });
  const unlisten = ports.pubsub.subscribe(apiCallTopic(organization.id), (data) => {
    if (!mayTell('api_call') || calls.length >= MAX_WAITING) return;
    calls.push({ id: null, event: 'api_call', createdAt: ports.clock.now().toISOString(), data });
    wake();
  });
  place = await feed.position();

  const reached = () => underWay ?? Math.min(place, ...rewinds.map(({ from }) => from));

  async function take(): Promise<Batch> {
    const [rewind] = rewinds;
    if (rewind) return takeRewind(rewind);
    if (!behind) return upTo(live.splice(0));
    // First, so that what is stamped while the page is read waits in `live`.
    behind = false;
    const page = await feed.after(organization.id, place, PAGE);
    if (page.length === PAGE) fallBehind();
    return upTo(page);
  }

  function upTo(events: StampedEvent[]): Batch {
    return {
      events: events.filter(({ position }) => position > place),
      subscription,
      done() {
        place = Math.max(place, events.at(-1)?.position ?? 0);
      },
    };
  }

  async function takeRewind(rewind: Rewind): Promise<Batch> {
    const page = await feed.after(organization.id, rewind.from, PAGE);
    const events = page.filter(({ position }) => position <= rewind.until);
    return {
      events,
      subscription: rewind.subscription,
      done() {
        rewind.from = events.at(-1)?.position ?? rewind.until;
        if (events.length < PAGE) rewinds.splice(rewinds.indexOf(rewind), 1);
      },
    };
  }

  /** What may be told of the next events, judged by rights that are less than a second old. */
  async function tell(): Promise<RealtimeEvent[]> {
    const { events, subscription, done } = await take();
    const wanted = () => events.filter(({ type }) => mayTell(type, subscription));
    if (wanted().length + calls.length > 0) await caller.revalidate();
    const told = [...wanted().map(present), ...calls.splice(0).filter(({ event }) => mayTell(event))];
    done();
    return told;
  }

  function present({ id, type, createdAt, data }: StampedEvent): RealtimeEvent {
    return { id: ids.encode('evt', id), event: type, createdAt: createdAt.toISOString(), data };
  }

  return {
    subscription,
    async placeOf(lastEventId) {
      if (lastEventId === null) return 0;
      const found = await feed.positionOf(organization.id, ids.decode('evt', lastEventId));
      if (found !== null) return found;
      throw new ApiError('not_found', {
        detail:
          'The event after which to go on is not there any more: read what you need anew, then subscribe without `lastEventId`.',
      });
    },
    async subscribe(patterns, from) {
      const first = subscription.list().length === 0;
      subscription.add(patterns);
      if (from !== undefined) {
        if (from < place) rewinds.push({ subscription: createSubscription(patterns), from, until: place });
        else if (first) place = from; // another process was faster: the reader knows more than we have heard of
        wake();
      }
      const last = await feed.lastEventAt(organization.id, Math.min(reached(), from ?? place));
      return last === null ? null : ids.encode('evt', last);
    },
    async next() {
      underWay = null;
      while (!closed) {
        woken = Promise.withResolvers();
        const before = reached();
        try {
          const told = await tell();
          if (told.length > 0) {
            underWay = before;
            return closed ? [] : told;
          }
          if (!behind && rewinds.length === 0 && live.length === 0) await woken.promise;
        } catch (error) {
          if (closed) break;
          ports.log.debug({ err: error }, 'events wait');
          fallBehind(); // whatever was taken is read again
          await sleep(RETRY_MS);
        }
      }
      return [];
    },
    close() {
      closed = true;
      unfollow();
      unlisten();
      wake();
    },
  };
}
