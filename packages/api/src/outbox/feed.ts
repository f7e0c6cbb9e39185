import type { Knex } from '@rentapi/platform/database';
import type { Logger } from '@rentapi/platform/logger';
import { startLoop } from './loop.ts';

export interface StampedEvent {
  id: number;
  position: number;
  organizationId: number;
  type: string;
  data: unknown;
  createdAt: Date;
}

export interface Feed {
  /** Look now: something was stamped. */
  wake(): void;
  /** Calls back with each event of the organization from now on, in order, until the returned function is called. */
  follow(organizationId: number, listener: (event: StampedEvent) => void): () => void;
  /** The organization's events after the one with this row id, in order, at most `limit`; those of unknown ids: none. */
  since(organizationId: number, eventId: number, limit: number): Promise<StampedEvent[]>;
  stop(): Promise<void>;
}

const BATCH = 500;
const COLUMNS = ['id', 'position', 'organizationId', 'type', 'data', 'createdAt'];

/** Follows the events of all organizations by `position`, one query for the whole process, and hands them to their listeners. */
export function startFeed(options: { database: Knex; log: Logger }): Feed {
  const { database, log } = options;
  const listeners = new Map<number, Set<(event: StampedEvent) => void>>();
  let position: number | undefined;

  const loop = startLoop({
    name: 'feed',
    everyMs: 1000,
    log,
    async round() {
      position ??= (await database('events').max('position as last').first())?.['last'] ?? 0;
      const events: StampedEvent[] = await database('events')
        .where('position', '>', position!)
        .orderBy('position')
        .limit(BATCH)
        .select(COLUMNS);
      for (const event of events) {
        position = event.position;
        for (const listener of listeners.get(event.organizationId) ?? []) listener(event);
      }
      return events.length === BATCH;
    },
  });

  return {
    wake: loop.wake,
    stop: loop.stop,
    follow(organizationId, listener) {
      const ours = listeners.get(organizationId) ?? new Set();
      listeners.set(organizationId, ours.add(listener));
      return () => {
        ours.delete(listener);
        if (ours.size === 0) listeners.delete(organizationId);
      };
    },
    async since(organizationId, eventId, limit) {
      return database('events')
        .where({ organizationId })
        .where('position', '>', database('events').where({ id: eventId, organizationId }).select('position'))
        .orderBy('position')
        .limit(limit)
        .select(COLUMNS);
    },
  };
}
