/**
 * Latencies as counts in bins whose bounds grow by a constant factor (the bins of DDSketch). Sketches are merged by
 * adding counts, which SQL does as well, and every quantile of the sum is within `ACCURACY` of the exact one.
 */
export class LatencySketch {
  readonly #counts = new Map<number, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** The bins that have counts. */
  get bins(): ReadonlyMap<number, number> {
    return this.#counts;
  }

  add(latencyUs: number): void {
    this.addToBin(binOf(latencyUs), 1);
  }

  addToBin(bin: number, count: number): void {
    this.#counts.set(bin, (this.#counts.get(bin) ?? 0) + count);
    this.#total += count;
  }

  merge(other: LatencySketch): void {
    for (const [bin, count] of other.#counts) this.addToBin(bin, count);
  }

  /** Adds sketches that Postgres has joined: each bin as its number and its count, in 2 and 4 bytes. */
  addEncoded(encoded: Buffer): void {
    for (let at = 0; at + RECORD_BYTES <= encoded.length; at += RECORD_BYTES) {
      this.addToBin(encoded.readInt16BE(at), encoded.readUInt32BE(at + 2));
    }
  }

  /** The latencies in milliseconds below which these shares of all calls are; null without calls. Shares ascend. */
  quantilesMs<Shares extends readonly number[]>(...shares: Shares): { [At in keyof Shares]: number | null } {
    const bins = [...this.#counts.keys()].sort((a, b) => a - b);
    let at = -1;
    let passed = 0;
    const found = shares.map((share) => {
      const rank = share * (this.#total - 1);
      while (passed <= rank && at < bins.length - 1) passed += this.#counts.get(bins[++at]!)!;
      return at < 0 ? null : inMs(bins[at]!);
    });
    return found as { [At in keyof Shares]: number | null }; // one for each share
  }
}

/**
 * Quantiles of one encoded sketch after the other, in memory that is used again: a report has a million of them.
 */
export function createQuantileReader() {
  const counts = new Float64Array(MAX_BINS);
  return <Shares extends readonly number[]>(
    encoded: Buffer,
    ...shares: Shares
  ): { [At in keyof Shares]: number | null } => {
    let [total, first, last] = [0, MAX_BINS, -1];
    for (let at = 0; at + RECORD_BYTES <= encoded.length; at += RECORD_BYTES) {
      const bin = Math.min(encoded.readInt16BE(at), MAX_BINS - 1);
      const count = encoded.readUInt32BE(at + 2);
      counts[bin]! += count;
      total += count;
      first = Math.min(first, bin);
      last = Math.max(last, bin);
    }
    let at = first - 1;
    let passed = 0;
    const found = shares.map((share) => {
      const rank = share * (total - 1);
      while (passed <= rank && at < last) passed += counts[++at]!;
      return last < 0 ? null : inMs(at);
    });
    if (last >= 0) counts.fill(0, first, last + 1);
    return found as { [At in keyof Shares]: number | null }; // one for each share
  };
}

/** Up to the 35 minutes that a call is counted with at most. */
const MAX_BINS = 1100;

/** How far a quantile is from the exact one at most, as a share of it. */
export const ACCURACY = 0.01;
const GROWTH = (1 + ACCURACY) / (1 - ACCURACY);
const LOG_GROWTH = Math.log(GROWTH);
const RECORD_BYTES = 6;

/** Bin b holds what is above GROWTH ^ (b - 1) and up to GROWTH ^ b microseconds. */
function binOf(latencyUs: number): number {
  return Math.max(0, Math.ceil(Math.log(Math.max(1, latencyUs)) / LOG_GROWTH));
}

/** The same in SQL, for a column of microseconds. */
export const binSql = (latencyUs: string): string =>
  `greatest(0, ceil(ln(greatest(${latencyUs}, 1)::double precision) / ln((1 + ${ACCURACY})::double precision / (1 - ${ACCURACY}))))::smallint`;

const inMs = (bin: number): number => Math.round(middleUs(bin)) / 1000;

/** The value of a bin that is equally far from both of its bounds, as a share of them. */
function middleUs(bin: number): number {
  return (2 * GROWTH ** bin) / (GROWTH + 1);
}
