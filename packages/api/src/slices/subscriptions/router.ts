import { NoContent, NoInput } from '../../contract/common-schemas.ts';
import type { ErrorCode } from '../../contract/errors.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import {
  CancelSubscription,
  ChangeSubscription,
  Coupon,
  CouponCodeInput,
  CouponPage,
  CreateCoupon,
  exampleCoupon,
  examplePreview,
  exampleStartedSubscription,
  exampleSubscription,
  exampleUsageSummary,
  ListCoupons,
  PreviewSubscription,
  StartedSubscription,
  Subscribe,
  Subscription,
  SubscriptionPreview,
  UsageSummary,
} from './schemas.ts';
import { cancelSubscription, getSubscription, resumeSubscription } from './service/cancel.ts';
import { changeSubscription } from './service/change.ts';
import { archiveCoupon, createCoupon, listCoupons } from './service/coupons.ts';
import { previewSubscription } from './service/preview.ts';
import { subscribe } from './service/subscribe.ts';
import { getUsageSummary } from './service/usage-summary.ts';

const tags: [Tag] = ['Billing'];

/** What an organization without a live subscription is answered. */
const NEEDS_LIVE: ErrorCode[] = ['no_subscription', 'subscription_ended', 'version_mismatch'];
const NEEDS_PRICE: ErrorCode[] = ['plan_is_free', 'price_not_sold'];
const NEEDS_COUPON: ErrorCode[] = ['coupon_not_valid', 'coupon_currency_differs', 'coupon_already_used'];
const NEEDS_PAYMENT: ErrorCode[] = ['payment_provider_not_set_up', 'currency_not_supported'];

/** `billing.subscription`. */
export const subscription = router({
  get: procedure({
    access: 'billing:read',
    versioned: true,
    openapi: {
      method: 'GET',
      path: '/subscriptions',
      tags,
      summary: 'Get the subscription of the organization',
      description: 'The one that lives, else the last one that did.',
    },
    errors: ['no_subscription'],
    example: { output: exampleSubscription },
  })
    .input(NoInput)
    .output(Subscription)
    .query(({ ctx }) => getSubscription(ctx)),

  create: procedure({
    access: 'billing:manage',
    versioned: true,
    openapi: {
      method: 'POST',
      path: '/subscriptions/subscribe',
      tags,
      summary: 'Subscribe to a plan',
      description:
        'Begins a subscription, and answers where the payer goes. The plan counts once the first period is paid, whether the browser comes back or not; with a trial it counts at once. A subscription that was never paid is replaced.',
    },
    rest: { status: 201 },
    commitsItself: true,
    errors: [
      'already_subscribed',
      'return_url_not_allowed',
      'currency_fixed',
      ...NEEDS_PRICE,
      ...NEEDS_COUPON,
      ...NEEDS_PAYMENT,
    ],
    example: {
      input: { plan: 'BASIC', interval: 'month', provider: 'stripe', returnUrl: 'https://app.example.com/billing' },
      output: exampleStartedSubscription,
    },
  })
    .input(Subscribe)
    .output(StartedSubscription)
    .mutation(({ ctx, input }) => subscribe(ctx, input)),

  update: procedure({
    access: 'billing:manage',
    versioned: true,
    openapi: {
      method: 'PATCH',
      path: '/subscriptions',
      tags,
      summary: 'Change the subscription',
      description:
        'More, or a longer interval, is charged for the rest of the period and counts once that is paid; less, a shorter interval, or another provider counts from the next period on. With `prorationAt` of a preview, exactly what it showed is charged.',
    },
    commitsItself: true,
    errors: [
      'nothing_to_change',
      'proration_at_too_far',
      'subscription_incomplete',
      'subscription_canceling',
      'payment_required',
      'change_in_progress',
      'renewal_due',
      ...NEEDS_LIVE,
      ...NEEDS_PRICE,
      ...NEEDS_PAYMENT,
    ],
    example: {
      input: { plan: 'PRO' },
      output: { ...exampleStartedSubscription, ...exampleSubscription, actionUrl: null },
    },
  })
    .input(ChangeSubscription)
    .output(StartedSubscription)
    .mutation(({ ctx, input }) => changeSubscription(ctx, input)),

  cancel: procedure({
    access: 'billing:manage',
    versioned: true,
    openapi: {
      method: 'POST',
      path: '/subscriptions/cancel',
      tags,
      summary: 'Cancel the subscription',
      description:
        'At the end of what is paid, until when it can be resumed; or now, without giving money back. One of which a payment is missing ends at once.',
    },
    errors: NEEDS_LIVE,
    example: { input: { at: 'period_end' }, output: { ...exampleSubscription, cancelAt: '2026-02-28T12:00:00.000Z' } },
  })
    .input(CancelSubscription)
    .output(Subscription)
    .mutation(({ ctx, input }) => cancelSubscription(ctx, input)),

  resume: procedure({
    access: 'billing:manage',
    versioned: true,
    openapi: {
      method: 'POST',
      path: '/subscriptions/resume',
      tags,
      summary: 'Take a cancellation back',
      description: 'The subscription goes on as if it had not been canceled. It costs nothing.',
    },
    errors: ['subscription_not_canceling', ...NEEDS_LIVE],
    example: { output: exampleSubscription },
  })
    .input(NoInput)
    .output(Subscription)
    .mutation(({ ctx }) => resumeSubscription(ctx)),

  preview: procedure({
    access: 'billing:read',
    openapi: {
      method: 'POST',
      path: '/subscriptions/preview',
      tags,
      summary: 'Preview what a subscription or a change costs',
      description:
        'Of subscribing where nothing is subscribed to, else of the change. It changes nothing, and charges nothing.',
    },
    idempotency: false,
    repeatable: true,
    audit: { none: 'it changes nothing' },
    errors: ['no_subscription', 'renewal_due', 'currency_fixed', ...NEEDS_PRICE, ...NEEDS_COUPON],
    example: { input: { plan: 'PRO' }, output: examplePreview },
  })
    .input(PreviewSubscription)
    .output(SubscriptionPreview)
    .mutation(({ ctx, input }) => previewSubscription(ctx, input)),
});

