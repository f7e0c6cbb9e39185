import type { Clock } from './clock.ts';
import { LatencySketch } from './latency-sketch.ts';
import { OldestFirst } from './oldest-first.ts';

/** The calls of the last hour, counted while they happen: for numbers that must not wait for a database. */
export interface RecentCalls {
  /** Counts a call that has just ended. A scope is whose calls are counted together. */
  add(scope: string, call: RecentCall): void;
  /** Calls of other processes are included a second later. */
  read(scope: string): Promise<Recent>;
  /** Calls back once a second, until the returned function is called; reads once for all who watch a scope. */
  watch(scope: string, listener: (recent: Recent) => void): () => void;
  close(): Promise<void>;
}

export interface RecentCall {
  latencyUs: number;
  failed: boolean;
}

export interface Recent {
  /** The last 60 seconds, up to 5 more. */
  minute: Tally;
  /** The last 60 minutes of the clock, oldest first; the last one is not over yet. */
  minutes: readonly { at: Date; tally: Tally }[];
}

/** What is counted of some calls. */
export class Tally {
  calls = 0;
  errors = 0;
  readonly latency = new LatencySketch();

  add({ latencyUs, failed }: RecentCall): void {
    this.calls++;
    if (failed) this.errors++;
    this.latency.add(latencyUs);
  }

  merge(other: Tally): void {
    this.calls += other.calls;
    this.errors += other.errors;
    this.latency.merge(other.latency);
  }
}

/** Each call counts in a short slot, of which the last minute consists, and in its minute of the clock. */
export const SLOTS = [
  { kind: 's', lengthMs: 5000, count: 13 },
  { kind: 'm', lengthMs: 60_000, count: 60 },
] as const;

/** The starts of the slots of one kind up to now, oldest first. */
export function slotStarts({ lengthMs, count }: (typeof SLOTS)[number], nowMs: number): number[] {
  const last = Math.floor(nowMs / lengthMs) * lengthMs;
  return Array.from({ length: count }, (_, at) => last - (count - 1 - at) * lengthMs);
}

export const slotName = (kind: string, startMs: number): string => `${kind}${startMs}`;

/** Without the names of all slots: where every call is of another scope, each would make them. */
function isOld(slot: string, nowMs: number): boolean {
  const { lengthMs, count } = SLOTS.find(({ kind }) => slot.startsWith(kind))!;
  return Number(slot.slice(1)) <= nowMs - lengthMs * count;
}

/** `tallyOf` returns what is counted in a slot; undefined where nothing is. */
export function recentOf(nowMs: number, tallyOf: (slot: string) => Tally | undefined): Recent {
  const [short, long] = SLOTS;
  const minute = new Tally();
  for (const start of slotStarts(short, nowMs)) {
    const tally = tallyOf(slotName(short.kind, start));
    if (tally) minute.merge(tally);
  }
  const minutes = slotStarts(long, nowMs).map((start) => ({
    at: new Date(start),
    tally: tallyOf(slotName(long.kind, start)) ?? new Tally(),
  }));
  return { minute, minutes };
}

/** Busy scopes at the same time; of each at most 73 slots are kept, which take some 50 kB. */
const MAX_SCOPES = 1000;

/** In this process's memory: the scope that was quiet for longest is forgotten first. */
export function createMemoryRecentCalls(clock: Clock, maxScopes = MAX_SCOPES): RecentCalls {
  const scopes = new OldestFirst<Map<string, Tally>>(maxScopes);

  /** A scope becomes the newest with each minute, when its old slots are dropped as well. */
  function renew(scope: string, nowMs: number): Map<string, Tally> {
    const kept = scopes.get(scope) ?? new Map<string, Tally>();
    for (const slot of kept.keys()) if (isOld(slot, nowMs)) kept.delete(slot);
    scopes.set(scope, kept);
    return kept;
  }

  async function read(scope: string): Promise<Recent> {
    const slots = scopes.get(scope);
    return recentOf(clock.now().getTime(), (slot) => slots?.get(slot));
  }

  return {
    add(scope, call) {
      const nowMs = clock.now().getTime();
      let slots = scopes.get(scope);
      for (const { kind, lengthMs } of SLOTS) {
        const name = slotName(kind, Math.floor(nowMs / lengthMs) * lengthMs);
        let tally = slots?.get(name);
        if (!tally) {
          slots = renew(scope, nowMs);
          tally = new Tally();
          slots.set(name, tally);
        }
        tally.add(call);
      }
    },
    read,
    ...watching(read),
    async close() {},
  };
}

const WATCH_MS = 1000;

/** `watch` by means of `read`. What cannot be read is left out. */
export function watching(read: RecentCalls['read']): Pick<RecentCalls, 'watch'> {
  const watched = new Map<string, { listeners: Set<(recent: Recent) => void>; timer: NodeJS.Timeout }>();

  function begin(scope: string) {
    const listeners = new Set<(recent: Recent) => void>();
    let reading = false;
    const timer = setInterval(async () => {
      if (reading) return;
      reading = true;
      const recent = await read(scope).catch(() => null);
      reading = false;
      if (recent) for (const listener of listeners) listener(recent);
    }, WATCH_MS).unref();
    return { listeners, timer };
  }

  return {
    watch(scope, listener) {
      const shared = watched.get(scope) ?? begin(scope);
      watched.set(scope, shared);
      shared.listeners.add(listener);
      return () => {
        shared.listeners.delete(listener);
        if (shared.listeners.size > 0 || watched.get(scope) !== shared) return;
        clearInterval(shared.timer);
        watched.delete(scope);
      };
    },
  };
}
