import { execFileSync } from 'node:child_process';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { addMonths, periodOf } from './periods.ts';
import { share, unusedOf } from './proration.ts';

const DAY_MS = 86_400_000;
/** Each day of four years, one of which has a 29 February. */
const days = Array.from(
  { length: 4 * 365 + 1 },
  (_, at) => new Date(Date.UTC(2026, 0, 1, 22, 30, 15, 7) + at * DAY_MS),
);

/** Numbers that are the same in each run. */
function randoms(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

describe('periods', () => {
  it('rule 21: are counted from the anchor, so that the 31st comes back after February', () => {
    const anchor = new Date('2026-01-31T10:00:00Z');
    const dates = [1, 2, 3, 4, 13, 25].map((months) => addMonths(anchor, months).toISOString().slice(0, 10));
    expect(dates).toEqual(['2026-02-28', '2026-03-31', '2026-04-30', '2026-05-31', '2027-02-28', '2028-02-29']);
  });

  it.each(['month', 'year'] as const)(
    'rule 22: tile for 48 months from each day of four years, by the %s',
    (interval) => {
      const count = interval === 'month' ? 48 : 4;
      for (const anchor of days) {
        expect(periodOf(anchor, interval, 0).from).toEqual(anchor);
        for (let index = 0; index < count; index++) {
          const { from, to } = periodOf(anchor, interval, index);
          const [least, most] = interval === 'month' ? [28, 31] : [365, 366];
          const inDays = (to.getTime() - from.getTime()) / DAY_MS;
          if (inDays < least || inDays > most)
            throw new Error(`${anchor.toISOString()}: period ${index} is no ${interval}`);
          if (to.getTime() !== periodOf(anchor, interval, index + 1).from.getTime())
            throw new Error(`${anchor.toISOString()}: after period ${index} comes another`);
        }
      }
    },
  );

  it('are those of Temporal, whatever the day', () => {
    for (const anchor of days) {
      const start = Temporal.Instant.from(anchor.toISOString()).toZonedDateTimeISO('UTC');
      for (const months of [1, 5, 11, 12, 24, 37]) {
        const { epochMilliseconds } = start.add({ months });
        if (addMonths(anchor, months).getTime() !== epochMilliseconds)
          throw new Error(`${months} months after ${anchor.toISOString()} differ`);
      }
    }
  });

  it.each(['UTC', 'Pacific/Auckland', 'America/Los_Angeles', 'Europe/Berlin'])(
    'rule 23: do not depend on the time zone of the process: %s',
    (zone) => {
      // In a process of its own: that of a worker thread cannot be changed.
      const program = `
        import { addMonths } from ${JSON.stringify(new URL('./periods.ts', import.meta.url))};
        const days = Array.from({ length: ${days.length} }, (_, at) => new Date(${+days[0]!} + at * ${DAY_MS}));
        console.log(JSON.stringify([days[0].getHours(), ...days.map((day) => addMonths(day, 1))]));`;
      const args = ['--input-type=module', '-e', program];
      const printed = execFileSync(process.execPath, args, { env: { ...process.env, TZ: zone }, encoding: 'utf8' });
      const [hour, ...ends] = JSON.parse(printed);
      const format = new Intl.DateTimeFormat('en', { timeZone: zone, hour: 'numeric', hourCycle: 'h23' });
      expect(hour).toBe(Number(format.format(days[0])));
      expect(ends).toEqual(days.map((day) => addMonths(day, 1).toISOString()));
    },
  );
});

describe('proration', () => {
  const period = periodOf(new Date('2026-03-01T00:00:00Z'), 'month', 0);

  it('rule 24: divides by the whole period, which is half open: all at its first second, nothing at its end', () => {
    expect(unusedOf(3100, period, period.from)).toBe(3100);
    expect(unusedOf(3100, period, period.to)).toBe(0);
    expect(unusedOf(3100, period, new Date('2026-03-02T00:00:00Z'))).toBe(3000);
    expect(unusedOf(3100, period, new Date('2026-03-31T00:00:00Z'))).toBe(100);
  });

  it('never takes more than there is, and the used and the unused part add up', () => {
    const random = randoms(11);
    const whole = period.to.getTime() - period.from.getTime();
    for (let run = 0; run < 5000; run++) {
      const amount = random(2 ** 31) * 1000 + random(1000);
      const [one, other] = [random(whole), random(whole)].sort((a, b) => a - b) as [number, number];
      const [early, late] = [one, other].map((ms) => unusedOf(amount, period, new Date(period.from.getTime() + ms)));
      expect(late).toBeLessThanOrEqual(early!);
      expect(early).toBeLessThanOrEqual(amount);
      expect(late).toBeGreaterThanOrEqual(0);
    }
  });

  it('of two prices at one moment differs by the price of the difference, to one unit', () => {
    const random = randoms(5);
    for (let run = 0; run < 2000; run++) {
      const [old, next] = [random(1e6), random(1e6)];
      const at = new Date(period.from.getTime() + random(31 * DAY_MS));
      const difference = unusedOf(next, period, at) - unusedOf(old, period, at);
      expect(Math.abs(difference - unusedOf(next - old, period, at))).toBeLessThanOrEqual(1);
    }
  });

  it('is exact past what a number holds in between, and rounds half away from zero', () => {
    expect(share(Number.MAX_SAFE_INTEGER, 2_678_399, 2_678_400)).toBe(9_007_195_891_838_043);
    expect([share(5, 1, 2), share(-5, 1, 2), share(4, 1, 3)]).toEqual([3, -3, 1]);
  });
});
