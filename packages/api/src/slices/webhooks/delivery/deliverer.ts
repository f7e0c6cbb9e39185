import { setTimeout as sleep } from 'node:timers/promises';
import { execute, executeByIndex } from '@rentapi/platform/database';
import { type Loop, startLoop } from '@rentapi/platform/loop';
import type { Ports } from '../../../context.ts';
import { disableWebhook } from '../service/disable.ts';
import { attempt, type ClaimedDelivery, createRequests, type Outcome } from './attempt.ts';
import { CLAIM, type Claimed, CONCURRENCY_OF_WEBHOOK, LOOKED_AT_BESIDES, NEXT_DUE } from './claim.ts';
import { settle } from './settle.ts';

/** How many are sent at once by one process. */
const CONCURRENCY = 100;
/** Attempts that have ended and are not stored: with more, nothing is claimed. */
const UNSTORED = 200;
/** Longer than an attempt may take. A delivery whose worker has died is due again after it. */
const LEASE_MS = 30_000;
/** While many are under way, one statement claims, and one stores, what came together meanwhile. */
const CLAIM_EVERY_MS = 5;
const STORE_EVERY_MS = 10;
/** Notifications and the time of the next attempt wake it; this is for what was missed. */
const UNNOTIFIED_MS = 15_000;
const STOP_MS = 20_000;

type Ended = [ClaimedDelivery, Outcome];

/** Sends what is due. Any number of processes may: each delivery is claimed by one. */
export function startDeliverer(ports: Ports, { unnotifiedMs = UNNOTIFIED_MS } = {}): Loop {
  const { database, log, clock } = ports;
  const requests = createRequests(ports);
  /** How many are under way, by webhook. */
  const underway = new Map<number, number>();
  let sending = 0;
  const running = new Set<Promise<void>>();
  let unstored = 0;
  let batch: { ended: Ended[]; stored: Promise<void> } | undefined;
  let lastBatch = Promise.resolve();
  let [claimedAt, storedAt] = [-Infinity, -Infinity];
  let alarm: NodeJS.Timeout | undefined;
  let soon: NodeJS.Timeout | undefined;
  let stopped = false;

  /** Returns what gives it back. */
  function takePlace(webhookId: number): () => void {
    underway.set(webhookId, (underway.get(webhookId) ?? 0) + 1);
    sending++;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      const left = underway.get(webhookId)! - 1;
      if (left === 0) underway.delete(webhookId);
      else underway.set(webhookId, left);
      sending--;
      loop.wake(); // not before there is room: it would find none, and sleep
    };
  }

  async function send(delivery: ClaimedDelivery): Promise<void> {
    const leave = takePlace(delivery.webhookId);
    try {
      const outcome = await attempt(ports, requests, delivery);
      const stored = store(delivery, outcome);
      if (outcome.succeeded) leave(); // a failure may be the one after which nothing more is sent
      await stored;
      if (outcome.gone) await disableWebhook(ports, delivery, 'GONE');
    } catch (error) {
      log.warn({ err: error, loop: 'webhook deliveries' }, 'an attempt was not recorded: it is made again');
    } finally {
      leave();
    }
  }

  /** Stores together what has ended meanwhile. What cannot be stored is sent again after its lease. */
  function store(delivery: ClaimedDelivery, outcome: Outcome): Promise<void> {
    if (!batch) {
      const ended: Ended[] = [];
      batch = { ended, stored: storeSoon(ended, lastBatch) };
      lastBatch = batch.stored.catch(() => {});
    }
    batch.ended.push([delivery, outcome]);
    unstored++;
    return batch.stored;
  }

  async function storeSoon(ended: readonly Ended[], before: Promise<void>): Promise<void> {
    await before;
    const inMs = storedAt + STORE_EVERY_MS - performance.now();
    if (inMs > 0) await sleep(inMs);
    batch = undefined;
    try {
      await settle(ports, ended);
    } finally {
      storedAt = performance.now();
      unstored -= ended.length;
      loop.wake();
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
      const free = CONCURRENCY - Math.max(sending, sending + unstored - UNSTORED);
      if (free <= 0 || stopped) return false; // the next that ends or is stored wakes it
      if (free < CONCURRENCY / 2 && performance.now() - claimedAt < CLAIM_EVERY_MS) {
        soon ??= setTimeout(() => {
          soon = undefined;
          loop.wake();
        }, CLAIM_EVERY_MS);
        return false;
      }
      const now = clock.now();
      const full = [...underway].filter(([, count]) => count >= CONCURRENCY_OF_WEBHOOK).map(([id]) => id);
      const counts = JSON.stringify(Object.fromEntries(underway));
      const leaseEnds = new Date(now.getTime() + LEASE_MS);
      const rows = await executeByIndex<Claimed>(database, CLAIM, [now, counts, full, free, leaseEnds]);
      const claimed = rows.filter((row) => row.id !== null);
      claimedAt = performance.now();
      for (const delivery of claimed) {
        const run = send(delivery).finally(() => running.delete(run));
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
      clearTimeout(soon);
      await loop.stop();
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, STOP_MS);
      await Promise.race([Promise.all(running), promise]);
      clearTimeout(timer);
    },
  };
}
