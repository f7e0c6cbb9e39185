import { expect, it } from 'vitest';
import { z } from 'zod';
import { describeIssue } from './describe-issue.ts';

const complaint = (schema: z.ZodType, value: unknown) => describeIssue(schema.safeParse(value).error!.issues[0]!);
const many = z.enum(Array.from({ length: 46 }, (_, at) => `scope:${at}`) as [string, ...string[]]);

it.each([
  ['is required', z.object({ name: z.string() }), {}],
  ['must be a string', z.string(), 1],
  ['must be a number', z.coerce.number(), 'abc'],
  ['must be a whole number', z.int(), 1.5],
  ['must be a list', z.array(z.string()), 'x'],
  ['must be an object', z.strictObject({}), 1],
  ['must have at least 1 character', z.string().min(1), ''],
  ['must have at most 2 items', z.array(z.int()).max(2), [1, 2, 3]],
  ['must be at most 100', z.int().max(100), 101],
  ['must be more than 0', z.number().positive(), 0],
  ['must be one of live, test', z.enum(['live', 'test']), 'prod'],
  ['must be Bearer', z.literal('Bearer'), 'Basic'],
  ['is none of the values that the reference lists', many, 'scope:x'],
  ['must be an e-mail address', z.email(), 'ada'],
  ['must be a date and time in UTC such as 2026-01-31T12:00:00Z', z.iso.datetime(), 'tomorrow'],
  ['is not what is expected here', z.union([z.string(), z.number()]), true],
])('says: %s', (sentence, schema, value) => {
  expect(complaint(schema, value)).toBe(sentence);
});

it('keeps a sentence that the schema provides', () => {
  expect(complaint(z.string().min(32, 'must have at least 32 characters, drawn at random'), 'x')).toContain(
    'at random',
  );
  expect(complaint(z.number({ error: 'must count sheep' }), 'x')).toBe('must count sheep');
});
