import { executeByIndex } from '@rentapi/platform/database';
import { binSql } from '@rentapi/platform/latency-sketch';
import type { Ports } from '../../../context.ts';
import { writeByDay } from '../../../data/day-partitions.ts';
import { WebhookDeliveryFailed, WebhookDeliverySucceeded } from '../events.ts';
import { DeliveryModel } from '../model.ts';
import type { ClaimedDelivery, Outcome } from './attempt.ts';
import { upsertDue } from './due.ts';
import { insertMoved } from './move.ts';

/** Retries after the same failure do not come together: each is up to a tenth earlier or later. */
const JITTER = 0.1;
/** After so many failures in a row one delivery at a time is tried, after a pause. */
export const FAILURES_TO_PAUSE = 10;
const PAUSE_FIRST_S = 30;
const PAUSE_MAX_S = 300;

/**
 * Longer than any delivery waits for its next attempt. A webhook that got nothing for so long has not been failing
 * meanwhile, so the days after which it is disabled begin anew.
 */
const SILENT_HOURS = 48;
const BEGINS_ANEW = `(h.failing_since is null
          or excluded.failing_since > coalesce(h.last_failed_at, h.failing_since) + interval '${SILENT_HOURS} hours')`;

/**
 * Stores attempts, what became of their deliveries, the health of their webhooks and the events about them, in one
 * statement for many. An attempt whose delivery another process has claimed since is kept, and changes nothing else.
 */
const SETTLE = {
  name: 'settle_deliveries',
  text: `
  /* across organizations */
  with result as (
    select * from jsonb_to_recordset($1) as r (
      organization_id bigint, webhook_id bigint, delivery_id bigint, number integer, started_at timestamptz,
      duration_ms integer, succeeded boolean, status_code integer, error text, request_headers jsonb,
      response_headers jsonb, response_body text, due_at timestamptz, event_type text, event_data jsonb)
  ), attempt as (
    insert into webhook_attempts (organization_id, webhook_id, delivery_id, number, started_at, duration_ms, succeeded,
                                  status_code, error, request_headers, response_headers, response_body)
    select organization_id, webhook_id, delivery_id, number, started_at, duration_ms, succeeded,
           status_code, error, request_headers, response_headers, response_body from result
  ), found as materialized (
    select r.*, d.place from result r cross join lateral (
      select ctid as place from webhook_deliveries
      where organization_id = r.organization_id and webhook_id = r.webhook_id and id = r.delivery_id
        and attempts = r.number and status = 'PENDING' limit 1
    ) d
  ), again as (
    update webhook_deliveries d set due_at = r.due_at, status_code = r.status_code, error = r.error
    from found r
    where d.ctid = any (array(select place from found where due_at is not null)) and d.status = 'PENDING'
      and d.id = r.delivery_id and d.attempts = r.number
    returning d.organization_id, d.webhook_id, d.due_at as at
  ), ended as (
    delete from webhook_deliveries d using found r
    where d.ctid = any (array(select place from found where due_at is null)) and d.status = 'PENDING'
      and d.id = r.delivery_id and d.attempts = r.number
    returning d.*, r.succeeded, r.status_code as answered, r.error as reason, r.event_type as about, r.event_data
  ), settled as (${insertMoved('ended', {
    status: "case when d.succeeded then 'SUCCEEDED' else 'FAILED' end",
    step: 'd.step',
    due_at: 'null',
    status_code: 'd.answered',
    error: 'd.reason',
    settled_at: '$2::timestamptz',
  })}
  ), counted as (
    insert into webhook_stats (organization_id, webhook_id, day, bin, attempts, succeeded)
    select organization_id, webhook_id, (started_at at time zone 'UTC')::date, ${binSql('duration_ms * 1000')},
           count(*), count(*) filter (where succeeded)
    from result group by 1, 2, 3, 4 order by 1, 2, 3, 4
    on conflict (organization_id, webhook_id, day, bin) do update
    set attempts = webhook_stats.attempts + excluded.attempts, succeeded = webhook_stats.succeeded + excluded.succeeded
  ), outcome as (
    select organization_id, webhook_id, bool_or(succeeded) as succeeded,
           count(*) filter (where not succeeded)::integer as failures,
           min(started_at) filter (where not succeeded) as failed_at,
           max(started_at) filter (where not succeeded) as last_failed_at
    from result group by organization_id, webhook_id
  ), recovered as (
    update webhook_health h set failures = 0, failing_since = null, last_failed_at = null, warned_at = null, resumes_at = null
    from outcome o
    where o.succeeded and h.organization_id = o.organization_id and h.webhook_id = o.webhook_id
      and h.failing_since is not null
    returning h.organization_id, h.webhook_id
  ), due as (${upsertDue(`
      select organization_id, webhook_id, at from again
      union all select organization_id, webhook_id, $2::timestamptz from recovered -- its pause is over
    `)}
  ), failing as (
    insert into webhook_health as h (organization_id, webhook_id, failures, failing_since, last_failed_at)
    select organization_id, webhook_id, failures, failed_at, last_failed_at from outcome
    where not succeeded and exists (
      select from webhooks w where w.organization_id = outcome.organization_id and w.id = outcome.webhook_id)
    order by organization_id, webhook_id
    on conflict (organization_id, webhook_id) do update
    set failures = h.failures + excluded.failures,
        failing_since = case when ${BEGINS_ANEW} then excluded.failing_since else h.failing_since end,
        warned_at = case when ${BEGINS_ANEW} then null else h.warned_at end,
        last_failed_at = greatest(h.last_failed_at, excluded.last_failed_at),
        resumes_at = case when h.failures + excluded.failures >= ${FAILURES_TO_PAUSE}
          then $2::timestamptz + make_interval(secs => least(${PAUSE_MAX_S},
            ${PAUSE_FIRST_S} * (1 + greatest(0, h.failures - ${FAILURES_TO_PAUSE}) / 2))) end
  )
  insert into events (organization_id, type, data, created_at)
  select organization_id, about, event_data, $2 from ended where about is not null`,
};

