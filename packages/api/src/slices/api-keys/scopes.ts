import { expandScope, type OrganizationPermission } from '../../contract/permissions.ts';
import type { Tenancy } from '../../data/tenant-model.ts';
import { ApiKeyModel } from './model.ts';

export function permissionsOf(scopes: readonly string[]): ReadonlySet<OrganizationPermission> {
  return new Set(scopes.flatMap(expandScope));
}

/** What a key may do now; nothing, once it was revoked or has expired. */
export async function permissionsOfKey(
  ctx: { now: Date } & Tenancy,
  id: number,
): Promise<ReadonlySet<OrganizationPermission>> {
  const key = await ApiKeyModel.of(ctx).findOne({ id });
  const live = key && !key.revokedAt && !(key.expiresAt && key.expiresAt <= ctx.now);
  return live ? permissionsOf(key.scopes) : new Set();
}
