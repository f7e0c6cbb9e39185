import type { PaymentProvider, ProviderName } from '@rentapi/payments/payment-provider';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { holdEvent, type ReceivedEvent } from './hold.ts';
import { storeEvent } from './store.ts';

export function providerNamed({ ports }: Pick<Context, 'ports'>, name: ProviderName): PaymentProvider {
  const provider = ports.payments.get(name);
  if (!provider) throw new ApiError('payment_provider_not_set_up');
  return provider;
}

/** Stores an event that is genuine; one that cannot be judged yet is held until a job has judged it. */
export async function receiveEvent(ctx: Context, received: ReceivedEvent): Promise<void> {
  const { provider, event } = received;
  if (event.verified) await storeEvent(ctx, provider, event);
  else await holdEvent(ctx, received);
}
