export { ApiPromise, type ApiResult, type ListPage, type Page, PagePromise } from './api-promise.ts';
export type { RequestInput } from './encode-request.ts';
export {
  AuthenticationError,
  BadRequestError,
  type ClientErrorCode,
  ConflictError,
  ConnectionError,
  type ErrorCode,
  type FieldError,
  NotFoundError,
  PaymentRequiredError,
  PermissionDeniedError,
  PreconditionFailedError,
  type ProblemBody,
  RateLimitError,
  RentApiError,
  ServerError,
  TimeoutError,
  UnprocessableError,
} from './errors.ts';
export type * from './generated/resources.gen.ts';
export type { CallAttempt, Hooks, Logger, LogLevel } from './observer.ts';
export type { RequestOptions } from './operation.ts';
export type { FetchOptions, HeadersInput, RentApiOptions } from './options.ts';
export { type SubscribeOptions, Subscription } from './realtime.ts';
export type { Chat, ChatEvent, ChatOptions, ChatRead } from './realtime-chat.ts';
export type { RealtimeEvent, WebSocketConstructor, WebSocketLike } from './realtime-connection.ts';
export { RentApi } from './rentapi.ts';
export { VERSION } from './runtime.ts';
export type { SessionStore, SessionTokens, TokensInput } from './tokens.ts';
