import { z } from 'zod';
import { event } from '../../events/event.ts';

/** For the audit log. What changed is personal, so no event carries it. */
export const BillingAccountUpdated = event('billing_account.updated', {
  data: z.strictObject({}),
  audience: 'internal',
  description: 'Who is billed for an organization was changed.',
  example: {},
});
