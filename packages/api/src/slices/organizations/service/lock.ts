import type { Statement } from '@rentapi/platform/database';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { executeSoon, oncePerTransaction } from '../../../data/transaction.ts';
import { organizationOnce } from './find.ts';

const LOCK: Statement = {
  name: 'lock_row_of_organization',
  text: 'select 1 from organizations where id = $1 for no key update',
};

/**
 * Serializes what must not happen twice at once in an organization, until the caller's transaction ends. It is locked
 * before rows of its own are, as `lockAuthority` does, so that no two transactions wait for each other.
 */
export async function lockOrganization(tenancy: Tenancy): Promise<void> {
  await lockOnce(tenancy, tenancy.organization.id);
}

/** The caller has locked it in this transaction, by a statement for several. */
export function keepLock(tenancy: Tenancy): void {
  lockOnce.keep(tenancy, tenancy.organization.id, undefined);
}

const lockOnce = oncePerTransaction((tenancy: Tenancy, id: number) => {
  organizationOnce.forget(tenancy, id);
  return executeSoon(tenancy.db, LOCK, [id]);
});
