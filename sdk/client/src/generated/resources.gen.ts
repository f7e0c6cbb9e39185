// Written by scripts/generate.ts from docs/openapi.json; do not edit.
import type { ApiPromise, PagePromise } from '../api-promise.ts';
import type { RequestOptions } from '../operation.ts';
import type { NoParams, Params } from '../params.ts';
import { Resource } from '../resource.ts';
import type { Transport } from '../transport.ts';
import type * as Types from './types.gen.ts';

export type {
  AdjustCredits,
  AdminBillingBooksResponse,
  AdminBillingFindingsResponse,
  AdminCouponsCreateResponse,
  AdminCouponsListResponse,
  AdminJobsGetResponse,
  AdminJobsListResponse,
  AdminJobsRetryResponse,
  AdminOrgsLimitsGetResponse,
  AdminOrgsLimitsSetResponse,
  AdminPaymentsConfirmResponse,
  AdminPaymentsRefundResponse,
  AdminQueuesResponse,
  AdminUsersCreditsResponse,
  AdminUsersResetTwoFactorResponse,
  Aggregation,
  AnalyticsErrorsResponse,
  AnalyticsMinute,
  AnalyticsRealtimeResponse,
  AnalyticsReportsDownloadResponse,
  AnalyticsUsageResponse,
  ApiKey,
  ApiKeyCreatedEvent,
  ApiKeyExpiredEvent,
  ApiKeyExpiringEvent,
  ApiKeyPage,
  ApiKeyRevokedEvent,
  ApiKeyRotatedEvent,
  ApiKeyUpdatedEvent,
  ApiKeysCreateResponse,
  ApiKeysGetResponse,
  ApiKeysListResponse,
  ApiKeysRotateResponse,
  ApiKeysScopesResponse,
  ApiKeysUpdateResponse,
  ApiKeysUsageResponse,
  ApiKeysVerifyResponse,
  AuditEntry,
  AuditPage,
  AuthLoginResponse,
  AuthPasskeysListResponse,
  AuthPasskeysLoginOptionsResponse,
  AuthPasskeysLoginResponse,
  AuthPasskeysRegisterOptionsResponse,
  AuthPasskeysRegisterResponse,
  AuthPasskeysRenameResponse,
  AuthReauthenticateResponse,
  AuthRefreshResponse,
  AuthRegisterResponse,
  AuthTwoFactorEnableResponse,
  AuthTwoFactorLoginResponse,
  AuthTwoFactorRegenerateBackupCodesResponse,
  AuthTwoFactorVerifyResponse,
  BackupCodes,
  BilledUsage,
  BillingAddress,
  BillingAddressInput,
  BillingBooks,
  BillingCreditsBalanceResponse,
  BillingCreditsHistoryResponse,
  BillingCreditsPurchaseResponse,
  BillingEntitlementsResponse,
  BillingFault,
  BillingFaultKind,
  BillingFinding,
  BillingFindingPage,
  BillingFindingState,
  BillingInfo,
  BillingInfoGetResponse,
  BillingInfoSetResponse,
  BillingInvoicesGetResponse,
  BillingInvoicesListResponse,
  BillingInvoicesPayResponse,
  BillingInvoicesPdfResponse,
  BillingPaymentMethodsListResponse,
  BillingPaymentMethodsSetupResponse,
  BillingPaymentMethodsUpdateResponse,
  BillingPaymentsGetResponse,
  BillingPaymentsListResponse,
  BillingPaypalCaptureResponse,
  BillingPaypalCreateOrderResponse,
  BillingPaypalWebhookResponse,
  BillingPeriod,
  BillingPlansListResponse,
  BillingPortalSessionResponse,
  BillingStripeWebhookResponse,
  BillingSubscriptionCancelResponse,
  BillingSubscriptionCreateResponse,
  BillingSubscriptionGetResponse,
  BillingSubscriptionPreviewResponse,
  BillingSubscriptionResumeResponse,
  BillingSubscriptionUpdateResponse,
  BillingUsageSummaryResponse,
  CacheHealth,
  CacheNamespace,
  CacheStatus,
  CacheStatusResponse,
  CachedNamespace,
  CancelSubscription,
  Cap,
  ChangeEmail,
  ChangePassword,
  ChangeSubscription,
  ChangedLimits,
  ChatMessage,
  ChatMessageCreatedEvent,
  ChatMessageDeletedEvent,
  ChatMessageNotice,
  ChatMessagePage,
  ChatMessageUpdatedEvent,
  CheckPermissions,
  ClearCache,
  ConfirmPasswordReset,
  ConfirmPayment,
  Coupon,
  CouponPage,
  CreateApiKey,
  CreateCoupon,
  CreateInvitation,
  CreateMeter,
  CreateOrganization,
  CreatePayPalOrder,
  CreateRole,
  CreateUser,
  CreateWebhook,
  CreatedApiKey,
  CreatedWebhook,
  CreditBalance,
  CreditEntry,
  CreditEntryKind,
  CreditEntryPage,
  CreditGrant,
  CreditPack,
  CreditRefill,
  CreditSource,
  CreditsExhaustedEvent,
  CreditsExpiredEvent,
  CreditsGrantedEvent,
  CreditsLeft,
  CreditsLowEvent,
  CreditsRevokedEvent,
  DataExport,
  DatabaseHealth,
  DisableTwoFactor,
  Dispute,
  DisputedPayment,
  EditChatMessage,
  EffectivePermissions,
  EmailChangeToken,
  EmailInput,
  EmailTokenInput,
  EntitledLimit,
  Entitlements,
  ErrorAnalytics,
  ErrorAnalyticsPoint,
  ErrorAnalyticsSeries,
  ErrorAnalyticsTotal,
  EventCatalogue,
  EventTypeEntry,
  ExchangeOAuthCode,
  ExpiringApiKey,
  FailingWebhook,
  GrantablePermission,
  GrantedCredits,
  Health,
  Identities,
  Identity,
  IncludedCalls,
  IncludedCallsUsed,
  IncludedCredits,
  IngestUsage,
  IngestedUsage,
  Invitation,
  InvitationAcceptedEvent,
  InvitationCreatedEvent,
  InvitationDeclinedEvent,
  InvitationPage,
  InvitationResentEvent,
  InvitationRevokedEvent,
  Invoice,
  InvoiceFinalizedEvent,
  InvoiceLine,
  InvoicePage,
  InvoicePaidEvent,
  InvoiceParty,
  InvoicePaymentFailedEvent,
  InvoiceStatus,
  InvoiceSummary,
  InvoiceVoidedEvent,
  Job,
  JobAttempt,
  JobDetails,
  JobPage,
  JobQueue,
  JobSchedule,
  JobStatus,
  KeyCredits,
  KeyRateLimit,
  KeyUsage,
  LimitOverride,
  LimitOverrides,
  LinkIdentity,
  Login,
  LoginWithCode,
  LoginWithPasskey,
  Member,
  MemberAddedEvent,
  MemberLeftEvent,
  MemberPage,
  MemberRemovedEvent,
  MemberRolesChangedEvent,
  Metadata,
  Meter,
  MeterArchivedEvent,
  MeterCreatedEvent,
  MeterPage,
  MeterValue,
  MeterValues,
  Money,
  OAuthProvider,
  OAuthProviders,
  OAuthResult,
  OAuthUrl,
  OauthCallbackResponse,
  OauthExchangeResponse,
  OauthIdentitiesLinkResponse,
  OauthIdentitiesListResponse,
  OauthInitiateResponse,
  OauthProvidersResponse,
  OpenPortal,
  Organization,
  OrganizationCreatedEvent,
  OrganizationDeletedEvent,
  OrganizationLimitsChangedEvent,
  OrganizationOwnershipTransferredEvent,
  OrganizationPage,
  OrganizationPermission,
  OrganizationRestoredEvent,
  OrganizationRole,
  OrganizationUpdatedEvent,
  OrganizationUsage,
  OrgsAuditLogsResponse,
  OrgsChatEditResponse,
  OrgsChatListResponse,
  OrgsChatSendResponse,
  OrgsCreateResponse,
  OrgsGetResponse,
  OrgsInvitationsAcceptResponse,
  OrgsInvitationsCreateResponse,
  OrgsInvitationsListResponse,
  OrgsInvitationsResendResponse,
  OrgsListResponse,
  OrgsMembersListResponse,
  OrgsMembersSetRoleResponse,
  OrgsRestoreResponse,
  OrgsSearchResponse,
  OrgsSubdomainAvailableResponse,
  OrgsTransferResponse,
  OrgsUpdateResponse,
  OrgsUsageResponse,
  OwnOrganization,
  OwnershipTransfer,
  PartyAddress,
  Passkey,
  PasskeyCreation,
  PasskeyDescriptor,
  PasskeyLoginOptions,
  PasskeyPage,
  PasskeyRequest,
  PayInvoice,
  PayPalOrder,
  Payment,
  PaymentActionRequiredEvent,
  PaymentDisputedEvent,
  PaymentFailedEvent,
  PaymentMethod,
  PaymentMethodAddedEvent,
  PaymentMethodExpiringEvent,
  PaymentMethodPage,
  PaymentMethodRemovedEvent,
  PaymentMethodUpdatedEvent,
  PaymentOfOrganization,
  PaymentPage,
  PaymentProviderName,
  PaymentRefundedEvent,
  PaymentStatus,
  PaymentSucceededEvent,
  PendingChange,
  Permission,
  PermissionCatalogue,
  PermissionCheck,
  PermissionEntry,
  PermissionMatrix,
  PermissionPath,
  PermissionsCheckResponse,
  PermissionsListResponse,
  PermissionsMatrixResponse,
  Plan,
  PlanLimitUsage,
  PlanLimits,
  PlanSubscription,
  Plans,
  PortalSession,
  PreviewLine,
  PreviewSubscription,
  Price,
  PricedUsage,
  Probe,
  Problem,
  ProviderEventReceived,
  PurchaseCredits,
  QueueState,
  Queues,
  RateLimitCost,
  RateLimitState,
  ReachedThreshold,
  RealTimeAnalytics,
  Reauthenticate,
  RecordedApiKey,
  RecoverWebhook,
  Refresh,
  Refund,
  RefundPayment,
  RefundedPayment,
  Register,
  RegisterPasskey,
  RegisteredCredential,
  RegistrationResult,
  RememberedTokens,
  RemovedCredits,
  RenamePasskey,
  RequestTwoFactorReset,
  RevokeAllSessions,
  Role,
  RoleCreatedEvent,
  RoleDeletedEvent,
  RolePage,
  RoleUpdatedEvent,
  RolesCreateResponse,
  RolesGetResponse,
  RolesListResponse,
  RolesUpdateResponse,
  RotateApiKey,
  RotateWebhookSecret,
  Scope,
  ScopeCatalogue,
  ScopeEntry,
  SecurityEvent,
  SecurityEventPage,
  SendChatMessage,
  Session,
  SessionPage,
  SessionsListResponse,
  SetBillingInfo,
  SetCreditRefill,
  SetKeyCredits,
  SetKeyRateLimit,
  SetLimits,
  SetMemberRole,
  SetUpPaymentMethod,
  SetUserRoles,
  SignInChallenge,
  SignedCredential,
  SocketStats,
  StartedPayment,
  StartedSetup,
  StartedSubscription,
  SubdomainAvailability,
  Subscribe,
  SubscriptionCanceledEvent,
  SubscriptionCreatedEvent,
  SubscriptionPastDueEvent,
  SubscriptionPreview,
  SubscriptionTrialEndingEvent,
  SubscriptionUpdatedEvent,
  SystemHealthCacheResponse,
  SystemHealthDatabaseResponse,
  SystemHealthResponse,
  SystemLivenessResponse,
  SystemReadinessResponse,
  TestWebhook,
  Ticket,
  Tokens,
  TotpSetup,
  TransferOwnership,
  TwoFactorResetRequest,
  UnpaidChange,
  UpdateApiKey,
  UpdateMe,
  UpdateOrganization,
  UpdatePaymentMethod,
  UpdateRole,
  UpdateUser,
  UpdateWebhook,
  UsageAnalytics,
  UsageAnalyticsPoint,
  UsageAnalyticsSeries,
  UsageAnalyticsTotal,
  UsageCounts,
  UsageEvent,
  UsageIngestResponse,
  UsageMetersCreateResponse,
  UsageMetersListResponse,
  UsageMetersValuesResponse,
  UsagePart,
  UsagePrice,
  UsageSummary,
  UsageThresholdReachedEvent,
  User,
  UserOrMember,
  UserPage,
  UsersActivateResponse,
  UsersAvatarImageResponse,
  UsersAvatarResponse,
  UsersCreateResponse,
  UsersDeactivateResponse,
  UsersGetResponse,
  UsersListResponse,
  UsersMeActivityResponse,
  UsersMeAvatarResponse,
  UsersMeExportFileResponse,
  UsersMeExportResponse,
  UsersMeGetResponse,
  UsersMePermissionsResponse,
  UsersMeUpdateResponse,
  UsersRolesSetResponse,
  UsersSuspendResponse,
  UsersUpdateResponse,
  VerifiedKey,
  VerifyApiKey,
  VerifyTotp,
  Webhook,
  WebhookAttempt,
  WebhookCreatedEvent,
  WebhookDayStats,
  WebhookDeletedEvent,
  WebhookDelivery,
  WebhookDeliveryDetails,
  WebhookDeliveryFailedEvent,
  WebhookDeliveryPage,
  WebhookDeliverySucceededEvent,
  WebhookDisabledEvent,
  WebhookDisablingEvent,
  WebhookPage,
  WebhookRecovery,
  WebhookSecretRotatedEvent,
  WebhookStats,
  WebhookUpdatedEvent,
  WebhooksCreateResponse,
  WebhooksDeliveriesGetResponse,
  WebhooksDeliveriesListResponse,
  WebhooksDeliveriesRetryResponse,
  WebhooksEventTypesResponse,
  WebhooksGetResponse,
  WebhooksListResponse,
  WebhooksRecoverResponse,
  WebhooksRotateSecretResponse,
  WebhooksStatsResponse,
  WebhooksTestResponse,
  WebhooksUpdateResponse,
  WsStatsResponse,
  WsTicketResponse,
} from './types.gen.ts';

/** The codes that this version of the server answers, by status. */
export interface CodesByStatus {
  400:
    | "invalid_input"
    | "malformed_json"
    | "json_too_deep"
    | "invalid_text"
    | "cookies_unavailable"
    | "ambiguous_credentials"
    | "organization_mismatch"
    | "invalid_idempotency_key"
    | "invalid_token"
    | "invalid_cursor"
    | "credits_expire_in_past"
    | "override_in_past"
    | "transfer_amount_differs"
    | "transfer_in_future"
    | "refund_currency_differs"
    | "refund_amount_not_possible"
    | "coupon_discount_unclear"
    | "coupon_months_unclear"
    | "coupon_expires_in_past"
    | "currency_not_supported"
    | "plan_is_free"
    | "price_not_sold"
    | "proration_at_too_far"
    | "return_url_not_allowed"
    | "coupon_not_valid"
    | "coupon_currency_differs"
    | "credit_pack_unknown"
    | "amount_below_minimum"
    | "tax_id_invalid"
    | "tax_id_needs_country"
    | "payment_method_not_saved_here"
    | "malformed_permission_query"
    | "permission_query_too_deep"
    | "invalid_cost"
    | "unknown_rate_limit"
    | "unknown_time_zone"
    | "time_range_reversed"
    | "time_range_too_long"
    | "target_not_allowed"
    | "header_not_allowed"
    | "unknown_event_type"
    | "unknown_event_version"
    | "time_range_unbounded"
    | "name_reserved"
    | "oauth_code_invalid"
    | "redirect_not_allowed"
    | "unknown_meter"
    | "usage_in_future"
    | "usage_too_late"
    | "usage_property_missing"
    | "usage_value_missing"
    | "usage_value_not_a_number"
    | "usage_value_negative"
    | "usage_value_too_large"
    | "too_many_points"
    | "report_too_large"
    | "oauth_state_invalid"
    | "oauth_answer_invalid"
    | "malformed_multipart"
    | "provider_signature_invalid";
  401:
    | "invalid_credentials"
    | "invalid_refresh_token"
    | "credentials_required"
    | "invalid_access_token"
    | "access_token_expired"
    | "session_revoked"
    | "invalid_api_key"
    | "api_key_revoked"
    | "api_key_expired"
    | "api_key_disabled"
    | "api_key_rotated"
    | "invalid_code"
    | "invalid_challenge"
    | "invalid_passkey";
  403:
    | "account_inactive"
    | "origin_not_allowed"
    | "email_not_verified"
    | "included_calls_used_up"
    | "user_required"
    | "address_not_allowed"
    | "reauthentication_required"
    | "permission_denied"
    | "two_factor_required"
    | "target_has_more_permissions"
    | "key_without_user"
    | "permission_not_held"
    | "scope_not_held"
    | "event_not_allowed"
    | "invitation_for_another"
    | "not_your_message"
    | "oauth_denied"
    | "oauth_email_unverified"
    | "oauth_not_fresh";
  404:
    | "not_found"
    | "no_subscription"
    | "payment_provider_not_set_up"
    | "oauth_provider_unknown"
    | "unknown_cache_namespace";
  409:
    | "username_taken"
    | "idempotency_in_progress"
    | "email_taken"
    | "limit_reached"
    | "passkey_taken"
    | "last_way_in"
    | "two_factor_enabled"
    | "two_factor_not_enabled"
    | "last_super_admin"
    | "last_owner"
    | "account_deleted"
    | "account_erased"
    | "system_role"
    | "credits_exceed_balance"
    | "job_not_failed"
    | "job_superseded"
    | "job_unknown"
    | "payment_not_by_transfer"
    | "transfer_not_open"
    | "transfer_counted"
    | "payment_not_refundable"
    | "payment_disputed"
    | "refund_exceeds_payment"
    | "coupon_code_taken"
    | "subscription_ended"
    | "subscription_incomplete"
    | "subscription_canceling"
    | "payment_required"
    | "change_in_progress"
    | "renewal_due"
    | "nothing_to_change"
    | "currency_fixed"
    | "already_subscribed"
    | "coupon_already_used"
    | "subscription_not_canceling"
    | "invoice_is_draft"
    | "invoice_not_due"
    | "payment_in_progress"
    | "payment_not_approved"
    | "payment_method_pending"
    | "payment_method_expired"
    | "api_key_is_revoked"
    | "webhook_disabled"
    | "delivery_already_succeeded"
    | "slug_taken"
    | "subdomain_taken"
    | "personal_organization"
    | "deletion_protected"
    | "restore_window_over"
    | "invitation_pending"
    | "already_member"
    | "invitation_not_pending"
    | "invitation_no_longer_valid"
    | "role_name_taken"
    | "role_too_deep"
    | "role_has_children"
    | "role_cycle"
    | "meter_archived"
    | "transaction_id_reused"
    | "meter_slug_taken"
    | "identity_taken"
    | "identity_exists"
    | "export_not_ready"
    | "invoice_not_rendered";
  412:
    | "version_mismatch";
  413:
    | "body_too_large";
  415:
    | "unsupported_media_type";
  422:
    | "idempotency_key_reused"
    | "image_refused";
  429:
    | "rate_limited"
    | "too_many_codes";
  500:
    | "internal_error";
  503:
    | "overloaded"
    | "unavailable"
    | "payment_provider_unavailable"
    | "oauth_provider_unavailable";
}

/** The codes that this version of the server answers. */
export type KnownErrorCode =
  | CodesByStatus[keyof CodesByStatus]
  | "malformed_request"
  | "idempotency_key_in_batch"
  | "batch_too_large"
  | "operation_not_found"
  | "method_not_allowed"
  | "request_timeout"
  | "headers_too_large"
  | "insufficient_credits"
  | "credential_in_url"
  | "invalid_ticket"
  | "upgrade_required";

