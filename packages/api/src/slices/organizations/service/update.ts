import type { OrganizationContext } from '../../../context.ts';
import { ifMatch, presentWithEtag } from '../../../contract/etag.ts';
import { change } from '../../../data/base-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { lockAuthority } from '../../members/service/authority.ts';
import { OrganizationUpdated } from '../events.ts';
import type { Organization, UpdateOrganization } from '../schemas.ts';
import { claimName, lockNames } from './claim-names.ts';

export async function updateOrganization(ctx: OrganizationContext, input: UpdateOrganization): Promise<Organization> {
  return transaction(ctx, async (ctx) => {
    if (input.slug || input.subdomain) await lockNames(ctx);
    const { organization: before } = await lockAuthority(ctx, 'org:update');
    ifMatch(ctx, before);
    if (input.slug) await claimName(ctx, 'slug', input.slug, before.id);
    if (input.subdomain) await claimName(ctx, 'subdomain', input.subdomain, before.id);
    const { name, slug, subdomain, deletionProtection, requireTwoFactor, metadata } = input;
    const fields = { name, slug, subdomain, deletionProtection, requireTwoFactor, metadata };
    const after = await change(ctx, before, fields);
    if (after === before) return presentWithEtag(ctx, before);
    await record(ctx, OrganizationUpdated, { target: after, before, after, data: after.present(ctx.ids) });
    return presentWithEtag(ctx, after);
  });
}
