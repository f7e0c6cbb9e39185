import type { HeadersInput } from './options.ts';

/** One operation of the OpenAPI document; the generated methods carry these. */
export interface Operation {
  id: string;
  method: string;
  /** `/api/v1/api-keys/{keyId}` */
  path: string;
  /** Called without a credential. */
  public?: boolean;
  /** The server remembers its answer by `Idempotency-Key`. */
  keyed?: boolean;
  /** A repeat has its effect once by what it contains. */
  repeatable?: boolean;
  /** Parameters that go into the query string; all of them where there is no body. */
  query?: readonly string[];
  body?: 'json' | 'form' | 'raw';
  /** Of a raw body. */
  contentType?: string;
  /** The type of the answer, where it is not JSON; several of files, of which a parameter chooses one. */
  accept?: string;
  /** The answer may be empty. */
  empty?: boolean;
  /** Resolves to the `Response` itself: a stream of events or lines. */
  stream?: boolean;
}

/** The second argument of every call. */
export interface RequestOptions {
  /** Repeating a call with the same key has its effect once. By default each change gets a fresh one. */
  idempotencyKey?: string | undefined;
  /** The `ETag` you read: the change is refused with `PreconditionFailedError` if it was changed meanwhile. */
  ifMatch?: string | null | undefined;
  /** The organization this call is about, instead of the client's. */
  organizationId?: string | undefined;
  headers?: HeadersInput | undefined;
  signal?: AbortSignal | undefined;
  /** For each try, body included. */
  timeoutMs?: number | undefined;
  maxRetries?: number | undefined;
}
