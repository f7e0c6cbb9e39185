import { iso } from '../../../contract/common-schemas.ts';
import type { Ids } from '../../../contract/ids.ts';
import type { SequencedEvent } from '../../../events/feed.ts';
import type { RealtimeEvent, SentEvent } from '../schemas.ts';

/**
 * What all readers in a process get of one event is made for the first of them, and kept for as long as the event is in
 * memory. The feed and the subscriptions to calls give each reader the same object.
 */
const presented = new WeakMap<object, RealtimeEvent>();
const messages = new WeakMap<RealtimeEvent, Buffer>();

export function presentEvent(ids: Ids, event: SequencedEvent): RealtimeEvent {
  const { id, type, createdAt, data } = event;
  return onceFor(presented, event, () => ({ id: ids.encode('evt', id), event: type, createdAt: iso(createdAt), data }));
}

/** A call that was made with a key. It is not stored, so it has no id. */
export function presentCall(data: object, now: Date): RealtimeEvent {
  return onceFor(presented, data, () => ({ id: null, event: 'api_call', createdAt: iso(now), data }));
}

/** The event as the text that sockets send, in UTF-8. */
export function messageOf(event: RealtimeEvent): Buffer {
  return onceFor(messages, event, () => {
    const message: SentEvent = { type: 'event', ...event };
    return Buffer.from(JSON.stringify(message));
  });
}

function onceFor<Source extends object, Made>(made: WeakMap<Source, Made>, source: Source, make: () => Made): Made {
  const known = made.get(source);
  if (known !== undefined) return known;
  const fresh = make();
  made.set(source, fresh);
  return fresh;
}
