import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { measureProcess, Registry } from './metrics.ts';

describe('the lag of the event loop', () => {
  const registry = new Registry();
  measureProcess(registry);

  async function lagMs(what: string): Promise<number> {
    await registry.metrics();
    const found = await registry.getSingleMetric(`nodejs_eventloop_lag_${what}_seconds`)!.get();
    return (found.values[0]?.value ?? Number.NaN) * 1000;
  }

  it('is how late a timer was, without the time between two', async () => {
    await expect.poll(() => lagMs('min'), { timeout: 10_000 }).toBeLessThan(50);
  });

  it.each(['max', 'p99'])('shows a loop that was blocked, as %s', async (what) => {
    const blockAndRead = () => {
      const end = performance.now() + 300;
      while (performance.now() < end);
      return lagMs(what);
    };
    await expect.poll(blockAndRead, { timeout: 10_000 }).toBeGreaterThan(150);
  });

  it('is measured without waking an idle process often', async () => {
    const turns: number[] = [];
    for (let period = 0; period < 10; period++) {
      const before = performance.nodeTiming.uvMetricsInfo.loopCount;
      await sleep(200);
      turns.push(performance.nodeTiming.uvMetricsInfo.loopCount - before);
    }
    expect(Math.min(...turns)).toBeLessThan(10);
  });
});
