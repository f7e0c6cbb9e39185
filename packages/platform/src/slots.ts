import { randomUUID } from 'node:crypto';

/** Room for what stays open, such as sockets. */
export interface Pool {
  name: string;
  /** The owner's pool: unique per policy and owner. The keys of one call share a `{hash tag}`. */
  key: string;
  size: number;
}

/** The slots that were taken, until `release` is called; or the first pool that has none left. */
export type Taken = { release: () => void; full?: never } | { release?: never; full: Pool };

export interface Slots {
  /** Takes a slot of each pool, or of none. */
  take(pools: readonly Pool[]): Promise<Taken>;
  close(): Promise<void>;
}

/** What this process holds: ids of slots by the key of their pool. */
export function createHeldSlots() {
  const held = new Map<string, Set<string>>();
  return {
    held,
    findFull: (pools: readonly Pool[]): Pool | undefined =>
      pools.find(({ key, size }) => (held.get(key)?.size ?? 0) >= size),
    /** Holds the slot `id` of each pool, until the returned function is called. */
    add(pools: readonly Pool[], id: string, onRelease: () => void = () => {}): () => void {
      for (const { key } of pools) held.set(key, (held.get(key) ?? new Set()).add(id));
      let released = false;
      return () => {
        if (released) return;
        released = true;
        for (const { key } of pools) {
          const ids = held.get(key);
          ids?.delete(id);
          if (ids?.size === 0) held.delete(key);
        }
        onRelease();
      };
    },
  };
}

/** Slots in this process's memory: exact for one process. */
export function createMemorySlots(): Slots {
  const { held, findFull, add } = createHeldSlots();
  return {
    async take(pools) {
      const full = findFull(pools);
      return full ? { full } : { release: add(pools, randomUUID()) };
    },
    close: async () => held.clear(),
  };
}
