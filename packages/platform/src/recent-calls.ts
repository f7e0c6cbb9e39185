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

type Slot = (typeof SLOTS)[number];

const startOf = ({ lengthMs }: Pick<Slot, 'lengthMs'>, atMs: number): number => Math.floor(atMs / lengthMs) * lengthMs;

/** The starts of the slots of one kind up to now, oldest first. */
export function slotStarts({ lengthMs, count }: Slot, nowMs: number): number[] {
  const last = startOf({ lengthMs }, nowMs);
  return Array.from({ length: count }, (_, at) => last - (count - 1 - at) * lengthMs);
}

/** What is counted of one scope, slot by slot. */
export class SlotTallies {
  /** Of its only call until now: where each call is of another scope, slots for each would cost more than all else. */
  #onlyAtMs: number | undefined;
  #onlyLatencyUs = 0;
  #onlyFailed = false;
  /** For each kind of slot, by the start of the slot. */
  #tallies: readonly Map<number, Tally>[] | undefined;

  /** Returns whether this is the first call of a slot. */
  add(call: RecentCall, atMs: number): boolean {
    if (this.#onlyAtMs === undefined && !this.#tallies) {
      this.#onlyAtMs = atMs;
      this.#onlyLatencyUs = call.latencyUs;
      this.#onlyFailed = call.failed;
      return true;
    }
    return count(this.#open(), call, atMs);
  }

  tallyOf(slot: Slot, startMs: number): Tally | undefined {
    return this.#open()[SLOTS.indexOf(slot)]!.get(startMs);
  }

  *all(): Generator<[slot: Slot, startMs: number, tally: Tally]> {
    if (this.#onlyAtMs !== undefined) {
      const tally = new Tally();
      tally.add({ latencyUs: this.#onlyLatencyUs, failed: this.#onlyFailed });
      for (const slot of SLOTS) yield [slot, startOf(slot, this.#onlyAtMs), tally];
      return;
    }
    const tallies = this.#open();
    for (const [at, slot] of SLOTS.entries()) for (const [startMs, tally] of tallies[at]!) yield [slot, startMs, tally];
  }

  dropOld(nowMs: number): void {
    this.#tallies?.forEach((tallies, at) => {
      const { lengthMs, count } = SLOTS[at]!;
      for (const startMs of tallies.keys()) if (startMs <= nowMs - lengthMs * count) tallies.delete(startMs);
    });
  }

  #open(): readonly Map<number, Tally>[] {
    if (this.#tallies) return this.#tallies;
    this.#tallies = SLOTS.map(() => new Map<number, Tally>());
    if (this.#onlyAtMs !== undefined) {
      count(this.#tallies, { latencyUs: this.#onlyLatencyUs, failed: this.#onlyFailed }, this.#onlyAtMs);
    }
    this.#onlyAtMs = undefined;
    return this.#tallies;
  }
}

function count(tallies: readonly Map<number, Tally>[], call: RecentCall, atMs: number): boolean {
  let isFirst = false;
  for (let at = 0; at < SLOTS.length; at++) {
    const startMs = startOf(SLOTS[at]!, atMs);
    let tally = tallies[at]!.get(startMs);
    if (!tally) {
      tally = new Tally();
      tallies[at]!.set(startMs, tally);
      isFirst = true;
    }
    tally.add(call);
  }
  return isFirst;
}

/** `tallyOf` returns what is counted in a slot; undefined where nothing is. */
export function recentOf(nowMs: number, tallyOf: (slot: Slot, startMs: number) => Tally | undefined): Recent {
  const [short, long] = SLOTS;
  const minute = new Tally();
  for (const startMs of slotStarts(short, nowMs)) {
    const tally = tallyOf(short, startMs);
    if (tally) minute.merge(tally);
  }
  const minutes = slotStarts(long, nowMs).map((startMs) => ({
    at: new Date(startMs),
    tally: tallyOf(long, startMs) ?? new Tally(),
  }));
  return { minute, minutes };
}

/** Busy scopes at the same time; of each at most 73 slots are kept, which take some 50 kB. */
const MAX_SCOPES = 1000;

/** In this process's memory: the scope that was quiet for longest is forgotten first. */
export function createMemoryRecentCalls(clock: Clock, maxScopes = MAX_SCOPES): RecentCalls {
  const scopes = new OldestFirst<SlotTallies>(maxScopes);

  async function read(scope: string): Promise<Recent> {
    const tallies = scopes.get(scope);
    return recentOf(clock.now().getTime(), (slot, startMs) => tallies?.tallyOf(slot, startMs));
  }

  return {
    add(scope, call) {
      const nowMs = clock.now().getTime();
      const tallies = scopes.get(scope) ?? new SlotTallies();
      if (!tallies.add(call, nowMs)) return;
      // A scope becomes the newest with each slot, when its old slots are dropped as well.
      tallies.dropOld(nowMs);
      scopes.set(scope, tallies);
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
