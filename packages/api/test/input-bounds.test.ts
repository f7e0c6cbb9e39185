import { TimestampInput } from '@rentapi/api/contract/common-schemas';
import { ClientMessage, WatchEvents } from '@rentapi/api/slices/realtime/schemas';
import { rawRoutes } from '@rentapi/api/slices/registry';
import { appRouter } from '@rentapi/api/slices/router';
import { operationsOf } from '@rentapi/api/transports/rest-routes';
import { expect, it } from 'vitest';
import { z } from 'zod';

/**
 * What every input must satisfy, so that no request costs more than its size. New operations are covered without being
 * named here.
 */
const inputs = [
  ...operationsOf(appRouter, rawRoutes).flatMap(({ name, inputs }) => inputs.map((input) => ({ name, input }))),
  { name: 'a message of a socket', input: ClientMessage },
  { name: 'a subscription', input: WatchEvents },
];

/** Every schema within another, with the path to it. */
function* within(schema: z.core.$ZodType, path: string): Generator<[path: string, schema: z.core.$ZodType]> {
  yield [path, schema];
  if (schema instanceof z.ZodObject)
    for (const [name, field] of Object.entries(schema.shape)) yield* within(field, `${path}.${name}`);
  else if (schema instanceof z.ZodArray) yield* within(schema.element, `${path}[]`);
  else if (schema instanceof z.ZodRecord) {
    yield* within(schema.keyType, `${path} (key)`);
    yield* within(schema.valueType, `${path} (value)`);
  } else if (schema instanceof z.ZodUnion) for (const option of schema.options) yield* within(option, path);
  else if (schema instanceof z.ZodPipe)
    yield* within(schema.in, path); // what it accepts is bounded
  else if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  )
    yield* within(schema.unwrap(), path);
  else if (!isLeaf(schema)) throw new Error(`${path} is a ${schema._zod.def.type}, of which this test knows nothing`);
}

const isLeaf = (schema: z.core.$ZodType): boolean =>
  ['string', 'number', 'boolean', 'null', 'enum', 'literal'].includes(schema._zod.def.type);

/** As in the document, where a schema with an id is described under that id. */
function described(schema: z.core.$ZodType): z.core.JSONSchema.BaseSchema {
  const { $defs, ...whole } = z.toJSONSchema(schema, { io: 'input' });
  const id = whole.$ref?.replace('#/$defs/', '');
  return id === undefined ? whole : $defs![id]!;
}

type Kind = 'string' | 'array' | 'record' | 'object';
const found = (kind: Kind) =>
  inputs.flatMap(({ name, input }) => [...within(input, name)].filter(([, { _zod }]) => _zod.def.type === kind));

const namesOf = (schemas: [string, z.core.$ZodType][], isFaulty: (schema: z.core.$ZodType) => boolean): string[] =>
  schemas.filter(([, schema]) => isFaulty(schema)).map(([path]) => path);

/** A pattern that no text beyond some length matches: anchored, and without an unbounded quantifier. */
const isBoundedPattern = (pattern: unknown): boolean =>
  typeof pattern === 'string' &&
  /^\^.*\$$/.test(pattern) &&
  !/[*+]|\{\d+,\}/.test(pattern.replace(/\[(?:\\.|[^\]\\])*\]|\\./g, ''));

function isBoundedText(schema: z.core.$ZodType): boolean {
  const { maxLength, pattern } = described(schema);
  return maxLength !== undefined || isBoundedPattern(pattern);
}

it('bounds every text by a length, or by a pattern that no longer text matches', () => {
  const texts = found('string');
  expect(texts.length).toBeGreaterThan(20);
  expect(namesOf(texts, (schema) => !isBoundedText(schema))).toEqual([]);
});

it('bounds every list and every record by a number', () => {
  const bound = (schema: z.core.$ZodType) => {
    const { maxItems, maxProperties } = described(schema);
    return maxItems ?? maxProperties;
  };
  expect(namesOf(found('array'), (schema) => bound(schema) === undefined)).toEqual([]);
  const records = found('record');
  expect(namesOf(records, (schema) => bound(schema) === undefined)).toEqual([]);
  // zod alone does not guarantee this for records.
  for (const [path, schema] of records) {
    const entries = Object.fromEntries(Array.from({ length: Number(bound(schema)) + 1 }, (_, at) => [`k${at}`, 'x']));
    expect([path, z.safeParse(schema, entries).success]).toEqual([path, false]);
  }
});

it('accepts no undeclared field in any object', () => {
  expect(namesOf(found('object'), (schema) => described(schema).additionalProperties !== false)).toEqual([]);
});

/** Checks of a text by our own code. */
const checksOf = (schema: z.core.$ZodType): z.core.$ZodCheckDef[] =>
  (schema._zod.def.checks ?? []).map((check) => check._zod.def);

it('runs no further check on a text that is too long', () => {
  const unguarded = (schema: z.core.$ZodType): boolean => {
    const checks = checksOf(schema);
    const bound = checks.findIndex(({ check, abort }) => check === 'max_length' && abort === true);
    const custom = checks.findIndex(({ check }) => check === 'custom');
    return custom >= 0 && (bound < 0 || custom < bound);
  };
  const texts = found('string');
  expect(texts.some(([, schema]) => checksOf(schema).some(({ check }) => check === 'custom'))).toBe(true);
  expect(namesOf(texts, unguarded)).toEqual([]);
  expect(
    unguarded(
      z
        .string()
        .max(5)
        .refine(() => true),
    ),
  ).toBe(true);
});

it('accepts every time in each form of RFC 3339', () => {
  const times = found('string').filter(([, schema]) => described(schema).format === 'date-time');
  expect(times.length).toBeGreaterThan(4);
  expect(namesOf(times, (schema) => !z.safeParse(schema, '2030-01-31t12:00:00-00:00').success)).toEqual([]);
  expect(z.safeParse(TimestampInput, 'tomorrow').success).toBe(false);
});
