import { z } from 'zod';
import { isList, type JsonSchema, nameExamples, openSchema, simplify } from '../contract/json-schema.ts';
import type { OrganizationPermission } from '../contract/permissions.ts';
import type { EventType } from './event.ts';

type EventTypes = ReadonlyMap<string, EventType>;
type VisibleEvent = EventType & { permission: OrganizationPermission };

/** An event type, as the document, the pages and the API show it. */
export interface DescribedEvent {
  name: string;
  description: string;
  /** Who may see it. */
  permission: OrganizationPermission;
  version: number;
  /** JSON Schema of its data: open, because a later version may add fields and values. */
  schema: JsonSchema;
  example: unknown;
}

/** Those that sockets and webhooks of an organization may see, by name. */
export function visibleEvents(eventTypes: EventTypes): VisibleEvent[] {
  return [...eventTypes.values()]
    .filter((type): type is VisibleEvent => type.permission !== undefined)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const described = new WeakMap<EventTypes, readonly DescribedEvent[]>();

/** Described once: schemas take milliseconds, and types do not change. */
export function describeEvents(eventTypes: EventTypes): readonly DescribedEvent[] {
  const known = described.get(eventTypes) ?? visibleEvents(eventTypes).map(describe);
  described.set(eventTypes, known);
  return known;
}

function describe({ name, description, permission, version, data, example }: VisibleEvent): DescribedEvent {
  return { name, description, permission, version, schema: schemaOf(data), example };
}

function schemaOf(data: z.ZodType): JsonSchema {
  const made: JsonSchema & { $defs?: Record<string, JsonSchema> } = z.toJSONSchema(data, {
    io: 'output',
    override: nameExamples,
  });
  simplify(made);
  const { $defs: named = {}, ...schema } = made;
  for (const definition of Object.values(named)) delete definition['id']; // no keyword of JSON Schema any more
  // A list of values is opened where it is used.
  for (const each of [schema, ...Object.values(named)]) if (!isList(each)) openSchema(each, named);
  return Object.keys(named).length > 0 ? { ...schema, $defs: named } : schema;
}
