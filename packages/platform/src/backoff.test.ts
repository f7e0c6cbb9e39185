import { expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

it('doubles the pause with each failure up to its limit, and never waits less than half of it', () => {
  for (const [failures, whole] of [
    [1, 100],
    [2, 200],
    [3, 400],
    [4, 500],
    [2000, 500],
  ] as const) {
    const pauses = Array.from({ length: 200 }, () => backoffMs(failures, { firstMs: 100, maxMs: 500 }));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(whole / 2);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(whole);
    expect(new Set(pauses).size).toBeGreaterThan(100);
  }
});
