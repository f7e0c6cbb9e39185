import { describe, expect, it } from 'vitest';
import type { SequencedEvent } from '../../../events/feed.ts';
import { createLiveBuffer } from './live-buffer.ts';

const event = (position: number): SequencedEvent => ({
  id: position,
  position,
  organizationId: 1,
  type: 'api_key.created',
  data: {},
  createdAt: new Date(0),
});
const call = { id: null, event: 'api_call', createdAt: '', data: {} };

describe('a buffer of live events', () => {
  it('returns what came since, in order, once', () => {
    const buffer = createLiveBuffer();
    for (const position of [1, 2, 3]) buffer.addEvent(event(position));
    expect(buffer.takeEvents().map(({ position }) => position)).toEqual([1, 2, 3]);
    expect(buffer.takeEvents()).toEqual([]);
    expect(buffer.isEmpty).toBe(true);
  });

  it('keeps at most 500 events: after that its reader is behind, and it keeps none', () => {
    const buffer = createLiveBuffer();
    for (let position = 1; position <= 500; position++) buffer.addEvent(event(position));
    expect(buffer.isBehind).toBe(false);
    buffer.addEvent(event(501));
    buffer.addEvent(event(502));
    expect(buffer.isBehind).toBe(true);
    expect(buffer.takeEvents()).toEqual([]);
    expect(buffer.isEmpty).toBe(false); // the database has more
  });

  it('keeps events again as soon as its reader catches up', () => {
    const buffer = createLiveBuffer();
    buffer.fallBehind();
    buffer.addEvent(event(1));
    buffer.catchUp();
    buffer.addEvent(event(2));
    expect(buffer.takeEvents().map(({ position }) => position)).toEqual([2]);
  });

  it('keeps at most 500 calls, and loses the others', () => {
    const buffer = createLiveBuffer();
    for (let count = 0; count < 600; count++) buffer.addCall(call);
    expect(buffer.hasCalls()).toBe(true);
    expect(buffer.isEmpty).toBe(false);
    expect(buffer.takeCalls()).toHaveLength(500);
    expect(buffer.hasCalls()).toBe(false);
    expect(buffer.isBehind).toBe(false);
  });
});
