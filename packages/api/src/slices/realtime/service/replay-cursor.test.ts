import { describe, expect, it } from 'vitest';
import type { SequencedEvent } from '../../../events/feed.ts';
import { createReplayCursor, PAGE, type ReplayCursor } from './replay-cursor.ts';

const CREATED = 'api_key.created';
const REVOKED = 'api_key.revoked';

const event = (position: number, type = CREATED): SequencedEvent => ({
  id: position,
  position,
  organizationId: 1,
  type,
  data: {},
  createdAt: new Date(0),
});

/** A cursor over these events, at their end. */
function cursorAt(events: SequencedEvent[], position = events.at(-1)?.position ?? 0): ReplayCursor {
  const readPage = async (after: number, limit: number) =>
    events.filter((each) => each.position > after).slice(0, limit);
  return createReplayCursor(readPage, position);
}

const replay = (cursor: ReplayCursor, patterns: string[], from: number, shown: [string, number][] = []) =>
  cursor.replay({ patterns: new Set(patterns), from, shown: new Map(shown) });

/** The positions of all past events, in the order in which they come. */
async function pastOf(cursor: ReplayCursor): Promise<number[]> {
  const positions: number[] = [];
  while (cursor.isReplaying) {
    const { events, done } = await cursor.nextOfPast();
    positions.push(...events.map(({ position }) => position));
    done();
  }
  return positions;
}

const positions = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

describe('a replay', () => {
  it('shows what its patterns match after its beginning, over any number of pages', async () => {
    const count = 3 * PAGE + 7;
    const cursor = cursorAt(positions(count).map((position) => event(position)));
    replay(cursor, ['api_key.*'], 5);
    expect(await pastOf(cursor)).toEqual(positions(count).slice(5));
    expect(cursor.isReplaying).toBe(false);
  });

  it('ends where live events begin', async () => {
    const cursor = cursorAt(
      positions(10).map((position) => event(position)),
      6,
    );
    replay(cursor, ['*'], 0);
    expect(await pastOf(cursor)).toEqual(positions(6));
    const { events } = cursor.nextOfLive(positions(10).map((position) => event(position)));
    expect(events.map(({ position }) => position)).toEqual([7, 8, 9, 10]);
  });

  it('without past events does not begin', () => {
    const cursor = cursorAt([event(3)]);
    replay(cursor, ['*'], 3);
    replay(cursor, ['*'], 9);
    expect(cursor.isReplaying).toBe(false);
  });

  it('that overlaps another shows each event once, all in order of position', async () => {
    const events = positions(6).map((position) => event(position, position % 2 ? CREATED : REVOKED));
    const cursor = cursorAt(events);
    replay(cursor, [CREATED], 2);
    replay(cursor, ['api_key.*'], 0, [[CREATED, 2]]);
    expect(await pastOf(cursor)).toEqual(positions(6));
  });

  it('that follows another shows only what that one did not', async () => {
    const events = positions(6).map((position) => event(position, position % 2 ? CREATED : REVOKED));
    const cursor = cursorAt(events);
    replay(cursor, [CREATED], 0);
    expect(await pastOf(cursor)).toEqual([1, 3, 5]);
    replay(cursor, ['api_key.*'], 0, [[CREATED, 0]]);
    expect(await pastOf(cursor)).toEqual([2, 4, 6]);
  });

  it('that is requested while a page is read misses nothing of it', async () => {
    const cursor = cursorAt(positions(4).map((position) => event(position)));
    replay(cursor, [CREATED], 2);
    const first = await cursor.nextOfPast();
    replay(cursor, ['*'], 0, [[CREATED, 2]]);
    first.done();
    expect(first.events.map(({ position }) => position)).toEqual([3, 4]);
    expect(await pastOf(cursor)).toEqual([1, 2]);
  });

  it('begins a page again that was not returned', async () => {
    const cursor = cursorAt(positions(2).map((position) => event(position)));
    replay(cursor, ['*'], 0);
    await cursor.nextOfPast();
    expect(await pastOf(cursor)).toEqual([1, 2]);
  });

  it('is one of at most 20', () => {
    const cursor = cursorAt([event(1)]);
    for (let count = 0; count < 20; count++) {
      cursor.assertRoom();
      replay(cursor, ['*'], 0);
    }
    expect(() => cursor.assertRoom()).toThrow('At most 20 replays');
  });
});

describe('the position reached', () => {
  it('is the earliest that is still to be shown', async () => {
    const cursor = cursorAt(positions(9).map((position) => event(position)));
    expect(cursor.reached()).toBe(9);
    replay(cursor, ['*'], 4);
    replay(cursor, ['*'], 2);
    expect(cursor.reached()).toBe(2);
    await pastOf(cursor);
    expect(cursor.reached()).toBe(9);
  });

  it('moves with live events, and never back', () => {
    const cursor = cursorAt([], 5);
    cursor.nextOfLive([event(4), event(6)]).done();
    expect(cursor.reached()).toBe(6);
    cursor.skipTo(3);
    expect(cursor.reached()).toBe(6);
    cursor.skipTo(8);
    expect(cursor.reached()).toBe(8);
    expect(cursor.nextOfLive([event(7), event(9)]).events.map(({ position }) => position)).toEqual([9]);
  });
});
