import { execute, type Statement } from '@rentapi/platform/database';
import { type Loop, startLoop } from '@rentapi/platform/loop';
import type { Ports } from '../../../context.ts';
import { disableWebhook } from '../service/disable.ts';
import { attempt, type ClaimedDelivery, type Outcome } from './attempt.ts';
import { FAILURES_TO_PAUSE, settle } from './settle.ts';

/** How many are sent at once by one process, and to one webhook: a slow receiver delays no other. */
const CONCURRENCY = 100;
const CONCURRENCY_OF_WEBHOOK = 10;
/** Longer than an attempt may take. A delivery whose worker has died is due again after it. */
const LEASE_MS = 30_000;
/** Notifications and the time of the next attempt wake it; this is for what was missed. */
const UNNOTIFIED_MS = 15_000;
const STOP_MS = 20_000;

/**
 * Claims due deliveries, the oldest first, few of each webhook: claimed, they are due again when the lease is over.
 * Webhooks that are disabled, pausing, or have enough under way in this process are passed over.
 */
const CLAIM: Statement = {
  text: `
  /* across organizations */
  with due as (
    select organization_id, id, row_number() over (partition by webhook_id order by due_at, id) as nth, underway, failures
    from (
      select d.organization_id, d.id, d.webhook_id, d.due_at, coalesce(h.failures, 0) as failures,
             coalesce(($2::jsonb ->> d.webhook_id::text)::integer, 0) as underway
      from webhook_deliveries d
      join webhooks w on w.organization_id = d.organization_id and w.id = d.webhook_id and w.enabled
      left join webhook_health h on h.organization_id = d.organization_id and h.webhook_id = d.webhook_id
      where d.status = 'PENDING' and d.due_at <= $1
        and coalesce(($2::jsonb ->> d.webhook_id::text)::integer, 0) < ${CONCURRENCY_OF_WEBHOOK}
        and (h.resumes_at is null or h.resumes_at <= $1)
      order by d.due_at limit 1000
    ) oldest
  ), picked as (
    select d.organization_id, d.id from due join webhook_deliveries d using (organization_id, id)
    where due.nth <= case when due.failures >= ${FAILURES_TO_PAUSE} then 1 else ${CONCURRENCY_OF_WEBHOOK} end - due.underway
      and d.status = 'PENDING' and d.due_at <= $1
    order by d.due_at limit $3 for update of d skip locked
  ), claimed as (
    update webhook_deliveries d set attempts = d.attempts + 1, step = d.step + 1, due_at = $4
    from picked where d.organization_id = picked.organization_id and d.id = picked.id
    returning d.*
  )
  select d.organization_id as "organizationId", d.id, d.webhook_id as "webhookId", d.event_id as "eventId",
         d.event_type as "eventType", d.attempts, d.step, d.created_at as "createdAt", d.payload, e.data,
         w.url, w.event_version as "eventVersion", w.headers_sealed as "headersSealed",
         w.secret_sealed as "secretSealed", w.overlap_ends_at as "overlapEndsAt"
  from claimed d
  join webhooks w on w.organization_id = d.organization_id and w.id = d.webhook_id
  left join events e on e.id = d.event_id`,
};

const NEXT_DUE: Statement = {
  text: `/* across organizations */ select min(due_at) as at from webhook_deliveries where status = 'PENDING' and due_at > $1`,
};

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
      const counts = JSON.stringify(Object.fromEntries(underway));
      const leaseEnds = new Date(now.getTime() + LEASE_MS);
      const claimed = await execute<ClaimedDelivery>(database, CLAIM, [now, counts, free, leaseEnds]);
      for (const delivery of claimed) {
        const run = send(delivery).finally(() => {
          running.delete(run);
          loop.wake(); // not before there is room: it would find none, and sleep
        });
        running.add(run);
      }
      if (claimed.length === 0) await wakeAtNext(now);
      return claimed.length > 0;
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
