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
export {
  type RealtimeEvent,
  type SubscribeOptions,
  Subscription,
  type WebSocketConstructor,
  type WebSocketLike,
} from './realtime.ts';
export type { SessionTokens, TokensInput } from './session.ts';
export type { RequestOptions } from './transport.ts';
