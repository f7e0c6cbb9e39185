import { execute, type Knex, type Statement } from '@rentapi/platform/database';
import { type Loop, startLoop } from '@rentapi/platform/loop';
import type { Ports } from '../../../context.ts';
import { visibleEvents } from '../../../events/catalogue.ts';
import { patternsOf } from '../../../events/patterns.ts';
import { upsertDue } from './due.ts';

const BATCH = 1000;
/** Notifications wake it; this is for one that was lost. */
const UNNOTIFIED_MS = 15_000;

/**
 * Makes the deliveries of the next events and moves the cursor past them, in one transaction: each event once, with
 * any number of processes. An organization without webhooks costs nothing but the walk past its events.
 */
export const FAN_OUT: Statement = {
  name: 'fan_out_events',
  text: `
  /* across organizations */
  with place as (
    select position from webhook_cursor for update skip locked
  ), batch as (
    select e.id, e.organization_id, e.type, e.position, e.created_at, e.data
    from events e where e.position > (select position from place) -- no join: it would read every event there is
    order by e.position limit ${BATCH}
  ), made as (
    insert into webhook_deliveries (organization_id, webhook_id, event_id, event_type, status, due_at, created_at)
    select e.organization_id, w.id, e.id, e.type, 'PENDING', $2::timestamptz, e.created_at
    from batch e
    join jsonb_to_recordset($1) as t (type text, patterns text[]) on t.type = e.type
    join webhooks w on w.organization_id = e.organization_id and w.deleted_at is null and w.enabled
      and w.events && t.patterns and w.created_at <= e.created_at
    returning organization_id, id, webhook_id, event_id, event_type
  ), due as (${upsertDue('select organization_id, webhook_id, $2::timestamptz as at from made')}
  ), moved as (
    update webhook_cursor set position = (select max(position) from batch) where exists (select from batch)
  )
  select (select count(*)::integer from batch) as events,
         (select count(*)::integer from made) as deliveries,
         (select coalesce(jsonb_agg(jsonb_build_object(
            'organizationId', made.organization_id, 'id', made.id, 'webhookId', made.webhook_id, 'data', batch.data)), '[]')
          from made join batch on batch.id = made.event_id where made.event_type like 'webhook.%') as about,
         (select pg_notify('deliveries', '') from made limit 1)`,
};

interface Made {
  events: number;
  deliveries: number;
  /** Deliveries of events about webhooks. */
  about: { organizationId: number; id: number; webhookId: number; data: { id?: unknown; webhookId?: unknown } }[];
}

/** The types that webhooks can get, with the patterns of each, as the statement takes them. */
export const subscribableTypes = (eventTypes: Ports['eventTypes']): string =>
  JSON.stringify(visibleEvents(eventTypes).map(({ name }) => ({ type: name, patterns: patternsOf(name) })));

/** Turns events into deliveries to the webhooks that subscribe to them. */
export function startFanOut({ database, log, clock, ids, env, eventTypes }: Ports): Loop {
  const types = subscribableTypes(eventTypes);

  /** A webhook gets no events about itself: each delivery would be the next event. */
  async function removeOwn(db: Knex, { about }: Made): Promise<void> {
    for (const { organizationId, id, webhookId, data } of about) {
      const webhook = ids.encode('whk', webhookId);
      if (data.id === webhook || data.webhookId === webhook)
        await db('webhook_deliveries').where({ organizationId, webhookId, id, status: 'PENDING' }).delete();
    }
  }

  return startLoop({
    name: 'webhook events',
    everyMs: UNNOTIFIED_MS,
    log,
    round: () =>
      database.transaction(async (db) => {
        const firstDueAt = new Date(clock.now().getTime() + env.WEBHOOK_RETRY_SCHEDULE_S[0]! * 1000);
        const [made] = await execute<Made>(db, FAN_OUT, [types, firstDueAt]);
        await removeOwn(db, made!);
        return made!.events === BATCH;
      }),
  });
}
