import { setTimeout as sleep } from 'node:timers/promises';
import { execute, type Knex, type Statement } from '@rentapi/platform/database';
import type { Context } from '../context.ts';

const WAKE: Statement = { name: 'wake_dispatcher', text: "select pg_notify('recorded', '')" };
const GAP_MS = 10;

/** Whether there is more to say after the one that is being sent, for each database of the process. */
const isAsked = new WeakMap<Knex, boolean>();

/**
 * Says that there is work in the outbox, for what was committed before: at once, and in a burst once in a while. All
 * commits with a NOTIFY wait for each other. One that is lost delays work by a second, until the next round.
 */
export function wakeDispatcher({ ports: { database } }: Pick<Context, 'ports'>): void {
  const isBusy = isAsked.has(database);
  isAsked.set(database, true);
  if (!isBusy) void wake(database);
}

async function wake(database: Knex): Promise<void> {
  while (isAsked.get(database)) {
    isAsked.set(database, false);
    await execute(database, WAKE, []).catch(() => {});
    await sleep(GAP_MS, undefined, { ref: false });
  }
  isAsked.delete(database);
}
