import { bucketsOf, type Interval } from '@rentapi/platform/calendar';
import { expect, it } from 'vitest';
import { type Part, planReads } from './plan-reads.ts';

const time = (moment: Date) => moment.toISOString().slice(0, 16);
const texts = (parts: readonly Part[]) => parts.map(({ bucket, from, to }) => `${bucket}: ${time(from)} ${time(to)}`);

function plan(
  interval: Interval,
  zone: string,
  from: string,
  to: string,
  stale: string[] = [],
  pending: string[] = [],
  staleSpans: string[] = [],
) {
  const buckets = bucketsOf(interval, zone, { from: new Date(from), to: new Date(to) }, 1000);
  const moments = (given: string[]) => given.map((moment) => new Date(moment));
  const { spans, hours, quarters, calls } = planReads(buckets, {
    staleSpans: { 6: moments(staleSpans), 24: [] },
    staleHours: moments(stale),
    pendingSlots: moments(pending),
  });
  const lengths = spans.map((span) => `${texts([span])[0]} (${span.hours} h)`);
  return { spans: lengths, hours: texts(hours), quarters: texts(quarters), calls: texts(calls) };
}

it('reads days of UTC as such', () => {
  expect(plan('day', 'UTC', '2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z')).toEqual({
    spans: ['0: 2026-03-28T00:00 2026-03-29T00:00 (24 h)', '1: 2026-03-29T00:00 2026-03-30T00:00 (24 h)'],
    hours: [],
    quarters: [],
    calls: [],
  });
});

it('reads spans and whole hours where the hours of the zone are those of UTC', () => {
  expect(plan('day', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z')).toEqual({
    spans: ['0: 2026-03-28T00:00 2026-03-28T18:00 (6 h)', '1: 2026-03-29T00:00 2026-03-29T18:00 (6 h)'],
    hours: [
      '0: 2026-03-27T23:00 2026-03-28T00:00',
      '0: 2026-03-28T18:00 2026-03-28T23:00',
      '1: 2026-03-28T23:00 2026-03-29T00:00',
      '1: 2026-03-29T18:00 2026-03-29T22:00',
    ],
    quarters: [],
    calls: [],
  });
});

it('reads quarters at both ends of a day that begins within an hour of UTC', () => {
  expect(plan('day', 'Asia/Kathmandu', '2026-03-28T00:00:00Z', '2026-03-28T12:00:00Z')).toEqual({
    spans: ['0: 2026-03-28T00:00 2026-03-28T18:00 (6 h)'],
    hours: ['0: 2026-03-27T19:00 2026-03-28T00:00'],
    quarters: ['0: 2026-03-27T18:15 2026-03-27T19:00', '0: 2026-03-28T18:00 2026-03-28T18:15'],
    calls: [],
  });
});

it('reads quarters of hours that are not summed up, and single calls of quarters that are not rolled up', () => {
  const stale = ['2026-03-28T03:00:00Z', '2026-03-28T05:00:00Z'];
  const pending = ['2026-03-28T05:30:00Z', '2026-03-28T06:00:00Z'];
  const staleSpan = '2026-03-28T18:00:00Z';
  expect(plan('day', 'UTC', '2026-03-28T00:00:00Z', '2026-03-28T12:00:00Z', stale, pending, [staleSpan])).toEqual({
    spans: ['0: 2026-03-28T12:00 2026-03-28T18:00 (6 h)'],
    hours: [
      '0: 2026-03-28T00:00 2026-03-28T03:00',
      '0: 2026-03-28T04:00 2026-03-28T05:00',
      '0: 2026-03-28T07:00 2026-03-28T12:00',
      '0: 2026-03-28T18:00 2026-03-29T00:00',
    ],
    quarters: [
      '0: 2026-03-28T03:00 2026-03-28T04:00',
      '0: 2026-03-28T05:00 2026-03-28T05:30',
      '0: 2026-03-28T05:45 2026-03-28T06:00',
      '0: 2026-03-28T06:15 2026-03-28T07:00',
    ],
    calls: ['0: 2026-03-28T05:30 2026-03-28T05:45', '0: 2026-03-28T06:00 2026-03-28T06:15'],
  });
});
