import type { Knex } from '@rentapi/platform/database';
import type { Logger } from '@rentapi/platform/logger';
import { type Loop, startLoop } from '@rentapi/platform/loop';
import { ACROSS_ORGANIZATIONS } from '../data/tenant-model.ts';

export interface SequencedEvent {
  id: number;
  /** A number that only grows, in the order of the commits. Ids do not: they are assigned before the commit. */
  position: number;
  organizationId: number;
  type: string;
  data: unknown;
  createdAt: Date;
}

export interface Follower {
  /** Called for each new event of the organization, in order of `position`. */
  onEvent(event: SequencedEvent): void;
  /** The process stops: no more events will come. */
  onRelease(): void;
}

/** The events of all organizations. One query serves the whole process, and it starts with the first follower. */
export interface Feed {
  /** Events got their position: takes them from the notification where they come next and are there, else reads. */
  wake(notification?: string): void;
  /** Calls the follower until the returned function is called. */
  follow(organizationId: number, follower: Follower): () => void;
  /** The position after which followers receive every event. */
  position(): Promise<number>;
  /** The position of an event of the organization; null where there is no such event, or no longer. */
  positionOf(organizationId: number, eventId: number): Promise<number | null>;
  /** The organization's newest event at or before a position; null where there is none. */
  lastEventAt(organizationId: number, position: number): Promise<number | null>;
  /** The organization's events after a position, in order, at most `limit`. */
  after(organizationId: number, position: number, limit: number): Promise<SequencedEvent[]>;
  /** Releases all followers, so that their clients connect to another process. */
  release(): void;
  stop(): Promise<void>;
}

const BATCH = 500;
const COLUMNS = ['id', 'position', 'organizationId', 'type', 'data', 'createdAt'];

export function createFeed({ database, log }: { database: Knex; log: Logger }): Feed {
  const followers = new Map<number, Set<Follower>>();
  const begun = Promise.withResolvers<void>();
  let loop: Loop | undefined;
  let position: number | undefined;

  function start(): void {
    loop ??= startLoop({ name: 'feed', everyMs: 1000, log, round });
  }

  async function round(): Promise<boolean> {
    const allEvents = () => database('events').comment(ACROSS_ORGANIZATIONS);
    position ??= Number((await allEvents().max('position as last').first())?.['last'] ?? 0);
    begun.resolve();
    const events: SequencedEvent[] = await allEvents()
      .where('position', '>', position)
      .orderBy('position')
      .limit(BATCH)
      .select(COLUMNS);
    for (const event of events) pass(event);
    return events.length === BATCH;
  }

  /** Each event once: it may be read while a notification brings it. */
  function pass(event: SequencedEvent): void {
    if (event.position <= position!) return;
    position = event.position;
    for (const follower of followers.get(event.organizationId) ?? []) follower.onEvent(event);
  }

  function wake(notification = ''): void {
    const events = notification === '' ? [] : eventsOf(notification);
    const [first, last] = [events[0], events.at(-1)];
    // Positions have no gaps: with one, something was missed.
    if (position === undefined || !first || !last || first.position > position + 1) loop?.wake();
    else if (last.position > position) for (const event of events) pass(event);
  }

  return {
    wake,
    follow(organizationId, follower) {
      start();
      const ours = followers.get(organizationId) ?? new Set();
      followers.set(organizationId, ours.add(follower));
      return () => {
        ours.delete(follower);
        if (ours.size === 0 && followers.get(organizationId) === ours) followers.delete(organizationId);
      };
    },
    async position() {
      start();
      await begun.promise;
      return position!;
    },
    async positionOf(organizationId, eventId) {
      const event = await database('events').where({ id: eventId, organizationId }).first('position');
      return event?.position ?? null;
    },
    async lastEventAt(organizationId, position) {
      const event = await database('events')
        .where({ organizationId })
        .where('position', '<=', position)
        .orderBy('position', 'desc')
        .first('id');
      return event?.id ?? null;
    },
    async after(organizationId, after, limit) {
      return database('events')
        .where({ organizationId })
        .where('position', '>', after)
        .orderBy('position')
        .limit(limit)
        .select(COLUMNS);
    },
    release() {
      for (const follower of [...followers.values()].flatMap((ours) => [...ours])) follower.onRelease();
    },
    async stop() {
      await loop?.stop();
    },
  };
}

/** As the sequencer makes it. */
interface NotifiedEvent extends Omit<SequencedEvent, 'createdAt'> {
  createdAtMs: number;
}

function eventsOf(notification: string): SequencedEvent[] {
  const events: NotifiedEvent[] = JSON.parse(notification);
  return events.map(({ createdAtMs, ...event }) => ({ ...event, createdAt: new Date(createdAtMs) }));
}
