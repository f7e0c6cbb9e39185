import type { EventType } from '../events/event.ts';
import type { Job } from '../jobs/job.ts';
import * as mailJobs from '../mail/jobs.ts';
import type { RawRoute } from '../wire/raw-route.ts';
import * as accountEvents from './accounts/events.ts';
import * as accountJobs from './accounts/jobs.ts';
import * as analyticsJobs from './analytics/jobs.ts';
import { analyticsSocket, reportDownload } from './analytics/raw.ts';
import { analyticsUpgrade } from './analytics/socket.ts';
import * as apiKeyEvents from './api-keys/events.ts';
import * as apiKeyJobs from './api-keys/jobs.ts';
import { auditExport } from './audit/raw.ts';
import * as authEvents from './auth/events.ts';
import * as authJobs from './auth/jobs.ts';
import * as avatarJobs from './avatars/jobs.ts';
import { avatarImage, myAvatar, userAvatar } from './avatars/raw.ts';
import * as billingEvents from './billing/events.ts';
import * as billingJobs from './billing/jobs.ts';
import { payPalWebhook, stripeWebhook } from './billing/raw.ts';
import * as bookJobs from './books/jobs.ts';
import * as cacheEvents from './cache/events.ts';
import * as chatEvents from './chat/events.ts';
import * as chatJobs from './chat/jobs.ts';
import { organizationSocket } from './chat/raw.ts';
import { organizationUpgrade } from './chat/socket.ts';
import * as creditEvents from './credits/events.ts';
import * as creditJobs from './credits/jobs.ts';
import * as emailChangeEvents from './email-change/events.ts';
import * as emailChangeJobs from './email-change/jobs.ts';
import * as exportEvents from './exports/events.ts';
import * as exportJobs from './exports/jobs.ts';
import { exportFile } from './exports/raw.ts';
import * as invitationEvents from './invitations/events.ts';
import * as invitationJobs from './invitations/jobs.ts';
import * as invoiceEvents from './invoices/events.ts';
import * as invoiceJobs from './invoices/jobs.ts';
import { invoicePdf } from './invoices/raw.ts';
import * as limitEvents from './limits/events.ts';
import * as limitJobs from './limits/jobs.ts';
import * as memberEvents from './members/events.ts';
import * as meteringEvents from './metering/events.ts';
import * as meteringJobs from './metering/jobs.ts';
import * as oauthEvents from './oauth/events.ts';
import * as oauthJobs from './oauth/jobs.ts';
import { callback, initiate } from './oauth/raw.ts';
import * as organizationEvents from './organizations/events.ts';
import * as organizationJobs from './organizations/jobs.ts';
import * as paymentMethodEvents from './payment-methods/events.ts';
import * as paymentMethodJobs from './payment-methods/jobs.ts';
import * as paymentEvents from './payments/events.ts';
import * as paymentJobs from './payments/jobs.ts';
import * as queueEvents from './queues/events.ts';
import * as queueJobs from './queues/jobs.ts';
import * as realtimeJobs from './realtime/jobs.ts';
import { upgradeRequired } from './realtime/raw.ts';
import type { CallerUpgrade } from './realtime/service/caller-socket.ts';
import { realtimeUpgrade } from './realtime/socket.ts';
import * as roleEvents from './roles/events.ts';
import * as securityEventJobs from './security-events/jobs.ts';
import * as subscriptionEvents from './subscriptions/events.ts';
import * as subscriptionJobs from './subscriptions/jobs.ts';
import * as systemJobs from './system/jobs.ts';
import * as twoFactorEvents from './two-factor/events.ts';
import * as twoFactorJobs from './two-factor/jobs.ts';
import * as usageJobs from './usage/jobs.ts';
import * as userEvents from './users/events.ts';
import * as webhookEvents from './webhooks/events.ts';
import * as webhookJobs from './webhooks/jobs.ts';

/** What the slices declare in addition to their routers. A test fails for a declaration that is missing here. */

/** Every event type, by name. */
export const eventTypes: ReadonlyMap<string, EventType> = new Map(
  [
    accountEvents,
    apiKeyEvents,
    authEvents,
    billingEvents,
    cacheEvents,
    chatEvents,
    creditEvents,
    emailChangeEvents,
    exportEvents,
    twoFactorEvents,
    userEvents,
    organizationEvents,
    memberEvents,
    meteringEvents,
    invitationEvents,
    invoiceEvents,
    limitEvents,
    roleEvents,
    oauthEvents,
    paymentEvents,
    paymentMethodEvents,
    queueEvents,
    subscriptionEvents,
    webhookEvents,
  ]
    .flatMap((slice) => Object.values<EventType>(slice))
    .map((type) => [type.name, type]),
);

/** Every job. */
export const jobs: readonly Job[] = [
  accountJobs,
  analyticsJobs,
  apiKeyJobs,
  authJobs,
  avatarJobs,
  chatJobs,
  bookJobs,
  creditJobs,
  billingJobs,
  emailChangeJobs,
  exportJobs,
  invitationJobs,
  invoiceJobs,
  limitJobs,
  mailJobs,
  meteringJobs,
  oauthJobs,
  organizationJobs,
  paymentJobs,
  paymentMethodJobs,
  queueJobs,
  realtimeJobs,
  securityEventJobs,
  subscriptionJobs,
  systemJobs,
  twoFactorJobs,
  usageJobs,
  webhookJobs,
].flatMap((slice) => Object.values(slice));

/** Every operation that is not a procedure. */
export const rawRoutes: readonly RawRoute[] = [
  upgradeRequired,
  analyticsSocket,
  organizationSocket,
  reportDownload,
  auditExport,
  initiate,
  callback,
  myAvatar,
  userAvatar,
  avatarImage,
  exportFile,
  invoicePdf,
  stripeWebhook,
  payPalWebhook,
];

/** Every socket of callers. */
export const sockets: readonly CallerUpgrade[] = [realtimeUpgrade, analyticsUpgrade, organizationUpgrade];

/** Second names of whole groups of paths, served as deprecated aliases. */
export const PATH_ALIASES = { '/organizations': '/tenants' };
