import type { Knex } from '@rentapi/platform/database';
import type { Logger } from '@rentapi/platform/logger';
import { createLastUses, type LastUses } from '../../data/last-uses.ts';

/** When sessions were used last, in milliseconds: of each `Date` a minute of sessions would keep 100 bytes. */
export type LastSeen = LastUses<number>;

/** A session that is gone is left out. */
export function createLastSeen({ database, log }: { database: Knex; log: Logger }): LastSeen {
  return createLastUses({ of: 'sessions', log }, (uses) =>
    database.raw(
      `insert into session_uses (session_id, last_seen_at)
       select sessions.id, used.at from unnest(?::bigint[], ?::timestamptz[]) as used (id, at)
       join sessions on sessions.id = used.id order by sessions.id
       on conflict (session_id) do update set last_seen_at = greatest(session_uses.last_seen_at, excluded.last_seen_at)`,
      [uses.map(([id]) => id), uses.map(([, atMs]) => new Date(atMs))],
    ),
  );
}
