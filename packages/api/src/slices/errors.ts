import type { ErrorCode } from '../contract/errors.ts';
import { PROTOCOL_ERRORS } from '../contract/protocol-errors.ts';
import * as accounts from './accounts/errors.ts';
import * as analytics from './analytics/errors.ts';
import * as apiKeys from './api-keys/errors.ts';
import * as auth from './auth/errors.ts';
import * as avatars from './avatars/errors.ts';
import * as billing from './billing/errors.ts';
import * as cache from './cache/errors.ts';
import * as chat from './chat/errors.ts';
import * as credits from './credits/errors.ts';
import * as exports from './exports/errors.ts';
import * as invitations from './invitations/errors.ts';
import * as invoices from './invoices/errors.ts';
import * as limits from './limits/errors.ts';
import * as members from './members/errors.ts';
import * as metering from './metering/errors.ts';
import * as oauth from './oauth/errors.ts';
import * as organizations from './organizations/errors.ts';
import * as paymentMethods from './payment-methods/errors.ts';
import * as payments from './payments/errors.ts';
import * as queues from './queues/errors.ts';
import * as realtime from './realtime/errors.ts';
import * as roles from './roles/errors.ts';
import * as subscriptions from './subscriptions/errors.ts';
import * as transfers from './transfers/errors.ts';
import * as twoFactor from './two-factor/errors.ts';
import * as users from './users/errors.ts';
import * as webhooks from './webhooks/errors.ts';

/** Every error that the product answers, by code. */
export const ERRORS = {
  ...PROTOCOL_ERRORS,
  ...accounts.errors,
  ...analytics.errors,
  ...apiKeys.errors,
  ...auth.errors,
  ...avatars.errors,
  ...billing.errors,
  ...cache.errors,
  ...chat.errors,
  ...credits.errors,
  ...exports.errors,
  ...invitations.errors,
  ...invoices.errors,
  ...limits.errors,
  ...members.errors,
  ...metering.errors,
  ...oauth.errors,
  ...organizations.errors,
  ...paymentMethods.errors,
  ...payments.errors,
  ...queues.errors,
  ...realtime.errors,
  ...roles.errors,
  ...transfers.errors,
  ...subscriptions.errors,
  ...twoFactor.errors,
  ...users.errors,
  ...webhooks.errors,
} as const;

/** The database decides whether a row is unique, so that no two requests can both find a name free. */
export const UNIQUE_CONSTRAINTS: Readonly<Record<string, ErrorCode>> = {
  ...invitations.uniqueConstraints,
  ...members.uniqueConstraints,
  ...metering.uniqueConstraints,
  ...oauth.uniqueConstraints,
  ...organizations.uniqueConstraints,
  ...roles.uniqueConstraints,
  ...subscriptions.uniqueConstraints,
  ...twoFactor.uniqueConstraints,
  ...users.uniqueConstraints,
  ...transfers.uniqueConstraints,
};
