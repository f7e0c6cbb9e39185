import { CronExpressionParser } from 'cron-parser';

const UNIT_MS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const INTERVAL = /^(\d+) (second|minute|hour|day)s?$/;

/**
 * The first tick after `after`, of `5 minutes` (counted from the epoch, so that every process means the same moments)
 * or of a cron expression in UTC. Throws on anything else.
 */
export function nextTick(every: string, after: Date): Date {
  const [, count, unit] = INTERVAL.exec(every) ?? [];
  if (!count || !unit) return CronExpressionParser.parse(every, { currentDate: after, tz: 'UTC' }).next().toDate();
  const intervalMs = Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  if (!(intervalMs > 0)) throw new RangeError(`\`${every}\` is no interval`);
  return new Date((Math.floor(after.getTime() / intervalMs) + 1) * intervalMs);
}
