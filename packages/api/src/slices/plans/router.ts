import { NoInput } from '../../contract/common-schemas.ts';
import { procedure, router } from '../../procedure.ts';
import { exampleCreditPack } from '../payments/schemas.ts';
import { examplePlan, Plans } from './schemas.ts';
import { listPlans } from './service/read.ts';

/** `billing.plans`. */
export const plans = router({
  list: procedure({
    access: 'public',
    openapi: {
      method: 'GET',
      path: '/subscriptions/plans',
      tags: ['Billing'],
      summary: 'List the plans and their prices',
      description: 'What an organization can subscribe to, for a month or a year, in each currency.',
    },
    example: { output: { items: [examplePlan], nextCursor: null, creditPacks: [exampleCreditPack] } },
  })
    .input(NoInput)
    .output(Plans)
    .query(({ ctx }) => listPlans(ctx)),
});
