import { execute, executeTogether, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { toModel } from '../../../data/rows.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { record } from '../../../events/record.ts';
import { OrganizationModel } from '../../organizations/model.ts';
import { CreditsGranted, CreditsRevoked } from '../events.ts';
import { CreditGrantModel } from '../model.ts';
import type { CreditGrant } from '../schemas.ts';

/** What is done to the ledger apart from spending. Each is part of the caller's transaction, and announced with it. */

interface Grant {
  source: CreditGrant['source'];
  /** What grants them: of one source, a key grants once. */
  key: string;
  credits: number;
  /** What is spent first has the lowest. */
  priority: number;
  expiresAt?: Date | undefined;
  reason?: string;
}

const GRANT: Statement = { name: 'credit_grant', text: 'select credit_grant($1, $2, $3, $4, $5, $6, $7, $8) as id' };
const GRANTED: Statement = {
  name: 'granted_credits',
  text: 'select * from credit_grants where organization_id = $1 and source = $2 and source_key = $3',
};
const DEDUCT: Statement = { text: 'select credit_deduct($1, $2, $3, $4, $5) as removed' };
const TAKE_BACK: Statement = { text: 'select removed, owed from credit_take_back($1, $2, $3, $4, $5)' };
const FREEZE: Statement = { text: 'select credit_freeze($1, $2, $3, $4)' };
const THAW: Statement = { text: 'select credit_thaw($1, $2, $3, $4)' };
const AVAILABLE: Statement = {
  name: 'credits_available',
  text: 'select available from credit_balances where organization_id = $1',
};

/** Whether they were granted now. False: they were before. */
export async function grantCredits(ctx: Context & Tenancy, grant: Grant): Promise<boolean> {
  const { source, key, credits, priority, expiresAt, reason = null } = grant;
  const values = [ctx.organization.id, source, key, credits, priority, expiresAt ?? 'infinity', ctx.now, reason];
  const [[made], [row], [balance]] = await executeTogether<[{ id: number | null }, object, { available: number }]>(
    ctx.db,
    [
      [GRANT, values],
      [GRANTED, [ctx.organization.id, source, key]],
      [AVAILABLE, [ctx.organization.id]],
    ],
  );
  if (made?.id == null) return false;
  const target = toModel(CreditGrantModel, row!);
  const organizationId = ctx.ids.encode('org', ctx.organization.id);
  const data = { organizationId, source, credits, available: balance!.available };
  await record(ctx, CreditsGranted, { target, after: target, data });
  return true;
}

/** Removes exactly as many as are wanted, or none: then false. */
export async function deductCredits(
  ctx: Context & Tenancy,
  { key, credits, reason }: { key: string; credits: number; reason: string },
): Promise<boolean> {
  const [row] = await execute<{ removed: number }>(ctx.db, DEDUCT, [
    ctx.organization.id,
    key,
    credits,
    ctx.now,
    reason,
  ]);
  if (row!.removed < credits) return false;
  const target = await OrganizationModel.query(ctx.db).findById(ctx.organization.id).throwIfNotFound();
  const data = { organizationId: ctx.ids.encode('org', target.id), credits, available: await availableCredits(ctx) };
  await record(ctx, CreditsRevoked, { target, data });
  return true;
}

type GrantName = Pick<Grant, 'source' | 'key'>;

/**
 * Takes credits of a grant back until that many have been in all, once. What was spent of them is taken of others, or
 * owed: the next credits make up for it first.
 */
export async function takeBackCredits(
  ctx: Context & Tenancy,
  { source, key, credits }: GrantName & { credits: number },
): Promise<void> {
  const [taken] = await execute<{ removed: number | null }>(ctx.db, TAKE_BACK, [
    ctx.organization.id,
    source,
    key,
    credits,
    ctx.now,
  ]);
  if (!taken?.removed) return;
  const target = await OrganizationModel.query(ctx.db).findById(ctx.organization.id).throwIfNotFound();
  const organizationId = ctx.ids.encode('org', target.id);
  const data = { organizationId, credits: Number(taken.removed), available: await availableCredits(ctx) };
  await record(ctx, CreditsRevoked, { target, data });
}

/** While their payment is disputed, what is left of them cannot be spent. */
export async function freezeCredits({ db, organization, now }: Context & Tenancy, { source, key }: GrantName) {
  await execute(db, FREEZE, [organization.id, source, key, now]);
}

export async function thawCredits({ db, organization, now }: Context & Tenancy, { source, key }: GrantName) {
  await execute(db, THAW, [organization.id, source, key, now]);
}

export async function availableCredits({ db, organization }: Tenancy): Promise<number> {
  const [balance] = await execute<{ available: number }>(db, AVAILABLE, [organization.id]);
  return balance?.available ?? 0;
}
