// Written by scripts/generate.ts from docs/openapi.json; do not edit.
import type { ApiPromise, PagePromise } from '../api-promise.ts';
import type { NoParams, Params } from '../params.ts';
import { type RequestOptions, Resource, type Transport } from '../transport.ts';
import type * as Types from './types.gen.ts';

export type {
  ApiKey,
  ApiKeyPage,
  ApiKeysCreateResponse,
  ApiKeysGetResponse,
  ApiKeysListResponse,
  AuthLoginResponse,
  AuthRefreshResponse,
  AuthRegisterResponse,
  CacheHealth,
  CreateApiKey,
  CreatedApiKey,
  DatabaseHealth,
  Health,
  Login,
  Mailbox,
  MailedToken,
  Metadata,
  Probe,
  Problem,
  Refresh,
  Register,
  Registered,
  Scope,
  SystemHealthCacheResponse,
  SystemHealthDatabaseResponse,
  SystemHealthResponse,
  SystemLivenessResponse,
  SystemReadinessResponse,
  Ticket,
  Tokens,
  UpdateMe,
  User,
  UsersMeGetResponse,
  UsersMeUpdateResponse,
  WsTicketResponse,
} from './types.gen.ts';

/** The codes that this version of the server answers. */
export type KnownErrorCode =
  | "invalid_input"
  | "malformed_json"
  | "json_too_deep"
  | "invalid_text"
  | "invalid_cursor"
  | "ambiguous_credentials"
  | "organization_mismatch"
  | "invalid_idempotency_key"
  | "idempotency_key_in_batch"
  | "batch_too_large"
  | "invalid_token"
  | "credentials_required"
  | "invalid_credentials"
  | "invalid_access_token"
  | "access_token_expired"
  | "session_revoked"
  | "invalid_refresh_token"
  | "invalid_api_key"
  | "api_key_revoked"
  | "api_key_expired"
  | "invalid_ticket"
  | "email_not_verified"
  | "account_inactive"
  | "permission_denied"
  | "user_required"
  | "key_without_user"
  | "scope_not_held"
  | "address_not_allowed"
  | "origin_not_allowed"
  | "not_found"
  | "operation_not_found"
  | "method_not_allowed"
  | "username_taken"
  | "idempotency_in_progress"
  | "limit_reached"
  | "version_mismatch"
  | "body_too_large"
  | "unsupported_media_type"
  | "idempotency_key_reused"
  | "rate_limited"
  | "internal_error"
  | "overloaded"
  | "unavailable";

export type ApiKeysCreateParams = Params<Types.ApiKeysCreateData>;
export type ApiKeysGetParams = Params<Types.ApiKeysGetData>;
export type ApiKeysListParams = Params<Types.ApiKeysListData>;
export type ApiKeysRevokeParams = Params<Types.ApiKeysRevokeData>;
export type AuthEmailResendVerificationParams = Params<Types.AuthEmailResendVerificationData>;
export type AuthEmailVerifyParams = Params<Types.AuthEmailVerifyData>;
export type AuthLoginParams = Params<Types.AuthLoginData>;
export type AuthLogoutParams = NoParams;
export type AuthRefreshParams = Params<Types.AuthRefreshData>;
export type AuthRegisterParams = Params<Types.AuthRegisterData>;
export type SystemHealthParams = NoParams;
export type SystemHealthCacheParams = NoParams;
export type SystemHealthDatabaseParams = NoParams;
export type SystemLivenessParams = NoParams;
export type SystemReadinessParams = NoParams;
export type UsersMeGetParams = NoParams;
export type UsersMeUpdateParams = Params<Types.UsersMeUpdateData>;
export type WsTicketParams = NoParams;

/** `client.apiKeys` */
export class ApiKeysResource extends Resource {
  /**
   * Create an API key
   * The secret is in this answer only.
   * `POST /api/v1/api-keys`
   */
  create(params: ApiKeysCreateParams, options?: RequestOptions): ApiPromise<Types.ApiKeysCreateResponse> {
    return this.transport.call({"id":"apiKeys.create","method":"POST","path":"/api/v1/api-keys","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Get an API key
   * `GET /api/v1/api-keys/{keyId}`
   */
  get(params: ApiKeysGetParams, options?: RequestOptions): ApiPromise<Types.ApiKeysGetResponse> {
    return this.transport.call({"id":"apiKeys.get","method":"GET","path":"/api/v1/api-keys/{keyId}"}, params, options);
  }

  /**
   * List API keys
   * Newest first, revoked ones included. Secrets are never shown again.
   * `GET /api/v1/api-keys`
   */
  list(params?: ApiKeysListParams, options?: RequestOptions): PagePromise<Types.ApiKeysListResponse> {
    return this.transport.list({"id":"apiKeys.list","method":"GET","path":"/api/v1/api-keys"}, params, options);
  }

  /**
   * Revoke an API key
   * At once and for good; the key stays listed.
   * `DELETE /api/v1/api-keys/{keyId}`
   */
  revoke(params: ApiKeysRevokeParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"apiKeys.revoke","method":"DELETE","path":"/api/v1/api-keys/{keyId}","keyed":true}, params, options);
  }
}

/** `client.auth.email` */
export class AuthEmailResource extends Resource {
  /**
   * Mail the verification link again
   * The answer is the same whether or not the address has an account.
   * `POST /api/v1/auth/resend-verification`
   */
  resendVerification(params: AuthEmailResendVerificationParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.email.resendVerification","method":"POST","path":"/api/v1/auth/resend-verification","public":true,"body":"json"}, params, options);
  }

