import type { EventEntry } from './document.ts';

/** The types of what happens: data by event, the events themselves, and what can be subscribed to. */
export function printEvents(events: readonly EventEntry[], declaredName: (name: string) => string): string {
  const entries = events.map(({ name, dataName, description }) => {
    const comment = `  /** ${description.replaceAll('*/', '*\\/')} */\n`;
    return `${comment}  ${JSON.stringify(name)}: Types.${declaredName(dataName)};`;
  });
  const resources = [...new Set(events.map(({ name }) => `${name.split('.')[0]}.*`))];
  return `/** The data of each event, by the name of the event. */
export interface EventMap {
${entries.join('\n')}
  /** A call was made with an API key: sent once, and not kept. */
  api_call: { keyId: string; procedure: string; status: number; durationMs: number; requestId: string };
  /** A notice to you or your organization from those who run the service: sent once, and not kept. */
  notification: { title: string; text: string };
}

/** What is not kept, and sent once. */
export type UnstoredEvent = 'api_call' | 'notification';

/** Something that happened: \`event\` decides what \`data\` is. */
export type RentApiEvent = {
  [Name in keyof EventMap]: {
    /** null for what is not kept. */
    id: Name extends UnstoredEvent ? null : string;
    event: Name;
    createdAt: string;
    data: EventMap[Name];
  };
}[keyof EventMap];

/** What can be subscribed to: an event, all events of a resource, all events, or what a newer server knows. */
export type EventPattern = keyof EventMap | ${resources.map((name) => JSON.stringify(name)).join(' | ')} | '*' | (string & {});`;
}
