/** Who is in which room, over all processes. A member with several connections is there once. */
export interface Presence {
  /** Puts a member into a room, until the returned function is called. */
  enter(room: string, member: string): () => void;
  /** Calls back with who is there, and again when that changes, until the returned function is called. */
  watch(room: string, listener: (present: Present) => void): () => void;
  close(): Promise<void>;
}

export interface Present {
  /** In alphabetical order, at most `MAX_SHOWN`. */
  members: readonly string[];
  total: number;
}

const MAX_SHOWN = 200;
/** Changes that come faster are shown together. */
const PAUSE_MS = 250;

/** In this process's memory. */
export function createMemoryPresence(): Presence {
  const own = createOwnMembers();
  const watchers = createWatchers(async (room) => presentOf(own.of(room)));
  return {
    enter: (room, member) => own.enter(room, member, () => watchers.refresh(room)),
    watch: watchers.watch,
    async close() {
      watchers.close();
    },
  };
}

export function presentOf(members: Iterable<string>): Present {
  const all = [...new Set(members)].sort();
  return { members: all.slice(0, MAX_SHOWN), total: all.length };
}

/** The members who are connected to this process, with their connections. */
export function createOwnMembers() {
  const rooms = new Map<string, Map<string, number>>();
  return {
    rooms: (): string[] => [...rooms.keys()],
    of: (room: string): string[] => [...(rooms.get(room)?.keys() ?? [])],
    /** Calls `onChange` when the first connection of a member is here, and when the last one has gone. */
    enter(room: string, member: string, onChange: () => void): () => void {
      const members = rooms.get(room) ?? new Map<string, number>();
      rooms.set(room, members);
      const before = members.get(member) ?? 0;
      members.set(member, before + 1);
      if (before === 0) onChange();
      let left = false;
      return () => {
        if (left) return;
        left = true;
        const count = members.get(member)! - 1;
        if (count > 0) return void members.set(member, count);
        members.delete(member);
        if (members.size === 0) rooms.delete(room);
        onChange();
      };
    },
  };
}

interface Watched {
  listeners: Map<object, { listener: (present: Present) => void; shown: string | null }>;
  state: 'idle' | 'reading' | 'reading again';
}

/** Reads a room once for all who watch it. What cannot be read is left out. */
export function createWatchers(read: (room: string) => Promise<Present>) {
  const watched = new Map<string, Watched>();
  const pauses = new Set<NodeJS.Timeout>();

  function refresh(room: string): void {
    const found = watched.get(room);
    if (!found) return;
    if (found.state !== 'idle') {
      found.state = 'reading again';
      return;
    }
    found.state = 'reading';
    void show(room, found);
  }

  async function show(room: string, found: Watched): Promise<void> {
    const present = await read(room).catch(() => null);
    const text = JSON.stringify(present);
    for (const each of present ? found.listeners.values() : []) {
      if (each.shown === text) continue;
      each.shown = text;
      each.listener(present!);
    }
    const pause = setTimeout(() => {
      pauses.delete(pause);
      const isStale = found.state === 'reading again';
      found.state = 'idle';
      if (isStale) refresh(room);
    }, PAUSE_MS).unref();
    pauses.add(pause);
  }

  return {
    refresh,
    rooms: (): string[] => [...watched.keys()],
    watch(room: string, listener: (present: Present) => void): () => void {
      const found = watched.get(room) ?? { listeners: new Map(), state: 'idle' };
      watched.set(room, found);
      const key = {};
      found.listeners.set(key, { listener, shown: null });
      refresh(room);
      return () => {
        found.listeners.delete(key);
        if (found.listeners.size === 0 && watched.get(room) === found) watched.delete(room);
      };
    },
    close(): void {
      for (const pause of pauses) clearTimeout(pause);
      watched.clear();
    },
  };
}
