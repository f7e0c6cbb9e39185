import type { Json, OpenApiDocument } from './openapi.ts';

/** Says the same with less: in place, everywhere. */
export function simplify(node: unknown): void {
  if (node === null || typeof node !== 'object') return;
  for (const value of Object.values(node)) simplify(value);
  if (Array.isArray(node)) return;
  const schema = node as Json;
  // The format of a date-time or an address says more than the regular expression behind it.
  if (schema['format'] === 'date-time' || schema['format'] === 'email') delete schema['pattern'];
  // The bounds of numbers in JavaScript are none of the field.
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  mergeNull(schema);
}

/** `anyOf` of one plain type and null is that type or null. */
function mergeNull(schema: Json): void {
  const { anyOf: choices, ...outer } = schema;
  if (!Array.isArray(choices) || choices.length !== 2) return;
  const [inner, nothing] = choices as [Json, Json];
  if (nothing['type'] !== 'null' || typeof inner['type'] !== 'string' || 'enum' in inner || 'const' in inner) return;
  delete schema['anyOf'];
  Object.assign(schema, inner, outer, { type: [inner['type'], 'null'] });
}

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

const REFERENCE = /^#\/components\/schemas\/(.+)$/;

function nameOf(node: Json): string | undefined {
  return REFERENCE.exec(String(node['$ref'] ?? ''))?.[1];
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

export const isList = (schema: Json): boolean => schema['type'] === 'string' && Array.isArray(schema['enum']);

/** In place, everywhere: unknown fields and, beside listed values, other text are valid. */
export function openSchema(node: unknown, schemas: Record<string, Json>): void {
  if (node === null || typeof node !== 'object') return;
  if (Array.isArray(node)) {
    for (const item of node) openSchema(item, schemas);
    return;
  }
  const schema = node as Json;
  if (schema['additionalProperties'] === false) delete schema['additionalProperties'];
  if (Array.isArray(schema['anyOf']) && schema['anyOf'].some((choice: Json) => isListed(choice, schemas))) {
    schema['anyOf'] = [...schema['anyOf'].filter(isNotNull), { type: 'string' }, ...schema['anyOf'].filter(isNull)];
    return;
  }
  if (isListed(schema, schemas)) {
    const { description, example, ...list } = schema;
    for (const key of Object.keys(schema)) delete schema[key];
    const said = description ?? schemas[nameOf(list) ?? '']?.['description'];
    Object.assign(schema, said !== undefined && { description: said }, example !== undefined && { example });
    schema['anyOf'] = [list, { type: 'string' }];
    return;
  }
  for (const value of Object.values(schema)) openSchema(value, schemas);
}

const isNull = (schema: Json): boolean => schema['type'] === 'null';
const isNotNull = (schema: Json): boolean => !isNull(schema);

/** Whether it is a list of values, in place or by name. */
function isListed(schema: Json, schemas: Record<string, Json>): boolean {
  const name = nameOf(schema);
  return isList(name === undefined ? schema : (schemas[name] ?? {}));
}
