import { describe, expect, it } from 'vitest';
import { iso, TimestampInput } from './common-schemas.ts';

describe('a moment in a request', () => {
  it.each([
    ['2030-01-31T12:00:00Z', '2030-01-31T12:00:00.000Z'],
    ['2030-01-31T12:00:00+00:00', '2030-01-31T12:00:00.000Z'],
    ['2030-01-31T12:00:00-00:00', '2030-01-31T12:00:00.000Z'],
    ['2030-01-31t12:00:00z', '2030-01-31T12:00:00.000Z'],
    ['2030-01-31T12:00:00.123456+05:30', '2030-01-31T06:30:00.123Z'],
    ['2030-01-31T23:30:00-01:00', '2030-02-01T00:30:00.000Z'],
    ['2028-02-29T00:00:00.000000001Z', '2028-02-29T00:00:00.000Z'],
  ])('may be written %s', (given, inUtc) => {
    expect(TimestampInput.parse(given)).toBe(inUtc);
  });

  it.each([
    '2030-01-31',
    '2030-01-31T12:00:00',
    '2030-01-31 12:00:00Z',
    '2030-02-30T12:00:00Z',
    '2030-01-31T24:00:00Z',
    '2030-01-31T12:00:00+24:00',
    '2030-01-31T12:00:00+0100',
    '9999-12-31T23:30:00-01:00',
    '0000-01-01T00:00:00Z',
    `2030-01-31T12:00:00.${'1'.repeat(100)}Z`,
    'tomorrow',
  ])('is not %s', (given) => {
    expect(TimestampInput.safeParse(given).error?.issues).toHaveLength(1);
  });
});

describe('a moment in an answer', () => {
  it.each([
    0, 1, -1, 59_999, 86_399_999, 86_400_000, -86_400_000, -86_400_001, 951_782_400_000, 1_767_225_599_999,
    253_402_300_799_999, 253_402_300_800_000, -62_135_596_800_000, -62_198_755_200_000, 8.64e15, -8.64e15,
  ])('%d ms after 1970 is what `toISOString` says, the second time as the first', (ms) => {
    for (const at of [new Date(ms), new Date(ms)]) expect(iso(at)).toBe(new Date(ms).toISOString());
  });

  it('is refused where it is none', () => {
    expect(() => iso(new Date(Number.NaN))).toThrow(RangeError);
  });
});
