import type { PaymentProvider } from '@rentapi/payments/payment-provider';
import { ProviderError } from '@rentapi/payments/provider-error';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { customerIdOf, type TenantContext } from './customers.ts';
import { dropCustomer } from './rows.ts';

const RETRY_AFTER_S = 30;

/**
 * Calls a provider about the organization's customer, and once more with another customer where that one was deleted
 * there. Throws `payment_provider_unavailable`.
 */
export async function withCustomer<Result>(
  ctx: TenantContext,
  provider: PaymentProvider,
  call: (customerId: string | null, attempt: number) => Promise<Result>,
): Promise<Result> {
  try {
    const customerId = await customerIdOf(ctx, provider);
    try {
      return await call(customerId, 1);
    } catch (error) {
      if (customerId === null || !(await isGone(provider, customerId, error))) throw error;
      await transaction(ctx, (ctx) => dropCustomer(ctx, provider.name, customerId));
      return await call(await customerIdOf(ctx, provider), 2);
    }
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    ctx.ports.log.warn({ provider: error.message }, 'a provider of payments failed');
    const retryAfterS = Math.max(RETRY_AFTER_S, Math.ceil((error.retryAfterMs ?? 0) / 1000));
    throw new ApiError('payment_provider_unavailable', { retryAfterS });
  }
}

async function isGone(provider: PaymentProvider, customerId: string, error: unknown): Promise<boolean> {
  const isRefused = error instanceof ProviderError && error.outcome === 'refused';
  return isRefused && (await provider.getCustomer(customerId)) === null;
}
