import { execute } from '@rentapi/platform/database';
import { type Loop, startLoop } from '@rentapi/platform/loop';
import type { Ports } from '../../../context.ts';
import { disableWebhook } from '../service/disable.ts';
import { attempt, type ClaimedDelivery, type Outcome } from './attempt.ts';
import { CLAIM, type Claimed, CONCURRENCY_OF_WEBHOOK, LOOKED_AT_BESIDES, NEXT_DUE } from './claim.ts';
import { settle } from './settle.ts';

/** How many are sent at once by one process. */
const CONCURRENCY = 100;
/** Longer than an attempt may take. A delivery whose worker has died is due again after it. */
const LEASE_MS = 30_000;
/** Notifications and the time of the next attempt wake it; this is for what was missed. */
const UNNOTIFIED_MS = 15_000;
const STOP_MS = 20_000;

/** Sends what is due. Any number of processes may: each delivery is claimed by one. */
export function startDeliverer(ports: Ports, { unnotifiedMs = UNNOTIFIED_MS } = {}): Loop {
  const { database, log, clock } = ports;
  /** How many are under way, by webhook. */
  const underway = new Map<number, number>();
  const running = new Set<Promise<void>>();
  const settled: [ClaimedDelivery, Outcome][] = [];
  let settling: Promise<void> | undefined;
  let alarm: NodeJS.Timeout | undefined;
  let stopped = false;

  async function send(delivery: ClaimedDelivery): Promise<void> {
    const { webhookId } = delivery;
    underway.set(webhookId, (underway.get(webhookId) ?? 0) + 1);
    try {
      const outcome = await attempt(ports, delivery);
      settled.push([delivery, outcome]);
      settling ??= settleAll();
      await settling;
      if (outcome.gone) await disableWebhook(ports, delivery, 'GONE');
    } catch (error) {
      log.warn({ err: error, loop: 'webhook deliveries' }, 'an attempt was not recorded: it is made again');
    } finally {
      const left = underway.get(webhookId)! - 1;
      if (left === 0) underway.delete(webhookId);
      else underway.set(webhookId, left);
    }
  }

  /** Stores together what has ended meanwhile. What cannot be stored is sent again after its lease. */
  async function settleAll(): Promise<void> {
    try {
      await Promise.resolve(); // what ends in the same turn
      while (settled.length > 0) await settle(ports, settled.splice(0, CONCURRENCY));
    } finally {
      settling = undefined;
    }
  }

  async function wakeAtNext(now: Date): Promise<void> {
    const [next] = await execute<{ at: Date | null }>(database, NEXT_DUE, [now]);
    clearTimeout(alarm);
    if (!next?.at || stopped) return;
    const inMs = next.at.getTime() - now.getTime();
    if (inMs < unnotifiedMs) alarm = setTimeout(() => loop.wake(), inMs);
  }

  const loop = startLoop({
    name: 'webhook deliveries',
    everyMs: unnotifiedMs,
    log,
    async round() {
      const free = CONCURRENCY - running.size;
      if (free <= 0 || stopped) return false; // the next that ends wakes it
      const now = clock.now();
      const full = [...underway].filter(([, count]) => count >= CONCURRENCY_OF_WEBHOOK).map(([id]) => id);
      const counts = JSON.stringify(Object.fromEntries(underway));
      const leaseEnds = new Date(now.getTime() + LEASE_MS);
      const rows = await execute<Claimed>(database, CLAIM, [now, counts, full, free, leaseEnds]);
      const claimed = rows.filter((row) => row.id !== null);
      for (const delivery of claimed) {
        const run = send(delivery).finally(() => {
          running.delete(run);
          loop.wake(); // not before there is room: it would find none, and sleep
        });
        running.add(run);
      }
      if (claimed.length > 0 || rows[0]!.looked === free + LOOKED_AT_BESIDES) return true;
      await wakeAtNext(now);
      return false;
    },
  });

  return {
    wake: () => loop.wake(),
    async stop() {
      stopped = true;
      clearTimeout(alarm);
      await loop.stop();
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, STOP_MS);
      await Promise.race([Promise.all(running), promise]);
      clearTimeout(timer);
    },
  };
}
