import type { Knex } from '@rentapi/platform/database';
import type { Logger } from '@rentapi/platform/logger';
import type { Context } from '../../context.ts';
import { isoOrNull } from '../../contract/common-schemas.ts';
import { createLastUses, type LastUses } from '../../data/last-uses.ts';
import type { Tenancy } from '../../data/tenant-model.ts';
import { ApiKeyModel } from './model.ts';
import type { ApiKey } from './schemas.ts';

export interface KeyUse {
  organizationId: number;
  at: Date;
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
        uses.map(([, { at }]) => at),
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

/** The keys of the organization with their last uses. Both tables compare it: else the index of one is not used. */
export function usedKeys(ctx: Tenancy, columns: readonly (keyof ApiKeyModel)[]) {
  return ApiKeyModel.of(ctx)
    .leftJoin('apiKeyUses as uses', (join) =>
      join.on('uses.apiKeyId', 'apiKeys.id').andOnVal('uses.organizationId', ctx.organization.id),
    )
    .select(...columns.map((column) => `apiKeys.${column}`), 'uses.lastUsedAt', 'uses.lastUsedIp')
    .castTo<UsedKey[]>();
}

export const lastUse = (ctx: Context, key: UsedKey): Pick<ApiKey, 'lastUsedAt' | 'lastUsedIp'> => {
  const pending = ctx.ports.keyUses.pending(key.id);
  return { lastUsedAt: isoOrNull(pending?.at ?? key.lastUsedAt), lastUsedIp: pending?.ip ?? key.lastUsedIp };
};

export const NEVER_USED = { lastUsedAt: null, lastUsedIp: null };
