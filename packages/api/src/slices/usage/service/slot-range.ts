import { SLOT_MS } from '../slots.ts';

/** No answer can contain a later moment. */
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The beginning of the slot of a moment. */
export const floorSlot = (at: Date): Date => new Date(Math.floor(at.getTime() / SLOT_MS) * SLOT_MS);
/** The beginning of the first slot that has nothing before a moment. */
export const ceilSlot = (at: Date): Date => new Date(Math.ceil(at.getTime() / SLOT_MS) * SLOT_MS);

/** A range to whole slots, which is how calls are counted: until now, and from `begin` on where it has no beginning. */
export function toSlots(
  { from, to }: { from?: string | undefined; to?: string | undefined },
  now: Date,
  begin: (to: Date) => Date,
): { from: string; to: string } {
  const end = to === undefined ? now : new Date(to);
  const start = from === undefined ? begin(end) : new Date(from);
  return {
    from: floorSlot(start).toISOString(),
    to: new Date(Math.min(ceilSlot(end).getTime(), LAST_MS)).toISOString(),
  };
}
