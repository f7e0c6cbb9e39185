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
  CreatedApiKey,
  LoginResult,
  MfaChallenge,
  Organization,
  OrganizationPage,
  OrgsListResponse,
  Problem,
  Registered,
  SystemHealthResponse,
  Tokens,
  User,
  UsersMeGetResponse,
  UsersMeUpdateResponse,
  WsTicketResponse,
} from './types.gen.ts';

/** The codes that this version of the server answers. */
export type KnownErrorCode =
  | "access_token_expired"
  | "invalid_token"
  | "not_found"
  | "permission_denied"
  | "rate_limited"
  | "validation_failed"
  | "api_key_revoked";

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
export type OrgsListParams = Params<Types.OrgsListData>;
export type SystemHealthParams = NoParams;
export type UsersMeGetParams = NoParams;
export type UsersMeUpdateParams = Params<Types.UsersMeUpdateData>;
export type WsTicketParams = NoParams;

/** `client.apiKeys` */
export class ApiKeys extends Resource {
  /**
   * Create an API key
   * `POST /api/v1/api-keys`
   */
  create(params: ApiKeysCreateParams, options?: RequestOptions): ApiPromise<Types.ApiKeysCreateResponse> {
    return this.transport.call({"id":"apiKeys.create","method":"POST","path":"/api/v1/api-keys","keyed":true,"body":"json"}, params, options);
  }

  /**
   * Read an API key
   * `GET /api/v1/api-keys/{keyId}`
   */
  get(params: ApiKeysGetParams, options?: RequestOptions): ApiPromise<Types.ApiKeysGetResponse> {
    return this.transport.call({"id":"apiKeys.get","method":"GET","path":"/api/v1/api-keys/{keyId}"}, params, options);
  }

  /**
   * List API keys
   * `GET /api/v1/api-keys`
   */
  list(params?: ApiKeysListParams, options?: RequestOptions): PagePromise<Types.ApiKeysListResponse> {
    return this.transport.list({"id":"apiKeys.list","method":"GET","path":"/api/v1/api-keys"}, params, options);
  }

  /**
   * Revoke an API key
   * `DELETE /api/v1/api-keys/{keyId}`
   */
  revoke(params: ApiKeysRevokeParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"apiKeys.revoke","method":"DELETE","path":"/api/v1/api-keys/{keyId}","keyed":true}, params, options);
  }
}

/** `client.auth.email` */
export class AuthEmail extends Resource {
  /**
   * Resend
   * `POST /api/v1/auth/resend-verification`
   */
  resendVerification(params: AuthEmailResendVerificationParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.email.resendVerification","method":"POST","path":"/api/v1/auth/resend-verification","public":true,"body":"json"}, params, options);
  }

  /**
   * Verify e-mail
   * `POST /api/v1/auth/verify-email`
   */
  verify(params: AuthEmailVerifyParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.email.verify","method":"POST","path":"/api/v1/auth/verify-email","public":true,"body":"json"}, params, options);
  }
}

/** `client.auth` */
export class Auth extends Resource {
  readonly email: AuthEmail;

  constructor(transport: Transport) {
    super(transport);
    this.email = new AuthEmail(transport);
  }

  /**
   * Log in
   * `POST /api/v1/auth/login`
   */
  login(params: AuthLoginParams, options?: RequestOptions): ApiPromise<Types.AuthLoginResponse> {
    return this.transport.call({"id":"auth.login","method":"POST","path":"/api/v1/auth/login","public":true,"body":"json"}, params, options);
  }

  /**
   * Log out
   * `POST /api/v1/auth/logout`
   */
  logout(params?: AuthLogoutParams, options?: RequestOptions): ApiPromise<void> {
    return this.transport.call({"id":"auth.logout","method":"POST","path":"/api/v1/auth/logout","keyed":true}, params, options);
  }

  /**
   * Refresh
   * `POST /api/v1/auth/refresh`
   */
  refresh(params?: AuthRefreshParams, options?: RequestOptions): ApiPromise<Types.AuthRefreshResponse> {
    return this.transport.call({"id":"auth.refresh","method":"POST","path":"/api/v1/auth/refresh","public":true,"body":"json"}, params, options);
  }

  /**
   * Register
   * `POST /api/v1/auth/register`
   */
  register(params: AuthRegisterParams, options?: RequestOptions): ApiPromise<Types.AuthRegisterResponse> {
    return this.transport.call({"id":"auth.register","method":"POST","path":"/api/v1/auth/register","public":true,"body":"json"}, params, options);
  }
}

/** `client.orgs` */
export class Orgs extends Resource {
  /**
   * List organizations
   * `GET /api/v1/organizations`
   */
  list(params?: OrgsListParams, options?: RequestOptions): PagePromise<Types.OrgsListResponse> {
    return this.transport.list({"id":"orgs.list","method":"GET","path":"/api/v1/organizations"}, params, options);
  }
}

/** `client.system` */
export class System extends Resource {
  /**
   * Health
   * `GET /health`
   */
  health(params?: SystemHealthParams, options?: RequestOptions): ApiPromise<Types.SystemHealthResponse> {
    return this.transport.call({"id":"system.health","method":"GET","path":"/health","public":true}, params, options);
  }
}

/** `client.users.me` */
export class UsersMe extends Resource {
  /**
   * Who am I
   * `GET /api/v1/users/me`
   */
  get(params?: UsersMeGetParams, options?: RequestOptions): ApiPromise<Types.UsersMeGetResponse> {
    return this.transport.call({"id":"users.me.get","method":"GET","path":"/api/v1/users/me"}, params, options);
  }

  /**
   * Change own profile
   * `PATCH /api/v1/users/me`
   */
  update(params?: UsersMeUpdateParams, options?: RequestOptions): ApiPromise<Types.UsersMeUpdateResponse> {
    return this.transport.call({"id":"users.me.update","method":"PATCH","path":"/api/v1/users/me","keyed":true,"body":"json"}, params, options);
  }
}

/** `client.users` */
export class Users extends Resource {
  readonly me: UsersMe;

  constructor(transport: Transport) {
    super(transport);
    this.me = new UsersMe(transport);
  }
}

/** `client.ws` */
export class Ws extends Resource {
  /**
   * A ticket for a socket
   * `POST /api/v1/ws/ticket`
   */
  ticket(params?: WsTicketParams, options?: RequestOptions): ApiPromise<Types.WsTicketResponse> {
    return this.transport.call({"id":"ws.ticket","method":"POST","path":"/api/v1/ws/ticket","keyed":true}, params, options);
  }
}

export class Api extends Resource {
  readonly apiKeys: ApiKeys;
  readonly auth: Auth;
  readonly orgs: Orgs;
  readonly system: System;
  readonly users: Users;
  readonly ws: Ws;

  constructor(transport: Transport) {
    super(transport);
    this.apiKeys = new ApiKeys(transport);
    this.auth = new Auth(transport);
    this.orgs = new Orgs(transport);
    this.system = new System(transport);
    this.users = new Users(transport);
    this.ws = new Ws(transport);
  }
}
