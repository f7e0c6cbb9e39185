import { openProviders, type PaymentProviders } from '@rentapi/payments/providers';
import type { Clock } from '@rentapi/platform/clock';
import type { Env } from '@rentapi/platform/env';

const PAYPAL_BASES = { sandbox: 'https://api-m.sandbox.paypal.com', live: 'https://api-m.paypal.com' };

/** The providers whose settings are there. */
export function openPayments(env: Env, clock: Clock): PaymentProviders {
  const { STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET = [], STRIPE_API_BASE } = env;
  const { PAYPAL_CLIENT_ID, PAYPAL_CLIENT_SECRET = '', PAYPAL_WEBHOOK_ID = '', PAYPAL_MODE, PAYPAL_API_BASE } = env;
  return openProviders({
    stripe: STRIPE_SECRET_KEY
      ? { secretKey: STRIPE_SECRET_KEY, webhookSecrets: STRIPE_WEBHOOK_SECRET, apiBase: STRIPE_API_BASE }
      : null,
    paypal: PAYPAL_CLIENT_ID
      ? {
          clientId: PAYPAL_CLIENT_ID,
          clientSecret: PAYPAL_CLIENT_SECRET,
          webhookId: PAYPAL_WEBHOOK_ID,
          apiBase: PAYPAL_API_BASE ?? PAYPAL_BASES[PAYPAL_MODE],
          isLive: PAYPAL_MODE === 'live',
          clock,
        }
      : null,
  });
}
