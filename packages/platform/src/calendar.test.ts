import { describe, expect, it } from 'vitest';
import { bucketsOf, findTimeZone, type Interval, localIso } from './calendar.ts';

const HOUR_MS = 3_600_000;

/** Each bucket as its start on the zone's clocks and its length in hours. */
function buckets(interval: Interval, timeZone: string, from: string, to: string): [start: string, hours: number][] {
  const range = { from: new Date(from), to: new Date(to) };
  return bucketsOf(interval, timeZone, range, 1000).map((bucket) => [
    localIso(bucket.from, bucket.offsetMs),
    (bucket.to.getTime() - bucket.from.getTime()) / HOUR_MS,
  ]);
}

describe('days', () => {
  it('have 23 hours in Berlin when clocks go forward', () => {
    expect(buckets('day', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-30T12:00:00Z')).toEqual([
      ['2026-03-28T00:00:00+01:00', 24],
      ['2026-03-29T00:00:00+01:00', 23],
      ['2026-03-30T00:00:00+02:00', 24],
    ]);
  });

  it('have 25 hours in Berlin when clocks go back', () => {
    expect(buckets('day', 'Europe/Berlin', '2026-10-24T12:00:00Z', '2026-10-26T12:00:00Z')).toEqual([
      ['2026-10-24T00:00:00+02:00', 24],
      ['2026-10-25T00:00:00+02:00', 25],
      ['2026-10-26T00:00:00+01:00', 24],
    ]);
  });

  it('begin at one o’clock in São Paulo where midnight is skipped, and once where it is repeated', () => {
    expect(buckets('day', 'America/Sao_Paulo', '2018-11-03T12:00:00Z', '2018-11-04T12:00:00Z')).toEqual([
      ['2018-11-03T00:00:00-03:00', 24],
      ['2018-11-04T01:00:00-02:00', 23],
    ]);
    expect(buckets('day', 'America/Sao_Paulo', '2019-02-16T12:00:00Z', '2019-02-17T12:00:00Z')).toEqual([
      ['2019-02-16T00:00:00-02:00', 25],
      ['2019-02-17T00:00:00-03:00', 24],
    ]);
  });

  it('begin once in St. John’s, where clocks went back over the midnight that had just passed', () => {
    expect(buckets('day', 'America/St_Johns', '2010-11-06T12:00:00Z', '2010-11-08T12:00:00Z')).toEqual([
      ['2010-11-06T00:00:00-02:30', 24],
      ['2010-11-07T00:00:00-02:30', 25],
      ['2010-11-08T00:00:00-03:30', 24],
    ]);
  });

  it('begin a quarter past the hour of UTC in Kathmandu', () => {
    expect(buckets('day', 'Asia/Kathmandu', '2026-03-28T18:14:00Z', '2026-03-28T18:16:00Z')).toEqual([
      ['2026-03-28T00:00:00+05:45', 24],
      ['2026-03-29T00:00:00+05:45', 24],
    ]);
  });

  it('have half an hour more or less on Lord Howe', () => {
    expect(buckets('day', 'Australia/Lord_Howe', '2026-04-04T14:00:00Z', '2026-04-04T15:00:00Z')).toEqual([
      ['2026-04-05T00:00:00+11:00', 24.5],
    ]);
    expect(buckets('day', 'Australia/Lord_Howe', '2026-10-03T14:00:00Z', '2026-10-03T15:00:00Z')).toEqual([
      ['2026-10-04T00:00:00+10:30', 23.5],
    ]);
  });

  it('are skipped in Apia where the calendar skipped one', () => {
    expect(buckets('day', 'Pacific/Apia', '2011-12-29T12:00:00Z', '2011-12-31T00:00:00Z')).toEqual([
      ['2011-12-29T00:00:00-10:00', 24],
      ['2011-12-31T00:00:00+14:00', 24],
    ]);
  });

  it('are those of years that no clock has shown, too', () => {
    expect(buckets('day', 'Europe/Berlin', '0001-01-02T00:00:00Z', '0001-01-02T00:00:01Z')).toHaveLength(1);
    expect(buckets('day', 'UTC', '9999-12-30T00:00:00Z', '9999-12-31T00:00:00Z')).toEqual([
      ['9999-12-30T00:00:00+00:00', 24],
    ]);
  });
});

describe('hours', () => {
  it('come twice in Berlin when clocks go back, and not at all when they go forward', () => {
    expect(buckets('hour', 'Europe/Berlin', '2026-10-25T00:00:00Z', '2026-10-25T02:00:00Z')).toEqual([
      ['2026-10-25T02:00:00+02:00', 1],
      ['2026-10-25T02:00:00+01:00', 1],
    ]);
    expect(buckets('hour', 'Europe/Berlin', '2026-03-29T00:00:00Z', '2026-03-29T02:00:00Z')).toEqual([
      ['2026-03-29T01:00:00+01:00', 1],
      ['2026-03-29T03:00:00+02:00', 1],
    ]);
  });

  it('begin a quarter before or after those of UTC in Kathmandu', () => {
    expect(buckets('hour', 'Asia/Kathmandu', '2026-03-28T00:00:00Z', '2026-03-28T01:00:00Z')).toEqual([
      ['2026-03-28T05:00:00+05:45', 1],
      ['2026-03-28T06:00:00+05:45', 1],
    ]);
  });

  it('have a half where clocks change by half an hour', () => {
    expect(buckets('hour', 'Australia/Lord_Howe', '2026-04-04T14:00:00Z', '2026-04-04T16:30:00Z')).toEqual([
      ['2026-04-05T01:00:00+11:00', 1],
      ['2026-04-05T01:30:00+10:30', 0.5],
      ['2026-04-05T02:00:00+10:30', 1],
    ]);
  });

  it('leave no gap and overlap nowhere, in a year of any zone', () => {
    const range = { from: new Date('2026-01-01T00:00:00Z'), to: new Date('2027-01-01T00:00:00Z') };
    for (const zone of [
      'Europe/Berlin',
      'America/New_York',
      'Africa/Casablanca',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
    ]) {
      const found = bucketsOf('hour', zone, range, 10_000);
      expect(found.every(({ from }, at) => at === 0 || from.getTime() === found[at - 1]!.to.getTime())).toBe(true);
      expect(found[0]!.from <= range.from && found.at(-1)!.to >= range.to).toBe(true);
      expect(found.length).toBeGreaterThanOrEqual(8760);
    }
  });

  it('stop at a maximum', () => {
    const range = { from: new Date('2026-01-01T00:00:00Z'), to: new Date('2027-01-01T00:00:00Z') };
    expect(bucketsOf('hour', 'UTC', range, 24)).toHaveLength(24);
  });
});

it('knows the zones of the IANA database, in any case, and no offsets', () => {
  expect(['europe/berlin', 'UTC', 'Asia/Kathmandu'].map(findTimeZone)).toEqual([
    'Europe/Berlin',
    'UTC',
    'Asia/Kathmandu',
  ]);
  expect(['Mars/Olympus', '+05:30', '', 'Europe/Berlin\n'].map(findTimeZone)).toEqual(Array(4).fill(undefined));
});
