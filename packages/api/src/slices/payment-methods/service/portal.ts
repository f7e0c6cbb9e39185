import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { providerNamed } from '../../billing/service/receive.ts';
import { allowedReturnUrl } from '../../billing/service/return-url.ts';
import { lockAuthority } from '../../members/service/authority.ts';
import type { OpenPortal, PortalSession } from '../schemas.ts';
import { withCustomer } from './with-customer.ts';

/** What is changed on Stripe's page comes back as events. */
export async function openPortal(ctx: OrganizationContext, input: OpenPortal): Promise<PortalSession> {
  const returnUrl = allowedReturnUrl(ctx, input.returnUrl);
  const provider = providerNamed(ctx, 'stripe');
  await transaction(ctx, (ctx) => lockAuthority(ctx, 'billing:manage'));
  const url = await withCustomer(ctx, provider, async (customerId) =>
    customerId === null ? null : provider.portalUrl({ customerId, returnUrl }),
  );
  if (url === null) throw new ApiError('payment_provider_not_set_up');
  return { url };
}