export async function settle(ports: Ports, results: readonly [ClaimedDelivery, Outcome][]): Promise<void> {
  const now = ports.clock.now();
  const rows = results.map(([delivery, outcome]) => {
    const dueAt = outcome.succeeded ? null : nextAttemptAt(ports, delivery, outcome, now);
    return {
      organization_id: delivery.organizationId,
      webhook_id: delivery.webhookId,
      delivery_id: delivery.id,
      number: delivery.attempts,
      started_at: outcome.startedAt,
      duration_ms: outcome.durationMs,
      succeeded: outcome.succeeded,
      status_code: outcome.statusCode,
      error: outcome.error,
      request_headers: outcome.requestHeaders,
      response_headers: outcome.responseHeaders,
      response_body: outcome.responseBody,
      due_at: dueAt,
      ...(dueAt === null && eventAbout(ports, delivery, outcome, now)),
    };
  });
  const moments = results.map(([, { startedAt }]) => startedAt);
  await writeByDay(ports.database, 'webhook_attempts', moments, () =>
    executeByIndex(ports.database, SETTLE, [JSON.stringify(rows), now]),
  );
}

/** When to try again; null after the last attempt of the schedule. */
function nextAttemptAt(
  { env }: Ports,
  { step }: ClaimedDelivery,
  { gone, retryAfterMs }: Outcome,
  now: Date,
): Date | null {
  const delayS = env.WEBHOOK_RETRY_SCHEDULE_S[step];
  if (delayS === undefined || gone) return null;
  const delayMs = delayS * 1000 * (1 - JITTER + Math.random() * 2 * JITTER);
  return new Date(now.getTime() + Math.max(delayMs, retryAfterMs ?? 0));
}

/** None for tests, and none for events about webhooks: two webhooks would report each other's deliveries for ever. */
function eventAbout(ports: Ports, delivery: ClaimedDelivery, outcome: Outcome, now: Date) {
  if (delivery.payload !== null || delivery.eventType.startsWith('webhook.')) return {};
  const { name, data } = outcome.succeeded ? WebhookDeliverySucceeded : WebhookDeliveryFailed;
  const row = DeliveryModel.hydrate({
    ...delivery,
    status: outcome.succeeded ? 'SUCCEEDED' : 'FAILED',
    dueAt: null,
    statusCode: outcome.statusCode,
    error: outcome.error,
    settledAt: now,
  });
  return { event_type: name, event_data: data.parse(row.present(ports.ids)) };
}
