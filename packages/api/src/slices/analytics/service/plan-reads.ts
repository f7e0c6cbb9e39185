import type { Bucket } from '@rentapi/platform/calendar';

const SLOT_MS = 900_000;
const HOUR_MS = 4 * SLOT_MS;

/** What is read of one bucket from one table: from a moment up to another. */
export interface Part {
  bucket: number;
  from: Date;
  to: Date;
}

/** Where the calls of a range are counted: whole hours, quarters of an hour, and calls that are not rolled up yet. */
export interface Reads {
  hours: Part[];
  quarters: Part[];
  calls: Part[];
}

export interface Uncounted {
  /** Hours whose sum is older than their roll-ups. */
  staleHours: readonly Date[];
  /** Quarters of an hour with calls that are not rolled up. */
  pendingSlots: readonly Date[];
}

/**
 * Each quarter of an hour is read from one table: whole hours as such; from finer tables what is left at both ends of a
 * bucket, in a zone whose hours are not those of UTC, and hours that are not summed up yet.
 */
export function planReads(buckets: readonly Bucket[], { staleHours, pendingSlots }: Uncounted): Reads {
  const pending = new Set(pendingSlots.map((slot) => slot.getTime()));
  const unusable = new Set(staleHours.map((hour) => hour.getTime()));
  for (const slot of pending) unusable.add(floor(slot, HOUR_MS));
  const reads: Reads = { hours: [], quarters: [], calls: [] };

  function add(kind: keyof Reads, bucket: number, from: number, to: number): void {
    const last = reads[kind].at(-1);
    if (last?.bucket === bucket && last.to.getTime() === from) last.to = new Date(to);
    else reads[kind].push({ bucket, from: new Date(from), to: new Date(to) });
  }

  buckets.forEach(({ from, to }, bucket) => {
    const end = to.getTime();
    for (let at = from.getTime(); at < end; ) {
      const isHour = at % HOUR_MS === 0 && at + HOUR_MS <= end && !unusable.has(at);
      const next = isHour ? at + HOUR_MS : Math.min(end, floor(at, SLOT_MS) + SLOT_MS);
      add(isHour ? 'hours' : pending.has(floor(at, SLOT_MS)) ? 'calls' : 'quarters', bucket, at, next);
      at = next;
    }
  });
  return reads;
}

const floor = (at: number, lengthMs: number): number => Math.floor(at / lengthMs) * lengthMs;