/** The data of each event, by the name of the event. */
export interface EventMap {
  /** An API key was created. The secret is not part of it. */
  "api_key.created": Types.RecordedApiKey;
  /** An API key has expired: calls with it have been refused since its `expiresAt`. Sent within a day. */
  "api_key.expired": Types.RecordedApiKey;
  /** An API key expires within 14 days, or within 3: once for each, and again if `expiresAt` is changed. */
  "api_key.expiring": Types.ExpiringApiKey;
  /** An API key was revoked: no call with it succeeds any more. */
  "api_key.revoked": Types.RecordedApiKey;
  /** An API key got a new secret, which is not part of it. The earlier one works on for the grace period. */
  "api_key.rotated": Types.RecordedApiKey;
  /** An API key was changed: what it may do, from where, how often, until when, or whether it is enabled. */
  "api_key.updated": Types.RecordedApiKey;
  /** A message was written in the chat. Its text is read from the chat. */
  "chat.message_created": Types.ChatMessageNotice;
  /** A message in the chat was deleted. */
  "chat.message_deleted": Types.ChatMessageNotice;
  /** The author of a message in the chat changed its text. */
  "chat.message_updated": Types.ChatMessageNotice;
  /** The last credit was spent: calls that cost credits are refused until there are more. */
  "credits.exhausted": Types.CreditsLeft;
  /** Credits were not spent in time. */
  "credits.expired": Types.RemovedCredits;
  /** The organization was given credits. */
  "credits.granted": Types.GrantedCredits;
  /** At most a tenth of the balance after the last grant is left. Once for each grant. */
  "credits.low": Types.CreditsLeft;
  /** Credits were taken back. */
  "credits.revoked": Types.RemovedCredits;
  /** An invitation was accepted. `member.added` follows. */
  "invitation.accepted": Types.Invitation;
  /** An address was invited. */
  "invitation.created": Types.Invitation;
  /** An invitation was declined. */
  "invitation.declined": Types.Invitation;
  /** An invitation was sent again, with a new link. */
  "invitation.resent": Types.Invitation;
  /** An invitation was revoked: its link does not work any more. */
  "invitation.revoked": Types.Invitation;
  /** An invoice or a credit note got its number: what is printed on it does not change any more. */
  "invoice.finalized": Types.InvoiceSummary;
  /** Nothing is due of an invoice any more. */
  "invoice.paid": Types.InvoiceSummary;
  /** A payment of an invoice failed. It is still due. */
  "invoice.payment_failed": Types.InvoiceSummary;
  /** An invoice does not count any more, and is not to be paid. */
  "invoice.voided": Types.InvoiceSummary;
  /** A person became a member. */
  "member.added": Types.Member;
  /** A member left. */
  "member.left": Types.Member;
  /** A member was removed. */
  "member.removed": Types.Member;
  /** The organization role or the custom roles of a member changed. */
  "member.roles_changed": Types.Member;
  /** A meter was archived: it takes no more events, and its values can still be read. */
  "meter.archived": Types.Meter;
  /** A meter was created. */
  "meter.created": Types.Meter;
  /** An organization was created. */
  "organization.created": Types.Organization;
  /** An organization was deleted. For 30 days an owner can restore it. */
  "organization.deleted": Types.Organization;
  /** Staff changed the limits of the organization, or of one of its keys. The end of an override by its time is no event. */
  "organization.limits_changed": Types.ChangedLimits;
  /** An OWNER made another member OWNER, and became ADMIN. */
  "organization.ownership_transferred": Types.OwnershipTransfer;
  /** A deleted organization was restored. */
  "organization.restored": Types.Organization;
  /** The name, the settings or the metadata of an organization changed. */
  "organization.updated": Types.Organization;
  /** A payment waits for the payer at its `actionUrl`. */
  "payment.action_required": Types.PaymentOfOrganization;
  /** A payer disputes a payment, or such a dispute has ended: its `status` says which. */
  "payment.disputed": Types.DisputedPayment;
  /** A payment was refused. It is not tried again; a new one can be made. */
  "payment.failed": Types.PaymentOfOrganization;
  /** A payment, or a part of it, was paid back. */
  "payment.refunded": Types.RefundedPayment;
  /** A payment is paid, and what it pays for is given. */
  "payment.succeeded": Types.PaymentOfOrganization;
  /** A method was saved at its provider, and can be charged. */
  "payment_method.added": Types.PaymentMethod;
  /** A card expires within two weeks. Once for each expiry. */
  "payment_method.expiring": Types.PaymentMethod;
  /** A method was removed, here or at its provider, and is not charged any more. */
  "payment_method.removed": Types.PaymentMethod;
  /** A method became the default, or its bank has issued another card. */
  "payment_method.updated": Types.PaymentMethod;
  /** A custom role was created. */
  "role.created": Types.Role;
  /** A custom role was deleted. */
  "role.deleted": Types.Role;
  /** A custom role changed. */
  "role.updated": Types.Role;
  /** The subscription has ended. */
  "subscription.canceled": Types.PlanSubscription;
  /** The organization was subscribed to a plan. It counts once it is ACTIVE or TRIALING. */
  "subscription.created": Types.PlanSubscription;
  /** A payment of the subscription is missing. The plan counts until `entitledUntil`. */
  "subscription.past_due": Types.PlanSubscription;
  /** The time free of charge ends in three days. Then the first period is charged. */
  "subscription.trial_ending": Types.PlanSubscription;
  /** The subscription changed: its period, plan, quantity, provider, or when it ends. */
  "subscription.updated": Types.PlanSubscription;
  /** The organization has used 50, 80 or 100 % of the calls that its plan includes; once a month each. */
  "usage.threshold_reached": Types.ReachedThreshold;
  /** A webhook was created. Its secret is not part of it. */
  "webhook.created": Types.Webhook;
  /** A webhook was deleted: nothing is sent to it any more. */
  "webhook.deleted": Types.Webhook;
  /** The last attempt to send an event has failed. Not sent for events about webhooks. */
  "webhook.delivery_failed": Types.WebhookDelivery;
  /** A receiver has accepted an event. Not sent for events about webhooks. */
  "webhook.delivery_succeeded": Types.WebhookDelivery;
  /** The server disabled a webhook: it failed for five days, or its receiver answered 410. */
  "webhook.disabled": Types.FailingWebhook;
  /** A webhook has failed for half of the time after which it is disabled. */
  "webhook.disabling": Types.FailingWebhook;
  /** A webhook got a new secret, which is not part of it. The earlier one signs too for the overlap. */
  "webhook.secret_rotated": Types.Webhook;
  /** A webhook was changed: where it leads, what it gets, or whether it is enabled. */
  "webhook.updated": Types.Webhook;
  /** A call was made with an API key: sent once, and not kept. */
  api_call: { keyId: string; procedure: string; status: number; durationMs: number; requestId: string };
  /** A notice to you or your organization from those who run the service: sent once, and not kept. */
  notification: { title: string; text: string };
}

/** What is not kept, and sent once. */
export type UnstoredEvent = 'api_call' | 'notification';

/** Something that happened: `event` decides what `data` is. */
export type RentApiEvent = {
  [Name in keyof EventMap]: {
    /** null for what is not kept. */
    id: Name extends UnstoredEvent ? null : string;
    event: Name;
    createdAt: string;
    data: EventMap[Name];
  };
}[keyof EventMap];

/** What can be subscribed to: an event, all events of a resource, all events, or what a newer server knows. */
export type EventPattern = keyof EventMap | "api_key.*" | "chat.*" | "credits.*" | "invitation.*" | "invoice.*" | "member.*" | "meter.*" | "organization.*" | "payment.*" | "payment_method.*" | "role.*" | "subscription.*" | "usage.*" | "webhook.*" | '*' | (string & {});

export type AdminBillingBooksParams = NoParams;
export type AdminBillingFindingsParams = Params<Types.AdminBillingFindingsData>;
export type AdminCouponsArchiveParams = Params<Types.AdminCouponsArchiveData>;
export type AdminCouponsCreateParams = Params<Types.AdminCouponsCreateData>;
export type AdminCouponsListParams = Params<Types.AdminCouponsListData>;
export type AdminJobsGetParams = Params<Types.AdminJobsGetData>;
export type AdminJobsListParams = Params<Types.AdminJobsListData>;
export type AdminJobsRetryParams = Params<Types.AdminJobsRetryData>;
export type AdminOrgsLimitsGetParams = Params<Types.AdminOrgsLimitsGetData>;
export type AdminOrgsLimitsSetParams = Params<Types.AdminOrgsLimitsSetData>;
export type AdminPaymentsConfirmParams = Params<Types.AdminPaymentsConfirmData>;
export type AdminPaymentsRefundParams = Params<Types.AdminPaymentsRefundData>;
export type AdminQueuesParams = NoParams;
export type AdminUsersCreditsParams = Params<Types.AdminUsersCreditsData>;
export type AdminUsersResetTwoFactorParams = Params<Types.AdminUsersResetTwoFactorData>;
export type AdminUsersUnlockParams = Params<Types.AdminUsersUnlockData>;
export type AnalyticsErrorsParams = Params<Types.AnalyticsErrorsData>;
export type AnalyticsRealtimeParams = Params<Types.AnalyticsRealtimeData>;
export type AnalyticsReportsDownloadParams = Params<Types.AnalyticsReportsDownloadData>;
export type AnalyticsUsageParams = Params<Types.AnalyticsUsageData>;
export type ApiKeysCreateParams = Params<Types.ApiKeysCreateData>;
export type ApiKeysGetParams = Params<Types.ApiKeysGetData>;
export type ApiKeysListParams = Params<Types.ApiKeysListData>;
export type ApiKeysRevokeParams = Params<Types.ApiKeysRevokeData>;
export type ApiKeysRotateParams = Params<Types.ApiKeysRotateData>;
export type ApiKeysScopesParams = NoParams;
export type ApiKeysUpdateParams = Params<Types.ApiKeysUpdateData>;
export type ApiKeysUsageParams = Params<Types.ApiKeysUsageData>;
export type ApiKeysVerifyParams = Params<Types.ApiKeysVerifyData>;
export type AuthEmailResendVerificationParams = Params<Types.AuthEmailResendVerificationData>;
export type AuthEmailVerifyParams = Params<Types.AuthEmailVerifyData>;
export type AuthEmailChangeConfirmParams = Params<Types.AuthEmailChangeConfirmData>;
export type AuthEmailChangeUndoParams = Params<Types.AuthEmailChangeUndoData>;
export type AuthLoginParams = Params<Types.AuthLoginData>;
export type AuthLogoutParams = NoParams;
export type AuthPasskeysListParams = Params<Types.AuthPasskeysListData>;
export type AuthPasskeysLoginParams = Params<Types.AuthPasskeysLoginData>;
export type AuthPasskeysLoginOptionsParams = Params<Types.AuthPasskeysLoginOptionsData>;
export type AuthPasskeysRegisterParams = Params<Types.AuthPasskeysRegisterData>;
export type AuthPasskeysRegisterOptionsParams = NoParams;
export type AuthPasskeysRemoveParams = Params<Types.AuthPasskeysRemoveData>;
export type AuthPasskeysRenameParams = Params<Types.AuthPasskeysRenameData>;
export type AuthPasswordChangeParams = Params<Types.AuthPasswordChangeData>;
export type AuthPasswordResetConfirmParams = Params<Types.AuthPasswordResetConfirmData>;
export type AuthPasswordResetRequestParams = Params<Types.AuthPasswordResetRequestData>;
export type AuthReauthenticateParams = Params<Types.AuthReauthenticateData>;
export type AuthRefreshParams = Params<Types.AuthRefreshData>;
export type AuthRegisterParams = Params<Types.AuthRegisterData>;
export type AuthTwoFactorDisableParams = Params<Types.AuthTwoFactorDisableData>;
export type AuthTwoFactorEnableParams = NoParams;
export type AuthTwoFactorLoginParams = Params<Types.AuthTwoFactorLoginData>;
export type AuthTwoFactorObjectResetParams = Params<Types.AuthTwoFactorObjectResetData>;
export type AuthTwoFactorRegenerateBackupCodesParams = NoParams;
export type AuthTwoFactorVerifyParams = Params<Types.AuthTwoFactorVerifyData>;
export type AuthUnlockParams = Params<Types.AuthUnlockData>;
export type BillingCreditsBalanceParams = NoParams;
export type BillingCreditsHistoryParams = Params<Types.BillingCreditsHistoryData>;
export type BillingCreditsPurchaseParams = Params<Types.BillingCreditsPurchaseData>;
export type BillingEntitlementsParams = NoParams;
export type BillingInfoGetParams = NoParams;
export type BillingInfoSetParams = Params<Types.BillingInfoSetData>;
export type BillingInvoicesGetParams = Params<Types.BillingInvoicesGetData>;
export type BillingInvoicesListParams = Params<Types.BillingInvoicesListData>;
export type BillingInvoicesPayParams = Params<Types.BillingInvoicesPayData>;
export type BillingInvoicesPdfParams = Params<Types.BillingInvoicesPdfData>;
export type BillingPaymentMethodsListParams = Params<Types.BillingPaymentMethodsListData>;
export type BillingPaymentMethodsRemoveParams = Params<Types.BillingPaymentMethodsRemoveData>;
export type BillingPaymentMethodsSetupParams = Params<Types.BillingPaymentMethodsSetupData>;
export type BillingPaymentMethodsUpdateParams = Params<Types.BillingPaymentMethodsUpdateData>;
export type BillingPaymentsGetParams = Params<Types.BillingPaymentsGetData>;
export type BillingPaymentsListParams = Params<Types.BillingPaymentsListData>;
export type BillingPaypalCaptureParams = Params<Types.BillingPaypalCaptureData>;
export type BillingPaypalCreateOrderParams = Params<Types.BillingPaypalCreateOrderData>;
export type BillingPaypalWebhookParams = NoParams;
export type BillingPlansListParams = NoParams;
export type BillingPortalSessionParams = Params<Types.BillingPortalSessionData>;
export type BillingStripeWebhookParams = NoParams;
export type BillingSubscriptionCancelParams = Params<Types.BillingSubscriptionCancelData>;
export type BillingSubscriptionCreateParams = Params<Types.BillingSubscriptionCreateData>;
export type BillingSubscriptionGetParams = NoParams;
export type BillingSubscriptionPreviewParams = Params<Types.BillingSubscriptionPreviewData>;
export type BillingSubscriptionResumeParams = NoParams;
export type BillingSubscriptionUpdateParams = Params<Types.BillingSubscriptionUpdateData>;
export type BillingUsageSummaryParams = NoParams;
export type CacheClearParams = Params<Types.CacheClearData>;
export type CacheDeleteParams = Params<Types.CacheDeleteData>;
export type CacheStatusParams = NoParams;
export type OauthCallbackParams = Params<Types.OauthCallbackData>;
export type OauthExchangeParams = Params<Types.OauthExchangeData>;
export type OauthIdentitiesLinkParams = Params<Types.OauthIdentitiesLinkData>;
export type OauthIdentitiesListParams = NoParams;
export type OauthIdentitiesUnlinkParams = Params<Types.OauthIdentitiesUnlinkData>;
export type OauthInitiateParams = Params<Types.OauthInitiateData>;
export type OauthProvidersParams = NoParams;
export type OrgsAuditLogsParams = Params<Types.OrgsAuditLogsData>;
export type OrgsChatDeleteParams = Params<Types.OrgsChatDeleteData>;
export type OrgsChatEditParams = Params<Types.OrgsChatEditData>;
export type OrgsChatListParams = Params<Types.OrgsChatListData>;
export type OrgsChatSendParams = Params<Types.OrgsChatSendData>;
export type OrgsCreateParams = Params<Types.OrgsCreateData>;
export type OrgsDeleteParams = Params<Types.OrgsDeleteData>;
export type OrgsExportAuditLogsParams = Params<Types.OrgsExportAuditLogsData>;
export type OrgsGetParams = Params<Types.OrgsGetData>;
export type OrgsInvitationsAcceptParams = Params<Types.OrgsInvitationsAcceptData>;
export type OrgsInvitationsCreateParams = Params<Types.OrgsInvitationsCreateData>;
export type OrgsInvitationsDeclineParams = Params<Types.OrgsInvitationsDeclineData>;
export type OrgsInvitationsListParams = Params<Types.OrgsInvitationsListData>;
export type OrgsInvitationsResendParams = Params<Types.OrgsInvitationsResendData>;
export type OrgsInvitationsRevokeParams = Params<Types.OrgsInvitationsRevokeData>;
export type OrgsLeaveParams = Params<Types.OrgsLeaveData>;
export type OrgsListParams = Params<Types.OrgsListData>;
export type OrgsMembersListParams = Params<Types.OrgsMembersListData>;
export type OrgsMembersRemoveParams = Params<Types.OrgsMembersRemoveData>;
export type OrgsMembersSetRoleParams = Params<Types.OrgsMembersSetRoleData>;
export type OrgsRestoreParams = Params<Types.OrgsRestoreData>;
export type OrgsSearchParams = Params<Types.OrgsSearchData>;
export type OrgsSubdomainAvailableParams = Params<Types.OrgsSubdomainAvailableData>;
export type OrgsTransferParams = Params<Types.OrgsTransferData>;
export type OrgsUpdateParams = Params<Types.OrgsUpdateData>;
export type OrgsUsageParams = Params<Types.OrgsUsageData>;
export type PermissionsCheckParams = Params<Types.PermissionsCheckData>;
export type PermissionsListParams = NoParams;
export type PermissionsMatrixParams = NoParams;
export type RolesCreateParams = Params<Types.RolesCreateData>;
export type RolesDeleteParams = Params<Types.RolesDeleteData>;
export type RolesGetParams = Params<Types.RolesGetData>;
export type RolesListParams = Params<Types.RolesListData>;
export type RolesUpdateParams = Params<Types.RolesUpdateData>;
export type SessionsListParams = Params<Types.SessionsListData>;
export type SessionsRevokeParams = Params<Types.SessionsRevokeData>;
export type SessionsRevokeAllParams = Params<Types.SessionsRevokeAllData>;
export type SystemHealthParams = NoParams;
export type SystemHealthCacheParams = NoParams;
export type SystemHealthDatabaseParams = NoParams;
export type SystemLivenessParams = NoParams;
export type SystemReadinessParams = NoParams;
export type UsageIngestParams = Params<Types.UsageIngestData>;
export type UsageMetersArchiveParams = Params<Types.UsageMetersArchiveData>;
export type UsageMetersCreateParams = Params<Types.UsageMetersCreateData>;
export type UsageMetersListParams = Params<Types.UsageMetersListData>;
export type UsageMetersValuesParams = Params<Types.UsageMetersValuesData>;
export type UsersActivateParams = Params<Types.UsersActivateData>;
export type UsersAvatarParams = Params<Types.UsersAvatarData>;
export type UsersAvatarImageParams = Params<Types.UsersAvatarImageData>;
export type UsersCreateParams = Params<Types.UsersCreateData>;
export type UsersDeactivateParams = Params<Types.UsersDeactivateData>;
export type UsersDeleteParams = Params<Types.UsersDeleteData>;
export type UsersGetParams = Params<Types.UsersGetData>;
export type UsersListParams = Params<Types.UsersListData>;
export type UsersMeActivityParams = Params<Types.UsersMeActivityData>;
export type UsersMeAvatarParams = Params<Types.UsersMeAvatarData>;
export type UsersMeChangeEmailParams = Params<Types.UsersMeChangeEmailData>;
export type UsersMeDeleteParams = NoParams;
export type UsersMeExportParams = NoParams;
export type UsersMeExportFileParams = Params<Types.UsersMeExportFileData>;
export type UsersMeGetParams = NoParams;
export type UsersMePermissionsParams = NoParams;
export type UsersMeUpdateParams = Params<Types.UsersMeUpdateData>;
export type UsersRolesSetParams = Params<Types.UsersRolesSetData>;
export type UsersSuspendParams = Params<Types.UsersSuspendData>;
export type UsersUpdateParams = Params<Types.UsersUpdateData>;
export type WebhooksCreateParams = Params<Types.WebhooksCreateData>;
export type WebhooksDeleteParams = Params<Types.WebhooksDeleteData>;
export type WebhooksDeliveriesGetParams = Params<Types.WebhooksDeliveriesGetData>;
export type WebhooksDeliveriesListParams = Params<Types.WebhooksDeliveriesListData>;
export type WebhooksDeliveriesRetryParams = Params<Types.WebhooksDeliveriesRetryData>;
export type WebhooksEventTypesParams = NoParams;
export type WebhooksGetParams = Params<Types.WebhooksGetData>;
export type WebhooksListParams = Params<Types.WebhooksListData>;
export type WebhooksRecoverParams = Params<Types.WebhooksRecoverData>;
export type WebhooksRotateSecretParams = Params<Types.WebhooksRotateSecretData>;
export type WebhooksStatsParams = Params<Types.WebhooksStatsData>;
export type WebhooksTestParams = Params<Types.WebhooksTestData>;
export type WebhooksUpdateParams = Params<Types.WebhooksUpdateData>;
export type WsStatsParams = NoParams;
export type WsTicketParams = NoParams;

/** `client.admin.billing` */
export class AdminBillingResource extends Resource {
  /**
   * Get whether the books balance
   *
   * What the check has found that goes over the credits and the money of all organizations: each minute over at most 6,000 of them for at most 5 seconds, and then from the beginning.
   *
   * Needs `system:manage` on the platform.
   *
   * `GET /api/v1/admin/billing/books`
   *
   * @example
   * ```ts
   * const answer = await client.admin.billing.books();
   * ```
   */
  books(params?: AdminBillingBooksParams, options?: RequestOptions): ApiPromise<Types.AdminBillingBooksResponse> {
    return this.transport.call({"id":"admin.billing.books","method":"GET","path":"/api/v1/admin/billing/books"}, params, options);
  }

  /**
   * List what providers of payments have and this server does not expect
   *
   * Newest first: objects that were made in a dashboard, objects of the other environment, and words that are not known. None of them is adopted.
   *
   * Needs `system:manage` on the platform.
   *
   * `GET /api/v1/admin/billing/findings`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.admin.billing.findings({ limit: 25 })) console.log(item);
   * ```
   */
  findings(params?: AdminBillingFindingsParams, options?: RequestOptions): PagePromise<Types.AdminBillingFindingsResponse> {
    return this.transport.list({"id":"admin.billing.findings","method":"GET","path":"/api/v1/admin/billing/findings"}, params, options);
  }
}

/** `client.admin.coupons` */
export class AdminCouponsResource extends Resource {
  /**
   * Archive a coupon
   *
   * It cannot be used any more. Subscriptions that have it keep it.
   *
   * Needs `system:manage` on the platform.
   *
   * `DELETE /api/v1/admin/coupons/{couponCode}`
   *
   * @example
   * ```ts
   * await client.admin.coupons.archive({ couponCode: 'LAUNCH20' });
   * ```
   */
  archive(params: AdminCouponsArchiveParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"admin.coupons.archive","method":"DELETE","path":"/api/v1/admin/coupons/{couponCode}","keyed":true,"empty":true}, params, options);
  }

  /**
   * Create a coupon
   *
   * An organization can use it once, when it subscribes. It cannot be changed, only archived.
   *
   * Needs `system:manage` on the platform.
   *
   * `POST /api/v1/admin/coupons`
   *
   * @throws {BadRequestError} `coupon_discount_unclear`, `coupon_months_unclear`, `coupon_expires_in_past`
   * @throws {ConflictError} `coupon_code_taken`
   * @example
   * ```ts
   * const answer = await client.admin.coupons.create({ code: 'LAUNCH20', percentOff: 20, duration: 'once', maxRedemptions: 100 });
   * ```
   */
  create(params: AdminCouponsCreateParams, options?: RequestOptions): ApiPromise<Types.AdminCouponsCreateResponse> {
    return this.transport.call({"id":"admin.coupons.create","method":"POST","path":"/api/v1/admin/coupons","keyed":true,"body":"json"}, params, options);
  }

  /**
   * List coupons
   *
   * Newest first, archived ones too.
   *
   * Needs `system:manage` on the platform.
   *
   * `GET /api/v1/admin/coupons`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.admin.coupons.list({ limit: 25 })) console.log(item);
   * ```
   */
  list(params?: AdminCouponsListParams, options?: RequestOptions): PagePromise<Types.AdminCouponsListResponse> {
    return this.transport.list({"id":"admin.coupons.list","method":"GET","path":"/api/v1/admin/coupons"}, params, options);
  }
}

