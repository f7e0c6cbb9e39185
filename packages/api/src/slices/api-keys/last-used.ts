import type { Knex } from '@rentapi/platform/database';
import type { Logger } from '@rentapi/platform/logger';
import type { Context } from '../../context.ts';
import { isoOrNull } from '../../contract/common-schemas.ts';
import type { QueriedRows } from '../../contract/pagination.ts';
import { createLastUses, type LastUses } from '../../data/last-uses.ts';
import { columnsOf, rowsOfStatement } from '../../data/rows.ts';
import type { Tenancy } from '../../data/tenant-model.ts';
import { ApiKeyModel } from './model.ts';
import type { ApiKey } from './schemas.ts';

export interface KeyUse {
  organizationId: number;
  atMs: number;
  ip: string;
}

/** When and from where keys were used last. */
export type KeyUses = LastUses<KeyUse>;

/** A key that is gone is left out, and the newest use of several processes stays. */
export function createKeyUses({ database, log }: { database: Knex; log: Logger }): KeyUses {
  return createLastUses({ of: 'API keys', log }, (uses) =>
    database.raw(
      `/* across organizations */
       insert into api_key_uses as known (organization_id, api_key_id, last_used_at, last_used_ip)
       select k.organization_id, k.id, used.at, used.ip
       from unnest(?::bigint[], ?::bigint[], ?::timestamptz[], ?::text[]) as used (organization_id, id, at, ip)
       join api_keys k on k.organization_id = used.organization_id and k.id = used.id
       order by k.id
       on conflict (organization_id, api_key_id) do update
       set last_used_at = excluded.last_used_at, last_used_ip = excluded.last_used_ip
       where known.last_used_at < excluded.last_used_at`,
      [
        uses.map(([, { organizationId }]) => organizationId),
        uses.map(([id]) => id),
        uses.map(([, { atMs }]) => new Date(atMs)),
        uses.map(([, { ip }]) => ip),
      ],
    ),
  );
}

/** A key as its table and its last use describe it. */
export interface UsedKey extends ApiKeyModel {
  lastUsedAt: Date | null;
  lastUsedIp: string | null;
}

/** Both tables compare the organization: else the index of one is not used. */
const selectWithUse = (fields: readonly (keyof ApiKeyModel)[]): string => `
  select ${columnsOf('k', fields)}, uses.last_used_at, uses.last_used_ip
  from api_keys k left join api_key_uses uses on uses.api_key_id = k.id and uses.organization_id = $1
  where k.organization_id = $1`;

/** Not the hash of the secret. */
const SHOWN: (keyof ApiKeyModel)[] = ['id', 'createdBy', ...ApiKeyModel.prototype.facts.keep];
const SELECT_SHOWN = selectWithUse(SHOWN);
const SELECT_ALL = selectWithUse([...SHOWN, 'organizationId', 'secretHash']);

/** What is shown of the organization's keys. */
export const usedKeys = ({ db, organization }: Tenancy): QueriedRows<UsedKey> =>
  rowsOfStatement<ApiKeyModel, UsedKey>(db, ApiKeyModel, SELECT_SHOWN, [organization.id]);

export async function findUsedKey({ db, organization }: Tenancy, id: number): Promise<UsedKey | undefined> {
  const keys = rowsOfStatement<ApiKeyModel, UsedKey>(db, ApiKeyModel, SELECT_ALL, [organization.id]);
  keys.where('id', '=', id);
  return (await keys.read(1))[0];
}

export const lastUse = (ctx: Context, key: UsedKey): Pick<ApiKey, 'lastUsedAt' | 'lastUsedIp'> => {
  const pending = ctx.ports.keyUses.pending(key.id);
  return {
    lastUsedAt: isoOrNull(pending ? new Date(pending.atMs) : key.lastUsedAt),
    lastUsedIp: pending?.ip ?? key.lastUsedIp,
  };
};

export const NEVER_USED = { lastUsedAt: null, lastUsedIp: null };
