import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { iso, isoOrNull } from '../../../contract/common-schemas.ts';
import { type BillingBooks, MAX_FAULTS } from '../schemas.ts';
import type { Fault } from './faults.ts';

const CHECKED: Statement = { text: 'select checked_at as "checkedAt" from billing_checks' };
const FAULTS: Statement = {
  text: `
    /* across organizations */
    select kind, organization_id as "organizationId", count, found_at as "foundAt", seen_at as "seenAt"
    from billing_faults order by found_at desc, kind, organization_id limit $1`,
};

/** What the last check has found. */
export async function getBooks(ctx: Context): Promise<BillingBooks> {
  const [state] = await execute<{ checkedAt: Date | null }>(ctx.db, CHECKED, []);
  const faults = await execute<Fault & { foundAt: Date; seenAt: Date }>(ctx.db, FAULTS, [MAX_FAULTS]);
  const checkedAt = state?.checkedAt ?? null;
  return {
    balanced: faults.length > 0 ? false : checkedAt === null ? null : true,
    checkedAt: isoOrNull(checkedAt),
    faults: faults.map(({ organizationId, foundAt, seenAt, ...fault }) => ({
      ...fault,
      organizationId: organizationId === null ? null : ctx.ids.encode('org', organizationId),
      foundAt: iso(foundAt),
      seenAt: iso(seenAt),
    })),
  };
}
