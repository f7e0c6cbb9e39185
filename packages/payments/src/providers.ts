import { createManualProvider, type Transfers } from './manual/provider.ts';
import type { PaymentProvider, ProviderName } from './payment-provider.ts';
import { createPayPalProvider, type PayPalOptions } from './paypal/provider.ts';
import type { StripeConfig } from './stripe/client.ts';
import { createStripeProvider } from './stripe/provider.ts';

/** The providers that are set up, by name. */
export type PaymentProviders = ReadonlyMap<ProviderName, PaymentProvider>;

interface ProvidersConfig {
  stripe?: StripeConfig | null;
  paypal?: PayPalOptions | null;
  /** Where bank transfers are kept. */
  manual?: Transfers | null;
}

export function openProviders(config: ProvidersConfig): PaymentProviders {
  const providers = new Map<ProviderName, PaymentProvider>();
  if (config.stripe) providers.set('stripe', createStripeProvider(config.stripe));
  if (config.paypal) providers.set('paypal', createPayPalProvider(config.paypal));
  if (config.manual) providers.set('manual', createManualProvider(config.manual));
  return providers;
}
