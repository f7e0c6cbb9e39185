import type { StampedEvent } from '../../events/feed.ts';
import type { RealtimeEvent } from './schemas.ts';

/** What happens now and waits for one reader. It is bounded: who is further behind reads events from the database. */
export interface LiveBuffer {
  /** True once an event was left out: the reader must look for what follows its position in the database. */
  readonly isBehind: boolean;
  readonly isEmpty: boolean;
  addEvent(event: StampedEvent): void;
  /** Calls are not kept anywhere: those that find no room are lost. */
  addCall(call: RealtimeEvent): void;
  takeEvents(): StampedEvent[];
  takeCalls(): RealtimeEvent[];
  hasCalls(): boolean;
  /** Forgets what waits; events are left out until `catchUp`. */
  fallBehind(): void;
  /** From here on events are kept again. Called before the database is read, so that nothing falls between. */
  catchUp(): void;
}

const MAX_WAITING = 500;

export function createLiveBuffer(): LiveBuffer {
  const events: StampedEvent[] = [];
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