/** `client.admin.jobs` */
export class AdminJobsResource extends Resource {
  /**
   * Get a job
   *
   * With its input, its progress and the log of its attempts.
   *
   * Needs `system:manage` on the platform.
   *
   * `GET /api/v1/admin/jobs/{jobId}`
   *
   * @example
   * ```ts
   * const answer = await client.admin.jobs.get({ jobId: 'job_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  get(params: AdminJobsGetParams, options?: RequestOptions): ApiPromise<Types.AdminJobsGetResponse> {
    return this.transport.call({"id":"admin.jobs.get","method":"GET","path":"/api/v1/admin/jobs/{jobId}"}, params, options);
  }

  /**
   * List jobs
   *
   * Newest first: those that wait or run, those of 3 days that succeeded, and those of 30 days that failed.
   *
   * Needs `system:manage` on the platform.
   *
   * `GET /api/v1/admin/jobs`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.admin.jobs.list({ status: 'FAILED', limit: 25 })) console.log(item);
   * ```
   */
  list(params?: AdminJobsListParams, options?: RequestOptions): PagePromise<Types.AdminJobsListResponse> {
    return this.transport.list({"id":"admin.jobs.list","method":"GET","path":"/api/v1/admin/jobs"}, params, options);
  }

  /**
   * Retry a job that has failed
   *
   * It is due at once, with all its attempts, under the same id. It may have had a part of its effect already.
   *
   * Needs `system:manage` on the platform.
   *
   * `POST /api/v1/admin/jobs/{jobId}/retry`
   *
   * @throws {ConflictError} `job_not_failed`, `job_superseded`, `job_unknown`
   * @example
   * ```ts
   * const answer = await client.admin.jobs.retry({ jobId: 'job_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  retry(params: AdminJobsRetryParams, options?: RequestOptions): ApiPromise<Types.AdminJobsRetryResponse> {
    return this.transport.call({"id":"admin.jobs.retry","method":"POST","path":"/api/v1/admin/jobs/{jobId}/retry","keyed":true}, params, options);
  }
}

/** `client.admin.orgs.limits` */
export class AdminOrgsLimitsResource extends Resource {
  /**
   * List the overrides of limits of an organization
   *
   * Those that count now, with the reason and the end of each. Earlier ones are in its audit log.
   *
   * Needs `system:manage` on the platform.
   *
   * `GET /api/v1/admin/organizations/{orgId}/limits`
   *
   * @example
   * ```ts
   * const answer = await client.admin.orgs.limits.get({ orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  get(params: AdminOrgsLimitsGetParams, options?: RequestOptions): ApiPromise<Types.AdminOrgsLimitsGetResponse> {
    return this.transport.call({"id":"admin.orgs.limits.get","method":"GET","path":"/api/v1/admin/organizations/{orgId}/limits"}, params, options);
  }

  /**
   * Override the limits of an organization or a key
   *
   * In every process within a second, until `until`. It replaces the present override of the organization, or of the key that `keyId` names; without any number it ends that one. The organization sees it in its audit log and as an event.
   *
   * Needs `system:manage` on the platform.
   *
   * `PUT /api/v1/admin/organizations/{orgId}/limits`
   *
   * @throws {BadRequestError} `override_in_past`
   * @throws {ConflictError} `limit_reached`
   * @example
   * ```ts
   * const answer = await client.admin.orgs.limits.set({
   *   orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   perHour: 5000,
   *   reason: 'Launch on 1 March',
   *   until: '2030-03-15T00:00:00.000Z',
   * });
   * ```
   */
  set(params: AdminOrgsLimitsSetParams, options?: RequestOptions): ApiPromise<Types.AdminOrgsLimitsSetResponse> {
    return this.transport.call({"id":"admin.orgs.limits.set","method":"PUT","path":"/api/v1/admin/organizations/{orgId}/limits","keyed":true,"body":"json"}, params, options);
  }
}

/** `client.admin.orgs` */
export class AdminOrgsResource extends Resource {
  readonly limits: AdminOrgsLimitsResource;

