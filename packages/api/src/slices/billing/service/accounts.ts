import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { ifMatch, presentWithEtag } from '../../../contract/etag.ts';
import { change } from '../../../data/base-model.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { lockAuthority } from '../../members/service/authority.ts';
import { BillingAccountUpdated } from '../events.ts';
import type { BillingInfo, SetBillingInfo } from '../schemas.ts';
import { findBillingAccount, lockBillingAccount } from './currency.ts';
import { isTaxIdOf } from './tax-id.ts';

/** Where nothing is known: the version before the first. */
const NOTHING = {
  version: 0,
  present: (): BillingInfo => ({
    name: null,
    email: null,
    address: null,
    taxId: null,
    currency: null,
    updatedAt: null,
  }),
};

export async function getBillingInfo(ctx: OrganizationContext): Promise<BillingInfo> {
  return presentWithEtag(ctx, (await findBillingAccount(ctx)) ?? NOTHING);
}

export async function setBillingInfo(ctx: OrganizationContext, input: SetBillingInfo): Promise<BillingInfo> {
  assertTaxId(input);
  return transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'billing:manage');
    const before = await lockBillingAccount(ctx);
    ifMatch(ctx, before);
    const after = await change(ctx, before, input);
    if (after === before) return presentWithEtag(ctx, after);
    await record(ctx, BillingAccountUpdated, { target: after, before, after, data: {} });
    return presentWithEtag(ctx, after);
  });
}

function assertTaxId({ taxId, address }: SetBillingInfo): void {
  if (taxId === null) return;
  if (address === null) throw new ApiError('tax_id_needs_country');
  const { country } = address;
  if (!isTaxIdOf(country, taxId)) {
    throw new ApiError('tax_id_invalid', { detail: `${taxId} has not the form of a tax id of ${country}.` });
  }
}

/** Where invoices go besides the members who manage the organization. */
export async function getBillingEmail(tenancy: Tenancy): Promise<string | null> {
  return (await findBillingAccount(tenancy))?.email ?? null;
}
