import type { ProviderName } from '@rentapi/payments/payment-provider';
import { ProviderError } from '@rentapi/payments/provider-error';
import { oncePerTransaction } from '../../../data/transaction.ts';
import { providerNamed } from '../../billing/service/receive.ts';
import { customerIdOf } from '../../payment-methods/service/customers.ts';
import { type DefaultMethod, methodAt } from '../../payment-methods/service/find.ts';
import type { TenantContext } from './move.ts';

/** What is charged without the payer: a saved method of this provider, the default one first. */
export function savedMethodOf(ctx: TenantContext, provider: ProviderName): Promise<DefaultMethod | null> {
  return methodOnce(ctx, `${ctx.organization.id} ${provider}`, provider);
}

const methodOnce = oncePerTransaction((ctx: TenantContext, _: string, provider: ProviderName) =>
  methodAt(ctx, provider),
);

/**
 * The organization at a provider, for a payer who goes to a page: what they pay with is saved there, and charged for
 * the next periods. Null where it is not needed, and where the provider does not answer: the page comes first.
 */
export async function customerFor(ctx: TenantContext, name: ProviderName): Promise<string | null> {
  if (name === 'manual' || (await savedMethodOf(ctx, name))) return null;
  try {
    return await customerIdOf(ctx, providerNamed(ctx, name));
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    ctx.ports.log.warn({ provider: error.message }, 'a payer is not known to their provider yet');
    return null;
  }
}
