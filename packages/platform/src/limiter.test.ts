import { describe, expect, it } from 'vitest';
import { createMemoryLimiter } from './limiter.ts';

const HOUR_MS = 3_600_000;
const MAX = 100;

/** A limiter with 100 buckets, and a millisecond between any two calls. */
function smallLimiter() {
  let now = 0;
  const limiter = createMemoryLimiter({ nowMs: () => now++, maxBuckets: MAX });
  const take = (...keys: string[]) => {
    const taken = limiter.take(keys.map((key) => ({ name: key, key, size: 2, windowMs: HOUR_MS })));
    if (taken instanceof Promise) throw new TypeError('the memory answers at once');
    return taken;
  };
  const fill = (prefix: string, count: number) => {
    for (let at = 0; at < count; at++) take(`${prefix}${at}`);
  };
  return { take, fill, wait: (ms: number) => void (now += ms) };
}

describe('the limiter in memory, when it is full', () => {
  it('still decides over calls with several buckets, one of which is the oldest', () => {
    const { take, fill } = smallLimiter();
    take('source');
    fill('other', MAX - 1);
    take('source', 'sign-in');
    expect(take('source', 'sign-in')).toMatchObject({ allowed: false, strictest: { bucket: { name: 'source' } } });
  });

  it('keeps a bucket that is always in use and empty, however old it is', () => {
    const { take, fill } = smallLimiter();
    take('guesser');
    take('guesser');
    for (let round = 0; round < 10; round++) {
      fill(`passing ${round}.`, MAX / 2);
      expect(take('guesser').allowed).toBe(false);
    }
  });

  it('forgets full buckets first', () => {
    const { take, fill, wait } = smallLimiter();
    take('guesser');
    take('guesser');
    wait(HOUR_MS / 2); // half of it is refilled
    take('guesser');
    fill('passing', MAX - 2);
    wait(HOUR_MS / 2 + MAX); // these had one of two taken, and it is refilled
    fill('new', MAX - 2);
    expect(take('guesser').strictest.remaining).toBe(0);
  });

  it('keeps no more than its maximum', () => {
    const { take, fill } = smallLimiter();
    take('first');
    take('first');
    fill('passing', MAX * 10);
    expect(take('first').strictest.remaining).toBe(1); // forgotten long ago, so full
  });
});
