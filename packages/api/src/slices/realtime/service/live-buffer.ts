import type { SequencedEvent } from '../../../events/feed.ts';
import type { RealtimeEvent } from '../schemas.ts';

/**
 * Live events that wait for one reader. It is bounded: a reader that falls further behind reads events from the
 * database.
 */
export interface LiveBuffer {
  /** True once an event was dropped: the reader must read what follows its position from the database. */
  readonly isBehind: boolean;
  readonly isEmpty: boolean;
  addEvent(event: SequencedEvent): void;
  /** Calls are not stored: those that find no room are lost. */
  addCall(call: RealtimeEvent): void;
  takeEvents(): SequencedEvent[];
  takeCalls(): RealtimeEvent[];
  hasCalls(): boolean;
  /** Clears the buffer; events are dropped until `catchUp`. */
  fallBehind(): void;
  /** Events are buffered again from here on. Called before the database is read, so that none is missed in between. */
  catchUp(): void;
}

const MAX_WAITING = 500;

export function createLiveBuffer(): LiveBuffer {
  const events: SequencedEvent[] = [];
  const calls: RealtimeEvent[] = [];
  let behind = false;

  function fallBehind(): void {
    behind = true;
    events.length = 0;
  }

  return {
    get isBehind() {
      return behind;
    },
    get isEmpty() {
      return !behind && events.length + calls.length === 0;
    },
    addEvent(event) {
      if (!behind && events.push(event) > MAX_WAITING) fallBehind();
    },
    addCall(call) {
      if (calls.length < MAX_WAITING) calls.push(call);
    },
    takeEvents: () => events.splice(0),
    takeCalls: () => calls.splice(0),
    hasCalls: () => calls.length > 0,
    fallBehind,
    catchUp() {
      behind = false;
    },
  };
}
