import { SPANS_H, type SpanH } from './spans.ts';

const SLOT_MS = 900_000;
const HOUR_MS = 4 * SLOT_MS;

/** What is read of one bucket from one table: from a moment up to another. */
export interface Part {
  bucket: number;
  from: Date;
  to: Date;
}

/** Some spans of one length. */
export interface SpansPart extends Part {
  hours: SpanH;
}

/** Where the calls of a range are counted: in spans, whole hours, quarters of an hour, and calls not rolled up yet. */
export interface Reads {
  spans: SpansPart[];
  hours: Part[];
  quarters: Part[];
  calls: Part[];
}

export interface Uncounted {
  /** Spans whose sum is older than their hours. */
  staleSpans: Readonly<Record<SpanH, readonly Date[]>>;
  /** Hours whose sum is older than their roll-ups. */
  staleHours: readonly Date[];
  /** Quarters of an hour with calls that are not rolled up. */
  pendingSlots: readonly Date[];
}

/**
 * Each quarter of an hour is read from one table, and the longest spans are read as such; from finer tables what is
 * left at both ends of a bucket, in a zone whose hours are not those of UTC, and what is not summed up yet.
 */
export function planReads(
  buckets: readonly { from: Date; to: Date }[],
  { staleSpans, staleHours, pendingSlots }: Uncounted,
): Reads {
  const pending = new Set(pendingSlots.map((slot) => slot.getTime()));
  const uncountedHours = new Set(staleHours.map((hour) => hour.getTime()));
  for (const slot of pending) uncountedHours.add(floor(slot, HOUR_MS));
  const lengths = SPANS_H.map((hours) => {
    const unusable = new Set(staleSpans[hours].map((start) => start.getTime()));
    for (const hour of uncountedHours) unusable.add(floor(hour, hours * HOUR_MS));
    return { hours, ms: hours * HOUR_MS, unusable };
  });
  const reads: Reads = { spans: [], hours: [], quarters: [], calls: [] };

  buckets.forEach(({ from, to }, bucket) => {
    const end = to.getTime();
    const fits = (at: number, ms: number, unusable: ReadonlySet<number>) =>
      at % ms === 0 && at + ms <= end && !unusable.has(at);
    for (let at = from.getTime(); at < end; ) {
      const span = lengths.find(({ ms, unusable }) => fits(at, ms, unusable));
      const isHour = !span && fits(at, HOUR_MS, uncountedHours);
      const next = span ? at + span.ms : isHour ? at + HOUR_MS : Math.min(end, floor(at, SLOT_MS) + SLOT_MS);
      const part = { bucket, from: new Date(at), to: new Date(next) };
      if (span) append(reads.spans, { ...part, hours: span.hours });
      else append(isHour ? reads.hours : pending.has(floor(at, SLOT_MS)) ? reads.calls : reads.quarters, part);
      at = next;
    }
  });
  return reads;
}

/** One that continues the last part makes it longer. */
function append<P extends Part & { hours?: SpanH }>(parts: P[], part: P): void {
  const last = parts.at(-1);
  const continues =
    last?.bucket === part.bucket && last.to.getTime() === part.from.getTime() && last.hours === part.hours;
  if (continues) last.to = part.to;
  else parts.push(part);
}

const floor = (at: number, lengthMs: number): number => Math.floor(at / lengthMs) * lengthMs;
