import { createLogger } from '@rentapi/platform/logger';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createMemorySink, usageCall } from '../../test/usage-calls.ts';
import { createMetrics } from './observe-metrics.ts';
import { BatchRefusedError, createUsageLog, type UsageCall, type UsageSink } from './usage-log.ts';

const FLUSH_MS = 1000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A log over a sink that can be made to fail or to be silent. */
function openLog(maxWaiting = 100) {
  const metrics = createMetrics();
  const lines: { msg: string; dropped?: number }[] = [];
  const memory = createMemorySink();
  const state: { fault: Error | null; silent: Promise<void> | null; tried: number } = {
    fault: null,
    silent: null,
    tried: 0,
  };
  const sink: UsageSink = {
    async write(batch) {
      state.tried++;
      await state.silent;
      if (state.fault) throw state.fault;
      await memory.write(batch);
    },
  };
  const log = createUsageLog({
    sink,
    flushMs: FLUSH_MS,
    maxWaiting,
    metrics,
    log: createLogger({ level: 'info', destination: { write: (line: string) => void lines.push(JSON.parse(line)) } }),
  });
  const counted = async (outcome: string) =>
    (await metrics.usageCalls.get()).values.find(({ labels }) => labels['outcome'] === outcome)?.value ?? 0;
  const note = (count: number, fields?: Partial<UsageCall>) => {
    for (let at = 0; at < count; at++) log.note(usageCall(fields));
  };
  return { log, state, lines, calls: memory.calls, counted, note };
}

it('writes what was noted within one interval, and nothing while there is nothing', async () => {
  const { calls, note, state } = openLog();
  note(3);
  expect(calls).toEqual([]);
  await vi.advanceTimersByTimeAsync(FLUSH_MS);
  expect(calls).toHaveLength(3);
  expect(new Set(calls.map(({ callId }) => callId)).size).toBe(3);
  await vi.advanceTimersByTimeAsync(10 * FLUSH_MS);
  expect(state.tried).toBe(1);
});

it('writes a full batch at once', async () => {
  const { calls, note } = openLog(10_000);
  note(2000);
  await vi.advanceTimersByTimeAsync(0);
  expect(calls).toHaveLength(2000);
});

it('writes all that is left when it is closed', async () => {
  const { calls, note, log } = openLog(10_000);
  note(4500);
  await log.close();
  expect(calls).toHaveLength(4500);
});

it('keeps a bounded number of calls while the store fails, counts what it drops, and says so once', async () => {
  const { calls, note, state, lines, counted } = openLog(100);
  state.fault = new Error('the store is away');
  note(60);
  await vi.advanceTimersByTimeAsync(5 * FLUSH_MS);
  note(60);
  await vi.advanceTimersByTimeAsync(60 * FLUSH_MS);
  expect(state.tried).toBeGreaterThan(3);
  expect(state.tried).toBeLessThan(20);
  expect(await counted('dropped')).toBe(20);
  expect(lines).toHaveLength(1);
  expect(lines[0]!.msg).toContain('the usage log is not written');
  state.fault = null;
  await vi.advanceTimersByTimeAsync(60 * FLUSH_MS);
  expect(calls).toHaveLength(100);
  expect(await counted('written')).toBe(100);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatchObject({ msg: 'the usage log is written again', dropped: 20 });
});

it('keeps a bounded number while the store is silent, and one batch with it at a time', async () => {
  const { calls, note, state, lines, counted } = openLog(100);
  const { promise, resolve } = Promise.withResolvers<void>();
  state.silent = promise;
  note(40);
  await vi.advanceTimersByTimeAsync(FLUSH_MS);
  note(100);
  await vi.advanceTimersByTimeAsync(100 * FLUSH_MS);
  expect(state.tried).toBe(1);
  expect(await counted('dropped')).toBe(40);
  expect(lines).toHaveLength(1);
  resolve();
  await vi.advanceTimersByTimeAsync(FLUSH_MS);
  expect(calls).toHaveLength(100);
});

it('drops a batch that the store refuses, and goes on with the next', async () => {
  const { calls, note, state, lines, counted } = openLog();
  state.fault = new BatchRefusedError('no such day');
  note(3);
  await vi.advanceTimersByTimeAsync(FLUSH_MS);
  expect(await counted('dropped')).toBe(3);
  expect(lines).toMatchObject([{ msg: 'the usage log refused calls', dropped: 3 }]);
  state.fault = null;
  note(2);
  await vi.advanceTimersByTimeAsync(FLUSH_MS);
  expect(calls).toHaveLength(2);
});

it('gives up a silent store when it is closed, and counts what is lost', async () => {
  const { note, state, log, lines, counted } = openLog();
  state.silent = new Promise(() => {});
  note(5);
  const closing = log.close();
  await vi.advanceTimersByTimeAsync(5000);
  await closing;
  expect(await counted('dropped')).toBe(5);
  expect(lines.at(-1)).toMatchObject({ dropped: 5 });
});

it('tries once more when it is closed while a write fails', async () => {
  const { calls, note, state, log } = openLog();
  const { promise, reject } = Promise.withResolvers<void>();
  state.silent = promise;
  note(5);
  await vi.advanceTimersByTimeAsync(FLUSH_MS);
  const closing = log.close();
  state.silent = null;
  reject(new Error('the connection is gone'));
  await closing;
  expect(calls).toHaveLength(5);
});

it('cuts long user agents, and sizes beyond what a row can hold', async () => {
  const { calls, note, log } = openLog();
  note(1, { userAgent: 'é'.repeat(500), bytesOut: 2 ** 40 });
  await log.close();
  expect(calls).toMatchObject([{ userAgent: 'é'.repeat(256), bytesOut: 2 ** 31 - 1 }]);
});
