import type { ProviderEvent, ProviderName } from '@rentapi/payments/payment-provider';
import { ForgedEventError } from '@rentapi/payments/provider-error';
import { ApiError } from '../../contract/errors.ts';
import type { Tag } from '../../contract/tags.ts';
import { type RawRoute, sendJson, signedRoute } from '../../wire/raw-route.ts';
import { ProviderEventReceived } from './schemas.ts';
import type { ReceivedEvent } from './service/hold.ts';
import { providerNamed, receiveEvent } from './service/receive.ts';

const tags: [Tag] = ['Billing'];

/** More than any event of either provider has. */
const LIMIT_BYTES = 256 * 1024;

export const stripeWebhook = webhookOf('stripe', 'Stripe');
export const payPalWebhook = webhookOf('paypal', 'PayPal');

/** Stores what a provider sends. An answer that is not 2xx makes it send the event again, for days. */
function webhookOf(name: ProviderName, label: string): RawRoute {
  return signedRoute<ReceivedEvent>({
    name: `billing.${name}.webhook`,
    meta: {
      openapi: {
        method: 'POST',
        path: `/billing/${name}/webhook`,
        tags,
        summary: `Receive an event of ${label}`,
        description: `Called by ${label} only. A genuine event is stored once, however often it is sent, and the object that it is about is read from ${label} afterwards; what the event says of it is not used.`,
      },
      countRefusals: true,
      audit: { none: 'it is stored, and changes nothing of an organization' },
      errors: ['provider_signature_invalid', 'payment_provider_not_set_up'],
      example: { output: { received: true } },
    },
    answer: { type: 'application/json', schema: ProviderEventReceived },
    limitBytes: LIMIT_BYTES,
    async verify(ctx, raw, headers) {
      const provider = providerNamed(ctx, name);
      let event: ProviderEvent;
      try {
        event = await provider.verifyEvent(raw, headers, ctx.now);
      } catch (error) {
        if (!(error instanceof ForgedEventError)) throw error;
        throw new ApiError('provider_signature_invalid', { detail: `It was refused because ${error.message}.` });
      }
      return { isProven: event.verified, proof: { provider, event, raw, headers } };
    },
    async serve(ctx, received, { res }) {
      await receiveEvent(ctx, received);
      sendJson(res, { received: true } satisfies ProviderEventReceived);
    },
  });
}