  /**
   * Verify an e-mail address with the mailed token
   * `POST /api/v1/auth/verify-email`
   */
  verify(params: AuthEmailVerifyParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.email.verify","method":"POST","path":"/api/v1/auth/verify-email","public":true,"body":"json"}, params, options);
  }
}

/** `client.auth` */
export class AuthResource extends Resource {
  readonly email: AuthEmailResource;

  constructor(transport: Transport) {
    super(transport);
    this.email = new AuthEmailResource(transport);
  }

  /**
   * Log in with e-mail address and password
   * `POST /api/v1/auth/login`
   */
  login(params: AuthLoginParams, options?: RequestOptions): ApiPromise<Types.AuthLoginResponse> {
    return this.transport.call({"id":"auth.login","method":"POST","path":"/api/v1/auth/login","public":true,"body":"json"}, params, options);
  }

  /**
   * End the current session
   * `POST /api/v1/auth/logout`
   */
  logout(params?: AuthLogoutParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.logout","method":"POST","path":"/api/v1/auth/logout","keyed":true}, params, options);
  }

  /**
   * Exchange a refresh token for a new pair
   * Each refresh token works once. A used one that comes back after 10 seconds ends the session.
   * `POST /api/v1/auth/refresh`
   */
  refresh(params: AuthRefreshParams, options?: RequestOptions): ApiPromise<Types.AuthRefreshResponse> {
    return this.transport.call({"id":"auth.refresh","method":"POST","path":"/api/v1/auth/refresh","public":true,"body":"json"}, params, options);
  }

  /**
   * Create an account
   * Mails a link that verifies the address. The answer is the same for an address that has an account already; its owner is mailed instead.
   * `POST /api/v1/auth/register`
   */
  register(params: AuthRegisterParams, options?: RequestOptions): ApiPromise<Types.AuthRegisterResponse> {
    return this.transport.call({"id":"auth.register","method":"POST","path":"/api/v1/auth/register","public":true,"body":"json"}, params, options);
  }
}

/** `client.system` */
export class SystemResource extends Resource {
  /**
   * Get the health of the service
   * 503 without a database.
   * `GET /health`
   */
  health(params?: SystemHealthParams, options?: RequestOptions): ApiPromise<Types.SystemHealthResponse> {
    return this.transport.call({"id":"system.health","method":"GET","path":"/health","public":true}, params, options);
  }

  /**
   * Get the health of the cache
   * `GET /health/cache`
   */
  healthCache(params?: SystemHealthCacheParams, options?: RequestOptions): ApiPromise<Types.SystemHealthCacheResponse> {
    return this.transport.call({"id":"system.healthCache","method":"GET","path":"/health/cache","public":true}, params, options);
  }

  /**
   * Get the health of the database
   * `GET /health/database`
   */
  healthDatabase(params?: SystemHealthDatabaseParams, options?: RequestOptions): ApiPromise<Types.SystemHealthDatabaseResponse> {
    return this.transport.call({"id":"system.healthDatabase","method":"GET","path":"/health/database","public":true}, params, options);
  }

  /**
   * Ask whether the process runs
   * Touches nothing.
   * `GET /health/liveness`
   */
  liveness(params?: SystemLivenessParams, options?: RequestOptions): ApiPromise<Types.SystemLivenessResponse> {
    return this.transport.call({"id":"system.liveness","method":"GET","path":"/health/liveness","public":true}, params, options);
  }

  /**
   * Ask whether requests may be sent
   * 503 while starting, stopping, or without a database.
   * `GET /health/readiness`
   */
  readiness(params?: SystemReadinessParams, options?: RequestOptions): ApiPromise<Types.SystemReadinessResponse> {
    return this.transport.call({"id":"system.readiness","method":"GET","path":"/health/readiness","public":true}, params, options);
  }
}

/** `client.users.me` */
export class UsersMeResource extends Resource {
  /**
   * Get the current user
   * With an API key: the person who made the key, while a member of its organization.
   * `GET /api/v1/users/me`
   */
  get(params?: UsersMeGetParams, options?: RequestOptions): ApiPromise<Types.UsersMeGetResponse> {
    return this.transport.call({"id":"users.me.get","method":"GET","path":"/api/v1/users/me"}, params, options);
  }

  /**
   * Update the current user
   * With `If-Match`, only if nobody changed the profile since the `ETag` was read.
   * `PATCH /api/v1/users/me`
   */
  update(params?: UsersMeUpdateParams, options?: RequestOptions): ApiPromise<Types.UsersMeUpdateResponse> {
    return this.transport.call({"id":"users.me.update","method":"PATCH","path":"/api/v1/users/me","keyed":true,"body":"json"}, params, options);
  }
}

/** `client.users` */
export class UsersResource extends Resource {
  readonly me: UsersMeResource;

  constructor(transport: Transport) {
    super(transport);
    this.me = new UsersMeResource(transport);
  }
}

/** `client.ws` */
export class WsResource extends Resource {
  /**
   * Get a ticket for the realtime socket
   * Works once, for 30 seconds, so that no lasting credential stands in a URL.
   * `POST /api/v1/ws/ticket`
   */
  ticket(params?: WsTicketParams, options?: RequestOptions): ApiPromise<Types.WsTicketResponse> {
    return this.transport.call({"id":"ws.ticket","method":"POST","path":"/api/v1/ws/ticket"}, params, options);
  }
}

export class Api extends Resource {
  readonly apiKeys: ApiKeysResource;
  readonly auth: AuthResource;
  readonly system: SystemResource;
  readonly users: UsersResource;
  readonly ws: WsResource;

  constructor(transport: Transport) {
    super(transport);
    this.apiKeys = new ApiKeysResource(transport);
    this.auth = new AuthResource(transport);
    this.system = new SystemResource(transport);
    this.users = new UsersResource(transport);
    this.ws = new WsResource(transport);
  }
}
