import { router } from '../procedure.ts';
import { accounts, myAccount } from './accounts/router.ts';
import { analytics } from './analytics/router.ts';
import { apiKeys } from './api-keys/router.ts';
import { auditLogs } from './audit/router.ts';
import { auth, sessions, unlock } from './auth/router.ts';
import { adminBilling, info } from './billing/router.ts';
import { books } from './books/router.ts';
import { cache } from './cache/router.ts';
import { chat } from './chat/router.ts';
import { credits, userCredits } from './credits/router.ts';
import { changeEmail, emailChange } from './email-change/router.ts';
import { exportMe } from './exports/router.ts';
import { invitations } from './invitations/router.ts';
import { invoices } from './invoices/router.ts';
import { entitlements, organizationLimits } from './limits/router.ts';
import { members, membership } from './members/router.ts';
import { ingest, meters } from './metering/router.ts';
import { oauth } from './oauth/router.ts';
import { organizations } from './organizations/router.ts';
import { paymentMethods, portalSession } from './payment-methods/router.ts';
import { confirm, payments, paypal, purchase, refund } from './payments/router.ts';
import { myPermissions, permissions } from './permissions/router.ts';
import { plans } from './plans/router.ts';
import { adminJobs, queues } from './queues/router.ts';
import { realtime, ws } from './realtime/router.ts';
import { roles, userRoles } from './roles/router.ts';
import { activity } from './security-events/router.ts';
import { coupons, subscription, usageSummary } from './subscriptions/router.ts';
import { system } from './system/router.ts';
import { passkeys, resetTwoFactor, twoFactor } from './two-factor/router.ts';
import { keyUsage, organizationUsage } from './usage/router.ts';
import { me } from './users/router.ts';
import { webhooks } from './webhooks/router.ts';

/** The contract: every procedure of the product. */
export const appRouter = router({
  auth: router({ ...auth, emailChange, passkeys, twoFactor }),
  users: router({
    ...accounts,
    me: router({ ...me, ...myAccount, activity, changeEmail, export: exportMe, permissions: myPermissions }),
    roles: userRoles,
  }),
  admin: router({
    users: router({ unlock, resetTwoFactor, credits: userCredits }),
    orgs: router({ limits: organizationLimits }),
    queues,
    jobs: adminJobs,
    billing: router({ ...adminBilling, books }),
    payments: router({ confirm, refund }),
    coupons,
  }),
  billing: router({
    entitlements,
    plans,
    subscription,
    usageSummary,
    credits: router({ ...credits, purchase }),
    info,
    invoices,
    payments,
    paypal,
    paymentMethods,
    portalSession,
  }),
  sessions,
  apiKeys: router({ ...apiKeys, usage: keyUsage }),
  webhooks,
  orgs: router({ ...organizations, ...membership, members, invitations, auditLogs, chat, usage: organizationUsage }),
  roles,
  permissions,
  oauth,
  ws,
  realtime,
  usage: router({ ingest, meters }),
  cache,
  analytics,
  system,
});

export type AppRouter = typeof appRouter;
