import { execute, type Knex, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { transaction } from '../../../data/transaction.ts';
import type { RunControl } from '../../../jobs/job.ts';
import { type Fault, faultsOf, nextOrganizations, PAGE } from './faults.ts';
import { compareMovements } from './movements.ts';

/** Of one run, so that a large deployment is checked in parts, and a small one each minute. */
const MAX_PAGES = 20;
const MAX_MS = 5000;

const NEXT_PART: Statement = { text: 'select after from billing_checks for update' };

const PART_CHECKED: Statement = {
  text: 'update billing_checks set after = $1, began_at = coalesce(began_at, $2)',
};
const ROUND_CHECKED: Statement = {
  text: 'update billing_checks set after = 0, began_at = null, checked_at = coalesce(began_at, $1)',
};

/** Goes on with the check of all organizations where the last run has stopped. */
export async function verifyBooks(ctx: Context, { signal, touch }: RunControl): Promise<void> {
  const late = AbortSignal.timeout(MAX_MS);
  for (let page = 0, more = true; more && page < MAX_PAGES && !late.aborted; page++, touch()) {
    more = !signal.aborted && (await transaction(ctx, verifyPart));
  }
}

/** Whether there is more of this round. */
async function verifyPart(ctx: Context): Promise<boolean> {
  const { db, now } = ctx;
  const [state] = await execute<{ after: number }>(db, NEXT_PART, []);
  const organizations = await nextOrganizations(db, state!.after);
  if (organizations.length > 0) {
    await keepFaults(db, organizations, await faultsOf(db, organizations, now), now);
    await compareMovements(ctx, organizations);
  }
  const isLast = organizations.length < PAGE;
  if (isLast) await execute(db, ROUND_CHECKED, [now]);
  else await execute(db, PART_CHECKED, [organizations.at(-1), now]);
  return !isLast;
}

const CORRECTED: Statement = {
  text: `
    /* across organizations */
    delete from billing_faults where organization_id = any ($1)
      and not exists (select from unnest($2::text[], $3::bigint[]) still (kind, organization)
        where still.kind = billing_faults.kind and still.organization = billing_faults.organization_id)`,
};
const SEEN: Statement = {
  text: `
    /* across organizations */
    insert into billing_faults as fault (kind, organization_id, count, found_at, seen_at)
    select kind, organization, count, $4, $4 from unnest($1::text[], $2::bigint[], $3::bigint[]) seen (kind, organization, count)
    on conflict (organization_id, kind) do update set count = excluded.count, seen_at = excluded.seen_at`,
};

async function keepFaults(db: Knex, organizations: readonly number[], faults: readonly Fault[], now: Date) {
  const kinds = faults.map(({ kind }) => kind);
  const owners = faults.map(({ organizationId }) => organizationId);
  await execute(db, CORRECTED, [organizations, kinds, owners]);
  if (faults.length > 0) await execute(db, SEEN, [kinds, owners, faults.map(({ count }) => count), now]);
}
