import type { EventType } from '../../events/event.ts';

type EventTypes = ReadonlyMap<string, EventType>;

/** The newest form that any event has. */
export function newestEventVersion(eventTypes: EventTypes): number {
  return Math.max(...[...eventTypes.values()].map(({ version }) => version));
}

/** The data of an event in the newest form that a webhook takes. */
export function dataInVersion(type: EventType | undefined, data: unknown, version: number): unknown {
  let shown = data;
  for (let at = type?.version ?? 0; at > version; at--) shown = type?.earlier?.[at - 1]?.(shown) ?? shown;
  return shown;
}
