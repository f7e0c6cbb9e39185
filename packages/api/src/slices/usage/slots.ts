/** A quarter of an hour: the days of every time zone begin with one. */
export const SLOT_MS = 900_000;
