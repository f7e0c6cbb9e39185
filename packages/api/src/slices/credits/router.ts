import { NoInput } from '../../contract/common-schemas.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure } from '../../procedure.ts';
import { exampleUser } from '../users/schemas.ts';
import { AdjustCredits, CreditBalance, CreditEntryPage, exampleEntry, exampleGrant, ListCredits } from './schemas.ts';
import { adjustCredits } from './service/adjust.ts';
import { getCredits, listCredits } from './service/balance.ts';

const tags: [Tag] = ['Billing'];
const exampleBalance: CreditBalance = { available: 640, held: 0, owed: 0, grants: [exampleGrant] };

/** Part of `billing.credits`. */
export const credits = {
  balance: procedure({
    access: 'billing:read',
    openapi: {
      method: 'GET',
      path: '/subscriptions/credits',
      tags,
      summary: 'Get the credits of the organization',
      description: 'The balance, and what it is made of. Calls that cost credits say so in their description.',
    },
    example: { output: exampleBalance },
  })
    .input(NoInput)
    .output(CreditBalance)
    .query(({ ctx }) => getCredits(ctx)),

  history: procedure({
    access: 'billing:read',
    openapi: {
      method: 'GET',
      path: '/subscriptions/credits/history',
      tags,
      summary: 'List the changes of the credits',
      description: 'The ledger, newest first: each entry has the balance after it.',
    },
    errors: ['invalid_cursor'],
    example: { input: { limit: 25 }, output: { items: [exampleEntry], nextCursor: null } },
  })
    .input(ListCredits)
    .output(CreditEntryPage)
    .query(({ ctx, input }) => listCredits(ctx, input)),
};

/** `admin.users.credits`. */
export const userCredits = procedure({
  access: 'system:manage',
  openapi: {
    method: 'POST',
    path: '/admin/users/{userId}/credits',
    tags: ['Administration'],
    summary: 'Grant or take credits',
    description:
      'Of the personal organization of the user, which reads the reason in its history. Credits that are granted are spent after those that were bought.',
  },
  errors: ['credits_exceed_balance', 'credits_expire_in_past'],
  example: {
    input: { userId: exampleUser.id, credits: 500, reason: 'Made good for the outage of 31 January' },
    output: exampleBalance,
  },
})
  .input(AdjustCredits)
  .output(CreditBalance)
  .mutation(({ ctx, input }) => adjustCredits(ctx, input));
