import { cell, table } from './doc-page.ts';

/** What these pages read of a JSON Schema. */
export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
  description?: string;
  default?: unknown;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  maxItems?: number;
}

/** Schemas by their names, without the path before them. */
export type NamedSchemas = Readonly<Record<string, JsonSchema>>;

/** Deeper objects are left to the JSON Schema in the document. */
const MAX_DEPTH = 3;
const MAX_ENUM = 12;

interface Options {
  /** Says which fields may be left out. In answers, none are. */
  input?: boolean;
}

/** A row for each field of an object, those of objects inside it under `outer.inner`; null for what has no fields. */
export function schemaTable(schema: JsonSchema, named: NamedSchemas, { input = false }: Options = {}): string | null {
  const rows = fieldRows(schema, named, input, '', 1);
  return rows.length === 0 ? null : table(['Field', 'Type', 'Description'], rows);
}

function fieldRows(schema: JsonSchema, named: NamedSchemas, input: boolean, prefix: string, depth: number): string[][] {
  const object = withoutNull(resolve(schema, named), named);
  const required = new Set(object.required);
  return Object.entries(object.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const optional = input && !required.has(name);
    const row = [`\`${path}\``, `${typeOf(field, named)}${optional ? ', optional' : ''}`, about(field, named)];
    if (depth === MAX_DEPTH) return [row];
    const { items } = withoutNull(resolve(field, named), named);
    return [
      row,
      ...fieldRows(field, named, input, `${path}.`, depth + 1),
      ...(items ? fieldRows(items, named, input, `${path}[].`, depth + 1) : []),
    ];
  });
}

/** `string`, `integer or null`, `list of Scope`. */
export function typeOf(schema: JsonSchema, named: NamedSchemas): string {
  const resolved = resolve(schema, named);
  const choices = resolved.anyOf ?? resolved.oneOf;
  if (choices) return [...new Set(choices.map((choice) => typeOf(choice, named)))].join(' or ');
  if (resolved.const !== undefined) return `\`${cell(JSON.stringify(resolved.const))}\``;
  if (resolved.type === 'array') return `list of ${resolved.items ? typeOf(resolved.items, named) : 'anything'}`;
  if (Array.isArray(resolved.type)) return resolved.type.join(' or ');
  return resolved.format === 'date-time' ? 'time' : (resolved.type ?? (resolved.enum ? 'string' : 'anything'));
}

function about(schema: JsonSchema, named: NamedSchemas): string {
  const resolved = { ...resolve(schema, named), ...withoutUndefined(schema) };
  const inner = withoutNull(resolved, named);
  const of = inner.items ? withoutNull(resolve(inner.items, named), named) : inner;
  const values = of.enum?.filter((value) => value !== null) ?? [];
  const limits = limitsOf(inner);
  return cell(
    [
      resolved.description ?? inner.description ?? '',
      values.length > 0 && values.length <= MAX_ENUM && `One of ${values.map((value) => `\`${value}\``).join(', ')}.`,
      limits && `${limits}.`,
      resolved.default !== undefined && `Default \`${JSON.stringify(resolved.default)}\`.`,
    ]
      .filter(Boolean)
      .join(' '),
  );
}

function limitsOf({ minLength, maxLength, minimum, maximum, maxItems }: JsonSchema): string | null {
  const bound = (value: number | undefined) =>
    value !== undefined && Number.isSafeInteger(value) && Math.abs(value) < 2 ** 53 - 1 ? value : undefined;
  const [least, most] = [bound(minimum), bound(maximum)];
  if (maxItems !== undefined) return `At most ${maxItems} items`;
  if (maxLength !== undefined)
    return minLength ? `${minLength} to ${maxLength} characters` : `At most ${maxLength} characters`;
  if (least !== undefined && most !== undefined) return `${least} to ${most}`;
  if (least !== undefined) return `At least ${least}`;
  return most === undefined ? null : `At most ${most}`;
}

/** The one schema that is not null, of `X or null`, and of a list of values that may grow: any other text, too. */
function withoutNull(schema: JsonSchema, named: NamedSchemas): JsonSchema {
  const all = (schema.anyOf ?? schema.oneOf)?.filter(({ type }) => type !== 'null');
  const lists = all?.filter((choice) => resolve(choice, named).enum) ?? [];
  const choices = lists.length > 0 ? lists : all;
  const [only] = choices ?? [];
  return only && choices?.length === 1 ? resolve(only, named) : schema;
}

function resolve(schema: JsonSchema, named: NamedSchemas): JsonSchema {
  const name = schema.$ref?.split('/').at(-1);
  return name === undefined ? schema : (named[name] ?? {});
}

function withoutUndefined({ description, default: value }: JsonSchema): JsonSchema {
  return { ...(description !== undefined && { description }), ...(value !== undefined && { default: value }) };
}
