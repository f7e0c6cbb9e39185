import { spreadOf, type Verdict } from './report.ts';

export const SENDERS = 50;
export const REQUESTS = 500;
export const SIZE = 100;
export const PROCESSES = 3;
const REPEATS = 20;

export async function repeat(one: (at: number) => Promise<number>): Promise<number[]> {
  const all: number[] = [];
  for (let at = 0; at < REPEATS; at++) all.push(await one(at));
  return all;
}

/** The worst case counts: one request too many is a failure. */
export function exactness(promise: string, off: number[]): Verdict {
  return {
    promise,
    measured: spreadOf([Math.max(...off)]),
    atMost: 1,
    unit: `requests off in the worst of ${REPEATS}`,
  };
}

interface Times {
  windowMs: number;
  shortestMs: number;
  longestMs: number;
}

/** How far the number of allowed requests is from size and refill. */
export function off(allowed: number, { windowMs, shortestMs, longestMs }: Times): number {
  const refill = (ms: number) => (ms * SIZE) / windowMs;
  return Math.max(0, allowed - SIZE - refill(longestMs), SIZE + refill(shortestMs) - allowed);
}
