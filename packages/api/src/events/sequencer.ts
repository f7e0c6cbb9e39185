import { ADVISORY_LOCKS } from '@rentapi/platform/advisory-locks';
import { createSession, type Session } from '@rentapi/platform/database/session';
import type { Logger } from '@rentapi/platform/logger';
import { type Loop, startLoop } from '@rentapi/platform/loop';

const BATCH = 1000;
/** The leader sends a query each second: a longer silence means that its connection is lost. */
const SILENT_MS = 10_000;

/** What a notification may hold, in bytes; and for how many events it is tried. */
const NOTIFIED_BYTES = 8000;
const NOTIFIED_EVENTS = 20;

/**
 * Transactions commit out of order: a reader that resumes after the highest id it saw would miss rows that commit
 * later. So one process at a time, the leader, gives committed rows their `position`, and readers follow that. The
 * leader holds an advisory lock and writes positions over the same connection, so it loses both together. All
 * is one statement, because an idle leader runs it every second. Few small events are in the notification itself, so
 * that readers need not ask for them; those of no organization have no readers.
 */
export const SEQUENCE = {
  name: 'sequence_events',
  text: `
  /* across organizations */
  with batch as (select id from events where position is null order by id limit ${BATCH}),
  placed as (
    select id, nth, nth + (select coalesce(max(position), 0) from events) as position
    from (select id, row_number() over (order by id) as nth from batch) numbered
  ),
  stamped as (
    update events set position = placed.position from placed
    where events.id = any (array(select id from batch)) and events.id = placed.id
    returning events.*, placed.nth
  )
  select count, notification, exists (select from audit_logs where position is null) as entries,
         exists (select from outbox) as waiting,
         case when count > 0 then pg_notify('sequenced', notification) end as notified
  from (
    select count, case when count <= ${NOTIFIED_EVENTS} and octet_length(events) < ${NOTIFIED_BYTES} then events else '' end as notification
    from (
      select count(*)::integer as count,
             json_agg(json_build_object(
               'id', id, 'position', position, 'organizationId', organization_id, 'type', type,
               'data', case when organization_id is not null then data end,
               'createdAtMs', floor(extract(epoch from created_at) * 1000)
             ) order by position) filter (where nth <= ${NOTIFIED_EVENTS})::text as events
      from stamped
    ) made
  ) sequenced`,
};

/**
 * What has no position is found in its own index, by a scan that forgets rows that are gone: by others each round would
 * read again what was sequenced since the last vacuum. So the statements can be planned once.
 */
export const PLANNING = 'set enable_seqscan = off; set enable_bitmapscan = off';

/** Audit rows get their position and link in a function of their owner: who serves may not change them. */
const SEQUENCE_AUDIT_LOGS = {
  name: 'sequence_audit_logs',
  text: `/* across organizations */ select sequence_audit_logs(${BATCH})::integer as entries`,
};

interface Sequenced {
  count: number;
  /** What readers are notified of. */
  notification: string;
  entries: boolean;
  /** Whether the outbox has work, of which a notification may have been lost. */
  waiting: boolean;
}

/**
 * `onSequenced` is for readers of the same process: it gets what the others get, and sooner. `onWaiting` is called each
 * second while the outbox has work: one process asks for all.
 */
export function startSequencer(options: {
  url: string;
  log: Logger;
  onSequenced?: ((notification: string) => void) | undefined;
  onWaiting: () => void;
}): Loop {
  let leader: Session | undefined;

  async function lead(): Promise<Session | undefined> {
    const client = createSession({ url: options.url, applicationName: 'rentapi sequencer', silentMs: SILENT_MS });
    client.on('error', () => drop(client)); // the lock was lost with the connection
    await client.connect();
    const { rows } = await client.query<{ ok: boolean }>('select pg_try_advisory_lock($1) as ok', [
      ADVISORY_LOCKS.sequencer,
    ]);
    if (rows[0]?.ok) {
      await client.query(PLANNING);
      return client;
    }
    await client.end();
    return undefined;
  }

  function drop(client: Session): void {
    if (leader === client) leader = undefined;
    client.end().catch(() => {});
  }

  const loop = startLoop({
    name: 'sequencer',
    everyMs: 1000,
    log: options.log,
    async round() {
      leader ??= await lead();
      if (!leader) return false; // another process leads
      try {
        const [sequenced] = (await leader.query<Sequenced>(SEQUENCE)).rows;
        const { count, notification, entries, waiting } = sequenced!;
        if (waiting) options.onWaiting();
        if (count > 0) options.onSequenced?.(notification);
        if (!entries) return count === BATCH;
        const [audited] = (await leader.query<{ entries: number }>(SEQUENCE_AUDIT_LOGS)).rows;
        return count === BATCH || audited!.entries === BATCH;
      } catch (error) {
        if (leader) drop(leader);
        throw error;
      }
    },
  });

  return {
    wake: loop.wake,
    async stop() {
      await loop.stop();
      await leader?.end().catch(() => {});
    },
  };
}
