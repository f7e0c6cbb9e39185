import type { Logger } from '@rentapi/platform/logger';
import pg from 'pg';
import { type Loop, startLoop } from './loop.ts';

const BATCH = 1000;
// Any constant will do, as long as no other program takes the same advisory lock on this database.
const STAMPER_LOCK = 7_301_448;

/**
 * Transactions commit out of order, so a row's id is not its place: a reader that resumes after the highest id it saw would
 * miss rows that commit later. One process at a time therefore gives committed rows their `position`, and readers follow
 * that. Whoever holds the advisory lock is the one; it goes with the connection, which is also the one that stamps.
 */
const STAMP = (table: 'events' | 'audit_logs') => `
  with batch as (select id from ${table} where position is null order by id limit ${BATCH}),
  placed as (
    select id, coalesce((select max(position) from ${table}), 0) + row_number() over (order by id) as position from batch
  )
  update ${table} set position = placed.position from placed where ${table}.id = placed.id`;

export function startStamper(options: { url: string; log: Logger }): Loop {
  let leader: pg.Client | undefined;

  async function lead(): Promise<pg.Client | undefined> {
    const client = new pg.Client({
      connectionString: options.url,
      application_name: 'rentapi stamper',
      connectionTimeoutMillis: 5000,
      keepAlive: true,
    });
    client.on('error', () => drop(client)); // the lock went with the connection
    await client.connect();
    const { rows } = await client.query<{ ok: boolean }>('select pg_try_advisory_lock($1) as ok', [STAMPER_LOCK]);
    if (rows[0]?.ok) return client;
    await client.end();
    return undefined;
  }

  function drop(client: pg.Client): void {
    if (leader === client) leader = undefined;
    client.end().catch(() => {});
  }

  const loop = startLoop({
    name: 'stamper',
    everyMs: 1000,
    log: options.log,
    async round() {
      leader ??= await lead();
      if (!leader) return false; // another process leads
      try {
        const events = await leader.query(STAMP('events'));
        const audit = await leader.query(STAMP('audit_logs'));
        if (events.rowCount) await leader.query("select pg_notify('stamped', '')");
        return events.rowCount === BATCH || audit.rowCount === BATCH;
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
