import { describe, expect, it } from 'vitest';
import { ACCURACY, createQuantileReader, LatencySketch } from './latency-sketch.ts';

/** The same numbers in each run. */
function* randoms(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    yield state / 2 ** 32;
  }
}

const SHARES = [0.5, 0.95, 0.99] as const;
const random = randoms(7);
const next = () => random.next().value as number;
const SAMPLES: Record<string, number[]> = {
  even: Array.from({ length: 5000 }, () => Math.ceil(next() * 1e6)),
  'with a long tail': Array.from({ length: 5000 }, () => Math.ceil(200 / (1.0001 - next()) ** 1.5)),
  'in two heaps': Array.from({ length: 5000 }, () => Math.ceil(next() < 0.9 ? 800 + next() * 50 : 2e6 + next() * 1e5)),
  'of one value': Array.from({ length: 10 }, () => 12_345),
  'of one call': [77],
};

const exactMs = (sorted: readonly number[], share: number) => sorted[Math.floor(share * (sorted.length - 1))]! / 1000;

describe.each(Object.entries(SAMPLES))('quantiles of latencies %s', (_, latencies) => {
  it('are within the promised share of the exact ones', () => {
    const sketch = new LatencySketch();
    for (const latency of latencies) sketch.add(latency);
    const sorted = latencies.toSorted((a, b) => a - b);
    sketch.quantilesMs(...SHARES).forEach((found, at) => {
      const exact = exactMs(sorted, SHARES[at]!);
      expect(Math.abs(found! - exact)).toBeLessThanOrEqual(exact * ACCURACY + 0.0006); // rounded to a microsecond
    });
  });

  it('are the same from merged parts', () => {
    const [whole, merged] = [new LatencySketch(), new LatencySketch()];
    for (let at = 0; at < latencies.length; at += 700) {
      const part = new LatencySketch();
      for (const latency of latencies.slice(at, at + 700)) {
        whole.add(latency);
        part.add(latency);
      }
      merged.merge(part);
    }
    expect(merged.total).toBe(latencies.length);
    expect(merged.quantilesMs(...SHARES)).toEqual(whole.quantilesMs(...SHARES));
  });
});

const record = (bin: number, count: number) => {
  const bytes = Buffer.alloc(6);
  bytes.writeInt16BE(bin);
  bytes.writeUInt32BE(count, 2);
  return bytes;
};

it('reads sketches that Postgres has written one after the other', () => {
  const sketch = new LatencySketch();
  sketch.addEncoded(Buffer.concat([record(0, 2), record(300, 5), record(0, 1)]));
  expect([sketch.total, sketch.bins]).toEqual([
    8,
    new Map([
      [0, 3],
      [300, 5],
    ]),
  ]);
});

it('has the same quantiles where they are read one after the other', () => {
  const read = createQuantileReader();
  for (const latencies of Object.values(SAMPLES)) {
    const sketch = new LatencySketch();
    for (const latency of latencies) sketch.add(latency);
    const records = [...sketch.bins].map(([bin, count]) => record(bin, count));
    expect(read(Buffer.concat(records), ...SHARES)).toEqual(sketch.quantilesMs(...SHARES));
  }
  expect(read(Buffer.alloc(0), 0.5)).toEqual([null]);
});

it('has no quantiles without calls', () => {
  expect(new LatencySketch().quantilesMs(0.5, 0.99)).toEqual([null, null]);
});
