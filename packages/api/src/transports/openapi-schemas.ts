import { isList, nameOf, openSchema } from '../contract/json-schema.ts';
import type { Json, OpenApiDocument } from './openapi.ts';

/**
 * A later version may add fields and values to what it answers, and a client that was generated before must read it. So
 * answers take unknown fields, and where they list values, other text too. Requests stay closed: what is unknown there
 * is refused.
 */
export function openAnswers(document: OpenApiDocument): void {
  const { schemas } = document.components;
  const answered = new Set<string>();
  const asked = new Set<string>();
  for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
    collect(operation.responses, schemas, answered);
    collect([operation.requestBody, operation.parameters], schemas, asked);
  }
  collect(document.webhooks, schemas, answered);
  collect(document.components['responses'], schemas, answered);
  for (const name of answered) {
    const schema = schemas[name]!;
    if (isList(schema)) continue; // opened where it is used
    if (asked.has(name) && JSON.stringify(schema).includes('"enum"'))
      throw new Error(`${name} is asked for and answered, so its values can be neither open nor closed: make it two.`);
    if (!asked.has(name)) openSchema(schema, schemas);
  }
}

/** The names of all schemas that a node refers to, directly or through others. */
function collect(node: unknown, schemas: Record<string, Json>, names: Set<string>): void {
  if (node === null || typeof node !== 'object') return;
  const name = nameOf(node as Json);
  if (name !== undefined && !names.has(name)) {
    names.add(name);
    collect(schemas[name], schemas, names);
  }
  for (const value of Object.values(node)) collect(value, schemas, names);
}
