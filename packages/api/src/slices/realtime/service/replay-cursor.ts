import { ApiError } from '../../../contract/errors.ts';
import type { SequencedEvent } from '../../../events/feed.ts';
import { MAX_REWINDS } from '../schemas.ts';
import { topicsOf } from './subscription.ts';

/** How far one reader has come: its `position` among live events, and the past that is still to be sent. */
export interface ReplayCursor {
  /** Every live event up to here has been returned. */
  readonly position: number;
  readonly isReplaying: boolean;
  /** A reader that stops now resumes after this position. */
  reached(): number;
  /** Skips live events up to here: the reader has seen them already. */
  skipTo(position: number): void;
  /** Throws when the maximum number of replays is running. */
  assertRoom(): void;
  /** Replays what follows `from` for these patterns, without what the reader's other patterns show. */
  replay(rewind: Omit<Rewind, 'until'>): void;
  /** The next events of the past, of all replays together, in order of `position`. */
  nextOfPast(): Promise<Batch>;
  /** The live events among these that have not been returned. */
  nextOfLive(events: readonly SequencedEvent[]): Batch;
  /** A page of what follows `position`, for a reader that is behind; shorter than `PAGE` when there is no more. */
  readOn(): Promise<SequencedEvent[]>;
}

export interface Rewind {
  patterns: ReadonlySet<string>;
  from: number;
  until: number;
  /** The position from which each earlier pattern of the reader shows events by itself. */
  shown: ReadonlyMap<string, number>;
}

export interface Batch {
  events: SequencedEvent[];
  /** These events were returned, or need not be. Until this call the next batch begins with them again. */
  done(): void;
}

/** How many events one reader has in memory: an event can be some 50 kB. */
export const PAGE = 100;

export function createReplayCursor(
  readPage: (after: number, limit: number) => Promise<SequencedEvent[]>,
  start: number,
): ReplayCursor {
  let rewinds: Rewind[] = [];
  let position = start;

  return {
    get position() {
      return position;
    },
    get isReplaying() {
      return rewinds.length > 0;
    },
    reached: () => Math.min(position, ...rewinds.map(({ from }) => from)),
    skipTo(to) {
      position = Math.max(position, to);
    },
    assertRoom() {
      if (rewinds.length < MAX_REWINDS) return;
      throw new ApiError('limit_reached', {
        detail: `At most ${MAX_REWINDS} replays run at once: wait for their events, or name all patterns in one message.`,
      });
    },
    replay(rewind) {
      if (rewind.from < position) rewinds.push({ ...rewind, until: position });
    },
    async nextOfPast() {
      const read = [...rewinds]; // one that is added in the meantime begins with the next page
      const page = await readPage(Math.min(...read.map(({ from }) => from)), PAGE);
      const end = page.length < PAGE ? Number.POSITIVE_INFINITY : page.at(-1)!.position;
      return {
        events: page.filter((event) => read.some((rewind) => isOf(rewind, event))),
        done() {
          for (const rewind of read) rewind.from = Math.max(rewind.from, end);
          rewinds = rewinds.filter(({ from, until }) => from < until);
        },
      };
    },
    nextOfLive(events) {
      return {
        events: events.filter((event) => event.position > position),
        done() {
          position = Math.max(position, events.at(-1)?.position ?? 0);
        },
      };
    },
    readOn: () => readPage(position, PAGE),
  };
}

/** Each past event belongs to one replay only: the first that wants it. */
function isOf({ patterns, from, until, shown }: Rewind, { type, position }: SequencedEvent): boolean {
  if (position <= from || position > until) return false;
  const matching = topicsOf(type);
  return (
    matching.some((pattern) => patterns.has(pattern)) &&
    !matching.some((pattern) => position > (shown.get(pattern) ?? Number.POSITIVE_INFINITY))
  );
}
