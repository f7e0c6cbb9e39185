import type { PaymentProvider, ProviderName } from '@rentapi/payments/payment-provider';
import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { findRow } from '../../../data/rows.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { PaymentCustomerModel } from '../model.ts';

/** A call or a job in an organization. */
export type TenantContext = Context & Tenancy;

const BEGIN: Statement = {
  text: `
    insert into payment_customers (organization_id, provider, created_at) values ($1, $2, $3)
    on conflict (organization_id, provider) do nothing`,
};

/** The first one decides: there are never two. */
const KEEP: Statement = {
  text: `
    update payment_customers set external_id = $4
    where organization_id = $1 and provider = $2 and attempt = $3 and external_id is null`,
};

/**
 * The organization at a provider; null where the provider makes customers of its own with their first method. The row
 * is committed before the provider is called, and its key makes every repeat the same customer.
 */
export async function customerIdOf(ctx: TenantContext, provider: PaymentProvider): Promise<string | null> {
  if (ctx.db.isTransaction) throw new Error('no provider is called in a transaction');
  const { name } = provider;
  const { id: organizationId } = ctx.organization;
  await execute(ctx.db, BEGIN, [organizationId, name, ctx.now]);
  const { attempt, externalId } = await findCustomer(ctx, name);
  if (externalId !== null) return externalId;
  const reference = ctx.ids.encode('org', organizationId);
  // Without a name or an address: they change, and a key is refused with other parameters than the first.
  const key = attempt === 1 ? reference : `${reference}/${attempt}`;
  const made = await provider.createCustomer({ key, reference, email: null, name: null });
  if (made === null) return null;
  await execute(ctx.db, KEEP, [organizationId, name, attempt, made.id]);
  return (await findCustomer(ctx, name)).externalId;
}

async function findCustomer({ db, organization }: Tenancy, provider: ProviderName): Promise<PaymentCustomerModel> {
  const found = await findRow(db, PaymentCustomerModel, { organizationId: organization.id, provider });
  return found!; // begun before
}

const REMEMBER: Statement = {
  text: `
    insert into payment_customers as known (organization_id, provider, external_id, created_at) values ($1, $2, $3, $4)
    on conflict (organization_id, provider) do update set external_id = excluded.external_id
      where known.organization_id = $1 and known.external_id is null`,
};

/** The customer that a provider has made with a method. */
export async function rememberCustomer(ctx: TenantContext, provider: ProviderName, externalId: string): Promise<void> {
  await execute(ctx.db, REMEMBER, [ctx.organization.id, provider, externalId, ctx.now]);
}

const OWNER: Statement = {
  text: `
    /* across organizations */
    select organization_id as id from payment_customers where provider = $1 and external_id = $2`,
};

/** The organization that a customer is. */
export async function ownerOfCustomer(
  { db }: Context,
  provider: ProviderName,
  externalId: string | null,
): Promise<number | null> {
  if (externalId === null) return null;
  const [owner] = await execute<{ id: number }>(db, OWNER, [provider, externalId]);
  return owner?.id ?? null;
}

const FORGET: Statement = {
  text: `
    update payment_customers set external_id = null, attempt = attempt + 1
    where organization_id = $1 and provider = $2 and external_id = $3`,
};

/** It was deleted at the provider. The next one is made under another key, which answers another customer. */
export async function forgetCustomer(
  { db, organization }: Tenancy,
  provider: ProviderName,
  externalId: string,
): Promise<void> {
  await execute(db, FORGET, [organization.id, provider, externalId]);
}
