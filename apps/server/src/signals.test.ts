import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { untilStopped } from './signals.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`ended with ${code}`);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal);
});

it('ends a process whose stop does not within 30 s, before its supervisor kills it', async () => {
  const stopped = untilStopped();
  process.emit('SIGTERM');
  await stopped;
  vi.advanceTimersByTime(25_000);
  expect(() => vi.advanceTimersByTime(4000)).toThrow('ended with 0');
});

it('takes a second signal within a second as the same, and ends at a later one', async () => {
  const stopped = untilStopped();
  process.emit('SIGINT');
  vi.advanceTimersByTime(999);
  process.emit('SIGTERM');
  await stopped;
  vi.advanceTimersByTime(2);
  expect(() => process.emit('SIGTERM')).toThrow('ended with 1');
});
