export { ApiPromise, type ApiResult, type Page, PagePromise } from './api-promise.ts';
export { RentApi, type RentApiOptions } from './client.ts';
export {
  AuthenticationError,
  BadRequestError,
  ConflictError,
  ConnectionError,
  type ErrorCode,
  type FieldError,
  NotFoundError,
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
export type { RequestOptions } from './operation.ts';
export { type SubscribeOptions, Subscription } from './realtime.ts';
export type { RealtimeEvent, WebSocketConstructor, WebSocketLike } from './realtime-connection.ts';
export type { SessionStore, SessionTokens, TokensInput } from './tokens.ts';
