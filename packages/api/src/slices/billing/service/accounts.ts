import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { ifMatch, presentWithEtag } from '../../../contract/etag.ts';
import { change } from '../../../data/base-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { lockAuthority } from '../../members/service/authority.ts';
import { BillingAccountUpdated } from '../events.ts';
import { BillingAccountModel } from '../model.ts';
import type { BillingInfo, SetBillingInfo } from '../schemas.ts';
import { isTaxIdOf } from '../tax-id.ts';

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
  const account = await BillingAccountModel.of(ctx).first();
  return presentWithEtag(ctx, account ?? NOTHING);
}

export async function setBillingInfo(ctx: OrganizationContext, input: SetBillingInfo): Promise<BillingInfo> {
  assertTaxId(input);
  return transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'billing:manage');
    const before = await BillingAccountModel.of(ctx).first().forUpdate();
    ifMatch(ctx, before ?? NOTHING);
    const after = before ? await change(ctx, before, input) : await add(ctx, input);
    if (after === before) return presentWithEtag(ctx, after);
    await record(ctx, BillingAccountUpdated, { target: after, ...(before && { before }), after, data: {} });
    return presentWithEtag(ctx, after);
  });
}

function add(ctx: OrganizationContext, input: SetBillingInfo): Promise<BillingAccountModel> {
  return BillingAccountModel.add(ctx, { ...input, version: 1, createdAt: ctx.now, updatedAt: ctx.now });
}

function assertTaxId({ taxId, address }: SetBillingInfo): void {
  if (taxId === null) return;
  if (address === null) throw new ApiError('tax_id_needs_country');
  const { country } = address;
  if (!isTaxIdOf(country, taxId)) {
    throw new ApiError('tax_id_invalid', { detail: `${taxId} has not the form of a tax id of ${country}.` });
  }
}
