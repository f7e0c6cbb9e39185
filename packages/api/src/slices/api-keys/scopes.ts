import { type Call, execute, type Statement } from '@rentapi/platform/database';
import { expandScope, type OrganizationPermission } from '../../contract/permissions.ts';
import type { Tenancy } from '../../data/tenant-model.ts';

export function permissionsOf(scopes: readonly string[]): ReadonlySet<OrganizationPermission> {
  return new Set(scopes.flatMap(expandScope));
}

/** What a key may do now; nothing, once it was revoked, disabled or has expired. */
export async function permissionsOfKey(
  ctx: { now: Date } & Tenancy,
  id: number,
): Promise<ReadonlySet<OrganizationPermission>> {
  const [key] = await execute<LiveKey>(ctx.db, ...findLiveKey(ctx, id));
  return key ? permissionsOf(key.scopes) : new Set();
}

export interface LiveKey {
  scopes: string[];
}

const LIVE_KEY: Statement = {
  name: 'live_key',
  text: `
    select scopes from api_keys
    where organization_id = $1 and id = $2 and revoked_at is null and enabled
      and (expires_at is null or expires_at > $3)`,
};

export const findLiveKey = ({ organization, now }: { now: Date } & Tenancy, id: number): Call => [
  LIVE_KEY,
  [organization.id, id, now],
];
