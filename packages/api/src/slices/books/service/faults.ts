import { execute, type Knex, type Statement } from '@rentapi/platform/database';
import type { FaultKind } from '../schemas.ts';
import { CHECKS } from './checks.ts';

export interface Fault {
  kind: FaultKind;
  /** Null where it is of no single organization. */
  organizationId: number | null;
  count: number;
}

/** So many organizations in one statement, so that none takes longer than a statement may. */
export const PAGE = 300;

const NEXT: Statement = {
  text: `
    /* across organizations */
    select organization_id as id from (
      (select organization_id from credit_balances where organization_id > $1 order by 1 limit $2)
      union
      (select distinct organization_id from journal_entries where organization_id > $1 order by 1 limit $2)
      union
      (select distinct organization_id from payments where organization_id > $1 order by 1 limit $2)
      union
      (select distinct organization_id from invoices where organization_id > $1 order by 1 limit $2)
      union
      (select distinct organization_id from subscriptions where organization_id > $1 order by 1 limit $2)
    ) next order by 1 limit $2`,
};

/** The next organizations that have books; fewer than a page are the last. */
export async function nextOrganizations(db: Knex, after: number): Promise<number[]> {
  return (await execute<{ id: number }>(db, NEXT, [after, PAGE])).map(({ id }) => id);
}

export async function faultsOf(
  db: Knex,
  organizations: readonly number[],
  now: Date,
  checks = CHECKS,
): Promise<Fault[]> {
  const found: Fault[] = [];
  for (const check of checks) {
    const values = [organizations, ...(check.isTimed ? [now] : [])];
    found.push(...(await execute<Fault>(db, check, values)));
  }
  return found;
}

const MAX_LISTED = 1000;

/** What does not add up in the books of all organizations, up to so many: empty when all is well. */
export async function findBillingFaults(db: Knex, now: Date): Promise<Fault[]> {
  const found: Fault[] = [];
  for (let after = 0; found.length < MAX_LISTED; ) {
    const page = await nextOrganizations(db, after);
    if (page.length > 0) found.push(...(await faultsOf(db, page, now)));
    if (page.length < PAGE) break;
    after = page.at(-1)!;
  }
  return found;
}
