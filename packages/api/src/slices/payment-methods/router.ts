import { NoContent } from '../../contract/common-schemas.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import {
  examplePaymentMethod,
  exampleSetup,
  ListPaymentMethods,
  OpenPortal,
  PaymentMethod,
  PaymentMethodId,
  PaymentMethodPage,
  PortalSession,
  SetUpPaymentMethod,
  StartedSetup,
  UpdatePaymentMethod,
} from './schemas.ts';
import { listMethods } from './service/find.ts';
import { openPortal } from './service/portal.ts';
import { setUpMethod } from './service/set-up.ts';
import { removeMethod, updateMethod } from './service/write.ts';

const tags: [Tag] = ['Billing'];
const methodId = examplePaymentMethod.id;
const returnUrl = 'https://app.example.com/billing';

/** `billing.paymentMethods`. */
export const paymentMethods = router({
  list: procedure({
    access: 'billing:read',
    openapi: {
      method: 'GET',
      path: '/subscriptions/payment-methods',
      tags,
      summary: 'List payment methods',
      description: 'Newest first, those that wait for their payer too. At most one is the default.',
    },
    errors: ['invalid_cursor'],
    example: { input: { limit: 25 }, output: { items: [examplePaymentMethod], nextCursor: null } },
  })
    .input(ListPaymentMethods)
    .output(PaymentMethodPage)
    .query(({ ctx, input }) => listMethods(ctx, input)),

  setup: procedure({
    access: 'billing:manage',
    openapi: {
      method: 'POST',
      path: '/subscriptions/payment-methods/setup',
      tags,
      summary: 'Save a payment method',
      description:
        'Answers where the payer goes; nothing is charged there. The method is ACTIVE soon after they have agreed, whether the browser comes back or not. The first one of an organization is its default.',
    },
    rest: { status: 201 },
    commitsItself: true,
    errors: [
      'return_url_not_allowed',
      'payment_provider_not_set_up',
      'payment_provider_unavailable',
      'payment_method_not_saved_here',
      'limit_reached',
    ],
    example: { input: { provider: 'stripe', returnUrl }, output: exampleSetup },
  })
    .input(SetUpPaymentMethod)
    .output(StartedSetup)
    .mutation(({ ctx, input }) => setUpMethod(ctx, input)),

  update: procedure({
    access: 'billing:manage',
    openapi: {
      method: 'PATCH',
      path: '/subscriptions/payment-methods/{methodId}',
      tags,
      summary: 'Make a payment method the default',
      description: 'A method that is PENDING is looked up at its provider first, so call this when the payer is back.',
    },
    commitsItself: true,
    errors: ['payment_method_pending', 'payment_method_expired'],
    example: { input: { methodId, default: true }, output: examplePaymentMethod },
  })
    .input(UpdatePaymentMethod)
    .output(PaymentMethod)
    .mutation(({ ctx, input }) => updateMethod(ctx, input)),

  remove: procedure({
    access: 'billing:manage',
    openapi: {
      method: 'DELETE',
      path: '/subscriptions/payment-methods/{methodId}',
      tags,
      summary: 'Remove a payment method',
      description:
        'It is not charged any more, and is removed at its provider. If it was the default, the newest of the others that is not expired takes its place.',
    },
    rest: { status: 204 },
    example: { input: { methodId } },
  })
    .input(PaymentMethodId)
    .output(NoContent)
    .mutation(({ ctx, input }) => removeMethod(ctx, input)),
});

/** `billing.portalSession`. */
export const portalSession = procedure({
  access: 'billing:manage',
  openapi: {
    method: 'POST',
    path: '/billing/portal-session',
    tags,
    summary: "Open Stripe's page for payment methods",
    description: 'Where the payer sees, adds and removes methods at Stripe; what changes there changes here too.',
  },
  rest: { status: 201 },
  commitsItself: true,
  audit: { none: 'it opens a page of Stripe; what is changed there is recorded when its event comes' },
  errors: ['return_url_not_allowed', 'payment_provider_not_set_up', 'payment_provider_unavailable'],
  example: { input: { returnUrl }, output: { url: 'https://billing.stripe.com/p/session/bps_1' } },
})
  .input(OpenPortal)
  .output(PortalSession)
  .mutation(({ ctx, input }) => openPortal(ctx, input));
