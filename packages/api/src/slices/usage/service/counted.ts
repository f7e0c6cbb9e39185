import type { UsageCounts } from '../schemas.ts';

const MAX_PENDING = 96;

/**
 * The calls of organization $1 in each slot from $2 up to $3: from the roll-ups, and where those are not up to date,
 * from the calls themselves. If roll-ups are behind by more than a day, only the latest day of them is read so.
 */
export const countedSlots = ({ where, columns }: { where: string; columns: { rolledUp: string; calls: string } }) => `
  pending as materialized (
    select distinct slot from usage_pending_slots
    where slot >= $2::timestamptz and slot < $3::timestamptz order by slot desc limit ${MAX_PENDING}
  ),
  counted as (
    select slot, ${columns.rolledUp}, calls, errors, bytes_in, bytes_out, cost from usage_rollups
    where organization_id = $1 and slot >= $2::timestamptz and slot < $3::timestamptz ${where}
      and slot not in (select slot from pending)
    union all
    select pending.slot, ${columns.calls}, 1, case when status >= 400 then 1 else 0 end, bytes_in, bytes_out, cost
    from pending
    join usage_calls on organization_id = $1 and occurred_at >= pending.slot
      and occurred_at < pending.slot + interval '15 minutes' ${where}
  )`;

export const SUMS = `coalesce(sum(calls), 0)::bigint as calls, coalesce(sum(errors), 0)::bigint as errors,
  coalesce(sum(bytes_in), 0)::bigint as "bytesIn", coalesce(sum(bytes_out), 0)::bigint as "bytesOut",
  coalesce(sum(cost), 0)::bigint as cost`;

export const NO_CALLS: UsageCounts = { calls: 0, errors: 0, bytesIn: 0, bytesOut: 0, cost: 0 };
