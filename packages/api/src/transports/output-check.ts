import { type core, safeParse } from 'zod';

/** Returns what the schema does, or throws what it throws. */
export type OutputCheck = (data: unknown) => unknown;

interface Schema extends core.$ZodType {
  parse(value: unknown): unknown;
}

/**
 * What is exactly as declared passes as it is: zod would make the same once more, which takes longer than all else that
 * is done with a page of rows. Everything else is zod's: it takes away what is not declared, and refuses what is wrong.
 */
export function createOutputCheck(schema: Schema): OutputCheck {
  const isExact = exactly(schema);
  return (data) => (isExact?.(data) ? data : schema.parse(data));
}

type Check = (value: unknown) => boolean;

/**
 * Whether the schema returns a value as it is: nothing more than declared, in the declared order. False only costs
 * time. Undefined for a kind of schema that is not checked here.
 */
function exactly(schema: core.$ZodType): Check | undefined {
  const { def } = (schema as core.$ZodTypes)._zod; // zod's own union of all its kinds
  const structure = structureOf(schema, def);
  const checks = checksOf(schema);
  if (!structure || checks.length === 0) return structure;
  return (value) => structure(value) && passes(checks, value);
}

function structureOf(schema: core.$ZodType, def: core.$ZodTypes['_zod']['def']): Check | undefined {
  switch (def.type) {
    case 'object':
      return !def.catchall || isNever(def.catchall) ? objectOf(def.shape) : undefined;
    case 'array':
      return arrayOf(exactly(def.element));
    case 'record':
      return isText(def.keyType) ? recordOf(exactly(def.keyType), exactly(def.valueType)) : undefined;
    case 'nullable':
      return orElse(null, exactly(def.innerType));
    case 'optional':
      return orElse(undefined, exactly(def.innerType));
    case 'string':
      return def.coerce ? undefined : (value) => typeof value === 'string';
    case 'number':
      return def.coerce ? undefined : Number.isFinite;
    case 'boolean':
      return def.coerce ? undefined : (value) => typeof value === 'boolean';
    case 'enum':
    case 'literal':
    case 'null':
    case 'undefined':
    case 'void':
      return oneOf(schema._zod.values ?? new Set([undefined]));
    case 'unknown':
      return (value) => value !== undefined;
    case 'union':
      return def.options.every(isPrimitive) ? sameAfterParsing(schema) : undefined;
    default:
      return undefined;
  }
}

const isNever = (schema: core.$ZodType): boolean => schema._zod.def.type === 'never';
const isText = (schema: core.$ZodType): boolean => schema._zod.def.type === 'string';

const PRIMITIVES = new Set(['string', 'number', 'boolean', 'null', 'enum', 'literal']);
const isPrimitive = (schema: core.$ZodType): boolean => PRIMITIVES.has(schema._zod.def.type);

/** The first option that parses a value may change it, so only zod knows. */
function sameAfterParsing(schema: core.$ZodType): Check {
  return (value) => {
    const { success, data } = safeParse(schema, value);
    return success && Object.is(data, value);
  };
}

const oneOf =
  (values: ReadonlySet<unknown>): Check =>
  (value) =>
    values.has(value);

const orElse = (other: null | undefined, inner: Check | undefined): Check | undefined =>
  inner && ((value) => value === other || inner(value));

function arrayOf(element: Check | undefined): Check | undefined {
  if (!element) return undefined;
  return (value) => {
    if (!Array.isArray(value)) return false;
    for (let at = 0; at < value.length; at++) if (!element(value[at])) return false;
    return true;
  };
}

function recordOf(key: Check | undefined, field: Check | undefined): Check | undefined {
  if (!key || !field) return undefined;
  return (value) => {
    if (!isPlain(value)) return false;
    for (const name in value) if (name === '__proto__' || !key(name) || !field(value[name])) return false;
    return true;
  };
}

/** Zod writes the fields in the order of the schema, so that answers are the same byte by byte. */
function objectOf(shape: Readonly<Record<string, core.$ZodType>>): Check | undefined {
  const names = Object.keys(shape);
  const checks = Object.values(shape).map(exactly);
  if (!checks.every((check) => check !== undefined)) return undefined;
  return (value) => {
    if (!isPlain(value)) return false;
    let at = 0;
    for (const name in value) {
      for (; names[at] !== name; at++) if (!checks[at]?.(undefined)) return false; // undeclared, or out of order
      if (!checks[at++]!(value[name])) return false;
    }
    for (; at < names.length; at++) if (!checks[at]!(undefined)) return false;
    return true;
  };
}

/** Others may be made JSON in a way of their own. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

type ValueCheck = core.$ZodCheck<unknown>; // the structure is checked first

/** A format, such as that of a date, is a check itself. */
function checksOf(schema: core.$ZodType): ValueCheck[] {
  const { def, traits } = schema._zod;
  const own = traits.has('$ZodCheck') ? [schema as unknown as ValueCheck] : [];
  return [...own, ...((def.checks ?? []) as ValueCheck[])];
}

function passes(checks: readonly ValueCheck[], value: unknown): boolean {
  const payload: core.ParsePayload = { value, issues: [] };
  for (const check of checks) if (check._zod.check(payload) instanceof Promise) return false;
  return payload.issues.length === 0 && Object.is(payload.value, value);
}
