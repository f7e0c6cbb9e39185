import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  insufficient_credits: {
    status: 402,
    title: 'Insufficient credits',
    meaning: 'The organization has fewer credits than the call costs. Nothing was spent.',
    fix: 'Buy credits, or ask someone who manages the billing of the organization to do so.',
    retry: 'no',
  },
  credits_exceed_balance: {
    status: 409,
    title: 'More credits than there are',
    meaning: 'More credits were to be taken than are available. None were taken.',
    fix: 'Take at most as many as `GET /subscriptions/credits` shows as available.',
    retry: 'no',
  },
  credits_expire_in_past: {
    status: 400,
    title: 'Credits expire in the past',
    meaning: 'The `expiresAt` of the credits is not in the future, so that they could never be spent.',
    fix: 'Send an `expiresAt` that is later than now, or leave it out: the credits then never expire.',
    retry: 'no',
  },
} as const satisfies ErrorRows;
