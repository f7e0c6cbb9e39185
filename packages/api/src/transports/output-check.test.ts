import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ProcedureMeta } from '../contract/meta.ts';
import { appRouter } from '../slices/router.ts';
import { createOutputCheck } from './output-check.ts';

interface Built {
  _def: { meta: ProcedureMeta; output?: z.ZodType };
}

const outputs = Object.entries(appRouter._def.procedures as unknown as Record<string, Built>).flatMap(
  ([name, { _def }]) => (_def.output ? [{ name, schema: _def.output, example: _def.meta.example.output }] : []),
);

/** What leaves, byte by byte, or that nothing does. */
function textOf(check: () => unknown): string | undefined {
  try {
    return JSON.stringify(check());
  } catch (error) {
    return error instanceof z.core.$ZodError ? 'refused' : String(error);
  }
}

type Node = Record<string, unknown>;

/** Copies of a value, each with one difference somewhere in it. */
function* differing(value: unknown): Generator<unknown> {
  for (const other of [null, undefined, '', 'text', -1.5, Number.NaN, true, [], {}, ['x'], { x: 1 }, new Date(0)]) {
    yield other;
  }
  if (Array.isArray(value)) {
    yield [...value, ...value];
    for (const [at, item] of value.entries()) for (const other of differing(item)) yield value.with(at, other);
  } else if (value !== null && typeof value === 'object') {
    const fields = value as Node;
    yield { ...fields, undeclared: 'secret' };
    yield { undeclared: 'secret', ...fields };
    yield Object.fromEntries(Object.entries(fields).reverse());
    yield Object.assign(Object.create({ inherited: 'secret' }), fields);
    yield { ...fields, toJSON: () => 'secret' };
    for (const [name, field] of Object.entries(fields)) {
      const { [name]: _, ...rest } = fields;
      yield rest;
      for (const other of differing(field)) yield { ...fields, [name]: other };
    }
  }
}

it.each(outputs)('answers $name as zod does, whatever its service returns', ({ schema, example }) => {
  const check = createOutputCheck(schema);
  for (const value of [example, ...differing(example)]) {
    expect([value, textOf(() => check(value))]).toEqual([value, textOf(() => schema.parse(value))]);
  }
});

describe('a schema', () => {
  const parsed = (schema: z.ZodType, value: unknown) => createOutputCheck(schema)(value);

  it('takes what is exactly as declared as it is, without a copy', () => {
    const Item = z.object({ id: z.uuid(), at: z.iso.datetime().nullable(), tags: z.record(z.string(), z.boolean()) });
    const value = { items: [{ id: crypto.randomUUID(), at: null, tags: { a: true } }], next: undefined };
    expect(parsed(z.object({ items: z.array(Item), next: z.string().optional() }), value)).toBe(value);
  });

  it.each<[string, z.ZodType, unknown, unknown]>([
    ['a default', z.object({ a: z.string().default('x') }), {}, { a: 'x' }],
    ['a text that is trimmed', z.object({ a: z.string().trim() }), { a: ' x ' }, { a: 'x' }],
    ['a number that is made of a text', z.object({ a: z.coerce.number() }), { a: '1' }, { a: 1 }],
    ['another value', z.object({ a: z.string().transform((text) => text.length) }), { a: 'x' }, { a: 1 }],
    [
      'the first of two forms',
      z.union([z.object({ a: z.int() }), z.object({ a: z.int(), b: z.int() })]),
      { a: 1, b: 2 },
      { a: 1 },
    ],
    ['the first of two texts', z.array(z.union([z.string().trim(), z.string()])), [' x '], ['x']],
    ['any other fields', z.looseObject({ a: z.int() }), { a: 1, b: 2 }, { a: 1, b: 2 }],
    ['its fields in its order', z.object({ a: z.int(), b: z.int() }), { b: 2, a: 1 }, { a: 1, b: 2 }],
  ])('returns what it makes: %s', (_, schema, value, expected) => {
    expect(JSON.stringify(parsed(schema, value))).toBe(JSON.stringify(expected));
  });

  it('refuses what a check of its own refuses', () => {
    const schema = z.record(z.string(), z.int()).refine((record) => Object.keys(record).length < 2, 'too many');
    expect(parsed(schema, { a: 1 })).toEqual({ a: 1 });
    expect(() => parsed(schema, { a: 1, b: 2 })).toThrow('too many');
  });
});
