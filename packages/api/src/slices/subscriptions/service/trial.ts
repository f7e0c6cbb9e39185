import type { ProviderName } from '@rentapi/payments/payment-provider';
import { execute, type Statement } from '@rentapi/platform/database';
import type { Sold } from '../../plans/service/read.ts';
import type { TenantContext } from './move.ts';
import { savedMethodOf } from './saved-method.ts';

const DAY_MS = 86_400_000;

const fingerprintOf = async (ctx: TenantContext, provider: ProviderName): Promise<string | null> =>
  (await savedMethodOf(ctx, provider))?.fingerprint ?? null;

const CLAIM: Statement = {
  text: `
    insert into used_trials (organization_id, fingerprint, created_at) values ($1, $2, $3)
    on conflict do nothing returning organization_id`,
};
const USED: Statement = {
  text: `
    /* across organizations */
    select from used_trials where organization_id = $1 or fingerprint = $2`,
};

/** When a trial that begins now ends; null where the plan has none, or the organization or its card had one. */
export async function trialEndOf(
  ctx: TenantContext,
  { trialDays }: Sold['plan'],
  provider: ProviderName,
): Promise<Date | null> {
  if (trialDays === 0) return null;
  const used = await execute(ctx.db, USED, [ctx.organization.id, await fingerprintOf(ctx, provider)]);
  return used.length > 0 ? null : new Date(ctx.now.getTime() + trialDays * DAY_MS);
}

/** The same, and it counts as used from now on. Of two at once, one gets it. */
export async function claimTrial(ctx: TenantContext, plan: Sold['plan'], provider: ProviderName): Promise<Date | null> {
  const end = await trialEndOf(ctx, plan, provider);
  if (!end) return null;
  const claimed = await execute(ctx.db, CLAIM, [ctx.organization.id, await fingerprintOf(ctx, provider), ctx.now]);
  return claimed.length > 0 ? end : null;
}