  constructor(transport: Transport) {
    super(transport);
    this.limits = new AdminOrgsLimitsResource(transport);
  }
}

/** `client.admin.payments` */
export class AdminPaymentsResource extends Resource {
  /**
   * Confirm a bank transfer
   *
   * When the money of a payment by `manual` was seen on the account, or the money of its refund was sent. What it pays for is given at once. The same again changes nothing.
   *
   * Needs `system:manage` on the platform and a login within the last ten minutes.
   *
   * `POST /api/v1/admin/payments/{paymentId}/confirm`
   *
   * @throws {BadRequestError} `transfer_amount_differs`, `transfer_in_future`
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @throws {ConflictError} `payment_not_by_transfer`, `transfer_not_open`, `transfer_counted`
   * @example
   * ```ts
   * const answer = await client.admin.payments.confirm({
   *   paymentId: 'pay_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   reference: 'E2E-20260131-0042',
   *   receivedAt: '2026-01-31T12:00:00Z',
   *   amount: { amountMinor: 1000, currency: 'USD' },
   * });
   * ```
   */
  confirm(params: AdminPaymentsConfirmParams, options?: RequestOptions): ApiPromise<Types.AdminPaymentsConfirmResponse> {
    return this.transport.call({"id":"admin.payments.confirm","method":"POST","path":"/api/v1/admin/payments/{paymentId}/confirm","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Refund a payment
   *
   * A part, or all that is left; all refunds together are at most the payment. It is on its way when this answers. Credits that it paid for are taken back in the same part; what was spent of them is owed.
   *
   * Needs `system:manage` on the platform.
   *
   * `POST /api/v1/admin/payments/{paymentId}/refund`
   *
   * @throws {BadRequestError} `refund_currency_differs`, `refund_amount_not_possible`
   * @throws {ConflictError} `payment_not_refundable`, `payment_disputed`, `refund_exceeds_payment`
   * @example
   * ```ts
   * const answer = await client.admin.payments.refund({
   *   paymentId: 'pay_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   amount: { amountMinor: 500, currency: 'USD' },
   *   reason: 'Bought by mistake',
   * });
   * ```
   */
  refund(params: AdminPaymentsRefundParams, options?: RequestOptions): ApiPromise<Types.AdminPaymentsRefundResponse> {
    return this.transport.call({"id":"admin.payments.refund","method":"POST","path":"/api/v1/admin/payments/{paymentId}/refund","keyed":true,"body":"json"}, params, options);
  }
}

/** `client.admin.users` */
export class AdminUsersResource extends Resource {
  /**
   * Grant or take credits
   *
   * Of the personal organization of the user, which reads the reason in its history. Credits that are granted are spent after those that were bought.
   *
   * Needs `system:manage` on the platform.
   *
   * `POST /api/v1/admin/users/{userId}/credits`
   *
   * @throws {BadRequestError} `credits_expire_in_past`
   * @throws {ConflictError} `credits_exceed_balance`
   * @example
   * ```ts
   * const answer = await client.admin.users.credits({
   *   userId: 'usr_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   credits: 500,
   *   reason: 'Made good for the outage of 31 January',
   * });
   * ```
   */
  credits(params: AdminUsersCreditsParams, options?: RequestOptions): ApiPromise<Types.AdminUsersCreditsResponse> {
    return this.transport.call({"id":"admin.users.credits","method":"POST","path":"/api/v1/admin/users/{userId}/credits","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Remove a person's second factor
   *
   * Authenticator app, backup codes and passkeys, 24 hours later: the owner is mailed the reason and a link to object. Ends every session. Repeating it while it waits changes nothing.
   *
   * Needs `users:impersonate` on the platform and a login within the last ten minutes.
   *
   * `POST /api/v1/admin/users/{userId}/2fa/reset`
   *
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @throws {ConflictError} `two_factor_not_enabled`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.admin.users.resetTwoFactor({
   *   userId: 'usr_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   reason: 'Lost the phone; seen in person.',
   * });
   * ```
   */
  resetTwoFactor(params: AdminUsersResetTwoFactorParams, options?: RequestOptions): ApiPromise<Types.AdminUsersResetTwoFactorResponse> {
    return this.transport.call({"id":"admin.users.resetTwoFactor","method":"POST","path":"/api/v1/admin/users/{userId}/2fa/reset","keyed":true,"body":"json"}, params, options);
  }

  /**
   * End a lockout
   *
   * Too many wrong passwords lock an account for a while. This lets its owner try again at once, from every network.
   *
   * Needs `system:manage` on the platform and a login within the last ten minutes.
   *
   * `POST /api/v1/admin/users/{userId}/unlock`
   *
   * @throws {PermissionDeniedError} `reauthentication_required`, `target_has_more_permissions`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * await client.admin.users.unlock({ userId: 'usr_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  unlock(params: AdminUsersUnlockParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"admin.users.unlock","method":"POST","path":"/api/v1/admin/users/{userId}/unlock","keyed":true,"empty":true}, params, options);
  }
}

/** `client.admin` */
export class AdminResource extends Resource {
  readonly billing: AdminBillingResource;
  readonly coupons: AdminCouponsResource;
  readonly jobs: AdminJobsResource;
  readonly orgs: AdminOrgsResource;
  readonly payments: AdminPaymentsResource;
  readonly users: AdminUsersResource;

  constructor(transport: Transport) {
    super(transport);
    this.billing = new AdminBillingResource(transport);
    this.coupons = new AdminCouponsResource(transport);
    this.jobs = new AdminJobsResource(transport);
    this.orgs = new AdminOrgsResource(transport);
    this.payments = new AdminPaymentsResource(transport);
    this.users = new AdminUsersResource(transport);
  }

  /**
   * List the queues of jobs
   *
   * What waits, runs and has failed in each, how many processes serve it, and its schedules. Work that was requested a moment ago is not counted yet.
   *
   * Needs `system:manage` on the platform.
   *
   * `GET /api/v1/admin/queues`
   *
   * @example
   * ```ts
   * const answer = await client.admin.queues();
   * ```
   */
  queues(params?: AdminQueuesParams, options?: RequestOptions): ApiPromise<Types.AdminQueuesResponse> {
    return this.transport.call({"id":"admin.queues","method":"GET","path":"/api/v1/admin/queues"}, params, options);
  }
}

/** `client.analytics.reports` */
export class AnalyticsReportsResource extends Resource {
  /**
   * Download calls over time
   *
   * A row for each hour or day and each group that has calls, oldest first: all groups, at most 1,000,000 rows. Text in CSV that a spreadsheet would run as a formula has an apostrophe in front. It is cut off when you lose access: an answer that breaks off is incomplete.
   *
   * Needs `analytics:export`.
   *
   * `GET /api/v1/analytics/reports/download`
   *
   * @throws {BadRequestError} `unknown_time_zone`, `time_range_reversed`, `time_range_too_long`, `time_range_unbounded`, `report_too_large`
   * @throws {ServerError} `overloaded`
   * @example
   * ```ts
   * await client.analytics.reports.download({
   *   from: '2026-01-30T23:00:00Z',
   *   to: '2026-01-31T23:00:00Z',
   *   interval: 'day',
   *   timeZone: 'Europe/Berlin',
   *   groupBy: 'key',
   *   environment: 'live',
   *   format: 'csv',
   * });
   * ```
   */
  download(params?: AnalyticsReportsDownloadParams, options?: RequestOptions): ApiPromise<Types.AnalyticsReportsDownloadResponse> {
    return this.transport.call({"id":"analytics.reports.download","method":"GET","path":"/api/v1/analytics/reports/download","accept":"text/csv, application/x-ndjson, application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}, params, options);
  }
}

/** `client.analytics` */
export class AnalyticsResource extends Resource {
  readonly reports: AnalyticsReportsResource;

  constructor(transport: Transport) {
    super(transport);
    this.reports = new AnalyticsReportsResource(transport);
  }

  /**
   * Get failed calls over time
   *
   * How often calls failed through a fault of the caller (a status of 400 to 499) and of the server (500 and above), for each hour or day; the groups with the most errors first.
   *
   * Needs `analytics:read`.
   *
   * `GET /api/v1/analytics/errors`
   *
   * @throws {BadRequestError} `unknown_time_zone`, `time_range_reversed`, `time_range_too_long`, `time_range_unbounded`, `too_many_points`
   * @example
   * ```ts
   * const answer = await client.analytics.errors({
   *   from: '2026-01-30T23:00:00Z',
   *   to: '2026-01-31T23:00:00Z',
   *   interval: 'day',
   *   timeZone: 'Europe/Berlin',
   *   groupBy: 'key',
   *   environment: 'live',
   * });
   * ```
   */
  errors(params?: AnalyticsErrorsParams, options?: RequestOptions): ApiPromise<Types.AnalyticsErrorsResponse> {
    return this.transport.call({"id":"analytics.errors","method":"GET","path":"/api/v1/analytics/errors"}, params, options);
  }

  /**
   * Get the calls of the last minutes
   *
   * Counted while calls happen, by all processes together; those of other processes are included a second later. The socket `/api/v1/ws/analytics` sends the same numbers of the last 60 seconds once a second.
   *
   * Needs `analytics:read`.
   *
   * `GET /api/v1/analytics/real-time`
   *
   * @example
   * ```ts
   * const answer = await client.analytics.realtime({ minutes: 5, environment: 'live' });
   * ```
   */
  realtime(params?: AnalyticsRealtimeParams, options?: RequestOptions): ApiPromise<Types.AnalyticsRealtimeResponse> {
    return this.transport.call({"id":"analytics.realtime","method":"GET","path":"/api/v1/analytics/real-time"}, params, options);
  }

  /**
   * Get calls over time
   *
   * How many calls there were, how often they failed and how long they took, for each hour or day of a time zone and by key, procedure or status. Percentiles are within 1 % of the exact ones. Calls are counted a second after they end. For every group and more points, download a report.
   *
   * Needs `analytics:read`.
   *
   * `GET /api/v1/analytics/usage`
   *
   * @throws {BadRequestError} `unknown_time_zone`, `time_range_reversed`, `time_range_too_long`, `time_range_unbounded`, `too_many_points`
   * @example
   * ```ts
   * const answer = await client.analytics.usage({
   *   from: '2026-01-30T23:00:00Z',
   *   to: '2026-01-31T23:00:00Z',
   *   interval: 'day',
   *   timeZone: 'Europe/Berlin',
   *   groupBy: 'key',
   *   environment: 'live',
   * });
   * ```
   */
  usage(params?: AnalyticsUsageParams, options?: RequestOptions): ApiPromise<Types.AnalyticsUsageResponse> {
    return this.transport.call({"id":"analytics.usage","method":"GET","path":"/api/v1/analytics/usage"}, params, options);
  }
}

/** `client.apiKeys` */
export class ApiKeysResource extends Resource {
  /**
   * Create an API key
   *
   * The secret is in this answer only.
   *
   * Needs `api_keys:create`.
   *
   * `POST /api/v1/api-keys`
   *
   * @throws {PermissionDeniedError} `scope_not_held`
   * @throws {ConflictError} `limit_reached`
   * @example
   * ```ts
   * const answer = await client.apiKeys.create({ name: 'CI', scopes: ['api_keys:read'] });
   * ```
   */
  create(params: ApiKeysCreateParams, options?: RequestOptions): ApiPromise<Types.ApiKeysCreateResponse> {
    return this.transport.call({"id":"apiKeys.create","method":"POST","path":"/api/v1/api-keys","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Get an API key
   *
   * Without its secret, which is shown at its creation only.
   *
   * Needs `api_keys:read`.
   *
   * `GET /api/v1/api-keys/{keyId}`
   *
   * @example
   * ```ts
   * const answer = await client.apiKeys.get({ keyId: 'key_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  get(params: ApiKeysGetParams, options?: RequestOptions): ApiPromise<Types.ApiKeysGetResponse> {
    return this.transport.call({"id":"apiKeys.get","method":"GET","path":"/api/v1/api-keys/{keyId}"}, params, options);
  }

  /**
   * List API keys
   *
   * Newest first, revoked ones included. Secrets are never shown again.
   *
   * Needs `api_keys:read`.
   *
   * `GET /api/v1/api-keys`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.apiKeys.list({ limit: 25 })) console.log(item);
   * ```
   */
  list(params?: ApiKeysListParams, options?: RequestOptions): PagePromise<Types.ApiKeysListResponse> {
    return this.transport.list({"id":"apiKeys.list","method":"GET","path":"/api/v1/api-keys"}, params, options);
  }

  /**
   * Revoke an API key
   *
   * Takes effect at once and cannot be undone; the key stays listed.
   *
   * Needs `api_keys:delete`.
   *
   * `DELETE /api/v1/api-keys/{keyId}`
   *
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * await client.apiKeys.revoke({ keyId: 'key_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  revoke(params: ApiKeysRevokeParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"apiKeys.revoke","method":"DELETE","path":"/api/v1/api-keys/{keyId}","keyed":true,"empty":true}, params, options);
  }

  /**
   * Rotate an API key
   *
   * The key gets a new secret, which is in this answer only. The earlier one works for `gracePeriodSeconds` more. You must have the permissions of all its scopes.
   *
   * Needs `api_keys:rotate`.
   *
   * `POST /api/v1/api-keys/{keyId}/rotate`
   *
   * @throws {PermissionDeniedError} `scope_not_held`
   * @throws {ConflictError} `limit_reached`, `api_key_is_revoked`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.apiKeys.rotate({ keyId: 'key_2x4mzwq6v0d8k3r7n5t9b1c6gh', gracePeriodSeconds: 3600 });
   * ```
   */
  rotate(params: ApiKeysRotateParams, options?: RequestOptions): ApiPromise<Types.ApiKeysRotateResponse> {
    return this.transport.call({"id":"apiKeys.rotate","method":"POST","path":"/api/v1/api-keys/{keyId}/rotate","keyed":true,"body":"json"}, params, options);
  }

  /**
   * List all scopes there are
   *
   * With the permissions that each includes.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `GET /api/v1/api-keys/scopes`
   *
   * @example
   * ```ts
   * const answer = await client.apiKeys.scopes();
   * ```
   */
  scopes(params?: ApiKeysScopesParams, options?: RequestOptions): ApiPromise<Types.ApiKeysScopesResponse> {
    return this.transport.call({"id":"apiKeys.scopes","method":"GET","path":"/api/v1/api-keys/scopes"}, params, options);
  }

  /**
   * Update an API key
   *
   * You must have the permissions of the scopes that you add. The change takes effect within a second, everywhere.
   *
   * Needs `api_keys:update`.
   *
   * `PATCH /api/v1/api-keys/{keyId}`
   *
   * @throws {PermissionDeniedError} `scope_not_held`
   * @throws {ConflictError} `api_key_is_revoked`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.apiKeys.update({
   *   keyId: 'key_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   name: 'CI',
   *   ipAllowList: ['203.0.113.0/24'],
   * });
   * ```
   */
  update(params: ApiKeysUpdateParams, options?: RequestOptions): ApiPromise<Types.ApiKeysUpdateResponse> {
    return this.transport.call({"id":"apiKeys.update","method":"PATCH","path":"/api/v1/api-keys/{keyId}","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Get the usage of an API key
   *
   * Its calls by hour or day of a time zone, refused ones included. A call is counted a few seconds after its answer.
   *
   * Needs `api_keys:read`.
   *
   * `GET /api/v1/api-keys/{keyId}/usage`
   *
   * @throws {BadRequestError} `unknown_time_zone`, `time_range_reversed`, `time_range_too_long`
   * @example
   * ```ts
   * const answer = await client.apiKeys.usage({
   *   keyId: 'key_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   interval: 'day',
   *   timeZone: 'Europe/Berlin',
   * });
   * ```
   */
  usage(params: ApiKeysUsageParams, options?: RequestOptions): ApiPromise<Types.ApiKeysUsageResponse> {
    return this.transport.call({"id":"apiKeys.usage","method":"GET","path":"/api/v1/api-keys/{keyId}/usage"}, params, options);
  }

  /**
   * Verify an API key
   *
   * For your own API: whether a key of your organization that a program has shown to it may make a call. Always 200: `code` says why not. Credits and limits are taken together or not at all. A change of the key counts within a second. The scopes and `allowedOrigins` of the key are not judged.
   *
   * Needs `api_keys:verify`.
   *
   * `POST /api/v1/api-keys/verify`
   *
   * @throws {BadRequestError} `malformed_permission_query`, `permission_query_too_deep`, `invalid_cost`, `unknown_rate_limit`
   * @example
   * ```ts
   * const answer = await client.apiKeys.verify({
   *   key: 'rapi_live_4f9aXq2Lm8Zt6Rw1Vb7Nc3Ks5Jd0HgYpTe2x7Kd',
   *   permissions: 'documents.read',
   *   cost: 1,
   * });
   * ```
   */
  verify(params: ApiKeysVerifyParams, options?: RequestOptions): ApiPromise<Types.ApiKeysVerifyResponse> {
    return this.transport.call({"id":"apiKeys.verify","method":"POST","path":"/api/v1/api-keys/verify","body":"json"}, params, options);
  }
}

/** `client.auth.email` */
export class AuthEmailResource extends Resource {
  /**
   * Mail the verification link again
   *
   * The answer is the same whether or not the address has an account. The number of mails to one mailbox is limited.
   *
   * Needs no credential.
   *
   * `POST /api/v1/auth/resend-verification`
   *
   * @example
   * ```ts
   * await client.auth.email.resendVerification({ email: 'ada@example.com' });
   * ```
   */
  resendVerification(params: AuthEmailResendVerificationParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.email.resendVerification","method":"POST","path":"/api/v1/auth/resend-verification","public":true,"body":"json","empty":true}, params, options);
  }

  /**
   * Verify an e-mail address with the mailed token
   *
   * Claims the username, unless another account has claimed it first. If the address was registered more than once, no password is kept: a second mail contains a link to set one.
   *
   * Needs the token of a mailed link, and no other credential.
   *
   * `POST /api/v1/auth/verify-email`
   *
   * @throws {BadRequestError} `invalid_token`
   * @example
   * ```ts
   * await client.auth.email.verify({ token: 'YW4gZXhhbXBsZSBvZiBhIG1haWxlZCB0b2tlbiAuIC4gLg' });
   * ```
   */
  verify(params: AuthEmailVerifyParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.email.verify","method":"POST","path":"/api/v1/auth/verify-email","public":true,"body":"json","empty":true}, params, options);
  }
}

/** `client.auth.emailChange` */
export class AuthEmailChangeResource extends Resource {
  /**
   * Confirm a new e-mail address with the mailed token
   *
   * The token works once, within 24 hours. Links that were mailed to the old address end; sessions go on.
   *
   * Needs the token of a mailed link, and no other credential.
   *
   * `POST /api/v1/auth/email-change/confirm`
   *
   * @throws {BadRequestError} `invalid_token`
   * @throws {ConflictError} `email_taken`
   * @example
   * ```ts
   * await client.auth.emailChange.confirm({ token: 'YW4gZXhhbXBsZSBvZiBhIG1haWxlZCB0b2tlbiAuIC4gLg' });
   * ```
   */
  confirm(params: AuthEmailChangeConfirmParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.emailChange.confirm","method":"POST","path":"/api/v1/auth/email-change/confirm","public":true,"body":"json","empty":true}, params, options);
  }

  /**
   * Take back a change of the e-mail address
   *
   * With the token that was mailed to the old address, once, within 7 days. The account has the old address again, and every session ends.
   *
   * Needs the token of a mailed link, and no other credential.
   *
   * `POST /api/v1/auth/email-change/undo`
   *
   * @throws {BadRequestError} `invalid_token`
   * @throws {ConflictError} `email_taken`
   * @example
   * ```ts
   * await client.auth.emailChange.undo({ token: 'YW4gZXhhbXBsZSBvZiBhIG1haWxlZCB0b2tlbiAuIC4gLg' });
   * ```
   */
  undo(params: AuthEmailChangeUndoParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.emailChange.undo","method":"POST","path":"/api/v1/auth/email-change/undo","public":true,"body":"json","empty":true}, params, options);
  }
}

/** `client.auth.passkeys` */
export class AuthPasskeysResource extends Resource {
  /**
   * List your passkeys
   *
   * Newest first.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `GET /api/v1/auth/passkeys`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.auth.passkeys.list({ limit: 25 })) console.log(item);
   * ```
   */
  list(params?: AuthPasskeysListParams, options?: RequestOptions): PagePromise<Types.AuthPasskeysListResponse> {
    return this.transport.list({"id":"auth.passkeys.list","method":"GET","path":"/api/v1/auth/passkeys"}, params, options);
  }

  /**
   * Sign in with a passkey
   *
   * The authenticator has asked its owner for a PIN or a finger, so that no second factor is needed. As second factor it completes a login, in the cookie mode of that.
   *
   * Needs what a passkey signed, and no other credential.
   *
   * `POST /api/v1/auth/passkeys/login`
   *
   * @throws {BadRequestError} `cookies_unavailable`
   * @throws {AuthenticationError} `invalid_challenge`, `invalid_passkey`
   * @example
   * ```ts
   * const answer = await client.auth.passkeys.login({
   *   challengeToken: 'YW4gZXhhbXBsZSBvZiBhIGNoYWxsZW5nZSB0b2tlbiAuIC4',
   *   credential: {
   *     id: 'dGhlIGlkIG9mIGEgcGFzc2tleQ',
   *     rawId: 'dGhlIGlkIG9mIGEgcGFzc2tleQ',
   *     type: 'public-key',
   *     clientExtensionResults: {},
   *     response: {
   *       clientDataJSON: 'dGhlIGlkIG9mIGEgcGFzc2tleQ',
   *       authenticatorData: 'dGhlIGlkIG9mIGEgcGFzc2tleQ',
   *       signature: 'dGhlIGlkIG9mIGEgcGFzc2tleQ',
   *       userHandle: 'dGhlIGlkIG9mIGEgcGFzc2tleQ',
   *     },
   *   },
   * });
   * ```
   */
  login(params: AuthPasskeysLoginParams, options?: RequestOptions): ApiPromise<Types.AuthPasskeysLoginResponse> {
    return this.transport.call({"id":"auth.passkeys.login","method":"POST","path":"/api/v1/auth/passkeys/login","public":true,"body":"json"}, params, options);
  }

  /**
   * Begin to sign in with a passkey
   *
   * Answers what `navigator.credentials.get()` needs: for a sign-in with nothing else, or with `challengeToken` for the second factor of a login.
   *
   * Needs no credential.
   *
   * `POST /api/v1/auth/passkeys/login/options`
   *
   * @throws {AuthenticationError} `invalid_challenge`
   * @example
   * ```ts
   * const answer = await client.auth.passkeys.loginOptions({ challengeToken: 'YW4gZXhhbXBsZSBvZiBhIGNoYWxsZW5nZSB0b2tlbiAuIC4' });
   * ```
   */
  loginOptions(params?: AuthPasskeysLoginOptionsParams, options?: RequestOptions): ApiPromise<Types.AuthPasskeysLoginOptionsResponse> {
    return this.transport.call({"id":"auth.passkeys.loginOptions","method":"POST","path":"/api/v1/auth/passkeys/login/options","public":true,"body":"json"}, params, options);
  }

  /**
   * Add a passkey
   *
   * At most 20. From the first one on, logins with the password ask for a second factor: make backup codes (`POST /auth/2fa/backup-codes`).
   *
   * Needs a signed-in user and a login within the last ten minutes; API keys cannot call it.
   *
   * `POST /api/v1/auth/passkeys/register`
   *
   * @throws {AuthenticationError} `invalid_challenge`, `invalid_passkey`
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @throws {ConflictError} `limit_reached`, `passkey_taken`
   * @example
   * ```ts
   * const answer = await client.auth.passkeys.register({
   *   challengeToken: 'YW4gZXhhbXBsZSBvZiBhIGNoYWxsZW5nZSB0b2tlbiAuIC4',
   *   credential: {
   *     id: 'dGhlIGlkIG9mIGEgcGFzc2tleQ',
   *     rawId: 'dGhlIGlkIG9mIGEgcGFzc2tleQ',
   *     type: 'public-key',
   *     clientExtensionResults: {},
   *     response: {
   *       clientDataJSON: 'dGhlIGlkIG9mIGEgcGFzc2tleQ',
   *       attestationObject: 'dGhlIGlkIG9mIGEgcGFzc2tleQ',
   *       transports: ['internal'],
   *     },
   *   },
   *   name: 'Phone',
   * });
   * ```
   */
  register(params: AuthPasskeysRegisterParams, options?: RequestOptions): ApiPromise<Types.AuthPasskeysRegisterResponse> {
    return this.transport.call({"id":"auth.passkeys.register","method":"POST","path":"/api/v1/auth/passkeys/register","body":"json"}, params, options);
  }

  /**
   * Begin to add a passkey
   *
   * Answers what `navigator.credentials.create()` needs.
   *
   * Needs a signed-in user and a login within the last ten minutes; API keys cannot call it.
   *
   * `POST /api/v1/auth/passkeys/register/options`
   *
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @example
   * ```ts
   * const answer = await client.auth.passkeys.registerOptions();
   * ```
   */
  registerOptions(params?: AuthPasskeysRegisterOptionsParams, options?: RequestOptions): ApiPromise<Types.AuthPasskeysRegisterOptionsResponse> {
    return this.transport.call({"id":"auth.passkeys.registerOptions","method":"POST","path":"/api/v1/auth/passkeys/register/options"}, params, options);
  }

  /**
   * Remove a passkey
   *
   * It signs in no longer. The last way into the account cannot be removed.
   *
   * Needs a signed-in user and a login within the last ten minutes; API keys cannot call it.
   *
   * `DELETE /api/v1/auth/passkeys/{passkeyId}`
   *
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @throws {ConflictError} `last_way_in`
   * @example
   * ```ts
   * await client.auth.passkeys.remove({ passkeyId: 'psk_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  remove(params: AuthPasskeysRemoveParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.passkeys.remove","method":"DELETE","path":"/api/v1/auth/passkeys/{passkeyId}","keyed":true,"empty":true}, params, options);
  }

  /**
   * Rename a passkey
   *
   * For yourself: sign-ins do not show the name.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `PATCH /api/v1/auth/passkeys/{passkeyId}`
   *
   * @example
   * ```ts
   * const answer = await client.auth.passkeys.rename({ passkeyId: 'psk_2x4mzwq6v0d8k3r7n5t9b1c6gh', name: 'Phone' });
   * ```
   */
  rename(params: AuthPasskeysRenameParams, options?: RequestOptions): ApiPromise<Types.AuthPasskeysRenameResponse> {
    return this.transport.call({"id":"auth.passkeys.rename","method":"PATCH","path":"/api/v1/auth/passkeys/{passkeyId}","keyed":true,"body":"json"}, params, options);
  }
}

/** `client.auth.password` */
export class AuthPasswordResource extends Resource {
  /**
   * Change your password
   *
   * Ends every other session of the account, and every open link to reset the password or to change the address. The owner is mailed. An account without a password gets one through a mailed link.
   *
   * Needs a signed-in user and a login within the last ten minutes; API keys cannot call it.
   *
   * `POST /api/v1/auth/password/change`
   *
   * @throws {AuthenticationError} `invalid_credentials`
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @throws {ServerError} `overloaded`
   * @example
   * ```ts
   * await client.auth.password.change({ currentPassword: 'SecurePass123!', newPassword: 'three quiet green lamps' });
   * ```
   */
  change(params: AuthPasswordChangeParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.password.change","method":"POST","path":"/api/v1/auth/password/change","body":"json","empty":true}, params, options);
  }
}

/** `client.auth.passwordReset` */
export class AuthPasswordResetResource extends Resource {
  /**
   * Set a new password with the mailed token
   *
   * The token works once, within an hour. Ends every session of the account and every other mailed link.
   *
   * Needs the token of a mailed link, and no other credential.
   *
   * `POST /api/v1/auth/password-reset/confirm`
   *
   * @throws {BadRequestError} `invalid_token`
   * @throws {ServerError} `overloaded`
   * @example
   * ```ts
   * await client.auth.passwordReset.confirm({
   *   token: 'YW4gZXhhbXBsZSBvZiBhIG1haWxlZCB0b2tlbiAuIC4gLg',
   *   password: 'SecurePass123!',
   * });
   * ```
   */
  confirm(params: AuthPasswordResetConfirmParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.passwordReset.confirm","method":"POST","path":"/api/v1/auth/password-reset/confirm","public":true,"body":"json","empty":true}, params, options);
  }

  /**
   * Mail a link to set a new password
   *
   * The answer is the same whether or not the address has an account. The number of mails to one mailbox is limited.
   *
   * Needs no credential.
   *
   * `POST /api/v1/auth/password-reset/request`
   *
   * @example
   * ```ts
   * await client.auth.passwordReset.request({ email: 'ada@example.com' });
   * ```
   */
  request(params: AuthPasswordResetRequestParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.passwordReset.request","method":"POST","path":"/api/v1/auth/password-reset/request","public":true,"body":"json","empty":true}, params, options);
  }
}

/** `client.auth.twoFactor` */
export class AuthTwoFactorResource extends Resource {
  /**
   * Remove the authenticator app
   *
   * With the password and a code. Backup codes and trusted devices go with it.
   *
   * Needs a signed-in user and a login within the last ten minutes; API keys cannot call it.
   *
   * `POST /api/v1/auth/2fa/disable`
   *
   * @throws {AuthenticationError} `invalid_credentials`, `invalid_code`
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @throws {ConflictError} `two_factor_not_enabled`
   * @throws {RateLimitError} `too_many_codes`
   * @throws {ServerError} `overloaded`
   * @example
   * ```ts
   * await client.auth.twoFactor.disable({ password: 'SecurePass123!', code: '123456' });
   * ```
   */
  disable(params: AuthTwoFactorDisableParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.twoFactor.disable","method":"POST","path":"/api/v1/auth/2fa/disable","body":"json","empty":true}, params, options);
  }

  /**
   * Begin to set up an authenticator app
   *
   * Makes a secret for the app (RFC 6238: SHA-1, 6 digits, 30 seconds). Logins ask for codes only after `POST /auth/2fa/verify` has seen one.
   *
   * Needs a signed-in user and a login within the last ten minutes; API keys cannot call it.
   *
   * `POST /api/v1/auth/2fa/enable`
   *
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @throws {ConflictError} `two_factor_enabled`
   * @example
   * ```ts
   * const answer = await client.auth.twoFactor.enable();
   * ```
   */
  enable(params?: AuthTwoFactorEnableParams, options?: RequestOptions): ApiPromise<Types.AuthTwoFactorEnableResponse> {
    return this.transport.call({"id":"auth.twoFactor.enable","method":"POST","path":"/api/v1/auth/2fa/enable"}, params, options);
  }

  /**
   * Complete a login with a code
   *
   * Of the authenticator app, or a backup code. A challenge takes 5 tries within 5 minutes; an account, 10 wrong codes an hour. Cookie mode is that of the login.
   *
   * Needs the challenge token of a sign-in, and no other credential.
   *
   * `POST /api/v1/auth/2fa/login`
   *
   * @throws {BadRequestError} `cookies_unavailable`
   * @throws {AuthenticationError} `invalid_code`, `invalid_challenge`
   * @throws {RateLimitError} `too_many_codes`
   * @example
   * ```ts
   * const answer = await client.auth.twoFactor.login({
   *   challengeToken: 'YW4gZXhhbXBsZSBvZiBhIGNoYWxsZW5nZSB0b2tlbiAuIC4',
   *   code: '123456',
   * });
   * ```
   */
  login(params: AuthTwoFactorLoginParams, options?: RequestOptions): ApiPromise<Types.AuthTwoFactorLoginResponse> {
    return this.transport.call({"id":"auth.twoFactor.login","method":"POST","path":"/api/v1/auth/2fa/login","public":true,"body":"json"}, params, options);
  }

  /**
   * Stop an administrator's removal of the second factor
   *
   * With the token of the mail that informed the owner of it.
   *
   * Needs the token of a mailed link, and no other credential.
   *
   * `POST /api/v1/auth/2fa/reset/object`
   *
   * @throws {BadRequestError} `invalid_token`
   * @example
   * ```ts
   * await client.auth.twoFactor.objectReset({ token: 'YW4gZXhhbXBsZSBvZiBhIGNoYWxsZW5nZSB0b2tlbiAuIC4' });
   * ```
   */
  objectReset(params: AuthTwoFactorObjectResetParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.twoFactor.objectReset","method":"POST","path":"/api/v1/auth/2fa/reset/object","public":true,"body":"json","empty":true}, params, options);
  }

  /**
   * Replace the backup codes
   *
   * The ten new ones are shown only now; the old ones are not valid any more.
   *
   * Needs a signed-in user and a login within the last ten minutes; API keys cannot call it.
   *
   * `POST /api/v1/auth/2fa/backup-codes`
   *
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @throws {ConflictError} `two_factor_not_enabled`
   * @example
   * ```ts
   * const answer = await client.auth.twoFactor.regenerateBackupCodes();
   * ```
   */
  regenerateBackupCodes(params?: AuthTwoFactorRegenerateBackupCodesParams, options?: RequestOptions): ApiPromise<Types.AuthTwoFactorRegenerateBackupCodesResponse> {
    return this.transport.call({"id":"auth.twoFactor.regenerateBackupCodes","method":"POST","path":"/api/v1/auth/2fa/backup-codes"}, params, options);
  }

  /**
   * Finish setting up the authenticator app
   *
   * With a code of the app. From then on logins ask for one. Answers the backup codes, which are shown only now.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `POST /api/v1/auth/2fa/verify`
   *
   * @throws {AuthenticationError} `invalid_code`
   * @throws {ConflictError} `two_factor_enabled`, `two_factor_not_enabled`
   * @example
   * ```ts
   * const answer = await client.auth.twoFactor.verify({ code: '123456' });
   * ```
   */
  verify(params: AuthTwoFactorVerifyParams, options?: RequestOptions): ApiPromise<Types.AuthTwoFactorVerifyResponse> {
    return this.transport.call({"id":"auth.twoFactor.verify","method":"POST","path":"/api/v1/auth/2fa/verify","body":"json"}, params, options);
  }
}

/** `client.auth` */
export class AuthResource extends Resource {
  readonly email: AuthEmailResource;
  readonly emailChange: AuthEmailChangeResource;
  readonly passkeys: AuthPasskeysResource;
  readonly password: AuthPasswordResource;
  readonly passwordReset: AuthPasswordResetResource;
  readonly twoFactor: AuthTwoFactorResource;

  constructor(transport: Transport) {
    super(transport);
    this.email = new AuthEmailResource(transport);
    this.emailChange = new AuthEmailChangeResource(transport);
    this.passkeys = new AuthPasskeysResource(transport);
    this.password = new AuthPasswordResource(transport);
    this.passwordReset = new AuthPasswordResetResource(transport);
    this.twoFactor = new AuthTwoFactorResource(transport);
  }

  /**
   * Log in with e-mail address and password
   *
   * Starts a session: an access token for some minutes, and a refresh token that renews it. With `cookie: true`, for web pages, the refresh token is an HttpOnly cookie. For an account with a second factor the answer is a challenge instead, with `mfaRequired: true`.
   *
   * Needs no credential.
   *
   * `POST /api/v1/auth/login`
   *
   * @throws {BadRequestError} `cookies_unavailable`
   * @throws {AuthenticationError} `invalid_credentials`
   * @throws {PermissionDeniedError} `email_not_verified`
   * @throws {ServerError} `overloaded`
   * @example
   * ```ts
   * const answer = await client.auth.login({ email: 'ada@example.com', password: 'SecurePass123!' });
   * ```
   */
  login(params: AuthLoginParams, options?: RequestOptions): ApiPromise<Types.AuthLoginResponse> {
    return this.transport.call({"id":"auth.login","method":"POST","path":"/api/v1/auth/login","public":true,"body":"json"}, params, options);
  }

  /**
   * End the current session
   *
   * Its access and refresh tokens are refused from then on. Other sessions go on. Where the refresh token is a cookie, the browser deletes it, and what it has cached of the API.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `POST /api/v1/auth/logout`
   *
   * @example
   * ```ts
   * await client.auth.logout();
   * ```
   */
  logout(params?: AuthLogoutParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.logout","method":"POST","path":"/api/v1/auth/logout","keyed":true,"empty":true}, params, options);
  }

  /**
   * Prove once more who you are
   *
   * With the password, with `code`, or with a passkey: `challengeToken` and `credential`, for which `POST /auth/passkeys/login/options` gives the options. Answers the tokens of a new session, which for ten minutes can call operations that require a recent login. The old session ends, and with it every copy of its tokens.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `POST /api/v1/auth/reauthenticate`
   *
   * @throws {BadRequestError} `cookies_unavailable`
   * @throws {AuthenticationError} `invalid_credentials`, `invalid_code`, `invalid_challenge`, `invalid_passkey`
   * @throws {RateLimitError} `too_many_codes`
   * @throws {ServerError} `overloaded`
   * @example
   * ```ts
   * const answer = await client.auth.reauthenticate({ password: 'SecurePass123!' });
   * ```
   */
  reauthenticate(params?: AuthReauthenticateParams, options?: RequestOptions): ApiPromise<Types.AuthReauthenticateResponse> {
    return this.transport.call({"id":"auth.reauthenticate","method":"POST","path":"/api/v1/auth/reauthenticate","body":"json"}, params, options);
  }

  /**
   * Exchange a refresh token for a new pair
   *
   * Each refresh token works once. A used one that comes back after 10 seconds ends the session. A token that came in a cookie is exchanged for the next in a cookie.
   *
   * Needs a refresh token, in the body or as a cookie, and no other credential.
   *
   * `POST /api/v1/auth/refresh`
   *
   * @throws {AuthenticationError} `invalid_refresh_token`
   * @example
   * ```ts
   * const answer = await client.auth.refresh({ refreshToken: 'dGhpcyBpcyBhbiBleGFtcGxlIG9mIGEgcmVmcmVzaCB0b2tlbg' });
   * ```
   */
  refresh(params?: AuthRefreshParams, options?: RequestOptions): ApiPromise<Types.AuthRefreshResponse> {
    return this.transport.call({"id":"auth.refresh","method":"POST","path":"/api/v1/auth/refresh","public":true,"body":"json"}, params, options);
  }

  /**
   * Create an account
   *
   * Mails a link that verifies the address. The answer is the same for an address that already has an account; its owner gets a mail instead. If the address was registered more than once, the link verifies the address, and a second mail asks for a new password.
   *
   * Needs no credential.
   *
   * `POST /api/v1/auth/register`
   *
   * @throws {ConflictError} `username_taken`
   * @throws {ServerError} `overloaded`
   * @example
   * ```ts
   * const answer = await client.auth.register({
   *   email: 'ada@example.com',
   *   password: 'SecurePass123!',
   *   username: 'ada',
   *   fullName: 'Ada Lovelace',
   * });
   * ```
   */
  register(params: AuthRegisterParams, options?: RequestOptions): ApiPromise<Types.AuthRegisterResponse> {
    return this.transport.call({"id":"auth.register","method":"POST","path":"/api/v1/auth/register","public":true,"body":"json"}, params, options);
  }

  /**
   * End a lockout with the mailed token
   *
   * The mail about too many wrong passwords contains a link for its owner: passwords are compared again at once, from every network.
   *
   * Needs the token of a mailed link, and no other credential.
   *
   * `POST /api/v1/auth/unlock`
   *
   * @throws {BadRequestError} `invalid_token`
   * @example
   * ```ts
   * await client.auth.unlock({ token: 'YW4gZXhhbXBsZSBvZiBhIG1haWxlZCB0b2tlbiAuIC4gLg' });
   * ```
   */
  unlock(params: AuthUnlockParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.unlock","method":"POST","path":"/api/v1/auth/unlock","public":true,"body":"json","empty":true}, params, options);
  }
}

/** `client.billing.credits` */
export class BillingCreditsResource extends Resource {
  /**
   * Get the credits of the organization
   *
   * The balance, and what it is made of. Calls that cost credits say so in their description.
   *
   * Needs `billing:read`.
   *
   * `GET /api/v1/subscriptions/credits`
   *
   * @example
   * ```ts
   * const answer = await client.billing.credits.balance();
   * ```
   */
  balance(params?: BillingCreditsBalanceParams, options?: RequestOptions): ApiPromise<Types.BillingCreditsBalanceResponse> {
    return this.transport.call({"id":"billing.credits.balance","method":"GET","path":"/api/v1/subscriptions/credits"}, params, options);
  }

  /**
   * List the changes of the credits
   *
   * The ledger, newest first: each entry has the balance after it.
   *
   * Needs `billing:read`.
   *
   * `GET /api/v1/subscriptions/credits/history`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.billing.credits.history({ limit: 25 })) console.log(item);
   * ```
   */
  history(params?: BillingCreditsHistoryParams, options?: RequestOptions): PagePromise<Types.BillingCreditsHistoryResponse> {
    return this.transport.list({"id":"billing.credits.history","method":"GET","path":"/api/v1/subscriptions/credits/history"}, params, options);
  }

  /**
   * Buy credits
   *
   * Begins a payment, and answers where the payer goes. The credits are there once the payment is SUCCEEDED, whether the browser comes back or not. While a payment for the same credits waits for its payer, this answers that payment; with another provider, it takes its place.
   *
   * Needs `billing:manage`.
   *
   * `POST /api/v1/subscriptions/credits/purchase`
   *
   * @throws {BadRequestError} `credit_pack_unknown`, `currency_not_supported`, `amount_below_minimum`, `return_url_not_allowed`
   * @throws {NotFoundError} `payment_provider_not_set_up`
   * @throws {ConflictError} `limit_reached`, `currency_fixed`
   * @example
   * ```ts
   * const answer = await client.billing.credits.purchase({
   *   credits: 1000,
   *   provider: 'stripe',
   *   returnUrl: 'https://app.example.com/billing',
   * });
   * ```
   */
  purchase(params: BillingCreditsPurchaseParams, options?: RequestOptions): ApiPromise<Types.BillingCreditsPurchaseResponse> {
    return this.transport.call({"id":"billing.credits.purchase","method":"POST","path":"/api/v1/subscriptions/credits/purchase","keyed":true,"body":"json"}, params, options);
  }
}

/** `client.billing.info` */
export class BillingInfoResource extends Resource {
  /**
   * Get who is billed
   *
   * Name, address and tax id as invoices say them; null where nothing is known yet.
   *
   * Needs `billing:read`.
   *
   * `GET /api/v1/subscriptions/billing-info`
   *
   * @example
   * ```ts
   * const answer = await client.billing.info.get();
   * ```
   */
  get(params?: BillingInfoGetParams, options?: RequestOptions): ApiPromise<Types.BillingInfoGetResponse> {
    return this.transport.call({"id":"billing.info.get","method":"GET","path":"/api/v1/subscriptions/billing-info"}, params, options);
  }

  /**
   * Set who is billed
   *
   * Replaces all of it, for invoices from now on. A tax id of a member state of the European Union must have the form that VIES takes; whether it is valid is not asked.
   *
   * Needs `billing:manage`.
   *
   * `PUT /api/v1/subscriptions/billing-info`
   *
   * @throws {BadRequestError} `tax_id_invalid`, `tax_id_needs_country`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.billing.info.set({
   *   name: 'Acme GmbH',
   *   email: 'ap@acme.example',
   *   address: {
   *     line1: 'Hauptstraße 1',
   *     line2: null,
   *     postalCode: '10115',
   *     city: 'Berlin',
   *     region: null,
   *     country: 'DE',
   *   },
   *   taxId: 'DE123456789',
   * });
   * ```
   */
  set(params?: BillingInfoSetParams, options?: RequestOptions): ApiPromise<Types.BillingInfoSetResponse> {
    return this.transport.call({"id":"billing.info.set","method":"PUT","path":"/api/v1/subscriptions/billing-info","keyed":true,"body":"json"}, params, options);
  }
}

/** `client.billing.invoices` */
export class BillingInvoicesResource extends Resource {
  /**
   * Get an invoice
   *
   * With its lines, and both sides as they were when it got its number: what is changed afterwards does not change it.
   *
   * Needs `billing:read`.
   *
   * `GET /api/v1/subscriptions/invoices/{invoiceId}`
   *
   * @example
   * ```ts
   * const answer = await client.billing.invoices.get({ invoiceId: 'inv_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  get(params: BillingInvoicesGetParams, options?: RequestOptions): ApiPromise<Types.BillingInvoicesGetResponse> {
    return this.transport.call({"id":"billing.invoices.get","method":"GET","path":"/api/v1/subscriptions/invoices/{invoiceId}"}, params, options);
  }

  /**
   * List the invoices of the organization
   *
   * Newest first, credit notes and drafts among them, without their lines.
   *
   * Needs `billing:read`.
   *
   * `GET /api/v1/subscriptions/invoices`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.billing.invoices.list({ limit: 25 })) console.log(item);
   * ```
   */
  list(params?: BillingInvoicesListParams, options?: RequestOptions): PagePromise<Types.BillingInvoicesListResponse> {
    return this.transport.list({"id":"billing.invoices.list","method":"GET","path":"/api/v1/subscriptions/invoices"}, params, options);
  }

  /**
   * Pay an invoice
   *
   * Begins a payment of what is due, and answers where the payer goes. The invoice is PAID once the payment is SUCCEEDED, whether the browser comes back or not. While a payment of it waits for its payer, this answers that payment; with another provider, it takes its place. Of two that succeed all the same, one is refunded.
   *
   * Needs `billing:manage`.
   *
   * `POST /api/v1/subscriptions/invoices/{invoiceId}/pay`
   *
   * @throws {BadRequestError} `currency_not_supported`, `amount_below_minimum`, `return_url_not_allowed`
   * @throws {NotFoundError} `payment_provider_not_set_up`
   * @throws {ConflictError} `invoice_is_draft`, `invoice_not_due`, `payment_in_progress`
   * @example
   * ```ts
   * const answer = await client.billing.invoices.pay({
   *   invoiceId: 'inv_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   provider: 'stripe',
   *   returnUrl: 'https://app.example.com/billing',
   * });
   * ```
   */
  pay(params: BillingInvoicesPayParams, options?: RequestOptions): ApiPromise<Types.BillingInvoicesPayResponse> {
    return this.transport.call({"id":"billing.invoices.pay","method":"POST","path":"/api/v1/subscriptions/invoices/{invoiceId}/pay","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Download an invoice
   *
   * A PDF of what the invoice says, made once it is final: the same bytes each time, of which `pdfSha256` is the hash. Characters of scripts that its font lacks, such as Chinese, are printed as �.
   *
   * Needs `billing:read`.
   *
   * `GET /api/v1/subscriptions/invoices/{invoiceId}/download`
   *
   * @throws {ConflictError} `invoice_is_draft`, `invoice_not_rendered`
   * @example
   * ```ts
   * await client.billing.invoices.pdf({ invoiceId: 'inv_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  pdf(params: BillingInvoicesPdfParams, options?: RequestOptions): ApiPromise<Types.BillingInvoicesPdfResponse> {
    return this.transport.call({"id":"billing.invoices.pdf","method":"GET","path":"/api/v1/subscriptions/invoices/{invoiceId}/download","accept":"application/pdf"}, params, options);
  }
}

/** `client.billing.paymentMethods` */
export class BillingPaymentMethodsResource extends Resource {
  /**
   * List payment methods
   *
   * Newest first, those that wait for their payer too. At most one is the default.
   *
   * Needs `billing:read`.
   *
   * `GET /api/v1/subscriptions/payment-methods`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.billing.paymentMethods.list({ limit: 25 })) console.log(item);
   * ```
   */
  list(params?: BillingPaymentMethodsListParams, options?: RequestOptions): PagePromise<Types.BillingPaymentMethodsListResponse> {
    return this.transport.list({"id":"billing.paymentMethods.list","method":"GET","path":"/api/v1/subscriptions/payment-methods"}, params, options);
  }

  /**
   * Remove a payment method
   *
   * It is not charged any more, and is removed at its provider. If it was the default, the newest of the others that is not expired takes its place.
   *
   * Needs `billing:manage`.
   *
   * `DELETE /api/v1/subscriptions/payment-methods/{methodId}`
   *
   * @example
   * ```ts
   * await client.billing.paymentMethods.remove({ methodId: 'pmt_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  remove(params: BillingPaymentMethodsRemoveParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"billing.paymentMethods.remove","method":"DELETE","path":"/api/v1/subscriptions/payment-methods/{methodId}","keyed":true,"empty":true}, params, options);
  }

  /**
   * Save a payment method
   *
   * Answers where the payer goes; nothing is charged there. The method is ACTIVE soon after they have agreed, whether the browser comes back or not. The first one of an organization is its default.
   *
   * Needs `billing:manage`.
   *
   * `POST /api/v1/subscriptions/payment-methods/setup`
   *
   * @throws {BadRequestError} `payment_method_not_saved_here`, `return_url_not_allowed`
   * @throws {NotFoundError} `payment_provider_not_set_up`
   * @throws {ConflictError} `limit_reached`
   * @throws {ServerError} `payment_provider_unavailable`
   * @example
   * ```ts
   * const answer = await client.billing.paymentMethods.setup({ provider: 'stripe', returnUrl: 'https://app.example.com/billing' });
   * ```
   */
  setup(params: BillingPaymentMethodsSetupParams, options?: RequestOptions): ApiPromise<Types.BillingPaymentMethodsSetupResponse> {
    return this.transport.call({"id":"billing.paymentMethods.setup","method":"POST","path":"/api/v1/subscriptions/payment-methods/setup","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Make a payment method the default
   *
   * A method that is PENDING is looked up at its provider first, so call this when the payer is back.
   *
   * Needs `billing:manage`.
   *
   * `PATCH /api/v1/subscriptions/payment-methods/{methodId}`
   *
   * @throws {ConflictError} `payment_method_pending`, `payment_method_expired`
   * @example
   * ```ts
   * const answer = await client.billing.paymentMethods.update({ methodId: 'pmt_2x4mzwq6v0d8k3r7n5t9b1c6gh', default: true });
   * ```
   */
  update(params: BillingPaymentMethodsUpdateParams, options?: RequestOptions): ApiPromise<Types.BillingPaymentMethodsUpdateResponse> {
    return this.transport.call({"id":"billing.paymentMethods.update","method":"PATCH","path":"/api/v1/subscriptions/payment-methods/{methodId}","keyed":true,"body":"json"}, params, options);
  }
}

/** `client.billing.payments` */
export class BillingPaymentsResource extends Resource {
  /**
   * Get a payment
   *
   * For the page that the payer comes back to: the way back says nothing about the payment, its status does.
   *
   * Needs `billing:read`.
   *
   * `GET /api/v1/subscriptions/payments/{paymentId}`
   *
   * @example
   * ```ts
   * const answer = await client.billing.payments.get({ paymentId: 'pay_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  get(params: BillingPaymentsGetParams, options?: RequestOptions): ApiPromise<Types.BillingPaymentsGetResponse> {
    return this.transport.call({"id":"billing.payments.get","method":"GET","path":"/api/v1/subscriptions/payments/{paymentId}"}, params, options);
  }

  /**
   * List payments
   *
   * Newest first, those that failed or were left too.
   *
   * Needs `billing:read`.
   *
   * `GET /api/v1/subscriptions/payments`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.billing.payments.list({ limit: 25 })) console.log(item);
   * ```
   */
  list(params?: BillingPaymentsListParams, options?: RequestOptions): PagePromise<Types.BillingPaymentsListResponse> {
    return this.transport.list({"id":"billing.payments.list","method":"GET","path":"/api/v1/subscriptions/payments"}, params, options);
  }
}

/** `client.billing.paypal` */
export class BillingPaypalResource extends Resource {
  /**
   * Capture an order of PayPal
   *
   * When the payer has approved it. An approved order is captured in any case, so a browser that is closed loses nothing. PENDING is not paid yet.
   *
   * Needs `billing:manage`.
   *
   * `POST /api/v1/billing/paypal/orders/{orderId}/capture`
   *
   * @throws {ConflictError} `payment_not_approved`
   * @throws {ServerError} `payment_provider_unavailable`
   * @example
   * ```ts
   * const answer = await client.billing.paypal.capture({ orderId: '5O190127TN364715T' });
   * ```
   */
  capture(params: BillingPaypalCaptureParams, options?: RequestOptions): ApiPromise<Types.BillingPaypalCaptureResponse> {
    return this.transport.call({"id":"billing.paypal.capture","method":"POST","path":"/api/v1/billing/paypal/orders/{orderId}/capture","keyed":true}, params, options);
  }

  /**
   * Create an order of PayPal
   *
   * For PayPal's own buttons, which take `orderId`; `actionUrl` leads to the same order without them.
   *
   * Needs `billing:manage`.
   *
   * `POST /api/v1/billing/paypal/orders`
   *
   * @throws {BadRequestError} `credit_pack_unknown`, `currency_not_supported`, `return_url_not_allowed`
   * @throws {NotFoundError} `payment_provider_not_set_up`
   * @throws {ConflictError} `limit_reached`, `currency_fixed`
   * @throws {ServerError} `payment_provider_unavailable`
   * @example
   * ```ts
   * const answer = await client.billing.paypal.createOrder({ credits: 1000 });
   * ```
   */
  createOrder(params: BillingPaypalCreateOrderParams, options?: RequestOptions): ApiPromise<Types.BillingPaypalCreateOrderResponse> {
    return this.transport.call({"id":"billing.paypal.createOrder","method":"POST","path":"/api/v1/billing/paypal/orders","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Receive an event of PayPal
   *
   * Called by PayPal only. A genuine event is stored once, however often it is sent, and the object that it is about is read from PayPal afterwards; what the event says of it is not used.
   *
   * Needs the signature of the sender in the headers, and no other credential.
   *
   * `POST /api/v1/billing/paypal/webhook`
   *
   * @throws {BadRequestError} `provider_signature_invalid`
   * @throws {NotFoundError} `payment_provider_not_set_up`
   * @example
   * ```ts
   * const answer = await client.billing.paypal.webhook();
   * ```
   */
  webhook(params?: BillingPaypalWebhookParams, options?: RequestOptions): ApiPromise<Types.BillingPaypalWebhookResponse> {
    return this.transport.call({"id":"billing.paypal.webhook","method":"POST","path":"/api/v1/billing/paypal/webhook","public":true}, params, options);
  }
}

/** `client.billing.plans` */
export class BillingPlansResource extends Resource {
  /**
   * List the plans and their prices
   *
   * What an organization can subscribe to, for a month or a year, in each currency.
   *
   * Needs no credential.
   *
   * `GET /api/v1/subscriptions/plans`
   *
   * @example
   * ```ts
   * const answer = await client.billing.plans.list();
   * ```
   */
  list(params?: BillingPlansListParams, options?: RequestOptions): ApiPromise<Types.BillingPlansListResponse> {
    return this.transport.call({"id":"billing.plans.list","method":"GET","path":"/api/v1/subscriptions/plans","public":true}, params, options);
  }
}

/** `client.billing.stripe` */
export class BillingStripeResource extends Resource {
  /**
   * Receive an event of Stripe
   *
   * Called by Stripe only. A genuine event is stored once, however often it is sent, and the object that it is about is read from Stripe afterwards; what the event says of it is not used.
   *
   * Needs the signature of the sender in the headers, and no other credential.
   *
   * `POST /api/v1/billing/stripe/webhook`
   *
   * @throws {BadRequestError} `provider_signature_invalid`
   * @throws {NotFoundError} `payment_provider_not_set_up`
   * @example
   * ```ts
   * const answer = await client.billing.stripe.webhook();
   * ```
   */
  webhook(params?: BillingStripeWebhookParams, options?: RequestOptions): ApiPromise<Types.BillingStripeWebhookResponse> {
    return this.transport.call({"id":"billing.stripe.webhook","method":"POST","path":"/api/v1/billing/stripe/webhook","public":true}, params, options);
  }
}

/** `client.billing.subscription` */
export class BillingSubscriptionResource extends Resource {
  /**
   * Cancel the subscription
   *
   * At the end of what is paid, until when it can be resumed; or now, without giving money back. One of which a payment is missing ends at once.
   *
   * Needs `billing:manage`.
   *
   * `POST /api/v1/subscriptions/cancel`
   *
   * @throws {NotFoundError} `no_subscription`
   * @throws {ConflictError} `subscription_ended`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.billing.subscription.cancel({ at: 'period_end' });
   * ```
   */
  cancel(params: BillingSubscriptionCancelParams, options?: RequestOptions): ApiPromise<Types.BillingSubscriptionCancelResponse> {
    return this.transport.call({"id":"billing.subscription.cancel","method":"POST","path":"/api/v1/subscriptions/cancel","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Subscribe to a plan
   *
   * Begins a subscription, and answers where the payer goes. The plan counts once the first period is paid, whether the browser comes back or not; with a trial it counts at once. A subscription that was never paid is replaced.
   *
   * Needs `billing:manage`.
   *
   * `POST /api/v1/subscriptions/subscribe`
   *
   * @throws {BadRequestError} `currency_not_supported`, `return_url_not_allowed`, `plan_is_free`, `price_not_sold`, `coupon_not_valid`, `coupon_currency_differs`
   * @throws {NotFoundError} `payment_provider_not_set_up`
   * @throws {ConflictError} `currency_fixed`, `already_subscribed`, `coupon_already_used`
   * @example
   * ```ts
   * const answer = await client.billing.subscription.create({
   *   plan: 'BASIC',
   *   interval: 'month',
   *   provider: 'stripe',
   *   returnUrl: 'https://app.example.com/billing',
   * });
   * ```
   */
  create(params: BillingSubscriptionCreateParams, options?: RequestOptions): ApiPromise<Types.BillingSubscriptionCreateResponse> {
    return this.transport.call({"id":"billing.subscription.create","method":"POST","path":"/api/v1/subscriptions/subscribe","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Get the subscription of the organization
   *
   * The one that lives, else the last one that did.
   *
   * Needs `billing:read`.
   *
   * `GET /api/v1/subscriptions`
   *
   * @throws {NotFoundError} `no_subscription`
   * @example
   * ```ts
   * const answer = await client.billing.subscription.get();
   * ```
   */
  get(params?: BillingSubscriptionGetParams, options?: RequestOptions): ApiPromise<Types.BillingSubscriptionGetResponse> {
    return this.transport.call({"id":"billing.subscription.get","method":"GET","path":"/api/v1/subscriptions"}, params, options);
  }

  /**
   * Preview what a subscription or a change costs
   *
   * Of subscribing where nothing is subscribed to, else of the change. It changes nothing, and charges nothing.
   *
   * Needs `billing:read`.
   *
   * `POST /api/v1/subscriptions/preview`
   *
   * @throws {BadRequestError} `plan_is_free`, `price_not_sold`, `coupon_not_valid`, `coupon_currency_differs`
   * @throws {NotFoundError} `no_subscription`
   * @throws {ConflictError} `currency_fixed`, `renewal_due`, `coupon_already_used`
   * @example
   * ```ts
   * const answer = await client.billing.subscription.preview({ plan: 'PRO' });
   * ```
   */
  preview(params?: BillingSubscriptionPreviewParams, options?: RequestOptions): ApiPromise<Types.BillingSubscriptionPreviewResponse> {
    return this.transport.call({"id":"billing.subscription.preview","method":"POST","path":"/api/v1/subscriptions/preview","repeatable":true,"body":"json"}, params, options);
  }

  /**
   * Take a cancellation back
   *
   * The subscription goes on as if it had not been canceled. It costs nothing.
   *
   * Needs `billing:manage`.
   *
   * `POST /api/v1/subscriptions/resume`
   *
   * @throws {NotFoundError} `no_subscription`
   * @throws {ConflictError} `subscription_ended`, `subscription_not_canceling`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.billing.subscription.resume();
   * ```
   */
  resume(params?: BillingSubscriptionResumeParams, options?: RequestOptions): ApiPromise<Types.BillingSubscriptionResumeResponse> {
    return this.transport.call({"id":"billing.subscription.resume","method":"POST","path":"/api/v1/subscriptions/resume","keyed":true}, params, options);
  }

  /**
   * Change the subscription
   *
   * More, or a longer interval, is charged for the rest of the period and counts once that is paid; less, a shorter interval, or another provider counts from the next period on. With `prorationAt` of a preview, exactly what it showed is charged.
   *
   * Needs `billing:manage`.
   *
   * `PATCH /api/v1/subscriptions`
   *
   * @throws {BadRequestError} `currency_not_supported`, `plan_is_free`, `price_not_sold`, `proration_at_too_far`
   * @throws {NotFoundError} `payment_provider_not_set_up`, `no_subscription`
   * @throws {ConflictError} `subscription_ended`, `subscription_incomplete`, `subscription_canceling`, `payment_required`, `change_in_progress`, `renewal_due`, `nothing_to_change`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.billing.subscription.update({ plan: 'PRO' });
   * ```
   */
  update(params?: BillingSubscriptionUpdateParams, options?: RequestOptions): ApiPromise<Types.BillingSubscriptionUpdateResponse> {
    return this.transport.call({"id":"billing.subscription.update","method":"PATCH","path":"/api/v1/subscriptions","keyed":true,"body":"json"}, params, options);
  }
}

/** `client.billing` */
export class BillingResource extends Resource {
  readonly credits: BillingCreditsResource;
  readonly info: BillingInfoResource;
  readonly invoices: BillingInvoicesResource;
  readonly paymentMethods: BillingPaymentMethodsResource;
  readonly payments: BillingPaymentsResource;
  readonly paypal: BillingPaypalResource;
  readonly plans: BillingPlansResource;
  readonly stripe: BillingStripeResource;
  readonly subscription: BillingSubscriptionResource;

  constructor(transport: Transport) {
    super(transport);
    this.credits = new BillingCreditsResource(transport);
    this.info = new BillingInfoResource(transport);
    this.invoices = new BillingInvoicesResource(transport);
    this.paymentMethods = new BillingPaymentMethodsResource(transport);
    this.payments = new BillingPaymentsResource(transport);
    this.paypal = new BillingPaypalResource(transport);
    this.plans = new BillingPlansResource(transport);
    this.stripe = new BillingStripeResource(transport);
    this.subscription = new BillingSubscriptionResource(transport);
  }

  /**
   * Get what you may use, and why
   *
   * The plan of the current organization, with its features, scopes, limits and costs, and what decided each limit: the plan, an override by staff, the key itself or a setting of the deployment. `caps` are the same for every plan.
   *
   * Needs a signed-in user, or an API key of any scope.
   *
   * `GET /api/v1/entitlements`
   *
   * @example
   * ```ts
   * const answer = await client.billing.entitlements();
   * ```
   */
  entitlements(params?: BillingEntitlementsParams, options?: RequestOptions): ApiPromise<Types.BillingEntitlementsResponse> {
    return this.transport.call({"id":"billing.entitlements","method":"GET","path":"/api/v1/entitlements"}, params, options);
  }

  /**
   * Open Stripe's page for payment methods
   *
   * Where the payer sees, adds and removes methods at Stripe; what changes there changes here too.
   *
   * Needs `billing:manage`.
   *
   * `POST /api/v1/billing/portal-session`
   *
   * @throws {BadRequestError} `return_url_not_allowed`
   * @throws {NotFoundError} `payment_provider_not_set_up`
   * @throws {ServerError} `payment_provider_unavailable`
   * @example
   * ```ts
   * const answer = await client.billing.portalSession({ returnUrl: 'https://app.example.com/billing' });
   * ```
   */
  portalSession(params: BillingPortalSessionParams, options?: RequestOptions): ApiPromise<Types.BillingPortalSessionResponse> {
    return this.transport.call({"id":"billing.portalSession","method":"POST","path":"/api/v1/billing/portal-session","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Get what was used of the plan
   *
   * The calls of this month of UTC and the credits, beside those that the plan includes.
   *
   * Needs `billing:read`.
   *
   * `GET /api/v1/subscriptions/usage-summary`
   *
   * @example
   * ```ts
   * const answer = await client.billing.usageSummary();
   * ```
   */
  usageSummary(params?: BillingUsageSummaryParams, options?: RequestOptions): ApiPromise<Types.BillingUsageSummaryResponse> {
    return this.transport.call({"id":"billing.usageSummary","method":"GET","path":"/api/v1/subscriptions/usage-summary"}, params, options);
  }
}

/** `client.cache` */
export class CacheResource extends Resource {
  /**
   * Clear the cache
   *
   * One part or all of it, in Redis and in the memory of every process. What is cached is computed again; limits and other data in Redis stay.
   *
   * Needs `system:config` on the platform.
   *
   * `POST /api/v1/cache/clear`
   *
   * @example
   * ```ts
   * await client.cache.clear({ namespace: 'meters' });
   * ```
   */
  clear(params?: CacheClearParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"cache.clear","method":"POST","path":"/api/v1/cache/clear","keyed":true,"body":"json","empty":true}, params, options);
  }

  /**
   * Delete an entry of the cache
   *
   * In Redis and in the memory of every process; also succeeds for a key that has no entry.
   *
   * Needs `system:manage` on the platform.
   *
   * `DELETE /api/v1/cache/{key}`
   *
   * @throws {NotFoundError} `unknown_cache_namespace`
   * @example
   * ```ts
   * await client.cache.delete({ key: 'meters:org_00000000000000000000000000' });
   * ```
   */
  delete(params: CacheDeleteParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"cache.delete","method":"DELETE","path":"/api/v1/cache/{key}","keyed":true,"empty":true}, params, options);
  }

  /**
   * Get the status of the cache
   *
   * Its parts, and how many entries each has.
   *
   * Needs `system:manage` on the platform.
   *
   * `GET /api/v1/cache/status`
   *
   * @example
   * ```ts
   * const answer = await client.cache.status();
   * ```
   */
  status(params?: CacheStatusParams, options?: RequestOptions): ApiPromise<Types.CacheStatusResponse> {
    return this.transport.call({"id":"cache.status","method":"GET","path":"/api/v1/cache/status"}, params, options);
  }
}

/** `client.oauth.identities` */
export class OauthIdentitiesResource extends Resource {
  /**
   * Link a provider to your account
   *
   * Answers the provider's page: open it in the same browser within ten minutes. The account is then linked, and the browser goes to `redirectTo` with `?linked=` or `?error=`.
   *
   * Needs a signed-in user and a login within the last ten minutes; API keys cannot call it.
   *
   * `POST /api/v1/users/me/identities/{provider}/link`
   *
   * @throws {BadRequestError} `cookies_unavailable`, `redirect_not_allowed`
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @throws {NotFoundError} `oauth_provider_unknown`
   * @throws {ServerError} `oauth_provider_unavailable`
   * @example
   * ```ts
   * const answer = await client.oauth.identities.link({ provider: 'google', redirectTo: 'https://app.example.com/settings' });
   * ```
   */
  link(params: OauthIdentitiesLinkParams, options?: RequestOptions): ApiPromise<Types.OauthIdentitiesLinkResponse> {
    return this.transport.call({"id":"oauth.identities.link","method":"POST","path":"/api/v1/users/me/identities/{provider}/link","body":"json"}, params, options);
  }

  /**
   * List the providers that are linked to your account
   *
   * Each of them opens the account. They are found by what the provider calls you, never by the address.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `GET /api/v1/users/me/identities`
   *
   * @example
   * ```ts
   * const answer = await client.oauth.identities.list();
   * ```
   */
  list(params?: OauthIdentitiesListParams, options?: RequestOptions): ApiPromise<Types.OauthIdentitiesListResponse> {
    return this.transport.call({"id":"oauth.identities.list","method":"GET","path":"/api/v1/users/me/identities"}, params, options);
  }

  /**
   * Unlink a provider from your account
   *
   * It no longer opens the account. The last way to log in cannot be taken away.
   *
   * Needs a signed-in user and a login within the last ten minutes; API keys cannot call it.
   *
   * `DELETE /api/v1/users/me/identities/{provider}`
   *
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @throws {ConflictError} `last_way_in`
   * @example
   * ```ts
   * await client.oauth.identities.unlink({ provider: 'google' });
   * ```
   */
  unlink(params: OauthIdentitiesUnlinkParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"oauth.identities.unlink","method":"DELETE","path":"/api/v1/users/me/identities/{provider}","keyed":true,"empty":true}, params, options);
  }
}

/** `client.oauth` */
export class OauthResource extends Resource {
  readonly identities: OauthIdentitiesResource;

  constructor(transport: Transport) {
    super(transport);
    this.identities = new OauthIdentitiesResource(transport);
  }

  /**
   * End a login at a provider
   *
   * Where the provider sends the browser. A login with `redirectTo` goes on there with `?code=`, for POST /api/v1/oauth/exchange, or with `?error=` and `requestId`; one without it is answered here. Parameters that a provider adds are left out.
   *
   * Needs no credential.
   *
   * `GET /api/v1/oauth/{provider}/callback`
   *
   * @throws {BadRequestError} `oauth_state_invalid`, `oauth_answer_invalid`
   * @throws {PermissionDeniedError} `oauth_denied`, `oauth_email_unverified`, `oauth_not_fresh`
   * @throws {NotFoundError} `oauth_provider_unknown`
   * @throws {ConflictError} `identity_taken`, `identity_exists`
   * @throws {ServerError} `oauth_provider_unavailable`
   * @example
   * ```ts
   * const answer = await client.oauth.callback({
   *   provider: 'google',
   *   code: '4/P7q7W91a-oMsCeLvIaQm6bTrgtp7',
   *   state: 'YW4gZXhhbXBsZSBvZiBhIHN0YXRl',
   * });
   * ```
   */
  callback(params: OauthCallbackParams, options?: RequestOptions): ApiPromise<Types.OauthCallbackResponse> {
    return this.transport.call({"id":"oauth.callback","method":"GET","path":"/api/v1/oauth/{provider}/callback","public":true}, params, options);
  }

  /**
   * Exchange the code of a login at a provider
   *
   * Answers as a login does: with tokens, or with a challenge where the account has a second factor. A code works once, within 60 seconds, for the page that began; a second use ends the session of the first.
   *
   * Needs no credential.
   *
   * `POST /api/v1/oauth/exchange`
   *
   * @throws {BadRequestError} `cookies_unavailable`, `oauth_code_invalid`
   * @example
   * ```ts
   * const answer = await client.oauth.exchange({
   *   code: 'YW4gZXhhbXBsZSBvZiBhIGNvZGUgLiAuIC4gLiAuIC4gLiA',
   *   codeVerifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
   * });
   * ```
   */
  exchange(params: OauthExchangeParams, options?: RequestOptions): ApiPromise<Types.OauthExchangeResponse> {
    return this.transport.call({"id":"oauth.exchange","method":"POST","path":"/api/v1/oauth/exchange","public":true,"body":"json"}, params, options);
  }

  /**
   * Begin a login at a provider
   *
   * Redirects the browser to the provider's page, or answers its address where the request accepts `application/json`. A cookie binds the login to this browser for ten minutes.
   *
   * Needs no credential.
   *
   * `GET /api/v1/oauth/{provider}/initiate`
   *
   * @throws {BadRequestError} `cookies_unavailable`, `redirect_not_allowed`
   * @throws {NotFoundError} `oauth_provider_unknown`
   * @throws {ServerError} `oauth_provider_unavailable`
   * @example
   * ```ts
   * const answer = await client.oauth.initiate({
   *   provider: 'google',
   *   redirectTo: 'https://app.example.com/welcome',
   *   codeChallenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
   * });
   * ```
   */
  initiate(params: OauthInitiateParams, options?: RequestOptions): ApiPromise<Types.OauthInitiateResponse> {
    return this.transport.call({"id":"oauth.initiate","method":"GET","path":"/api/v1/oauth/{provider}/initiate","public":true}, params, options);
  }

  /**
   * List the providers of logins
   *
   * Only those that this server is set up for.
   *
   * Needs no credential.
   *
   * `GET /api/v1/oauth/providers`
   *
   * @example
   * ```ts
   * const answer = await client.oauth.providers();
   * ```
   */
  providers(params?: OauthProvidersParams, options?: RequestOptions): ApiPromise<Types.OauthProvidersResponse> {
    return this.transport.call({"id":"oauth.providers","method":"GET","path":"/api/v1/oauth/providers","public":true}, params, options);
  }
}

/** `client.orgs.chat` */
export class OrgsChatResource extends Resource {
  /**
   * Delete a message from the chat
   *
   * One that you wrote yourself, or, with the permission `members:remove`, any. Its text is gone at once.
   *
   * Needs `org:read`.
   *
   * `DELETE /api/v1/organizations/{orgId}/chat/messages/{messageId}`
   *
   * @throws {PermissionDeniedError} `not_your_message`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * await client.orgs.chat.delete({
   *   orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   messageId: 'msg_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   * });
   * ```
   */
  delete(params: OrgsChatDeleteParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"orgs.chat.delete","method":"DELETE","path":"/api/v1/organizations/{orgId}/chat/messages/{messageId}","keyed":true,"empty":true}, params, options);
  }

  /**
   * Change a message in the chat
   *
   * One that you wrote yourself.
   *
   * Needs `org:read`.
   *
   * `PATCH /api/v1/organizations/{orgId}/chat/messages/{messageId}`
   *
   * @throws {PermissionDeniedError} `not_your_message`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.orgs.chat.edit({
   *   orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   messageId: 'msg_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   text: 'The **new key** works.',
   * });
   * ```
   */
  edit(params: OrgsChatEditParams, options?: RequestOptions): ApiPromise<Types.OrgsChatEditResponse> {
    return this.transport.call({"id":"orgs.chat.edit","method":"PATCH","path":"/api/v1/organizations/{orgId}/chat/messages/{messageId}","keyed":true,"body":"json"}, params, options);
  }

  /**
   * List the messages of the chat
   *
   * Newest first, those of the last 90 days. New ones come over the socket of the organization.
   *
   * Needs `org:read`.
   *
   * `GET /api/v1/organizations/{orgId}/chat/messages`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.orgs.chat.list({ orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh', limit: 25 })) console.log(item);
   * ```
   */
  list(params: OrgsChatListParams, options?: RequestOptions): PagePromise<Types.OrgsChatListResponse> {
    return this.transport.list({"id":"orgs.chat.list","method":"GET","path":"/api/v1/organizations/{orgId}/chat/messages"}, params, options);
  }

  /**
   * Write a message in the chat
   *
   * Every member can, and every key with the scope `org:read`, which `read:*` contains; all of them can read it. It is Markdown that the server does not render: allow no HTML where you show it, and links with http, https and mailto only.
   *
   * Needs `org:read`.
   *
   * `POST /api/v1/organizations/{orgId}/chat/messages`
   *
   * @example
   * ```ts
   * const answer = await client.orgs.chat.send({ orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh', text: 'The **new key** works.' });
   * ```
   */
  send(params: OrgsChatSendParams, options?: RequestOptions): ApiPromise<Types.OrgsChatSendResponse> {
    return this.transport.call({"id":"orgs.chat.send","method":"POST","path":"/api/v1/organizations/{orgId}/chat/messages","keyed":true,"body":"json"}, params, options);
  }
}

/** `client.orgs.invitations` */
export class OrgsInvitationsResource extends Resource {
  /**
   * Accept an invitation
   *
   * You must be signed in with the invited address.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `POST /api/v1/invitations/accept`
   *
   * @throws {BadRequestError} `invalid_token`
   * @throws {PermissionDeniedError} `invitation_for_another`
   * @throws {ConflictError} `limit_reached`, `invitation_no_longer_valid`, `already_member`
   * @example
   * ```ts
   * const answer = await client.orgs.invitations.accept({ token: 'YW4gZXhhbXBsZSBvZiBhIG1haWxlZCB0b2tlbiAuIC4gLg' });
   * ```
   */
  accept(params: OrgsInvitationsAcceptParams, options?: RequestOptions): ApiPromise<Types.OrgsInvitationsAcceptResponse> {
    return this.transport.call({"id":"orgs.invitations.accept","method":"POST","path":"/api/v1/invitations/accept","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Create an invitation
   *
   * Mails a link that works once, for 7 days. The role must not have more permissions than you. The mails to one mailbox are limited, over all organizations.
   *
   * Needs `members:invite`.
   *
   * `POST /api/v1/organizations/{orgId}/invitations`
   *
   * @throws {PermissionDeniedError} `permission_not_held`
   * @throws {ConflictError} `limit_reached`, `invitation_pending`, `already_member`
   * @example
   * ```ts
   * const answer = await client.orgs.invitations.create({
   *   orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   email: 'grace@example.com',
   *   role: 'MEMBER',
   * });
   * ```
   */
  create(params: OrgsInvitationsCreateParams, options?: RequestOptions): ApiPromise<Types.OrgsInvitationsCreateResponse> {
    return this.transport.call({"id":"orgs.invitations.create","method":"POST","path":"/api/v1/organizations/{orgId}/invitations","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Decline an invitation
   *
   * Needs no account: the mailed token is enough.
   *
   * Needs the token of a mailed link, and no other credential.
   *
   * `POST /api/v1/invitations/decline`
   *
   * @throws {BadRequestError} `invalid_token`
   * @example
   * ```ts
   * await client.orgs.invitations.decline({ token: 'YW4gZXhhbXBsZSBvZiBhIG1haWxlZCB0b2tlbiAuIC4gLg' });
   * ```
   */
  decline(params: OrgsInvitationsDeclineParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"orgs.invitations.decline","method":"POST","path":"/api/v1/invitations/decline","public":true,"body":"json","empty":true}, params, options);
  }

  /**
   * List invitations
   *
   * Newest first, answered and revoked ones included.
   *
   * Needs `members:invite`.
   *
   * `GET /api/v1/organizations/{orgId}/invitations`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.orgs.invitations.list({ orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh', limit: 25 })) console.log(item);
   * ```
   */
  list(params: OrgsInvitationsListParams, options?: RequestOptions): PagePromise<Types.OrgsInvitationsListResponse> {
    return this.transport.list({"id":"orgs.invitations.list","method":"GET","path":"/api/v1/organizations/{orgId}/invitations"}, params, options);
  }

  /**
   * Send an invitation again
   *
   * Mails a new link that works for 7 days, also after the invitation has expired. The old link stops working.
   *
   * Needs `members:invite`.
   *
   * `POST /api/v1/organizations/{orgId}/invitations/{invitationId}/resend`
   *
   * @throws {PermissionDeniedError} `permission_not_held`
   * @throws {ConflictError} `limit_reached`, `invitation_pending`, `invitation_not_pending`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.orgs.invitations.resend({
   *   orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   invitationId: 'ivt_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   * });
   * ```
   */
  resend(params: OrgsInvitationsResendParams, options?: RequestOptions): ApiPromise<Types.OrgsInvitationsResendResponse> {
    return this.transport.call({"id":"orgs.invitations.resend","method":"POST","path":"/api/v1/organizations/{orgId}/invitations/{invitationId}/resend","keyed":true}, params, options);
  }

  /**
   * Revoke an invitation
   *
   * The mailed link does not work any more. Revoking it again changes nothing.
   *
   * Needs `members:invite`.
   *
   * `DELETE /api/v1/organizations/{orgId}/invitations/{invitationId}`
   *
   * @throws {ConflictError} `invitation_not_pending`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * await client.orgs.invitations.revoke({
   *   orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   invitationId: 'ivt_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   * });
   * ```
   */
  revoke(params: OrgsInvitationsRevokeParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"orgs.invitations.revoke","method":"DELETE","path":"/api/v1/organizations/{orgId}/invitations/{invitationId}","keyed":true,"empty":true}, params, options);
  }
}

/** `client.orgs.members` */
export class OrgsMembersResource extends Resource {
  /**
   * List the members of an organization
   *
   * Most recently joined first.
   *
   * Needs `org:read`.
   *
   * `GET /api/v1/organizations/{orgId}/members`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.orgs.members.list({ orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh', limit: 25 })) console.log(item);
   * ```
   */
  list(params: OrgsMembersListParams, options?: RequestOptions): PagePromise<Types.OrgsMembersListResponse> {
    return this.transport.list({"id":"orgs.members.list","method":"GET","path":"/api/v1/organizations/{orgId}/members"}, params, options);
  }

  /**
   * Remove a member
   *
   * The person loses access at once. Keys that they created stay: they belong to the organization.
   *
   * Needs `members:remove`.
   *
   * `DELETE /api/v1/organizations/{orgId}/members/{userId}`
   *
   * @throws {PermissionDeniedError} `target_has_more_permissions`
   * @throws {ConflictError} `last_owner`, `personal_organization`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * await client.orgs.members.remove({
   *   orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   userId: 'usr_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   * });
   * ```
   */
  remove(params: OrgsMembersRemoveParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"orgs.members.remove","method":"DELETE","path":"/api/v1/organizations/{orgId}/members/{userId}","keyed":true,"empty":true}, params, options);
  }

  /**
   * Change a member's organization role
   *
   * You can grant only permissions that you have, and cannot change a member with more permissions: an admin manages members, but never owners.
   *
   * Needs `members:update`.
   *
   * `PATCH /api/v1/organizations/{orgId}/members/{userId}`
   *
   * @throws {PermissionDeniedError} `permission_not_held`, `target_has_more_permissions`
   * @throws {ConflictError} `limit_reached`, `last_owner`, `personal_organization`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.orgs.members.setRole({
   *   orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   userId: 'usr_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   role: 'ADMIN',
   * });
   * ```
   */
  setRole(params: OrgsMembersSetRoleParams, options?: RequestOptions): ApiPromise<Types.OrgsMembersSetRoleResponse> {
    return this.transport.call({"id":"orgs.members.setRole","method":"PATCH","path":"/api/v1/organizations/{orgId}/members/{userId}","keyed":true,"body":"json"}, params, options);
  }
}

/** `client.orgs` */
export class OrgsResource extends Resource {
  readonly chat: OrgsChatResource;
  readonly invitations: OrgsInvitationsResource;
  readonly members: OrgsMembersResource;

  constructor(transport: Transport) {
    super(transport);
    this.chat = new OrgsChatResource(transport);
    this.invitations = new OrgsInvitationsResource(transport);
    this.members = new OrgsMembersResource(transport);
  }

  /**
   * List an organization's audit log
   *
   * Newest first. For the whole log, one JSON value per line, use `GET /api/v1/organizations/{orgId}/audit-logs/export` with the same filters.
   *
   * Needs `org:audit`.
   *
   * `GET /api/v1/organizations/{orgId}/audit-logs`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.orgs.auditLogs({ orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh', action: 'api_key.revoked' })) console.log(item);
   * ```
   */
  auditLogs(params: OrgsAuditLogsParams, options?: RequestOptions): PagePromise<Types.OrgsAuditLogsResponse> {
    return this.transport.list({"id":"orgs.auditLogs","method":"GET","path":"/api/v1/organizations/{orgId}/audit-logs"}, params, options);
  }

  /**
   * Create an organization
   *
   * You become its OWNER. It starts on the plan `DEFAULT_PLAN` of the deployment, FREE unless that is set.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `POST /api/v1/organizations`
   *
   * @throws {BadRequestError} `name_reserved`
   * @throws {ConflictError} `limit_reached`, `slug_taken`, `subdomain_taken`
   * @example
   * ```ts
   * const answer = await client.orgs.create({ name: 'Acme Inc.', slug: 'acme' });
   * ```
   */
  create(params: OrgsCreateParams, options?: RequestOptions): ApiPromise<Types.OrgsCreateResponse> {
    return this.transport.call({"id":"orgs.create","method":"POST","path":"/api/v1/organizations","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Delete an organization
   *
   * From then on its members and keys cannot see it. For 30 days an owner can restore it; then all its data but the audit log are deleted.
   *
   * Needs `org:delete` and a login within the last ten minutes; API keys cannot call it.
   *
   * `DELETE /api/v1/organizations/{orgId}`
   *
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @throws {ConflictError} `personal_organization`, `deletion_protected`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * await client.orgs.delete({ orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  delete(params: OrgsDeleteParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"orgs.delete","method":"DELETE","path":"/api/v1/organizations/{orgId}","keyed":true,"empty":true}, params, options);
  }

  /**
   * Download an organization's audit log
   *
   * Oldest first, one JSON value per line, for a log of any length. It is cut off when you lose access: an answer that breaks off is incomplete.
   *
   * Needs `org:audit`.
   *
   * `GET /api/v1/organizations/{orgId}/audit-logs/export`
   *
   * @example
   * ```ts
   * for await (const item of client.orgs.exportAuditLogs({ orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh', action: 'api_key.revoked' })) console.log(item);
   * ```
   */
  exportAuditLogs(params: OrgsExportAuditLogsParams, options?: RequestOptions): AsyncGenerator<Types.AuditEntry> {
    return this.transport.lines({"id":"orgs.exportAuditLogs","method":"GET","path":"/api/v1/organizations/{orgId}/audit-logs/export","stream":true}, params, options);
  }

  /**
   * Get an organization
   *
   * With the settings that its members may read.
   *
   * Needs `org:read`.
   *
   * `GET /api/v1/organizations/{orgId}`
   *
   * @example
   * ```ts
   * const answer = await client.orgs.get({ orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  get(params: OrgsGetParams, options?: RequestOptions): ApiPromise<Types.OrgsGetResponse> {
    return this.transport.call({"id":"orgs.get","method":"GET","path":"/api/v1/organizations/{orgId}"}, params, options);
  }

  /**
   * Leave an organization
   *
   * Your membership ends at once. Keys that you created stay: they belong to the organization.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `POST /api/v1/organizations/{orgId}/leave`
   *
   * @throws {ConflictError} `last_owner`, `personal_organization`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * await client.orgs.leave({ orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  leave(params: OrgsLeaveParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"orgs.leave","method":"POST","path":"/api/v1/organizations/{orgId}/leave","keyed":true,"empty":true}, params, options);
  }

  /**
   * List your organizations
   *
   * Those you are a member of, newest first, with your role.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `GET /api/v1/organizations`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.orgs.list({ limit: 25 })) console.log(item);
   * ```
   */
  list(params?: OrgsListParams, options?: RequestOptions): PagePromise<Types.OrgsListResponse> {
    return this.transport.list({"id":"orgs.list","method":"GET","path":"/api/v1/organizations"}, params, options);
  }

  /**
   * Restore a deleted organization
   *
   * With its members, keys and names, as it was.
   *
   * Needs `org:delete` and a login within the last ten minutes; API keys cannot call it.
   *
   * `POST /api/v1/organizations/{orgId}/restore`
   *
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @throws {ConflictError} `restore_window_over`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.orgs.restore({ orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  restore(params: OrgsRestoreParams, options?: RequestOptions): ApiPromise<Types.OrgsRestoreResponse> {
    return this.transport.call({"id":"orgs.restore","method":"POST","path":"/api/v1/organizations/{orgId}/restore","keyed":true}, params, options);
  }

  /**
   * Search your organizations
   *
   * By part of name or slug, among those you are a member of.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `GET /api/v1/organizations/search`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.orgs.search({ query: 'acme' })) console.log(item);
   * ```
   */
  search(params: OrgsSearchParams, options?: RequestOptions): PagePromise<Types.OrgsSearchResponse> {
    return this.transport.list({"id":"orgs.search","method":"GET","path":"/api/v1/organizations/search"}, params, options);
  }

  /**
   * Check whether a subdomain is available
   *
   * And why not: it is invalid, reserved or taken.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `GET /api/v1/organizations/subdomain-availability`
   *
   * @example
   * ```ts
   * const answer = await client.orgs.subdomainAvailable({ subdomain: 'acme' });
   * ```
   */
  subdomainAvailable(params: OrgsSubdomainAvailableParams, options?: RequestOptions): ApiPromise<Types.OrgsSubdomainAvailableResponse> {
    return this.transport.call({"id":"orgs.subdomainAvailable","method":"GET","path":"/api/v1/organizations/subdomain-availability"}, params, options);
  }

  /**
   * Transfer ownership to another member
   *
   * The member becomes OWNER, you become ADMIN.
   *
   * Needs `org:transfer` and a login within the last ten minutes; API keys cannot call it.
   *
   * `POST /api/v1/organizations/{orgId}/transfer-ownership`
   *
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @throws {ConflictError} `limit_reached`, `personal_organization`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.orgs.transfer({
   *   orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   userId: 'usr_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   * });
   * ```
   */
  transfer(params: OrgsTransferParams, options?: RequestOptions): ApiPromise<Types.OrgsTransferResponse> {
    return this.transport.call({"id":"orgs.transfer","method":"POST","path":"/api/v1/organizations/{orgId}/transfer-ownership","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Update an organization
   *
   * What is missing stays; null clears. With `If-Match`, only if it has not changed since the `ETag` was read.
   *
   * Needs `org:update`.
   *
   * `PATCH /api/v1/organizations/{orgId}`
   *
   * @throws {BadRequestError} `name_reserved`
   * @throws {ConflictError} `slug_taken`, `subdomain_taken`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.orgs.update({ orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh', deletionProtection: true });
   * ```
   */
  update(params: OrgsUpdateParams, options?: RequestOptions): ApiPromise<Types.OrgsUpdateResponse> {
    return this.transport.call({"id":"orgs.update","method":"PATCH","path":"/api/v1/organizations/{orgId}","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Get the usage of an organization
   *
   * Its calls in a period, by the environment of the key, refused ones included, and the limits of its plan. A call is counted a few seconds after its answer.
   *
   * Needs `org:read`.
   *
   * `GET /api/v1/organizations/{orgId}/usage`
   *
   * @throws {BadRequestError} `time_range_reversed`, `time_range_too_long`
   * @example
   * ```ts
   * const answer = await client.orgs.usage({ orgId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  usage(params: OrgsUsageParams, options?: RequestOptions): ApiPromise<Types.OrgsUsageResponse> {
    return this.transport.call({"id":"orgs.usage","method":"GET","path":"/api/v1/organizations/{orgId}/usage"}, params, options);
  }
}

/** `client.permissions` */
export class PermissionsResource extends Resource {
  /**
   * Check permissions
   *
   * In the current organization.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `POST /api/v1/permissions/check`
   *
   * @example
   * ```ts
   * const answer = await client.permissions.check({ permissions: ['api_keys:read'] });
   * ```
   */
  check(params: PermissionsCheckParams, options?: RequestOptions): ApiPromise<Types.PermissionsCheckResponse> {
    return this.transport.call({"id":"permissions.check","method":"POST","path":"/api/v1/permissions/check","body":"json"}, params, options);
  }

  /**
   * List all permissions there are
   *
   * With the roles that hold each, and whether a custom role can.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `GET /api/v1/permissions`
   *
   * @example
   * ```ts
   * const answer = await client.permissions.list();
   * ```
   */
  list(params?: PermissionsListParams, options?: RequestOptions): ApiPromise<Types.PermissionsListResponse> {
    return this.transport.call({"id":"permissions.list","method":"GET","path":"/api/v1/permissions"}, params, options);
  }

  /**
   * Get the permission matrix
   *
   * Each role of the organization against each permission, with what it inherits.
   *
   * Needs `roles:read`.
   *
   * `GET /api/v1/permissions/matrix`
   *
   * @example
   * ```ts
   * const answer = await client.permissions.matrix();
   * ```
   */
  matrix(params?: PermissionsMatrixParams, options?: RequestOptions): ApiPromise<Types.PermissionsMatrixResponse> {
    return this.transport.call({"id":"permissions.matrix","method":"GET","path":"/api/v1/permissions/matrix"}, params, options);
  }
}

/** `client.roles` */
export class RolesResource extends Resource {
  /**
   * Create a role
   *
   * It has its own permissions and those of its parent. You can grant only permissions that you have.
   *
   * Needs `roles:create`.
   *
   * `POST /api/v1/roles`
   *
   * @throws {PermissionDeniedError} `permission_not_held`
   * @throws {ConflictError} `limit_reached`, `role_name_taken`, `role_too_deep`, `system_role`
   * @example
   * ```ts
   * const answer = await client.roles.create({
   *   name: 'Support',
   *   description: 'Answers customers',
   *   parentId: 'rol_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   permissions: ['api_keys:read'],
   * });
   * ```
   */
  create(params: RolesCreateParams, options?: RequestOptions): ApiPromise<Types.RolesCreateResponse> {
    return this.transport.call({"id":"roles.create","method":"POST","path":"/api/v1/roles","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Delete a role
   *
   * Members who had it lose it at once.
   *
   * Needs `roles:delete`.
   *
   * `DELETE /api/v1/roles/{roleId}`
   *
   * @throws {ConflictError} `role_has_children`, `system_role`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * await client.roles.delete({ roleId: 'rol_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  delete(params: RolesDeleteParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"roles.delete","method":"DELETE","path":"/api/v1/roles/{roleId}","keyed":true,"empty":true}, params, options);
  }

  /**
   * Get a role
   *
   * One of the organization, or one of the system.
   *
   * Needs `roles:read`.
   *
   * `GET /api/v1/roles/{roleId}`
   *
   * @example
   * ```ts
   * const answer = await client.roles.get({ roleId: 'rol_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  get(params: RolesGetParams, options?: RequestOptions): ApiPromise<Types.RolesGetResponse> {
    return this.transport.call({"id":"roles.get","method":"GET","path":"/api/v1/roles/{roleId}"}, params, options);
  }

  /**
   * List roles
   *
   * The organization's own, newest first, then OWNER, ADMIN, MEMBER and VIEWER.
   *
   * Needs `roles:read`.
   *
   * `GET /api/v1/roles`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.roles.list({ limit: 25 })) console.log(item);
   * ```
   */
  list(params?: RolesListParams, options?: RequestOptions): PagePromise<Types.RolesListResponse> {
    return this.transport.list({"id":"roles.list","method":"GET","path":"/api/v1/roles"}, params, options);
  }

  /**
   * Update a role
   *
   * You must have the permissions that you add. The change takes effect at once for all members who have the role or inherit from it.
   *
   * Needs `roles:update`.
   *
   * `PATCH /api/v1/roles/{roleId}`
   *
   * @throws {PermissionDeniedError} `permission_not_held`
   * @throws {ConflictError} `role_name_taken`, `role_cycle`, `role_too_deep`, `system_role`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.roles.update({ roleId: 'rol_2x4mzwq6v0d8k3r7n5t9b1c6gh', permissions: ['api_keys:read'] });
   * ```
   */
  update(params: RolesUpdateParams, options?: RequestOptions): ApiPromise<Types.RolesUpdateResponse> {
    return this.transport.call({"id":"roles.update","method":"PATCH","path":"/api/v1/roles/{roleId}","keyed":true,"body":"json"}, params, options);
  }
}

/** `client.sessions` */
export class SessionsResource extends Resource {
  /**
   * List your sessions
   *
   * Where you are logged in, the latest login first. A person has at most 100: one more ends the oldest.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `GET /api/v1/auth/sessions`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.sessions.list({ limit: 25 })) console.log(item);
   * ```
   */
  list(params?: SessionsListParams, options?: RequestOptions): PagePromise<Types.SessionsListResponse> {
    return this.transport.list({"id":"sessions.list","method":"GET","path":"/api/v1/auth/sessions"}, params, options);
  }

  /**
   * End a session
   *
   * Its tokens are refused within a second, and its sockets closed. Another session than the own one needs a recent login.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `DELETE /api/v1/auth/sessions/{sessionId}`
   *
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @example
   * ```ts
   * await client.sessions.revoke({ sessionId: '6b0d3b5e-0c55-4d0c-8a6f-3f1d2c4b5a69' });
   * ```
   */
  revoke(params: SessionsRevokeParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"sessions.revoke","method":"DELETE","path":"/api/v1/auth/sessions/{sessionId}","keyed":true,"empty":true}, params, options);
  }

  /**
   * End all your sessions
   *
   * On every device; with `keepCurrent`, on every other one. The next login on those devices asks for the second factor again.
   *
   * Needs a signed-in user and a login within the last ten minutes; API keys cannot call it.
   *
   * `POST /api/v1/auth/logout-all`
   *
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @example
   * ```ts
   * await client.sessions.revokeAll({ keepCurrent: true });
   * ```
   */
  revokeAll(params?: SessionsRevokeAllParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"sessions.revokeAll","method":"POST","path":"/api/v1/auth/logout-all","keyed":true,"body":"json","empty":true}, params, options);
  }
}

/** `client.system` */
export class SystemResource extends Resource {
  /**
   * Get the health of the service
   *
   * 503 without a database.
   *
   * Needs no credential.
   *
   * `GET /health`
   *
   * @example
   * ```ts
   * const answer = await client.system.health();
   * ```
   */
  health(params?: SystemHealthParams, options?: RequestOptions): ApiPromise<Types.SystemHealthResponse> {
    return this.transport.call({"id":"system.health","method":"GET","path":"/health","public":true}, params, options);
  }

  /**
   * Get the health of the cache
   *
   * `down` is no failure of the service: it answers 200.
   *
   * Needs no credential.
   *
   * `GET /health/cache`
   *
   * @example
   * ```ts
   * const answer = await client.system.healthCache();
   * ```
   */
  healthCache(params?: SystemHealthCacheParams, options?: RequestOptions): ApiPromise<Types.SystemHealthCacheResponse> {
    return this.transport.call({"id":"system.healthCache","method":"GET","path":"/health/cache","public":true}, params, options);
  }

  /**
   * Get the health of the database
   *
   * Answers 503 if the database does not answer.
   *
   * Needs no credential.
   *
   * `GET /health/database`
   *
   * @example
   * ```ts
   * const answer = await client.system.healthDatabase();
   * ```
   */
  healthDatabase(params?: SystemHealthDatabaseParams, options?: RequestOptions): ApiPromise<Types.SystemHealthDatabaseResponse> {
    return this.transport.call({"id":"system.healthDatabase","method":"GET","path":"/health/database","public":true}, params, options);
  }

  /**
   * Check liveness
   *
   * Touches nothing.
   *
   * Needs no credential.
   *
   * `GET /health/liveness`
   *
   * @example
   * ```ts
   * const answer = await client.system.liveness();
   * ```
   */
  liveness(params?: SystemLivenessParams, options?: RequestOptions): ApiPromise<Types.SystemLivenessResponse> {
    return this.transport.call({"id":"system.liveness","method":"GET","path":"/health/liveness","public":true}, params, options);
  }

  /**
   * Check readiness
   *
   * 503 while starting, stopping, or without a database, or until Redis, where it is configured, has answered once.
   *
   * Needs no credential.
   *
   * `GET /health/readiness`
   *
   * @example
   * ```ts
   * const answer = await client.system.readiness();
   * ```
   */
  readiness(params?: SystemReadinessParams, options?: RequestOptions): ApiPromise<Types.SystemReadinessResponse> {
    return this.transport.call({"id":"system.readiness","method":"GET","path":"/health/readiness","public":true}, params, options);
  }
}

/** `client.usage.meters` */
export class UsageMetersResource extends Resource {
  /**
   * Archive a meter
   *
   * It takes no more events. Its values can still be read, and it keeps its slug.
   *
   * Needs `billing:manage`.
   *
   * `DELETE /api/v1/usage/meters/{meterId}`
   *
   * @example
   * ```ts
   * await client.usage.meters.archive({ meterId: 'mtr_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  archive(params: UsageMetersArchiveParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"usage.meters.archive","method":"DELETE","path":"/api/v1/usage/meters/{meterId}","keyed":true,"empty":true}, params, options);
  }

  /**
   * Create a meter
   *
   * It cannot be changed: what it has counted would mean something else.
   *
   * Needs `billing:manage`.
   *
   * `POST /api/v1/usage/meters`
   *
   * @throws {ConflictError} `limit_reached`, `meter_slug_taken`
   * @example
   * ```ts
   * const answer = await client.usage.meters.create({ slug: 'tokens', name: 'Tokens', aggregation: 'sum', property: 'tokens' });
   * ```
   */
  create(params: UsageMetersCreateParams, options?: RequestOptions): ApiPromise<Types.UsageMetersCreateResponse> {
    return this.transport.call({"id":"usage.meters.create","method":"POST","path":"/api/v1/usage/meters","keyed":true,"body":"json"}, params, options);
  }

  /**
   * List meters
   *
   * Newest first, archived ones too.
   *
   * Needs `analytics:read`.
   *
   * `GET /api/v1/usage/meters`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.usage.meters.list({ limit: 25 })) console.log(item);
   * ```
   */
  list(params?: UsageMetersListParams, options?: RequestOptions): PagePromise<Types.UsageMetersListResponse> {
    return this.transport.list({"id":"usage.meters.list","method":"GET","path":"/api/v1/usage/meters"}, params, options);
  }

  /**
   * Read a meter
   *
   * What it shows for a range of time, for each hour or day of it, for each key or customer. Values are exact, and include every event that was answered. Events may arrive for 24 hours, so the values of the last day can still change.
   *
   * Needs `analytics:read`.
   *
   * `GET /api/v1/usage/meters/{meterId}/values`
   *
   * @throws {BadRequestError} `unknown_time_zone`, `time_range_reversed`, `time_range_too_long`, `time_range_unbounded`
   * @example
   * ```ts
   * const answer = await client.usage.meters.values({
   *   meterId: 'mtr_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   from: '2026-01-31T00:00:00Z',
   *   to: '2026-02-01T00:00:00Z',
   *   groupBy: 'externalId',
   * });
   * ```
   */
  values(params: UsageMetersValuesParams, options?: RequestOptions): ApiPromise<Types.UsageMetersValuesResponse> {
    return this.transport.call({"id":"usage.meters.values","method":"GET","path":"/api/v1/usage/meters/{meterId}/values"}, params, options);
  }
}

/** `client.usage` */
export class UsageResource extends Resource {
  readonly meters: UsageMetersResource;

  constructor(transport: Transport) {
    super(transport);
    this.meters = new UsageMetersResource(transport);
  }

  /**
   * Send usage events
   *
   * All events of a batch are written, or none. Answered when they are stored: repeat a batch whose answer was lost, and each event is still counted once. A transaction id is known for 35 days. What a key of environment `test` sends is counted apart.
   *
   * Needs `usage:write`.
   *
   * `POST /api/v1/usage/events`
   *
   * @throws {BadRequestError} `unknown_meter`, `usage_in_future`, `usage_too_late`, `usage_property_missing`, `usage_value_missing`, `usage_value_not_a_number`, `usage_value_negative`, `usage_value_too_large`
   * @throws {ConflictError} `meter_archived`, `transaction_id_reused`
   * @example
   * ```ts
   * const answer = await client.usage.ingest({
   *   events: [
   *     {
   *       transactionId: 'req-8f14e45f',
   *       meter: 'tokens',
   *       externalId: 'customer-42',
   *       properties: { tokens: 1200 },
   *     },
   *   ],
   * });
   * ```
   */
  ingest(params: UsageIngestParams, options?: RequestOptions): ApiPromise<Types.UsageIngestResponse> {
    return this.transport.call({"id":"usage.ingest","method":"POST","path":"/api/v1/usage/events","repeatable":true,"body":"json"}, params, options);
  }
}

/** `client.users.me` */
export class UsersMeResource extends Resource {
  /**
   * List what happened to the safety of your account
   *
   * Wrong passwords, new devices, lockouts and changes to how you sign in, newest first. Kept for 90 days.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `GET /api/v1/users/me/activity`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.users.me.activity({ limit: 25 })) console.log(item);
   * ```
   */
  activity(params?: UsersMeActivityParams, options?: RequestOptions): PagePromise<Types.UsersMeActivityResponse> {
    return this.transport.list({"id":"users.me.activity","method":"GET","path":"/api/v1/users/me/activity"}, params, options);
  }

  /**
   * Upload your picture
   *
   * It replaces the one before, whose address works for an hour more.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `POST /api/v1/users/me/avatar`
   *
   * @throws {BadRequestError} `malformed_multipart`
   * @throws {ConflictError} `account_deleted`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @throws {UnprocessableError} `image_refused`
   * @throws {ServerError} `overloaded`
   * @example
   * ```ts
   * const answer = await client.users.me.avatar({ file });
   * ```
   */
  avatar(params: UsersMeAvatarParams, options?: RequestOptions): ApiPromise<Types.UsersMeAvatarResponse> {
    return this.transport.call({"id":"users.me.avatar","method":"POST","path":"/api/v1/users/me/avatar","body":"form"}, params, options);
  }

  /**
   * Change your e-mail address
   *
   * Mails a link to the new address, for 24 hours; it takes effect when that is opened. The answer is the same for an address that has an account. Then the old address is mailed a link that takes the change back, for 7 days.
   *
   * Needs a signed-in user and a login within the last ten minutes; API keys cannot call it.
   *
   * `POST /api/v1/users/me/email`
   *
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @example
   * ```ts
   * await client.users.me.changeEmail({ email: 'ada@new.example' });
   * ```
   */
  changeEmail(params: UsersMeChangeEmailParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"users.me.changeEmail","method":"POST","path":"/api/v1/users/me/email","keyed":true,"body":"json","empty":true}, params, options);
  }

  /**
   * Delete your account
   *
   * Your sessions, and the keys of your personal organization, end at once, and you leave every organization. For 30 days an administrator can restore the account; then your personal data are erased.
   *
   * Needs a signed-in user and a login within the last ten minutes; API keys cannot call it.
   *
   * `DELETE /api/v1/users/me`
   *
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @throws {ConflictError} `last_super_admin`, `last_owner`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * await client.users.me.delete();
   * ```
   */
  delete(params?: UsersMeDeleteParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"users.me.delete","method":"DELETE","path":"/api/v1/users/me","keyed":true,"empty":true}, params, options);
  }

  /**
   * Ask for a copy of your data
   *
   * Makes a ZIP archive of JSON files: profile, organizations, sessions, security events, keys without secrets, invitations, and what you did. A mail says when it is ready. Asking again meanwhile answers the same export with its progress.
   *
   * Needs a signed-in user and a login within the last ten minutes; API keys cannot call it.
   *
   * `POST /api/v1/users/me/export`
   *
   * @throws {PermissionDeniedError} `reauthentication_required`
   * @example
   * ```ts
   * const answer = await client.users.me.export();
   * ```
   */
  export(params?: UsersMeExportParams, options?: RequestOptions): ApiPromise<Types.UsersMeExportResponse> {
    return this.transport.call({"id":"users.me.export","method":"POST","path":"/api/v1/users/me/export","keyed":true}, params, options);
  }

  /**
   * Download a copy of your data
   *
   * A ZIP archive, for 24 hours after it was made.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `GET /api/v1/users/me/exports/{exportId}`
   *
   * @throws {ConflictError} `export_not_ready`
   * @example
   * ```ts
   * await client.users.me.exportFile({ exportId: 'exp_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  exportFile(params: UsersMeExportFileParams, options?: RequestOptions): ApiPromise<Types.UsersMeExportFileResponse> {
    return this.transport.call({"id":"users.me.exportFile","method":"GET","path":"/api/v1/users/me/exports/{exportId}","accept":"application/zip"}, params, options);
  }

  /**
   * Get the current user
   *
   * With an API key: the user who created the key, while a member of its organization.
   *
   * Needs a signed-in user, or an API key of any scope.
   *
   * `GET /api/v1/users/me`
   *
   * @throws {PermissionDeniedError} `key_without_user`
   * @example
   * ```ts
   * const answer = await client.users.me.get();
   * ```
   */
  get(params?: UsersMeGetParams, options?: RequestOptions): ApiPromise<Types.UsersMeGetResponse> {
    return this.transport.call({"id":"users.me.get","method":"GET","path":"/api/v1/users/me"}, params, options);
  }

  /**
   * List your permissions and where each comes from
   *
   * In the current organization, and on the platform.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `GET /api/v1/users/me/permissions`
   *
   * @example
   * ```ts
   * const answer = await client.users.me.permissions();
   * ```
   */
  permissions(params?: UsersMePermissionsParams, options?: RequestOptions): ApiPromise<Types.UsersMePermissionsResponse> {
    return this.transport.call({"id":"users.me.permissions","method":"GET","path":"/api/v1/users/me/permissions"}, params, options);
  }

  /**
   * Update the current user
   *
   * With `If-Match`, only if the profile has not changed since the `ETag` was read.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `PATCH /api/v1/users/me`
   *
   * @throws {ConflictError} `username_taken`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.users.me.update({
   *   fullName: 'Ada King',
   *   defaultOrganizationId: 'org_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   * });
   * ```
   */
  update(params?: UsersMeUpdateParams, options?: RequestOptions): ApiPromise<Types.UsersMeUpdateResponse> {
    return this.transport.call({"id":"users.me.update","method":"PATCH","path":"/api/v1/users/me","keyed":true,"body":"json"}, params, options);
  }
}

/** `client.users.roles` */
export class UsersRolesResource extends Resource {
  /**
   * Set a member's custom roles
   *
   * In the current organization, in addition to the organization role.
   *
   * Needs `roles:assign`.
   *
   * `PUT /api/v1/users/{userId}/roles`
   *
   * @throws {PermissionDeniedError} `permission_not_held`, `target_has_more_permissions`
   * @throws {ConflictError} `system_role`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.users.roles.set({
   *   userId: 'usr_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   roleIds: ['rol_2x4mzwq6v0d8k3r7n5t9b1c6gh'],
   * });
   * ```
   */
  set(params: UsersRolesSetParams, options?: RequestOptions): ApiPromise<Types.UsersRolesSetResponse> {
    return this.transport.call({"id":"users.roles.set","method":"PUT","path":"/api/v1/users/{userId}/roles","keyed":true,"body":"json"}, params, options);
  }
}

/** `client.users` */
export class UsersResource extends Resource {
  readonly me: UsersMeResource;
  readonly roles: UsersRolesResource;

  constructor(transport: Transport) {
    super(transport);
    this.me = new UsersMeResource(transport);
    this.roles = new UsersRolesResource(transport);
  }

  /**
   * Activate a user
   *
   * Makes a suspended or inactive account active, and restores a deleted one with its memberships. Sessions and keys that have ended stay ended.
   *
   * Needs `users:suspend` on the platform.
   *
   * `POST /api/v1/users/{userId}/activate`
   *
   * @throws {PermissionDeniedError} `target_has_more_permissions`
   * @throws {ConflictError} `limit_reached`, `account_erased`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.users.activate({ userId: 'usr_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  activate(params: UsersActivateParams, options?: RequestOptions): ApiPromise<Types.UsersActivateResponse> {
    return this.transport.call({"id":"users.activate","method":"POST","path":"/api/v1/users/{userId}/activate","keyed":true}, params, options);
  }

  /**
   * Upload a user's picture
   *
   * It replaces the one before, whose address works for an hour more.
   *
   * Needs to be the user, or `users:update` on the platform.
   *
   * `POST /api/v1/users/{userId}/avatar`
   *
   * @throws {BadRequestError} `malformed_multipart`
   * @throws {PermissionDeniedError} `target_has_more_permissions`
   * @throws {ConflictError} `account_deleted`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @throws {UnprocessableError} `image_refused`
   * @throws {ServerError} `overloaded`
   * @example
   * ```ts
   * const answer = await client.users.avatar({ userId: 'usr_2x4mzwq6v0d8k3r7n5t9b1c6gh', file });
   * ```
   */
  avatar(params: UsersAvatarParams, options?: RequestOptions): ApiPromise<Types.UsersAvatarResponse> {
    return this.transport.call({"id":"users.avatar","method":"POST","path":"/api/v1/users/{userId}/avatar","body":"form"}, params, options);
  }

  /**
   * Get a picture
   *
   * A square WebP image. Its address is in `avatarUrl`; it never changes, so it may be kept for good.
   *
   * Needs no credential.
   *
   * `GET /api/v1/avatars/{avatarId}`
   *
   * @example
   * ```ts
   * await client.users.avatarImage({ avatarId: 'avt_2x4mzwq6v0d8k3r7n5t9b1c6gh', size: '256' });
   * ```
   */
  avatarImage(params: UsersAvatarImageParams, options?: RequestOptions): ApiPromise<Types.UsersAvatarImageResponse> {
    return this.transport.call({"id":"users.avatarImage","method":"GET","path":"/api/v1/avatars/{avatarId}","public":true,"accept":"image/webp"}, params, options);
  }

  /**
   * Create a user
   *
   * Mails its owner a link to set a password, which also verifies the address. It works for 7 days.
   *
   * Needs `users:create` on the platform.
   *
   * `POST /api/v1/users`
   *
   * @throws {ConflictError} `email_taken`, `username_taken`
   * @example
   * ```ts
   * const answer = await client.users.create({ email: 'ada@example.com', fullName: 'Ada Lovelace' });
   * ```
   */
  create(params: UsersCreateParams, options?: RequestOptions): ApiPromise<Types.UsersCreateResponse> {
    return this.transport.call({"id":"users.create","method":"POST","path":"/api/v1/users","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Deactivate a user
   *
   * For an account that is not used any more. What ends is the same as for a suspended one.
   *
   * Needs `users:update` on the platform.
   *
   * `POST /api/v1/users/{userId}/deactivate`
   *
   * @throws {PermissionDeniedError} `target_has_more_permissions`
   * @throws {ConflictError} `last_super_admin`, `account_deleted`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.users.deactivate({ userId: 'usr_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  deactivate(params: UsersDeactivateParams, options?: RequestOptions): ApiPromise<Types.UsersDeactivateResponse> {
    return this.transport.call({"id":"users.deactivate","method":"POST","path":"/api/v1/users/{userId}/deactivate","keyed":true}, params, options);
  }

  /**
   * Delete a user
   *
   * Sessions, and the keys of the personal organization, end at once, and the user leaves every organization. For 30 days `POST /users/{userId}/activate` restores the account; then its personal data are erased.
   *
   * Needs to be the user, or `users:delete` on the platform; in both cases a login within the last ten minutes.
   *
   * `DELETE /api/v1/users/{userId}`
   *
   * @throws {PermissionDeniedError} `reauthentication_required`, `target_has_more_permissions`
   * @throws {ConflictError} `last_super_admin`, `last_owner`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * await client.users.delete({ userId: 'usr_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  delete(params: UsersDeleteParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"users.delete","method":"DELETE","path":"/api/v1/users/{userId}","keyed":true,"empty":true}, params, options);
  }

  /**
   * Get a user
   *
   * Yourself, a member of the current organization, or anyone for platform staff with `users:read` who name no organization.
   *
   * Needs `org:read`.
   *
   * `GET /api/v1/users/{userId}`
   *
   * @example
   * ```ts
   * const answer = await client.users.get({ userId: 'usr_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  get(params: UsersGetParams, options?: RequestOptions): ApiPromise<Types.UsersGetResponse> {
    return this.transport.call({"id":"users.get","method":"GET","path":"/api/v1/users/{userId}"}, params, options);
  }

  /**
   * List users
   *
   * The members of the current organization. Platform staff with `users:read` who name no organization see every user, as `User`.
   *
   * Needs `org:read`.
   *
   * `GET /api/v1/users`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.users.list({ search: 'ada', sort: 'email', limit: 25 })) console.log(item);
   * ```
   */
  list(params?: UsersListParams, options?: RequestOptions): PagePromise<Types.UsersListResponse> {
    return this.transport.list({"id":"users.list","method":"GET","path":"/api/v1/users"}, params, options);
  }

  /**
   * Suspend a user
   *
   * Ends the sessions, mailed links and keys of the personal organization at once.
   *
   * Needs `users:suspend` on the platform.
   *
   * `POST /api/v1/users/{userId}/suspend`
   *
   * @throws {PermissionDeniedError} `target_has_more_permissions`
   * @throws {ConflictError} `last_super_admin`, `account_deleted`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.users.suspend({ userId: 'usr_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  suspend(params: UsersSuspendParams, options?: RequestOptions): ApiPromise<Types.UsersSuspendResponse> {
    return this.transport.call({"id":"users.suspend","method":"POST","path":"/api/v1/users/{userId}/suspend","keyed":true}, params, options);
  }

  /**
   * Update a user
   *
   * With `If-Match`, only if the profile has not changed since the `ETag` was read.
   *
   * Needs to be the user, or `users:update` on the platform.
   *
   * `PATCH /api/v1/users/{userId}`
   *
   * @throws {PermissionDeniedError} `target_has_more_permissions`
   * @throws {ConflictError} `account_deleted`, `username_taken`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.users.update({ userId: 'usr_2x4mzwq6v0d8k3r7n5t9b1c6gh', fullName: 'Ada King' });
   * ```
   */
  update(params: UsersUpdateParams, options?: RequestOptions): ApiPromise<Types.UsersUpdateResponse> {
    return this.transport.call({"id":"users.update","method":"PATCH","path":"/api/v1/users/{userId}","keyed":true,"body":"json"}, params, options);
  }
}

/** `client.webhooks.deliveries` */
export class WebhooksDeliveriesResource extends Resource {
  /**
   * Get a delivery
   *
   * With its payload, and what was sent and answered at each attempt.
   *
   * Needs `webhooks:read`.
   *
   * `GET /api/v1/webhooks/{webhookId}/deliveries/{deliveryId}`
   *
   * @example
   * ```ts
   * const answer = await client.webhooks.deliveries.get({
   *   webhookId: 'whk_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   deliveryId: 'dlv_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   * });
   * ```
   */
  get(params: WebhooksDeliveriesGetParams, options?: RequestOptions): ApiPromise<Types.WebhooksDeliveriesGetResponse> {
    return this.transport.call({"id":"webhooks.deliveries.get","method":"GET","path":"/api/v1/webhooks/{webhookId}/deliveries/{deliveryId}"}, params, options);
  }

  /**
   * List deliveries of a webhook
   *
   * Newest first, of the last 30 days.
   *
   * Needs `webhooks:read`.
   *
   * `GET /api/v1/webhooks/{webhookId}/deliveries`
   *
   * @throws {BadRequestError} `invalid_cursor`, `time_range_reversed`
   * @example
   * ```ts
   * for await (const item of client.webhooks.deliveries.list({ webhookId: 'whk_2x4mzwq6v0d8k3r7n5t9b1c6gh', limit: 25 })) console.log(item);
   * ```
   */
  list(params: WebhooksDeliveriesListParams, options?: RequestOptions): PagePromise<Types.WebhooksDeliveriesListResponse> {
    return this.transport.list({"id":"webhooks.deliveries.list","method":"GET","path":"/api/v1/webhooks/{webhookId}/deliveries"}, params, options);
  }

  /**
   * Send a delivery again
   *
   * At once, whatever its schedule says; the schedule begins anew if it fails.
   *
   * Needs `webhooks:update`.
   *
   * `POST /api/v1/webhooks/{webhookId}/deliveries/{deliveryId}/retry`
   *
   * @throws {ConflictError} `delivery_already_succeeded`, `webhook_disabled`
   * @example
   * ```ts
   * const answer = await client.webhooks.deliveries.retry({
   *   webhookId: 'whk_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   *   deliveryId: 'dlv_2x4mzwq6v0d8k3r7n5t9b1c6gh',
   * });
   * ```
   */
  retry(params: WebhooksDeliveriesRetryParams, options?: RequestOptions): ApiPromise<Types.WebhooksDeliveriesRetryResponse> {
    return this.transport.call({"id":"webhooks.deliveries.retry","method":"POST","path":"/api/v1/webhooks/{webhookId}/deliveries/{deliveryId}/retry","keyed":true}, params, options);
  }
}

/** `client.webhooks` */
export class WebhooksResource extends Resource {
  readonly deliveries: WebhooksDeliveriesResource;

  constructor(transport: Transport) {
    super(transport);
    this.deliveries = new WebhooksDeliveriesResource(transport);
  }

  /**
   * Create a webhook
   *
   * Events that happen from now on are sent to the address as Standard Webhooks. The secret is in this answer only. At most 100 in an organization.
   *
   * Needs `webhooks:create`.
   *
   * `POST /api/v1/webhooks`
   *
   * @throws {BadRequestError} `target_not_allowed`, `header_not_allowed`, `unknown_event_type`, `unknown_event_version`
   * @throws {PermissionDeniedError} `event_not_allowed`
   * @throws {ConflictError} `limit_reached`
   * @example
   * ```ts
   * const answer = await client.webhooks.create({ url: 'https://example.com/webhooks', events: ['api_key.*'] });
   * ```
   */
  create(params: WebhooksCreateParams, options?: RequestOptions): ApiPromise<Types.WebhooksCreateResponse> {
    return this.transport.call({"id":"webhooks.create","method":"POST","path":"/api/v1/webhooks","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Delete a webhook
   *
   * Takes effect at once: what waits is not sent.
   *
   * Needs `webhooks:delete`.
   *
   * `DELETE /api/v1/webhooks/{webhookId}`
   *
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * await client.webhooks.delete({ webhookId: 'whk_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  delete(params: WebhooksDeleteParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"webhooks.delete","method":"DELETE","path":"/api/v1/webhooks/{webhookId}","keyed":true,"empty":true}, params, options);
  }

  /**
   * List all event types there are
   *
   * With the JSON Schema and an example of their data, and the permission that a subscriber needs.
   *
   * Needs a signed-in user; API keys cannot call it.
   *
   * `GET /api/v1/webhooks/event-types`
   *
   * @example
   * ```ts
   * const answer = await client.webhooks.eventTypes();
   * ```
   */
  eventTypes(params?: WebhooksEventTypesParams, options?: RequestOptions): ApiPromise<Types.WebhooksEventTypesResponse> {
    return this.transport.call({"id":"webhooks.eventTypes","method":"GET","path":"/api/v1/webhooks/event-types"}, params, options);
  }

  /**
   * Get a webhook
   *
   * Without its secret, which is shown at its creation only.
   *
   * Needs `webhooks:read`.
   *
   * `GET /api/v1/webhooks/{webhookId}`
   *
   * @example
   * ```ts
   * const answer = await client.webhooks.get({ webhookId: 'whk_2x4mzwq6v0d8k3r7n5t9b1c6gh' });
   * ```
   */
  get(params: WebhooksGetParams, options?: RequestOptions): ApiPromise<Types.WebhooksGetResponse> {
    return this.transport.call({"id":"webhooks.get","method":"GET","path":"/api/v1/webhooks/{webhookId}"}, params, options);
  }

  /**
   * List webhooks
   *
   * Newest first. Secrets and values of headers are never shown again.
   *
   * Needs `webhooks:read`.
   *
   * `GET /api/v1/webhooks`
   *
   * @throws {BadRequestError} `invalid_cursor`
   * @example
   * ```ts
   * for await (const item of client.webhooks.list({ limit: 25 })) console.log(item);
   * ```
   */
  list(params?: WebhooksListParams, options?: RequestOptions): PagePromise<Types.WebhooksListResponse> {
    return this.transport.list({"id":"webhooks.list","method":"GET","path":"/api/v1/webhooks"}, params, options);
  }

  /**
   * Send again what has failed
   *
   * Every delivery that was created from `since` to `until` (now by default) and has failed. A job sends them; `dryRun` only counts. The last 30 days can be recovered.
   *
   * Needs `webhooks:update`.
   *
   * `POST /api/v1/webhooks/{webhookId}/recover`
   *
   * @throws {BadRequestError} `time_range_reversed`, `time_range_too_long`, `time_range_unbounded`
   * @throws {ConflictError} `webhook_disabled`
   * @example
   * ```ts
   * const answer = await client.webhooks.recover({ webhookId: 'whk_2x4mzwq6v0d8k3r7n5t9b1c6gh', since: '2026-01-31T00:00:00Z' });
   * ```
   */
  recover(params: WebhooksRecoverParams, options?: RequestOptions): ApiPromise<Types.WebhooksRecoverResponse> {
    return this.transport.call({"id":"webhooks.recover","method":"POST","path":"/api/v1/webhooks/{webhookId}/recover","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Rotate the secret of a webhook
   *
   * The webhook gets a new secret, which is in this answer only. Deliveries carry a signature of the earlier one too for `overlapSeconds`, at most 7 days.
   *
   * Needs `webhooks:update`.
   *
   * `POST /api/v1/webhooks/{webhookId}/rotate-secret`
   *
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.webhooks.rotateSecret({ webhookId: 'whk_2x4mzwq6v0d8k3r7n5t9b1c6gh', overlapSeconds: 86400 });
   * ```
   */
  rotateSecret(params: WebhooksRotateSecretParams, options?: RequestOptions): ApiPromise<Types.WebhooksRotateSecretResponse> {
    return this.transport.call({"id":"webhooks.rotateSecret","method":"POST","path":"/api/v1/webhooks/{webhookId}/rotate-secret","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Get the statistics of a webhook
   *
   * How many attempts succeeded and how long they took, in all and by day; of at most 30 days.
   *
   * Needs `webhooks:read`.
   *
   * `GET /api/v1/webhooks/{webhookId}/stats`
   *
   * @example
   * ```ts
   * const answer = await client.webhooks.stats({ webhookId: 'whk_2x4mzwq6v0d8k3r7n5t9b1c6gh', days: 7 });
   * ```
   */
  stats(params: WebhooksStatsParams, options?: RequestOptions): ApiPromise<Types.WebhooksStatsResponse> {
    return this.transport.call({"id":"webhooks.stats","method":"GET","path":"/api/v1/webhooks/{webhookId}/stats"}, params, options);
  }

  /**
   * Send an example to a webhook
   *
   * The example of an event type, signed as a real one is; nothing else happens.
   *
   * Needs `webhooks:test`.
   *
   * `POST /api/v1/webhooks/{webhookId}/test`
   *
   * @throws {BadRequestError} `unknown_event_type`
   * @throws {ConflictError} `webhook_disabled`
   * @example
   * ```ts
   * const answer = await client.webhooks.test({ webhookId: 'whk_2x4mzwq6v0d8k3r7n5t9b1c6gh', eventType: 'api_key.created' });
   * ```
   */
  test(params: WebhooksTestParams, options?: RequestOptions): ApiPromise<Types.WebhooksTestResponse> {
    return this.transport.call({"id":"webhooks.test","method":"POST","path":"/api/v1/webhooks/{webhookId}/test","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Update a webhook
   *
   * You must have the permissions of the event types that you add, and of all its event types to change the address. What waits is sent to the new address; what happens while a webhook is disabled is not kept for it.
   *
   * Needs `webhooks:update`.
   *
   * `PATCH /api/v1/webhooks/{webhookId}`
   *
   * @throws {BadRequestError} `target_not_allowed`, `header_not_allowed`, `unknown_event_type`, `unknown_event_version`
   * @throws {PermissionDeniedError} `event_not_allowed`
   * @throws {PreconditionFailedError} `version_mismatch`
   * @example
   * ```ts
   * const answer = await client.webhooks.update({ webhookId: 'whk_2x4mzwq6v0d8k3r7n5t9b1c6gh', events: ['*'] });
   * ```
   */
  update(params: WebhooksUpdateParams, options?: RequestOptions): ApiPromise<Types.WebhooksUpdateResponse> {
    return this.transport.call({"id":"webhooks.update","method":"PATCH","path":"/api/v1/webhooks/{webhookId}","keyed":true,"body":"json"}, params, options);
  }
}

/** `client.ws` */
export class WsResource extends Resource {
  /**
   * Get what is connected to the sockets
   *
   * Of all processes together, and of each. Processes know of each other through Redis.
   *
   * Needs `system:manage` on the platform.
   *
   * `GET /api/v1/ws/stats`
   *
   * @example
   * ```ts
   * const answer = await client.ws.stats();
   * ```
   */
  stats(params?: WsStatsParams, options?: RequestOptions): ApiPromise<Types.WsStatsResponse> {
    return this.transport.call({"id":"ws.stats","method":"GET","path":"/api/v1/ws/stats"}, params, options);
  }

  /**
   * Get a ticket for the realtime socket
   *
   * Works once, for 30 seconds, so that a URL holds no lasting credential.
   *
   * Needs a signed-in user, or an API key of any scope.
   *
   * `POST /api/v1/ws/ticket`
   *
   * @example
   * ```ts
   * const answer = await client.ws.ticket();
   * ```
   */
  ticket(params?: WsTicketParams, options?: RequestOptions): ApiPromise<Types.WsTicketResponse> {
    return this.transport.call({"id":"ws.ticket","method":"POST","path":"/api/v1/ws/ticket"}, params, options);
  }
}
