import { execute, isDivisionByZero, type Statement } from '@rentapi/platform/database';
import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { writeByDay } from '../../../data/day-partitions.ts';
import type { IngestedUsage, IngestUsage, UsageEvent } from '../schemas.ts';
import { type JudgedEvent, judgeEvents } from './judge.ts';
import { currentMeters, knownMeters } from './meters.ts';

/**
 * Writes a batch, which is committed with it. Of two batches with the same transaction the second waits for the first.
 * Each takes its transactions in their order, so that none waits for the other. One that was written with other content
 * divides by zero, which undoes the statement. Nothing is written if a meter was archived, a key is not ours, or the
 * session of the caller has ended meanwhile.
 */
const WRITE: Statement = {
  name: 'write_usage_events',
  text: `
    with given as (
      select * from unnest($2::text[], $3::bytea[], $4::bigint[], $5::timestamptz[], $6::numeric[], $7::text[], $8::text[], $9::bigint[])
        with ordinality as given (transaction_id, content_hash, meter_id, occurred_at, value, distinct_value, external_id, api_key_id, place)
    ), found as (
      select (select count(*) from meters where organization_id = $1 and id = any($10::bigint[]) and archived_at is null) as meters,
             (select count(*) from api_keys where organization_id = $1 and id = any($11::bigint[])) as keys,
             exists (select from sessions where id = $14 and revoked_at is not null) as has_ended
    ), claimed as (
      insert into usage_transactions (organization_id, transaction_id, content_hash, received_at)
      select $1, transaction_id, content_hash, $12 from given, found
      where found.meters = cardinality($10::bigint[]) and found.keys = cardinality($11::bigint[]) and not has_ended
      order by transaction_id collate "C"
      on conflict (organization_id, transaction_id) do update set received_at = excluded.received_at
        where 1 / (usage_transactions.content_hash = excluded.content_hash)::integer = 0
      returning transaction_id
    ), added as (
      insert into usage_events (organization_id, meter_id, occurred_at, transaction_id, value, distinct_value, external_id, api_key_id, environment)
      select $1, meter_id, occurred_at, transaction_id, value, distinct_value, external_id, api_key_id, $13
      from given join claimed using (transaction_id)
      order by place
      returning 1
    )
    select found.meters = cardinality($10::bigint[]) as "areMetersLive", found.keys = cardinality($11::bigint[]) as "areKeysOurs",
           has_ended as "hasEnded", (select count(*)::integer from added) as added
    from found`,
};

interface Written {
  areMetersLive: boolean;
  areKeysOurs: boolean;
  /** The caller's session. */
  hasEnded: boolean;
  added: number;
}

/** Answers once the events are committed: what is billed is never in a buffer. */
export async function ingestUsage(ctx: OrganizationContext, { events }: IngestUsage): Promise<IngestedUsage> {
  const judged = await judgeByMeters(ctx, events);
  const { areMetersLive, areKeysOurs, hasEnded, added } = await write(ctx, judged);
  if (hasEnded) throw new ApiError('session_revoked');
  if (!areKeysOurs) throw await unknownKeys(ctx, judged);
  if (!areMetersLive) {
    judgeEvents(ctx, events, await currentMeters(ctx));
    throw new ApiError('meter_archived');
  }
  return { accepted: added, duplicates: events.length - added };
}

/** A meter that the cache does not know may have been created just now. */
async function judgeByMeters(ctx: OrganizationContext, events: readonly UsageEvent[]): Promise<JudgedEvent[]> {
  const known = await knownMeters(ctx);
  const meters = events.every(({ meter }) => known.get(meter)?.isArchived === false) ? known : await currentMeters(ctx);
  return judgeEvents(ctx, events, meters);
}

async function write(ctx: OrganizationContext, events: readonly JudgedEvent[]): Promise<Written> {
  const moments = events.map(({ occurredAt }) => new Date(occurredAt));
  try {
    return await writeByDay(ctx.db, 'usage_events', moments, () => writeOnce(ctx, events));
  } catch (error) {
    if (isDivisionByZero(error)) throw await reused(ctx, events);
    throw error;
  }
}

async function writeOnce(ctx: OrganizationContext, events: readonly JudgedEvent[]): Promise<Written> {
  const [written] = await execute<Written>(ctx.db, WRITE, [
    ctx.organization.id,
    events.map(({ transactionId }) => transactionId),
    events.map(({ contentHash }) => contentHash),
    events.map(({ meterId }) => meterId),
    events.map(({ occurredAt }) => occurredAt),
    events.map(({ value }) => value),
    events.map(({ distinctValue }) => distinctValue),
    events.map(({ externalId }) => externalId),
    events.map(({ keyId }) => keyId),
    distinct(events.map(({ meterId }) => meterId)),
    keysOf(events),
    ctx.now,
    ctx.actor.kind === 'key' ? ctx.actor.key.environment : 'live',
    ctx.actor.kind === 'user' ? ctx.actor.session.id : null,
  ]);
  return written!; // the statement selects one row
}

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];
const keysOf = (events: readonly JudgedEvent[]): number[] => distinct(events.flatMap(({ keyId }) => keyId ?? []));

const FIND_REUSED: Statement = {
  text: `
    select place::integer - 1 as place
    from unnest($2::text[], $3::bytea[]) with ordinality as given (transaction_id, content_hash, place)
    join usage_transactions written on written.organization_id = $1 and written.transaction_id = given.transaction_id
    where written.content_hash <> given.content_hash
    order by place`,
};

async function reused(ctx: OrganizationContext, events: readonly JudgedEvent[]): Promise<ApiError> {
  const rows = await execute<{ place: number }>(ctx.db, FIND_REUSED, [
    ctx.organization.id,
    events.map(({ transactionId }) => transactionId),
    events.map(({ contentHash }) => contentHash),
  ]);
  return new ApiError('transaction_id_reused', {
    errors: rows.map(({ place }) => ({
      path: `events.${events[place]!.at}.transactionId`,
      message: 'is that of an earlier event, which is different',
    })),
  });
}

const FIND_KEYS: Statement = {
  text: 'select id::text from api_keys where organization_id = $1 and id = any($2::bigint[])',
};

async function unknownKeys(ctx: OrganizationContext, events: readonly JudgedEvent[]): Promise<ApiError> {
  const rows = await execute<{ id: string }>(ctx.db, FIND_KEYS, [ctx.organization.id, keysOf(events)]);
  const ours = new Set(rows.map(({ id }) => Number(id)));
  return new ApiError('not_found', {
    errors: events
      .filter(({ keyId }) => keyId !== null && !ours.has(keyId))
      .map(({ at }) => ({ path: `events.${at}.keyId`, message: 'is no key of the organization' })),
  });
}
