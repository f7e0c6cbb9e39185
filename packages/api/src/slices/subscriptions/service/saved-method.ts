import type { ProviderName } from '@rentapi/payments/payment-provider';
import { oncePerTransaction } from '../../../data/transaction.ts';
import { type DefaultMethod, methodAt } from '../../payment-methods/service/find.ts';
import type { TenantContext } from './move.ts';

/** What is charged without the payer: a saved method of this provider, the default one first. */
export function savedMethodOf(ctx: TenantContext, provider: ProviderName): Promise<DefaultMethod | null> {
  return methodOnce(ctx, `${ctx.organization.id} ${provider}`, provider);
}

const methodOnce = oncePerTransaction((ctx: TenantContext, _: string, provider: ProviderName) =>
  methodAt(ctx, provider),
);
