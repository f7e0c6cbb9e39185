import type { Context } from '@rentapi/api/context';
import type { Knex } from '@rentapi/platform/database';
import { expect, it } from 'vitest';
import { wakeDispatcher } from './wake-dispatcher.ts';

/** What a statement needs of a database. It resolves `sent` when the statement of that number has been sent. */
function databaseThat(answer: () => Promise<{ rows: object[] }>) {
  const sent = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  let count = 0;
  const query = async () => {
    sent[count++]?.resolve();
    return answer();
  };
  const client = { acquireConnection: async () => ({ query }), releaseConnection: async () => {}, emit: () => {} };
  const database = { isTransaction: false, client } as unknown as Knex;
  return { ctx: { ports: { database } } as Context, sent: sent.map(({ promise }) => promise), count: () => count };
}

it('wakes it at once, once more for all that came meanwhile, and again later', async () => {
  const { ctx, sent, count } = databaseThat(async () => ({ rows: [{}] }));
  for (let event = 0; event < 50; event++) wakeDispatcher(ctx);
  await sent[1];
  expect(count()).toBe(2);
  wakeDispatcher(ctx);
  await sent[2];
});

it('goes on after a statement that failed', async () => {
  const { ctx, sent } = databaseThat(async () => {
    throw new Error('the connection was lost');
  });
  for (let event = 0; event < 2; event++) wakeDispatcher(ctx);
  await sent[1];
});
