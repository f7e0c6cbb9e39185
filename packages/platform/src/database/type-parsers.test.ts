import pg from 'pg';
import { expect, it } from 'vitest';
import { getTypeParser } from './type-parsers.ts';

const TIMESTAMPTZ = 1184;
const read = getTypeParser(TIMESTAMPTZ, 'text') as (text: string) => Date;
const readByPg = pg.types.getTypeParser(TIMESTAMPTZ, 'text') as (text: string) => Date;

it.each([
  '2026-01-31 12:00:00+00',
  '2026-12-31 23:59:59.999999+00',
  '2026-02-28 00:00:00.1+00',
  '2026-02-28 00:00:00.29+00',
  '2024-02-29 06:07:08.009+00',
  '1969-12-31 23:59:59.5+00',
  '0100-01-01 00:00:00+00',
  '0099-01-01 00:00:00+00',
  '0001-01-01 00:00:00+00',
  '10000-01-01 00:00:00+00',
  '0044-03-15 12:00:00+00 BC',
  '2026-01-31 12:00:00.123+01',
  '2026-01-31 12:00:00.123456+05:30',
  '2026-01-31 12:00:00-08',
])('reads %s as pg does', (text) => expect(read(text)).toEqual(readByPg(text)));

it('reads every millisecond as pg does', () => {
  const texts = Array.from({ length: 1000 }, (_, at) => `2026-01-31 12:00:00.${String(at).padStart(3, '0')}+00`);
  expect(texts.map((text) => read(text).getTime())).toEqual(texts.map((text) => readByPg(text).getTime()));
});

it('reads the ends of time as pg does', () => {
  expect([read('infinity'), read('-infinity')]).toEqual([readByPg('infinity'), readByPg('-infinity')]);
});

const TEXT_ARRAY: number = 1009;

it.each([
  '{}',
  '{a}',
  '{api_keys:read,org:read}',
  '{""}',
  '{"a,b","c\\"d",e}',
  '{NULL,a}',
  '{"NULL",a}',
  '{null}',
  '{{a,b},{c,d}}',
  '[2:3]={a,b}',
  '{żółw}',
])('reads the array of texts %s as pg does', (text) => {
  expect(getTypeParser(TEXT_ARRAY, 'text')(text)).toEqual(pg.types.getTypeParser(TEXT_ARRAY, 'text')(text));
});
