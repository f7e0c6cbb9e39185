import { ADVISORY_LOCKS } from '@rentapi/platform/advisory-locks';
import { createSession, type Session } from '@rentapi/platform/database/session';
import type { Logger } from '@rentapi/platform/logger';
import { type Loop, startLoop } from '@rentapi/platform/loop';

const BATCH = 1000;
/** The leader sends a query each second: a longer silence means that its connection is lost. */
const SILENT_MS = 10_000;

/**
 * Transactions commit out of order: a reader that resumes after the highest id it saw would miss rows that commit
 * later. So one process at a time, the leader, gives committed rows their `position`, and readers follow that. The
 * leader holds an advisory lock and writes positions over the same connection, so it loses both together. All
 * is one statement, because an idle leader runs it every second.
 */
const SEQUENCE = `
  /* across organizations */
  with batch as (select id from events where position is null order by id limit ${BATCH}),
  placed as (
    select id, coalesce((select max(position) from events), 0) + row_number() over (order by id) as position from batch
  ),
  stamped as (
    update events set position = placed.position from placed where events.id = placed.id returning events.id
  )
  select (select count(*)::integer from stamped) as events,
         -- Audit rows get their position and link in a function of their owner: who serves may not change them.
         sequence_audit_logs(${BATCH})::integer as entries,
         (select pg_notify('sequenced', '') from stamped limit 1) as notified`;

export function startSequencer(options: { url: string; log: Logger }): Loop {
  let leader: Session | undefined;

  async function lead(): Promise<Session | undefined> {
    const client = createSession({ url: options.url, applicationName: 'rentapi sequencer', silentMs: SILENT_MS });
    client.on('error', () => drop(client)); // the lock was lost with the connection
    await client.connect();
    const { rows } = await client.query<{ ok: boolean }>('select pg_try_advisory_lock($1) as ok', [
      ADVISORY_LOCKS.sequencer,
    ]);
    if (rows[0]?.ok) return client;
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
        const { rows } = await leader.query<{ events: number; entries: number }>(SEQUENCE);
        return rows[0]!.events === BATCH || rows[0]!.entries === BATCH;
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
