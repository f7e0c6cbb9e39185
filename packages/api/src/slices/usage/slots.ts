/** A quarter of an hour: the days of every time zone begin with one. */
export const SLOT_MS = 900_000;

/** The day in UTC, as partitions are named by it. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
