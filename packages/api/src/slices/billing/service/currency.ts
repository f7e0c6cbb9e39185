import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { change } from '../../../data/base-model.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { oncePerTransaction } from '../../../data/transaction.ts';
import { BillingAccountModel } from '../model.ts';

const ADD: Statement = {
  text: `
    insert into billing_accounts (organization_id, version, created_at, updated_at) values ($1, 0, $2, $2)
    on conflict (organization_id) do nothing`,
};

/** Locks who is billed. Of two that pay or are billed first at once, the second waits and finds the currency. */
export async function lockBillingAccount(ctx: Context & Tenancy): Promise<BillingAccountModel> {
  const find = () => BillingAccountModel.find(ctx, {}, 'for update');
  const found = await find();
  if (found) return found;
  await execute(ctx.db, ADD, [ctx.organization.id, ctx.now]);
  return (await find())!; // it is there now, and this transaction holds it
}

/** The same once in a transaction: a caller who knows that it will be needed asks for it early, with others. */
export const lockAccountOnce = (ctx: Context & Tenancy): Promise<BillingAccountModel> =>
  accountOnce(ctx, ctx.organization.id);

const accountOnce = oncePerTransaction((ctx: Context & Tenancy, _organizationId: number) => lockBillingAccount(ctx));

/** The same, where something is paid or billed: the first decides the currency of all that follow. */
export async function fixCurrency(ctx: Context & Tenancy, currency: string): Promise<BillingAccountModel> {
  const account = await lockAccountOnce(ctx);
  if (account.currency === null) {
    const fixed = await change(ctx, account, { currency });
    accountOnce.keep(ctx, ctx.organization.id, fixed);
    return fixed;
  }
  if (account.currency === currency) return account;
  throw new ApiError('currency_fixed', {
    detail: `This organization pays in ${account.currency}, which its first payment or invoice has decided; ${currency} is not possible.`,
  });
}

/** The currency in which the organization pays; null before its first payment or invoice. */
export async function currencyOf(ctx: Tenancy): Promise<string | null> {
  return (await findBillingAccount(ctx))?.currency ?? null;
}

/** Who is billed; undefined where nothing is known yet. */
export async function findBillingAccount(ctx: Tenancy): Promise<BillingAccountModel | undefined> {
  return BillingAccountModel.find(ctx, {});
}
