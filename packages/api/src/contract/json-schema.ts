/** A JSON Schema, as it is written. */
export type JsonSchema = Record<string, unknown>;

/** Says the same with less: in place, everywhere. */
export function simplify(node: unknown): void {
  if (node === null || typeof node !== 'object') return;
  for (const value of Object.values(node)) simplify(value);
  if (Array.isArray(node)) return;
  const schema = node as JsonSchema;
  // The format of a date-time or an address says more than the regular expression behind it.
  if (schema['format'] === 'date-time' || schema['format'] === 'email') delete schema['pattern'];
  // The bounds of numbers in JavaScript are none of the field.
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  mergeNull(schema);
}

/** `anyOf` of one plain type and null is that type or null. */
function mergeNull(schema: JsonSchema): void {
  const { anyOf: choices, ...outer } = schema;
  if (!Array.isArray(choices) || choices.length !== 2) return;
  const [inner, nothing] = choices as [JsonSchema, JsonSchema];
  if (nothing['type'] !== 'null' || typeof inner['type'] !== 'string' || 'enum' in inner || 'const' in inner) return;
  delete schema['anyOf'];
  Object.assign(schema, inner, outer, { type: [inner['type'], 'null'] });
}

const REFERENCE = /^#\/(?:components\/schemas|\$defs)\/(.+)$/;

/** The name of the schema that it refers to. */
export function nameOf(node: JsonSchema): string | undefined {
  return REFERENCE.exec(String(node['$ref'] ?? ''))?.[1];
}

export const isList = (schema: JsonSchema): boolean => schema['type'] === 'string' && Array.isArray(schema['enum']);

/** In place, everywhere: unknown fields and, beside listed values, other text are valid. */
export function openSchema(node: unknown, schemas: Record<string, JsonSchema>): void {
  if (node === null || typeof node !== 'object') return;
  if (Array.isArray(node)) {
    for (const item of node) openSchema(item, schemas);
    return;
  }
  const schema = node as JsonSchema;
  if (schema['additionalProperties'] === false) delete schema['additionalProperties'];
  if (Array.isArray(schema['anyOf']) && schema['anyOf'].some((choice: JsonSchema) => isListed(choice, schemas))) {
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

const isNull = (schema: JsonSchema): boolean => schema['type'] === 'null';
const isNotNull = (schema: JsonSchema): boolean => !isNull(schema);

/** Whether it is a list of values, in place or by name. */
function isListed(schema: JsonSchema, schemas: Record<string, JsonSchema>): boolean {
  const name = nameOf(schema);
  return isList(name === undefined ? schema : (schemas[name] ?? {}));
}

/** For `z.toJSONSchema`: JSON Schema has a list of examples, our schemas have one. */
export function nameExamples({ jsonSchema }: { jsonSchema: JsonSchema }): void {
  if (!('example' in jsonSchema)) return;
  jsonSchema['examples'] = [jsonSchema['example']];
  delete jsonSchema['example'];
}
