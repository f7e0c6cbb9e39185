import { openProviders, type PaymentProviders } from '@rentapi/payments/providers';
import { type Clock, systemClock } from '@rentapi/platform/clock';
import type { Env } from '@rentapi/platform/env';
import { isBuilt } from '../files.ts';

/** Stripe and PayPal in the memory of this process. */
export interface FakeProviders {
  payments: PaymentProviders;
  /** Sends their events to the server on this port. */
  deliverTo(port: number): void;
  close(): Promise<void>;
}

/**
 * For a developer who has no keys: money that is not real, with the same calls, pages and signed events. Null in
 * production, in a build, and where keys of either provider are set.
 */
export async function openFakeProviders(env: Env, clock: Clock = systemClock): Promise<FakeProviders | null> {
  if (env.production || isBuilt || env.STRIPE_SECRET_KEY || env.PAYPAL_CLIENT_ID) return null;
  const { openDevelopmentFakes } = await import('@rentapi/fake-payments/development');
  const fakes = await openDevelopmentFakes(clock);
  const { webhookSecret, ...stripe } = fakes.stripe;
  return {
    payments: openProviders({
      stripe: { ...stripe, webhookSecrets: [webhookSecret] },
      paypal: { ...fakes.paypal, isLive: false, clock },
    }),
    deliverTo(port) {
      const billing = `http://${hostOf(env)}:${port}/api/v1/billing`;
      fakes.deliverTo({ stripe: `${billing}/stripe/webhook`, paypal: `${billing}/paypal/webhook` });
    },
    close: fakes.close,
  };
}

/** An address at which this machine reaches the server. */
function hostOf({ HOST }: Env): string {
  if (HOST === '0.0.0.0' || HOST === '::') return 'localhost';
  return HOST.includes(':') ? `[${HOST}]` : HOST;
}
