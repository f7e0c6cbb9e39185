import { expect, it } from 'vitest';
import { createIds } from '../../../contract/ids.ts';
import { messageOf, presentCall, presentEvent } from './event-message.ts';

const ids = createIds('id-secret-of-the-tests-0123456789');
const stored = (id: number) => ({
  id,
  position: 100 + id,
  organizationId: 7,
  type: 'api_key.created',
  data: { name: 'żółw' },
  createdAt: new Date('2030-01-31T12:00:00Z'),
});

it('is made once for all readers of an event, and anew for another event', () => {
  const event = stored(1);
  const message = messageOf(presentEvent(ids, event));
  expect(messageOf(presentEvent(ids, event))).toBe(message);
  expect(messageOf(presentEvent(ids, stored(2)))).not.toEqual(message);
  expect(JSON.parse(message.toString())).toEqual({
    type: 'event',
    id: ids.encode('evt', 1),
    event: 'api_key.created',
    createdAt: '2030-01-31T12:00:00.000Z',
    data: { name: 'żółw' },
  });
});

it('is made once for all readers of a call', () => {
  const data = { procedure: 'apiKeys.list' };
  const message = messageOf(presentCall(data, new Date(0)));
  expect(messageOf(presentCall(data, new Date(1)))).toBe(message);
  expect(JSON.parse(message.toString())).toMatchObject({ id: null, event: 'api_call', data });
});
