import { execute, executeRows, type Statement } from '@rentapi/platform/database';
import type { OrganizationContext } from '../../../context.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import { rowsOf, toModels } from '../../../data/rows.ts';
import { CreditEntryModel, CreditGrantModel } from '../model.ts';
import { type CreditBalance, type CreditEntryPage, type ListCredits, MAX_GRANTS } from '../schemas.ts';

/** What has expired counts no more, also where that is not written yet. */
const BALANCE: Statement = {
  text: `
    select balance.available - expired.credits as available, balance.held, balance.debt as owed
    from credit_balances balance,
    lateral (
      select coalesce(sum(case when id = balance.head_id then balance.head_left else remaining end), 0)::bigint as credits
      from credit_grants where organization_id = $1 and remaining > 0 and expires_at <= $2
    ) expired
    where balance.organization_id = $1`,
};

/** The balance says what is left of the grant that is being spent. */
const GRANTS: Statement = {
  text: `
    select made.organization_id, made.id, source, source_key, amount, frozen, priority, expires_at, created_at, revoked_at,
           case when made.id = balance.head_id then balance.head_left else remaining end as remaining
    from credit_grants made join credit_balances balance on balance.organization_id = $1
    where made.organization_id = $1 and (remaining > 0 or frozen > 0) and expires_at > $2
      and (made.id <> balance.head_id or balance.head_left > 0 or frozen > 0 or balance.head_id is null)
    order by priority, expires_at, made.id limit $3`,
};

export async function getCredits(ctx: OrganizationContext): Promise<CreditBalance> {
  const { organization, now, db } = ctx;
  const [balance] = await execute<Omit<CreditBalance, 'grants'>>(db, BALANCE, [organization.id, now]);
  const grants = await executeRows(db, GRANTS, [organization.id, now, MAX_GRANTS]);
  return {
    ...(balance ?? { available: 0, held: 0, owed: 0 }),
    grants: toModels(CreditGrantModel, grants).map((grant) => grant.present(ctx.ids)),
  };
}

export async function listCredits(ctx: OrganizationContext, input: ListCredits): Promise<CreditEntryPage> {
  const list = { name: 'credits', of: ctx.organization.id };
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, rowsOf(CreditEntryModel.of(ctx)));
  return { items: rows.map((entry) => entry.present(ctx.ids)), nextCursor };
}
