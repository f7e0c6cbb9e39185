import { SLOT_MS } from '../slots.ts';

/** No answer can contain a later moment. */
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A range to whole slots, which is how calls are counted: until now, and from `begin` on where it has no beginning. */
export function toSlots(
  { from, to }: { from?: string | undefined; to?: string | undefined },
  now: Date,
  begin: (to: Date) => Date,
): { from: string; to: string } {
  const end = to === undefined ? now : new Date(to);
  const start = from === undefined ? begin(end) : new Date(from);
  return {
    from: new Date(Math.floor(start.getTime() / SLOT_MS) * SLOT_MS).toISOString(),
    to: new Date(Math.min(Math.ceil(end.getTime() / SLOT_MS) * SLOT_MS, LAST_MS)).toISOString(),
  };
}
