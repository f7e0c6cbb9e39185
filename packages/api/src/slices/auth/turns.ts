import pLimit, { type LimitFunction } from 'p-limit';
import { ApiError } from '../../contract/errors.ts';

/** Runs work in the order of its arrival, and of one key so many at once. */
export type InTurn = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** Answers `overloaded` when too much work waits, over all keys. */
export function createTurns({ atOnce, maxWaiting }: { atOnce: number; maxWaiting: number }): InTurn {
  const lines = new Map<string, { limit: LimitFunction; waiting: number }>();
  let waiting = 0;

  return async (key, work) => {
    if (waiting >= maxWaiting) throw new ApiError('overloaded', { retryAfterS: 5 });
    const line = lines.get(key) ?? { limit: pLimit(atOnce), waiting: 0 };
    lines.set(key, line);
    line.waiting++;
    waiting++;
    try {
      return await line.limit(work);
    } finally {
      waiting--;
      if (--line.waiting === 0) lines.delete(key);
    }
  };
}
