import { createMemoryPubSub } from '@rentapi/platform/pubsub';
import { expect, it } from 'vitest';
import { createIds } from '../contract/ids.ts';
import { apiCallsTopic, createApiCalls } from './api-calls.ts';

const ids = createIds('a secret for the ids of this test only', () => '');

function watch() {
  const pubsub = createMemoryPubSub((error) => {
    throw error;
  });
  const messages: [organizationId: number, requestIds: string[]][] = [];
  for (const organizationId of [1, 2]) {
    pubsub.subscribe(apiCallsTopic(organizationId), (calls) => {
      messages.push([organizationId, (calls as { requestId: string }[]).map(({ requestId }) => requestId)]);
    });
  }
  return { calls: createApiCalls({ pubsub, ids }), messages };
}

const call = (organizationId: number, requestId: string) => ({
  organizationId,
  keyId: 7,
  procedure: 'apiKeys.list',
  status: 200,
  durationMs: 1.2345,
  requestId,
});

it('sends the calls of a moment in one message for each organization, in their order', async () => {
  const { calls, messages } = watch();
  for (const [organizationId, requestId] of [
    [1, 'a'],
    [2, 'b'],
    [1, 'c'],
  ] as const)
    calls.note(call(organizationId, requestId));
  expect(messages).toEqual([]);
  await expect
    .poll(() => messages)
    .toEqual([
      [1, ['a', 'c']],
      [2, ['b']],
    ]);
});

it('keeps a bounded number of calls, and none at its end', () => {
  const { calls, messages } = watch();
  for (let at = 0; at < 501; at++) calls.note(call(1, String(at)));
  expect(messages.map(([, requestIds]) => requestIds.length)).toEqual([500]);
  calls.close();
  expect(messages.map(([, requestIds]) => requestIds.length)).toEqual([500, 1]);
});