/** Part of `billing`. */
export const usageSummary = procedure({
  access: 'billing:read',
  openapi: {
    method: 'GET',
    path: '/subscriptions/usage-summary',
    tags,
    summary: 'Get what was used of the plan',
    description: 'The calls of this month of UTC and the credits, beside those that the plan includes.',
  },
  example: { output: exampleUsageSummary },
})
  .input(NoInput)
  .output(UsageSummary)
  .query(({ ctx }) => getUsageSummary(ctx));

/** `admin.coupons`. */
export const coupons = router({
  list: procedure({
    access: 'system:manage',
    openapi: {
      method: 'GET',
      path: '/admin/coupons',
      tags: ['Administration'],
      summary: 'List coupons',
      description: 'Newest first, archived ones too.',
    },
    errors: ['invalid_cursor'],
    example: { input: { limit: 25 }, output: { items: [exampleCoupon], nextCursor: null } },
  })
    .input(ListCoupons)
    .output(CouponPage)
    .query(({ ctx, input }) => listCoupons(ctx, input)),

  create: procedure({
    access: 'system:manage',
    openapi: {
      method: 'POST',
      path: '/admin/coupons',
      tags: ['Administration'],
      summary: 'Create a coupon',
      description: 'An organization can use it once, when it subscribes. It cannot be changed, only archived.',
    },
    rest: { status: 201 },
    errors: ['coupon_code_taken', 'coupon_discount_unclear', 'coupon_months_unclear', 'coupon_expires_in_past'],
    example: {
      input: { code: 'LAUNCH20', percentOff: 20, duration: 'once', maxRedemptions: 100 },
      output: exampleCoupon,
    },
  })
    .input(CreateCoupon)
    .output(Coupon)
    .mutation(({ ctx, input }) => createCoupon(ctx, input)),

  archive: procedure({
    access: 'system:manage',
    openapi: {
      method: 'DELETE',
      path: '/admin/coupons/{couponCode}',
      tags: ['Administration'],
      summary: 'Archive a coupon',
      description: 'It cannot be used any more. Subscriptions that have it keep it.',
    },
    rest: { status: 204 },
    errors: ['not_found'],
    example: { input: { couponCode: 'LAUNCH20' } },
  })
    .input(CouponCodeInput)
    .output(NoContent)
    .mutation(({ ctx, input }) => archiveCoupon(ctx, input)),
});
