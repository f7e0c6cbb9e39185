import type { IdPrefix } from '../contract/ids.ts';
import type { AuditedRow } from '../data/model-facts.ts';
import { ApiKeyModel } from './api-keys/model.ts';
import { SessionModel } from './auth/model.ts';
import { AvatarModel } from './avatars/model.ts';
import { BillingAccountModel } from './billing/model.ts';
import { MessageModel } from './chat/model.ts';
import { CreditGrantModel } from './credits/model.ts';
import { ExportModel } from './exports/model.ts';
import { InvitationModel } from './invitations/model.ts';
import { InvoiceModel } from './invoices/model.ts';
import { LimitOverrideModel } from './limits/model.ts';
import { MemberModel } from './members/model.ts';
import { MeterModel } from './metering/model.ts';
import { OrganizationModel } from './organizations/model.ts';
import { PaymentMethodModel } from './payment-methods/model.ts';
import { DisputeModel, PaymentModel, RefundModel } from './payments/model.ts';
import { RoleModel } from './roles/model.ts';
import { CouponModel, SubscriptionModel } from './subscriptions/model.ts';
import { UserModel } from './users/model.ts';
import { WebhookModel } from './webhooks/model.ts';

interface AuditedModel {
  tableName: string;
  prototype: AuditedRow;
}

/** Every model that declares facts: what an entry of the audit log can be about. */
export const AUDITED_MODELS: readonly AuditedModel[] = [
  UserModel,
  OrganizationModel,
  MemberModel,
  InvitationModel,
  RoleModel,
  ApiKeyModel,
  SessionModel,
  AvatarModel,
  ExportModel,
  MeterModel,
  WebhookModel,
  LimitOverrideModel,
  MessageModel,
  CreditGrantModel,
  PaymentMethodModel,
  BillingAccountModel,
  InvoiceModel,
  PaymentModel,
  RefundModel,
  DisputeModel,
  SubscriptionModel,
  CouponModel,
];

/** The id prefixes of these models. */
export const AUDITED_PREFIXES: readonly IdPrefix[] = AUDITED_MODELS.flatMap(
  ({ prototype }) => prototype.facts.id ?? [],
);
