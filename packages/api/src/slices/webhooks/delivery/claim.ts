import type { Statement } from '@rentapi/platform/database';
import type { ClaimedDelivery } from './attempt.ts';
import { FAILURES_TO_PAUSE } from './settle.ts';

/** How many are under way to one webhook by one process: a slow receiver delays no other. */
export const CONCURRENCY_OF_WEBHOOK = 10;
/** Webhooks that are looked at beyond those that could fill the room: some are pausing, or empty. */
export const LOOKED_AT_BESIDES = 20;

/** What a claim answers: a row for each delivery, or one without any. */
export type Claimed = { looked: number } & (ClaimedDelivery | { id: null });

/**
 * Claims due deliveries for so much room, few of each webhook: claimed, they are due again when the lease is over.
 * Begins with the webhooks that are due and asks each for its first deliveries, so what waits for others costs nothing;
 * a webhook that is disabled, pausing or of a deleted organization is set to the time when to look again. A time is set
 * only where nothing has changed since it was read: what others made due meanwhile would be forgotten. Locked rows are
 * passed over, so that claims wait for nothing.
 *
 * Rows are looked up one by one (`limit 1`) or by their places, because the statement is planned once, when tables may
 * be empty: a join would later read all they have. What is pending is in one partition, so `ctid` names one row.
 */
export const CLAIM = {
  name: 'claim_deliveries',
  text: `
  /* across organizations */
  with ready as materialized (
    select q.place, q.organization_id, q.webhook_id, q.changes, w.enabled and o.deleted_at is null as enabled, h.resumes_at,
           case when coalesce(h.failures, 0) >= ${FAILURES_TO_PAUSE} then 1 else ${CONCURRENCY_OF_WEBHOOK} end
             - coalesce(($2::jsonb ->> q.webhook_id::text)::integer, 0) as room
    from (
      select ctid as place, * from webhook_due where at <= $1 and webhook_id <> all ($3::bigint[])
      order by at limit $4::integer + ${LOOKED_AT_BESIDES}
    ) q
    cross join lateral (
      select enabled from webhooks where organization_id = q.organization_id and id = q.webhook_id limit 1) w
    cross join lateral (select deleted_at from organizations where id = q.organization_id limit 1) o
    left join lateral (
      select failures, resumes_at from webhook_health
      where organization_id = q.organization_id and webhook_id = q.webhook_id limit 1) h on true
  ), found as materialized (
    select r.organization_id, r.webhook_id, r.room, d.place, d.due_at, row_number() over (
             partition by r.organization_id, r.webhook_id order by d.due_at, d.id) as nth
    from ready r cross join lateral (
      select ctid as place, id, due_at from webhook_deliveries
      where organization_id = r.organization_id and webhook_id = r.webhook_id and status = 'PENDING' and due_at <= $1
      order by due_at, id limit greatest(0, least(r.room, $4::integer)) + 1
    ) d
    where r.enabled and (r.resumes_at is null or r.resumes_at <= $1)
  ), picked as materialized (
    select d.organization_id, d.webhook_id, d.ctid as place
    from webhook_deliveries d
    where d.ctid = any (array(select place from found where nth <= room order by due_at limit $4))
      and d.status = 'PENDING' and d.due_at <= $1
    for update skip locked
  ), claimed as (
    update webhook_deliveries d set attempts = d.attempts + 1, step = d.step + 1, due_at = $5
    where d.ctid = any (array(select place from picked)) and d.status = 'PENDING'
    returning d.*
  ), rest as materialized (
    select organization_id, webhook_id, min(due_at) as due_at from found
    where place not in (select place from picked) group by organization_id, webhook_id
  ), next as materialized (
    select r.place, r.organization_id, r.webhook_id, r.changes, case
             when not r.enabled then 'infinity'
             when r.resumes_at > $1 then r.resumes_at
             else coalesce(
               (select due_at from rest where rest.organization_id = r.organization_id and rest.webhook_id = r.webhook_id),
               least(
                 (select d.due_at from webhook_deliveries d
                  where d.organization_id = r.organization_id and d.webhook_id = r.webhook_id and d.status = 'PENDING'
                    and d.due_at > $1
                  order by d.due_at limit 1),
                 case when exists (select from picked p where p.organization_id = r.organization_id
                                     and p.webhook_id = r.webhook_id) then $5::timestamptz end))
           end as at
    from ready r
  ), mine as materialized (
    select q.ctid as place, q.organization_id, q.webhook_id, n.at
    from next n join webhook_due q on q.organization_id = n.organization_id and q.webhook_id = n.webhook_id
    where q.ctid = any (array(select place from next)) and q.changes = n.changes and q.at is distinct from n.at for update of q skip locked
  ), moved as (
    update webhook_due q set at = mine.at, changes = q.changes + 1
    from mine
    where q.ctid = any (array(select place from mine)) and q.organization_id = mine.organization_id
      and q.webhook_id = mine.webhook_id and mine.at is not null
  ), emptied as (
    delete from webhook_due where ctid = any (array(select place from mine where at is null))
  )
  select looked.count as looked, d.organization_id as "organizationId", d.id, d.webhook_id as "webhookId",
         d.event_id as "eventId", d.event_type as "eventType", d.attempts, d.step, d.created_at as "createdAt", d.payload,
         e.data, w.url, w.event_version as "eventVersion", w.headers_sealed as "headersSealed",
         w.secret_sealed as "secretSealed", w.overlap_ends_at as "overlapEndsAt"
  from (select count(*)::integer from ready) looked
  left join claimed d on true
  left join lateral (
    select * from webhooks where organization_id = d.organization_id and id = d.webhook_id limit 1) w on true
  left join lateral (select data from events where id = d.event_id limit 1) e on true`,
};

/** When a webhook is to be looked at next. */
export const NEXT_DUE: Statement = {
  text: `
  /* across organizations */
  select min(at) as at from webhook_due where at > $1 and at < 'infinity'`,
};
