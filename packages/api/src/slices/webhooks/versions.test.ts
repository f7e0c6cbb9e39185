import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type EventType, event } from '../../events/event.ts';
import { bodyOf } from './delivery/attempt.ts';
import { newestEventVersion } from './versions.ts';

/** An event whose data have had three forms. */
const renamed = event('meter.renamed', {
  audience: 'organization',
  permission: 'billing:manage',
  description: 'A meter has a new name.',
  data: z.object({ name: z.object({ text: z.string() }) }),
  example: { name: { text: 'Tokens' } },
  version: 3,
  earlier: {
    1: (data) => ({ title: z.object({ name: z.string() }).parse(data).name }),
    2: (data) => ({ name: z.object({ name: z.object({ text: z.string() }) }).parse(data).name.text }),
  },
});
const eventTypes: ReadonlyMap<string, EventType> = new Map([[renamed.name, renamed]]);
const createdAt = new Date('2026-01-31T12:00:00.000Z');
const body = (eventVersion: number, eventType = renamed.name) =>
  bodyOf({ eventTypes }, { eventType, createdAt, payload: null, data: { name: { text: 'Calls' } }, eventVersion });

describe('the payload of a webhook', () => {
  it.each([
    [1, { title: 'Calls' }],
    [2, { name: 'Calls' }],
    [3, { name: { text: 'Calls' } }],
    [4, { name: { text: 'Calls' } }],
  ])('that is pinned to version %i has the data of that version', (version, data) => {
    expect(body(version)).toEqual({ type: 'meter.renamed', timestamp: '2026-01-31T12:00:00.000Z', data });
  });

  it('is the stored one where the type of an event is known no longer', () => {
    expect(body(1, 'meter.gone').data).toEqual({ name: { text: 'Calls' } });
  });

  it('is the newest unless it is pinned', () => {
    expect(newestEventVersion(eventTypes)).toBe(3);
  });
});
