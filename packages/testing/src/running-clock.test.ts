import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startRunningClock } from './running-clock.ts';

const now = startRunningClock();

it('counts what is waited', async () => {
  const began = now();
  for (let at = 0; at < 30; at++) await sleep(10);
  expect(now() - began).toBeGreaterThan(200);
});

it('counts the work of its own thread', () => {
  const began = now();
  const work = process.threadCpuUsage ?? process.cpuUsage;
  for (const { user } = work(); work().user < user + 100_000; ) Math.random();
  expect(now() - began).toBeGreaterThanOrEqual(100);
});

it('does not count while its thread is not run', () => {
  const began = now();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  expect(now() - began).toBeLessThan(100);
});
