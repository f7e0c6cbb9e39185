import { z } from 'zod';
import { event } from '../../events/event.ts';
import { exampleSubscription, Subscription } from './schemas.ts';

const visible = { data: Subscription, audience: 'organization', permission: 'billing:read' } as const;

export const SubscriptionCreated = event('subscription.created', {
  ...visible,
  description: 'The organization was subscribed to a plan. It counts once it is ACTIVE or TRIALING.',
  example: { ...exampleSubscription, status: 'INCOMPLETE', period: null, entitledUntil: null },
});
export const SubscriptionUpdated = event('subscription.updated', {
  ...visible,
  description: 'The subscription changed: its period, plan, quantity, provider, or when it ends.',
  example: exampleSubscription,
});
export const SubscriptionTrialEnding = event('subscription.trial_ending', {
  ...visible,
  description: 'The time free of charge ends in three days. Then the first period is charged.',
  example: { ...exampleSubscription, status: 'TRIALING', trialEnd: '2026-02-14T12:00:00.000Z', period: null },
});
export const SubscriptionPastDue = event('subscription.past_due', {
  ...visible,
  description: 'A payment of the subscription is missing. The plan counts until `entitledUntil`.',
  example: { ...exampleSubscription, status: 'PAST_DUE', pastDueSince: '2026-02-28T12:00:00.000Z' },
});
export const SubscriptionCanceled = event('subscription.canceled', {
  ...visible,
  description: 'The subscription has ended.',
  example: { ...exampleSubscription, status: 'CANCELED', endedAt: '2026-02-28T12:00:00.000Z' },
});

export const SubscriptionMailed = event('subscription.mailed', {
  data: z.object({
    email: z.string(),
    organization: z.string(),
    plan: z.string(),
    notice: z.enum(['TRIAL_ENDING', 'METHOD_NEEDED', 'USAGE_UNPAID', 'TRANSFER_OVERDUE', 'GIVEN_UP']),
    at: z.iso.datetime(),
  }),
  audience: 'internal',
  description: 'Those who pay for an organization are mailed about its subscription.',
  example: {
    email: 'ada@example.com',
    organization: 'Acme',
    plan: 'Basic',
    notice: 'TRIAL_ENDING',
    at: '2026-02-14T12:00:00.000Z',
  },
});

export const CouponCreated = event('coupon.created', {
  data: z.object({ code: z.string() }),
  audience: 'internal',
  description: 'Staff made a coupon.',
  example: { code: 'LAUNCH20' },
});
export const CouponArchived = event('coupon.archived', {
  data: z.object({ code: z.string() }),
  audience: 'internal',
  description: 'Staff archived a coupon: it cannot be used any more.',
  example: { code: 'LAUNCH20' },
});
